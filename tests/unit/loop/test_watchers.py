"""Whether somebody watches."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from undrift.core.clock import to_us
from undrift.core.process import this_process
from undrift.endpoints.publisher import SupervisorFile
from undrift.endpoints.watch import PassFile, read_pass, write_pass
from undrift.loop.tick import make_pass
from undrift.loop.watchers import NOBODY, watch_of
from undrift.project import Project

GONE = f"{this_process()}0"


def _supervisor(project: Project, ago: timedelta) -> SupervisorFile:
    started = to_us(project.clocks.real.now() - ago)
    return SupervisorFile(1, "http://127.0.0.1:1", [2], started, ready=True, watch_every_s=30.0)


@pytest.mark.parametrize(
    ("told", "by", "problem"),
    [
        (None, "", NOBODY),
        (PassFile(GONE, 1, 2, every_s=10.0), "", NOBODY),
        (PassFile(this_process(), 1, None, every_s=10.0, by="worker"), "worker", ""),
    ],
)
def test_a_dead_worker_does_not_watch(tmp_path: Path, told: PassFile | None, by: str, problem: str) -> None:
    """What a killed worker left says nothing; a living one in its first pass watches."""
    with Project.create(tmp_path) as project:
        if told:
            write_pass(project.store, told)
        found = watch_of(project, [])
    assert (found.by, found.problem) == (by, problem)


def test_a_pass_made_by_hand_counts_for_an_hour(tmp_path: Path) -> None:
    """So cron watches; somebody who once typed `undrift tick`, or a server that has ended, does not."""
    with Project.create(tmp_path) as project:
        make_pass(project)
        assert watch_of(project, []).by == "tick"
        make_pass(project, by="serve")
        assert watch_of(project, []).problem == NOBODY
        long_ago = to_us(project.clocks.real.now() - timedelta(hours=2))
        write_pass(project.store, PassFile(GONE, long_ago, long_ago))
        assert watch_of(project, []).problem == NOBODY


@pytest.mark.parametrize(("minutes", "hangs"), [(0.2, False), (10, True)])
def test_a_supervisor_that_makes_no_passes_is_told(tmp_path: Path, minutes: float, hangs: bool) -> None:
    """One that was just started has time; one whose passes hang has not."""
    with Project.create(tmp_path) as project:
        found = watch_of(project, [_supervisor(project, timedelta(minutes=minutes))])
    assert (found.by, found.problem.startswith("no pass has ended")) == ("serve", hangs)


def test_a_pass_that_fails_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error goes on to whoever asked, and stays in the file for whoever looks later."""
    monkeypatch.setattr("undrift.loop.tick.start_pending", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with Project.create(tmp_path) as project:
        with pytest.raises(OSError, match="disk full"):
            make_pass(project)
        told = read_pass(project.store)
    assert told is not None
    assert (told.problem, told.is_under_way) == ("disk full", False)
