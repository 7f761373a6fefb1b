"""Ends of a worker: by force, by request, and with its parent."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from typing import Any

import pytest

from undrift.segments.endpoint_file import LogMode

from .conftest import CLOCK, ROW, START_S, Client, Endpoint


async def load_until_killed(endpoint: Endpoint, port: int, after: int) -> list[str]:
    """Ask from sixteen connections, kill the worker after so many answers, and return the answered ids."""
    ids: list[str] = []

    async def client() -> None:
        async with Client(port) as connection:
            while True:
                status, answer = await connection.post("/predict", ROW)
                assert status == 200
                ids.append(answer["predictions"][0]["id"])
                if len(ids) == after:
                    endpoint.workers[0].process.send_signal(signal.SIGKILL)

    outcomes = await asyncio.gather(*(client() for _ in range(16)), return_exceptions=True)
    assert all(isinstance(outcome, ConnectionError | asyncio.IncompleteReadError) for outcome in outcomes)
    return ids


@pytest.mark.parametrize(("mode", "after"), [("written", 300), ("written", 1_500), ("durable", 400)])
def test_kill_9_under_load_loses_no_acknowledged_prediction(endpoint: Endpoint, mode: LogMode, after: int):
    """Each id that a client has received is in the log, once."""
    endpoint.mode = mode
    endpoint.publish(1, stable=1)
    worker = endpoint.start()
    ids = asyncio.run(load_until_killed(endpoint, worker.port, after))
    worker.process.wait(10)
    logged = [record.id for record in endpoint.predictions()]
    assert len(ids) >= after
    assert set(ids) <= set(logged)
    assert len(set(logged)) == len(logged)


def test_a_new_worker_seals_what_a_killed_one_left(endpoint: Endpoint):
    """After the next start no open file is without a living writer."""
    endpoint.publish(1, stable=1)
    first = endpoint.start()
    identifier = first.ask("POST", "/predict", ROW)[1]["predictions"][0]["id"]
    first.kill()
    folder = endpoint.folder / "segments/predictions/delay"
    assert len(list(folder.glob("*.open"))) == 1
    second = endpoint.start()
    assert not list(folder.glob("*.open"))
    assert [record.id for record in endpoint.predictions()] == [identifier]
    assert second.stop() == 0


def test_a_worker_told_to_stop_answers_what_is_in_flight(endpoint: Endpoint):
    """SIGTERM under load: every request sent before it is answered, the log is sealed, exit code 0."""
    endpoint.publish(1, stable=1)
    worker = endpoint.start()
    answered: list[str] = []

    async def client(stopping: asyncio.Event) -> None:
        async with Client(worker.port) as connection:
            while not stopping.is_set():
                status, answer = await connection.post("/predict", ROW)
                assert status == 200
                answered.append(answer["predictions"][0]["id"])
                if len(answered) == 300:
                    stopping.set()
                    worker.process.send_signal(signal.SIGTERM)

    async def load() -> None:
        stopping = asyncio.Event()
        await asyncio.gather(*(client(stopping) for _ in range(8)))

    asyncio.run(load())
    assert worker.process.wait(20) == 0
    assert not list((endpoint.folder / "segments").glob("*/*/*.open"))
    assert {record.id for record in endpoint.predictions()} == set(answered)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--host", "0.0.0.0"], 2),
        (["--token-file", "missing"], 2),
        (["--host", "192.0.2.1", "--insecure-no-auth"], 1),
    ],
    ids=["open to strangers", "no such token file", "not an address of this machine"],
)
def test_a_worker_that_may_not_or_cannot_start_says_so(endpoint: Endpoint, arguments: list[str], code: int):
    """One line on stderr and an exit code that means something."""
    endpoint.publish(1, stable=1)
    command = [sys.executable, "-m", "undrift.serving", "--state", str(endpoint.path), "--store", str(endpoint.folder)]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code
    assert "cure:" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_can_follow_its_parent_into_the_end(endpoint: Endpoint):
    """When the process that started it is gone, it stops by itself."""
    endpoint.publish(1, stable=1)
    starter = (
        "import os, subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-m', 'undrift.serving', *sys.argv[1:], str(os.getpid())])\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", starter, "--state", str(endpoint.path), "--store", str(endpoint.folder)]
    parent: Any = subprocess.Popen([*command, "--follow-parent"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    ack = endpoint.wait(lambda found: found.generation == 1)
    parent.kill()
    parent.communicate()
    deadline = CLOCK.monotonic() + START_S
    gone = endpoint.path.with_name(f"delay.worker-{ack.pid}.json")
    while gone.exists() and CLOCK.monotonic() < deadline:
        CLOCK.sleep(0.02)
    assert not gone.exists()
