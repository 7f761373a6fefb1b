"""Endpoint files follow the ledger, and workers' answers are believed only of the living."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from undrift.endpoints.errors import NotAcknowledged
from undrift.endpoints.publisher import Publisher
from undrift.segments.endpoint_file import Refusal, WorkerAck, read_state, write_ack

from .conftest import Project


@pytest.fixture
def publisher(project: Project) -> Publisher:
    return Publisher(project.rooms)


@pytest.fixture
def worker(project: Project):
    """Give a process that looks like a worker of the endpoint."""
    process = subprocess.Popen(
        [sys.executable, "-c", "input()", "undrift.serving", "--state", str(path_of(project))], stdin=subprocess.PIPE
    )
    yield process
    process.kill()
    process.communicate()


def path_of(project: Project) -> Path:
    return project.rooms.state_path("delay")


def test_the_file_says_what_the_row_says(project: Project, publisher: Publisher) -> None:
    """Two variants whose shares add up, their packages, and where to log."""
    state = project.canary()
    publisher.render("delay")
    written = read_state(path_of(project))
    assert [(v.name, v.version, v.share_bp) for v in written.variants] == [("stable", 1, 9500), ("canary", 2, 500)]
    assert (written.generation, written.salt, written.rollout) == (state.generation, state.salt, state.rollout)
    assert written.log.folder == "segments/predictions/delay"


def test_a_file_that_was_not_written_after_the_commit_is_written_later(project: Project, publisher: Publisher) -> None:
    """The process died between commit and file: whoever looks next writes it."""
    project.deploy(1)
    assert publisher.lagging() == ["delay"]
    assert publisher.render_lagging() == ["delay"]
    project.deploy(2)
    assert publisher.render_lagging() == ["delay"]
    assert read_state(path_of(project)).generation == 2
    assert publisher.lagging() == []


def test_a_damaged_file_lags(project: Project, publisher: Publisher) -> None:
    """It is written again."""
    project.deploy(1)
    publisher.render("delay")
    path_of(project).write_text("{")
    assert publisher.render_lagging() == ["delay"]


def test_without_workers_there_is_nothing_to_wait_for(project: Project, publisher: Publisher) -> None:
    """A worker that starts later reads the newest file."""
    project.deploy(1)
    publisher.render("delay")
    assert publisher.wait_acknowledged("delay", 1).workers == ()


def test_the_answer_of_a_dead_worker_is_not_waited_for(project: Project, publisher: Publisher) -> None:
    """Its file was left behind."""
    project.deploy(1)
    publisher.render("delay")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    write_ack(path_of(project), WorkerAck(gone.pid, 0, "http://127.0.0.1:1", 0))
    assert publisher.wait_acknowledged("delay", 1).workers == ()


def test_a_live_worker_is_waited_for(project: Project, publisher: Publisher, worker: subprocess.Popen[bytes]) -> None:
    """Until it serves the generation; when it refuses, the error says why."""
    project.deploy(1)
    publisher.render("delay")
    refused = Refusal(1, "package-corrupt", "model.skops was changed")
    write_ack(path_of(project), WorkerAck(worker.pid, 0, "http://127.0.0.1:1", 0, refused))
    with pytest.raises(NotAcknowledged, match=r"model\.skops was changed"):
        publisher.wait_acknowledged("delay", 1, timeout_s=0.05)
    write_ack(path_of(project), WorkerAck(worker.pid, 1, "http://127.0.0.1:1", 0))
    assert publisher.wait_acknowledged("delay", 1).workers == (worker.pid,)
