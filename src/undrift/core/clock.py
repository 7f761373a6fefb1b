"""The only place that reads the time.

Two clocks run in a project: *business* time (event time, windows, schedules, cooldowns; a
demo or a replay steps it) and *real* time (leases, timeouts, latency, group commit).
"""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from undrift.core.errors import BadInput

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class ClockWentBack(BadInput):
    """A simulated clock was told to go backwards."""

    code = "clock-went-back"


class Clock(Protocol):
    """Tells the time.

    Implementations are safe to use from several threads. ``now`` is always aware and in
    UTC; ``monotonic`` never goes back within a process and has no meaning across processes.
    """

    def now(self) -> datetime:
        """Return the present instant, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds since an arbitrary point."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after so many seconds of this clock."""
        ...


class RealClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present instant, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds since an arbitrary point."""
        return time.perf_counter()

    def sleep(self, seconds: float) -> None:
        """Block this thread for so many seconds."""
        time.sleep(seconds)


class SimulatedClock:
    """A clock that stands until it is stepped; its instant is kept in a file that every process reads.

    Parameters
    ----------
    path : Path
        The file that holds the instant. It is replaced atomically by :meth:`advance_to`.
    start : datetime, optional
        The first instant, used only when the file does not exist yet.

    Raises
    ------
    BadInput
        If the file does not exist and no start is given, or the start is naive.
    """

    def __init__(self, path: Path, start: datetime | None = None) -> None:
        self._path = path
        self._seen: tuple[int, int, datetime] | None = None
        self._lock = threading.Lock()
        if not path.exists():
            if start is None:
                raise BadInput(f"the simulated clock has no file {path}", cure="give it a start")
            self._write(start)

    def now(self) -> datetime:
        """Return the instant that the file holds."""
        status = self._path.stat()
        key = (status.st_mtime_ns, status.st_ino)
        with self._lock:
            if self._seen is None or self._seen[:2] != key:
                self._seen = (*key, from_us(json.loads(self._path.read_text())["now_us"]))
            return self._seen[2]

    def monotonic(self) -> float:
        """Return the simulated instant in seconds."""
        return to_us(self.now()) / 1e6

    def sleep(self, seconds: float) -> None:
        """Step the clock: nobody waits for simulated time."""
        self.advance_to(self.now() + timedelta(seconds=seconds))

    def advance_to(self, instant: datetime) -> None:
        """Step to an instant.

        Raises
        ------
        ClockWentBack
            If the instant lies before the present one.
        """
        if instant < self.now():
            raise ClockWentBack(f"the clock stands at {self.now()}, which is after {instant}")
        self._write(instant)

    def _write(self, instant: datetime) -> None:
        if instant.tzinfo is None:
            raise BadInput("a clock's instant needs a time zone", cure="pass an aware datetime")
        part = self._path.with_name(f"{self._path.name}.{os.getpid()}.part")
        part.write_text(json.dumps({"now_us": to_us(instant)}))
        part.replace(self._path)


@dataclass(frozen=True, slots=True)
class Clocks:
    """The two clocks of a project."""

    business: Clock
    real: Clock


def real_clocks() -> Clocks:
    """Return a pair in which both are the machine's clock."""
    clock = RealClock()
    return Clocks(business=clock, real=clock)


def to_us(instant: datetime) -> int:
    """Return microseconds since 1970 UTC of an aware instant."""
    return (instant - _EPOCH) // _MICROSECOND


def from_us(microseconds: int) -> datetime:
    """Return the aware UTC instant of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)
