"""One supervisor keeps the workers up, through deaths of either."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from undrift.endpoints.publisher import read_supervisor
from undrift.endpoints.supervisor import stop_supervisor

from .served import NAME, Served, build, gone, kill, until


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a project whose endpoint has version 1."""
    made = Served(tmp_path_factory.mktemp("supervised") / ".undrift")
    made.deploy(build(made.store, 1))
    yield made
    made.stop()


@pytest.fixture
def served(project: Served) -> Served:
    """Give the project with a supervisor and two workers that serve."""
    if not project.processes or project.processes[-1].poll() is not None:
        project.start(workers=2)
    project.ready()
    return project


def test_a_second_supervisor_is_refused(served: Served) -> None:
    """The error names the process that has the seat."""
    first = served.processes[-1]
    second = served.start()
    served.processes.pop()
    _, said = second.communicate(timeout=60)
    assert second.returncode == 2
    assert f"process {first.pid}" in said.decode()
    assert served.client().predict()[0] == 200


def test_a_killed_worker_is_replaced_within_two_seconds(served: Served) -> None:
    """The other one answers meanwhile, and the address stays."""
    said = served.ready()
    kill(said.workers[0])
    took = until(lambda: _another(served, said.workers))
    assert took < 2
    until(lambda: served.ready().restarts == 1)
    assert served.ready().url == said.url
    assert served.client().predict()[0] == 200


def _another(served: Served, before: list[int]) -> bool:
    now = read_supervisor(served.rooms, NAME)
    return now is not None and bool(set(now.workers) - set(before))


def test_a_killed_supervisor_leaves_no_workers(served: Served) -> None:
    """And the next one serves at the same address."""
    process, said = served.processes[-1], served.ready()
    process.kill()
    process.communicate()
    until(lambda: gone(said.workers))
    second = served.start(workers=2)
    until(lambda: (now := read_supervisor(served.rooms, NAME)) is not None and now.pid == second.pid and now.ready)
    assert served.ready().url == said.url
    assert not set(served.ready().workers) & set(said.workers)


def test_it_stops_when_told(served: Served) -> None:
    """Nobody is left, and its file is gone."""
    process, said = served.processes[-1], served.ready()
    assert (said.pid, len(said.workers)) == (process.pid, 2)
    assert stop_supervisor(served.rooms, NAME)
    assert process.wait(20) == 0
    assert gone(said.workers)
    assert read_supervisor(served.rooms, NAME) is None
    assert not stop_supervisor(served.rooms, NAME)


def test_workers_that_cannot_start_end_the_supervisor(tmp_path: Path) -> None:
    """The package was changed: the error quotes what the workers said."""
    served = Served(tmp_path / ".undrift")
    version = build(served.store, 1)
    manifest = served.store / "packages" / version.package_digest[3:] / "manifest.json"
    manifest.write_bytes(manifest.read_bytes() + b" ")
    served.deploy(version)
    process = served.start()
    _, said = process.communicate(timeout=60)
    served.rooms.ledger.close()
    assert process.returncode == 1
    assert "workers-do-not-start" in said.decode()
    assert "package-corrupt" in said.decode() or "manifest.json" in said.decode()
