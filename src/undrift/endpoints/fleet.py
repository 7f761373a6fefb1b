"""The scoring processes of one endpoint: one port, several workers, each replaced when it dies."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from undrift.core.clock import to_us
from undrift.core.files import PRIVATE_FILE, make_private, write_atomic
from undrift.core.process import ends_with, this_process
from undrift.endpoints.addresses import Reserved, reserve
from undrift.endpoints.errors import SupervisorRunning
from undrift.endpoints.publisher import SupervisorFile, is_worker, read_supervisor, supervisor_path
from undrift.endpoints.rooms import EndpointRooms
from undrift.endpoints.state import Listen
from undrift.segments.endpoint_file import ack_path

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_LONG_LIFE_S = 10.0
_POLL_S = 0.02
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""A row is scored faster by one thread than by several that wait for each other; the environment may say otherwise."""


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """How an endpoint is served.

    Attributes
    ----------
    workers : int
        Scoring processes.
    listen : Listen or None
        Address, in place of the endpoint's own.
    judge_every_s : float
        Seconds between two looks at a rollout.
    watermark_s : float
        How long a record may take from its answer to its segment file.
    drain_s : float
        How long a worker may take to finish its requests.
    arguments : tuple of str
        More arguments of the workers.
    watch_every_s : float
        Seconds between two passes of the loop; 0 leaves them to somebody else.
    watch_command : tuple of str
        Makes one pass.
    """

    workers: int = 1
    listen: Listen | None = None
    judge_every_s: float = 1.0
    watermark_s: float = 0.25
    drain_s: float = 10.0
    arguments: tuple[str, ...] = ()
    watch_every_s: float = 0.0
    watch_command: tuple[str, ...] = ()


@dataclass(slots=True)
class _Slot:
    """A place for a worker and what became of those that had it."""

    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    not_before: float = 0.0
    quick_deaths: int = 0


class Seat:
    """The right to supervise an endpoint, held by a supervisor and by each of its workers.

    It is a lock on a file whose descriptor the workers inherit: when a supervisor is killed,
    the next one gets the seat only after the last orphan has ended, so that no two fleets serve.

    Parameters
    ----------
    rooms : EndpointRooms
        The project.
    name : str
        The endpoint.
    """

    def __init__(self, rooms: EndpointRooms, name: str) -> None:
        self._rooms = rooms
        self._name = name
        path = make_private(rooms.run_folder) / f"{name}.seat.lock"
        self.descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, PRIVATE_FILE)

    def take(self, timeout_s: float) -> None:
        """Take the seat; workers of a dead supervisor are told to stop, and ended when they do not.

        Raises
        ------
        SupervisorRunning
            If another process has it; the message names the process.
        """
        real = self._rooms.clocks.real
        asked = real.monotonic()
        while not self._try():
            holder = read_supervisor(self._rooms, self._name)
            if holder is not None and holder.is_up:
                raise self._taken(f"process {holder.pid}")
            waited = real.monotonic() - asked
            if waited > 2 * timeout_s:
                raise self._taken("another process")
            for pid in holder.workers if holder else ():
                if is_worker(pid, self._rooms.state_path(self._name)):
                    _send(pid, signal.SIGTERM if waited < timeout_s else signal.SIGKILL)
            real.sleep(_POLL_S)

    def leave(self) -> None:
        """Give the seat up."""
        os.close(self.descriptor)

    def _try(self) -> bool:
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _taken(self, holder: str) -> SupervisorRunning:
        self.leave()
        return SupervisorRunning(
            f"endpoint {self._name!r} is supervised by {holder} already",
            cure=f"use it, or stop it: undrift down {self._name}",
        )


