"""Keeping the loop going beside an endpoint: passes in processes of their own, one at a time in a project."""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec

from undrift.core.clock import from_us
from undrift.core.files import PRIVATE_FILE, make_private, write_atomic
from undrift.core.process import ends_with, runs
from undrift.endpoints.rooms import EndpointRooms

_log = logging.getLogger("undrift.endpoints")
_NICENESS = 5
"""A pass, and a training that it starts, let answers go first."""
_GRACE_S = 5.0


class PassFile(msgspec.Struct, frozen=True):
    """What the newest pass of the loop says of itself, in ``run/pass.json``.

    Attributes
    ----------
    process : str
        Whole name of the process that makes or made it.
    began_us : int
        Real time of its start.
    ended_us : int or None
        Real time of its end; None while it is under way, and for ever when it was killed.
    every_s : float
        When above 0, this process goes on to make a pass every so many seconds.
    problem : str
        Why it failed; empty when it did not.
    by : {"tick", "worker", "serve"}
        Who makes it: somebody or cron, a worker, the process that serves an endpoint.
    """

    process: str
    began_us: int
    ended_us: int | None = None
    every_s: float = 0.0
    problem: str = ""
    by: str = "tick"

    @property
    def is_under_way(self) -> bool:
        """Whether the pass goes on."""
        return self.ended_us is None and runs(self.process)


def pass_path(store: Path) -> Path:
    """Return where the newest pass is told."""
    return store / "run" / "pass.json"


def read_pass(store: Path) -> PassFile | None:
    """Return what the newest pass said, or None when there was none yet."""
    try:
        return msgspec.json.decode(pass_path(store).read_bytes(), type=PassFile)
    except (OSError, msgspec.DecodeError):
        return None


def write_pass(store: Path, said: PassFile) -> None:
    """Say what the newest pass is."""
    make_private(pass_path(store).parent)
    write_atomic(pass_path(store), msgspec.json.encode(said))


class Watch:
    """Makes passes of the loop while an endpoint is served. Not safe for threads.

    However many endpoints of a project are served, they make one pass at a time and one in every
    period: the passes take turns on a lock, and each looks when the last one ended.

    Parameters
    ----------
    rooms : EndpointRooms
        The project.
    name : str
        The endpoint; what a pass prints goes to its log.
    command : tuple of str
        Makes one pass.
    every_s : float
        Real seconds from the end of a pass to the next; 0 makes none.
    """

    def __init__(self, rooms: EndpointRooms, name: str, command: tuple[str, ...], every_s: float) -> None:
        self._rooms = rooms
        self._command = command
        self._every_s = every_s
        self._log_path = rooms.run_folder / f"{name}.log"
        self._lock_path = rooms.store / "run" / "pass.lock"
        self._process: subprocess.Popen[bytes] | None = None
        self._not_before = rooms.clocks.real.monotonic() + every_s

    def look(self) -> None:
        """Start a pass when one is due and nobody makes one."""
        if self._process is not None:
            if self._process.poll() is None:
                return
            if self._process.returncode:
                _log.warning("a pass of the loop ended with exit code %d", self._process.returncode)
            self._process = None
        now = self._rooms.clocks.real.monotonic()
        if not self._every_s or now < self._not_before:
            return
        wait_s = self._due_in()
        if wait_s > 0:
            self._not_before = now + wait_s
            return
        self._not_before = now + self._every_s
        self._start()

    def stop(self) -> None:
        """End the pass that is under way: the next one, whoever makes it, goes on from the ledger."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _due_in(self) -> float:
        """Return how many seconds it is to the next pass, by when anybody's last one ended."""
        last = read_pass(self._rooms.store)
        if last is None or last.ended_us is None:
            return 0.0
        since_s = (self._rooms.clocks.real.now() - from_us(last.ended_us)).total_seconds()
        return self._every_s - since_s if since_s >= 0 else 0.0

    def _start(self) -> None:
        """Start a pass; when none can be started answers go on, and the next look tries again."""
        try:
            descriptor = os.open(self._lock_path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, PRIVATE_FILE)
        except OSError:
            _log.exception("the lock of the passes cannot be opened")
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with self._log_path.open("ab") as log:
                self._process = subprocess.Popen(  # noqa: S603  (our own program and the project's folder)
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(descriptor,),  # the lock is free when the pass has ended, however it did
                    start_new_session=True,
                    preexec_fn=ends_with(os.getpid(), niceness=_NICENESS),  # noqa: PLW1509  (system calls only)
                )
        except BlockingIOError:
            return  # another endpoint's process makes one
        except OSError:  # no memory or no process to be had
            _log.exception("a pass of the loop could not be started")
        finally:
            os.close(descriptor)


def pass_command(project: Path) -> tuple[str, ...]:
    """Return the command that makes one pass and speaks only of what it did."""
    return (sys.executable, "-m", "undrift", "tick", "--quiet", "--by", "serve", "-C", str(project))
