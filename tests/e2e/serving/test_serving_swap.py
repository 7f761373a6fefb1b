"""Swapping versions under load: nobody is failed, and nobody is answered by the past."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from .conftest import ROW, Client, Endpoint

CLIENTS = 32
SWAPS = 20


@dataclass
class Seen:
    """What the clients saw."""

    confirmed: int = 1
    stop: bool = False
    ids: list[str] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)
    stale: int = 0
    versions: set[int] = field(default_factory=set)


async def ask_on(client: Client, seen: Seen, name: int) -> None:
    """Ask until told to stop, and compare each answer with what was confirmed when it was sent."""
    number = 0
    while not seen.stop:
        confirmed = seen.confirmed
        number += 1
        status, answer = await client.post("/predict", {"row": ROW, "key": f"{name}-{number}"})
        seen.statuses.add(status)
        [one] = answer["predictions"]
        seen.ids.append(one["id"])
        version = int(one["value"])
        assert one["model_version"] == f"model:delay@{version}"
        seen.versions.add(version)
        seen.stale += version < confirmed


async def swap_under_load(endpoint: Endpoint, port: int) -> Seen:
    """Swap through all versions while the clients ask."""
    seen = Seen()

    async def client(name: int) -> None:
        async with Client(port) as connection:
            await ask_on(connection, seen, name)

    clients = [asyncio.create_task(client(name)) for name in range(CLIENTS)]
    for generation in range(2, SWAPS + 3):
        before = len(seen.ids)
        while len(seen.ids) < before + 2 * CLIENTS:  # noqa: ASYNC110  # the clients run in this very loop
            await asyncio.sleep(0)
        if generation < SWAPS + 2:
            await asyncio.to_thread(endpoint.publish, generation, generation)
            await asyncio.to_thread(endpoint.wait, lambda ack, wanted=generation: ack.generation >= wanted)
            seen.confirmed = generation
    seen.stop = True
    await asyncio.gather(*clients)
    return seen


def test_twenty_swaps_under_thirty_two_clients_fail_nobody(endpoint: Endpoint):
    """All answers are 200, none is older than what was confirmed when it was asked for, all are logged once."""
    for version in range(1, SWAPS + 2):
        endpoint.packages.constant(version)
    endpoint.publish(1, stable=1)
    worker = endpoint.start()
    seen = asyncio.run(swap_under_load(endpoint, worker.port))
    assert worker.stop() == 0
    assert (seen.statuses, seen.stale) == ({200}, 0)
    assert seen.versions == set(range(1, SWAPS + 2))
    logged = [record.id for record in endpoint.predictions()]
    assert len(set(seen.ids)) == len(seen.ids)
    assert sorted(logged) == sorted(seen.ids)


def test_a_broken_package_is_refused_and_the_old_version_stays(endpoint: Endpoint):
    """One flipped byte stops the load; the worker says why and serves on."""
    endpoint.publish(1, stable=1)
    worker = endpoint.start()
    broken = endpoint.packages.constant(77).path / "golden.json"
    good = broken.read_bytes()
    broken.chmod(0o600)
    broken.write_bytes(good.replace(b"7", b"8", 1))
    endpoint.publish(2, stable=77)
    ack = endpoint.wait(lambda ack: ack.refused is not None)
    assert (ack.generation, ack.refused.generation, ack.refused.code) == (1, 2, "package-corrupt")
    assert worker.ask("POST", "/predict", ROW)[1]["predictions"][0]["value"] == 1.0
    endpoint.publish(3, stable=2)
    assert endpoint.wait(lambda ack: ack.generation == 3).refused is None
    assert worker.ask("POST", "/predict", ROW)[1]["predictions"][0]["value"] == 2.0
    broken.write_bytes(good)


def test_a_canary_gets_its_share_and_is_taken_back(endpoint: Endpoint):
    """Two versions answer side by side; afterwards one."""
    endpoint.publish(1, stable=1, canary=2, share_bp=5_000)
    worker = endpoint.start()
    rows, keys = [ROW] * 100, [f"k{number}" for number in range(100)]

    def values() -> set[float]:
        answer = worker.ask("POST", "/predict", {"rows": rows, "keys": keys})[1]
        return {one["value"] for one in answer["predictions"]}

    assert values() == {1.0, 2.0}
    endpoint.publish(2, stable=1)
    endpoint.wait(lambda ack: ack.generation == 2)
    assert values() == {1.0}
    assert worker.stop() == 0


def test_workers_share_a_port_and_both_follow(endpoint: Endpoint):
    """SO_REUSEPORT: two processes, one address, one generation."""
    endpoint.publish(1, stable=1)
    first = endpoint.start()
    second = endpoint.start("--port", str(first.port))
    endpoint.publish(2, stable=2)
    for worker in (first, second):
        endpoint.wait(lambda ack, pid=worker.ack.pid: ack.pid == pid and ack.generation == 2)
    answers = [first.ask("POST", "/predict", ROW)[1]["predictions"][0]["value"] for _ in range(30)]
    assert set(answers) == {2.0}
    assert [first.stop(), second.stop()] == [0, 0]
    assert (
        len({name.name.split(".")[1] for name in (endpoint.folder / "segments/predictions/delay").glob("*.seg")}) >= 1
    )


def test_the_log_can_change_its_mode_without_losing_a_record(endpoint: Endpoint):
    """A new state names a new promise; the old log is closed behind it."""
    endpoint.publish(1, stable=1)
    worker = endpoint.start()
    ids = [worker.ask("POST", "/predict", ROW)[1]["predictions"][0]["id"]]
    endpoint.mode = "durable"
    endpoint.publish(2, stable=1)
    endpoint.wait(lambda ack: ack.generation == 2)
    ids.append(worker.ask("POST", "/predict", ROW)[1]["predictions"][0]["id"])
    assert worker.stop() == 0
    assert [record.id for record in endpoint.predictions()] == ids