class Fleet:
    """Starts, replaces and stops the workers of one endpoint. Not safe for threads.

    Parameters
    ----------
    rooms : EndpointRooms
        The project.
    name : str
        The endpoint.
    options : ServeOptions
        How many workers, and where.
    """

    def __init__(self, rooms: EndpointRooms, name: str, options: ServeOptions) -> None:
        self._rooms = rooms
        self._name = name
        self._options = options
        self._slots = [_Slot() for _ in range(options.workers)]
        self._seat = Seat(rooms, name)
        self._address: Reserved | None = None
        self._written: SupervisorFile | None = None
        self._started_us = to_us(rooms.clocks.real.now())
        self.restarts = 0

    @property
    def pids(self) -> list[int]:
        """The live workers' processes."""
        return [slot.process.pid for slot in self._slots if slot.process is not None]

    @property
    def crashes(self) -> int:
        """How many workers of one place have died young, one after the other."""
        return max(slot.quick_deaths for slot in self._slots)

    def open(self, listen: Listen) -> None:
        """Take the seat and reserve the address.

        Raises
        ------
        SupervisorRunning
            If another process supervises the endpoint.
        AddressTaken
            If something else listens there.
        """
        self._seat.take(self._options.drain_s)
        self._address = reserve(self._rooms, self._name, listen)
        self.tell(ready=False)

    def ensure(self) -> None:
        """Start the workers that are missing, each with a longer pause the oftener it died young."""
        now = self._rooms.clocks.real.monotonic()
        for slot in self._slots:
            if slot.process is not None and slot.process.poll() is not None:
                self._bury(slot, now)
            if slot.process is None and now >= slot.not_before:
                slot.process = self._start()
                slot.started = now
            elif now - slot.started > _LONG_LIFE_S:
                slot.quick_deaths = 0

    def tell(self, *, ready: bool) -> None:
        """Write what the fleet is into its file, when it has changed."""
        said = SupervisorFile(
            pid=os.getpid(),
            url=self._held.url,
            workers=self.pids,
            started_us=self._started_us,
            ready=ready,
            restarts=self.restarts,
            process=this_process(),
            moved=self._held.moved,
            watch_every_s=self._options.watch_every_s,
        )
        if said != self._written:
            write_atomic(supervisor_path(self._rooms, self._name), msgspec.json.encode(said))
            self._written = said

    def stop(self) -> None:
        """Let the workers finish their requests, end those that do not, and give the seat up."""
        running = [slot.process for slot in self._slots if slot.process is not None]
        for process in running:
            _send(process.pid, signal.SIGTERM)
        deadline = self._rooms.clocks.real.monotonic() + self._options.drain_s
        for process in running:
            self._wait(process, deadline)
            self._forget(process.pid)
        for slot in self._slots:
            slot.process = None
        if self._address is not None:
            self._address.socket.close()
            supervisor_path(self._rooms, self._name).unlink(missing_ok=True)
        self._seat.leave()

    @property
    def _held(self) -> Reserved:
        if self._address is None:
            raise ValueError("the fleet is not open")
        return self._address

    def _start(self) -> subprocess.Popen[bytes]:
        host, port = self._held.socket.getsockname()[:2]
        state = self._rooms.state_path(self._name)
        command = [sys.executable, "-m", "undrift.serving", "--state", str(state), "--store", str(self._rooms.store)]
        command += ["--host", host, "--port", str(port), "--follow-parent", str(os.getpid()), *self._options.arguments]
        with _log_path(self._rooms, self._name).open("ab") as log:
            return subprocess.Popen(  # noqa: S603  # our own interpreter and module
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**_ONE_THREAD, **os.environ},
                pass_fds=(self._seat.descriptor,),
                start_new_session=True,  # a Ctrl-C is the supervisor's alone
                preexec_fn=ends_with(os.getpid()),  # noqa: PLW1509  # it calls prctl and getppid only
            )

    def _bury(self, slot: _Slot, now: float) -> None:
        if slot.process is None:
            return
        self._forget(slot.process.pid)
        slot.process = None
        slot.quick_deaths = slot.quick_deaths + 1 if now - slot.started < _LONG_LIFE_S else 0
        slot.not_before = now + min(_FIRST_PAUSE_S * 2 ** max(slot.quick_deaths - 1, 0), _LONGEST_PAUSE_S)
        self.restarts += 1

    def _wait(self, process: subprocess.Popen[bytes], deadline: float) -> None:
        try:
            process.wait(max(deadline - self._rooms.clocks.real.monotonic(), 0))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _forget(self, pid: int) -> None:
        ack_path(self._rooms.state_path(self._name), pid).unlink(missing_ok=True)


def log_tail(rooms: EndpointRooms, name: str, lines: int = 20) -> str:
    """Return the last lines that the workers of an endpoint wrote."""
    try:
        return "\n".join(_log_path(rooms, name).read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def _log_path(rooms: EndpointRooms, name: str) -> Path:
    return rooms.run_folder / f"{name}.log"


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
