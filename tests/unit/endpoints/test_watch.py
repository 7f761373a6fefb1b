"""Passes of the loop beside an endpoint: when one is due, one at a time."""

from __future__ import annotations

import fcntl
import sys

from undrift.core.clock import RealClock, to_us
from undrift.core.files import make_private
from undrift.core.process import this_process
from undrift.endpoints.watch import PassFile, Watch, write_pass

from .conftest import Project

REAL = RealClock()
EVERY_S = 0.05


class Passes:
    """A watch whose passes leave a line in a file."""

    def __init__(self, project: Project, every_s: float = EVERY_S) -> None:
        self.store = project.rooms.store
        self.log = make_private(project.rooms.run_folder) / "delay.log"
        self.watch = Watch(project.rooms, "delay", (sys.executable, "-c", "print('a pass')"), every_s)

    def looks(self, seconds: float) -> int:
        """Return how many passes were made while somebody looked for so long."""
        end = REAL.monotonic() + seconds
        while REAL.monotonic() < end:
            self.watch.look()
            REAL.sleep(0.01)
        self.watch.stop()
        return self.log.read_text().count("a pass") if self.log.exists() else 0

    def looked_until_one(self) -> bool:
        """Say whether a pass was made, waiting for it."""
        end = REAL.monotonic() + 30
        while not (made := self.log.exists() and "a pass" in self.log.read_text()) and REAL.monotonic() < end:
            self.watch.look()
            REAL.sleep(0.01)
        self.watch.stop()
        return made


def test_a_pass_is_made_when_it_is_due(project: Project) -> None:
    """In a process of its own, whose words go to the endpoint's log."""
    assert Passes(project).looked_until_one()


def test_no_pass_is_made_when_nobody_wants_one(project: Project) -> None:
    """Zero leaves the loop to somebody else."""
    assert Passes(project, every_s=0).looks(0.3) == 0


def test_a_pass_waits_for_the_one_that_is_under_way(project: Project) -> None:
    """Another endpoint's process makes one: not two at a time."""
    passes = Passes(project)
    with (passes.store / "run" / "pass.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert passes.looks(0.3) == 0


def test_endpoints_share_their_passes(project: Project) -> None:
    """Another endpoint's process made one just now: two endpoints are not watched twice as often."""
    passes = Passes(project, every_s=5)
    passes.watch._not_before = 0
    write_pass(passes.store, PassFile(this_process(), 0, to_us(REAL.now())))
    assert passes.looks(0.3) == 0


def test_a_pass_that_was_killed_is_not_under_way(project: Project) -> None:
    """Its file says that it began and never that it ended."""
    mine, reused = PassFile(this_process(), 1), PassFile(f"{this_process()}1", 1)
    assert (mine.is_under_way, reused.is_under_way) == (True, False)
