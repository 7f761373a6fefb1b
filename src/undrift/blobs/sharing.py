"""Who may add to a store, and who may take from it: many at once, or one alone."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from undrift.core.clock import Clock, RealClock
from undrift.core.errors import Conflict
from undrift.core.files import DiskFull, ProjectReadOnly, full_disk_told, read_only_told

_POLL_S = 0.01


class StoreInUse(Conflict):
    """Others add to the store, or somebody takes from it, for longer than one waits."""

    code = "store-in-use"


class StoreLock:
    """A lock (``flock``) that many share or one holds alone; the system frees it when a process dies.

    Who adds shares it from before it asks what the store holds until what it added is referred to. Who
    deletes holds it alone, so nothing goes that an addition relies on. Readers need no lock.

    Parameters
    ----------
    path : Path
        The lock's file, made when it is missing.
    timeout_s : float
        How long to wait.
    clock : Clock, optional
        Measures the waiting.
    """

    def __init__(self, path: Path, timeout_s: float = 120.0, clock: Clock | None = None) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._clock = clock or RealClock()

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Hold it with others; may be nested. Where nothing can be written, and no lock is there, nothing is held.

        Raises
        ------
        StoreInUse
            If somebody holds it alone for too long.
        """
        with self._held(fcntl.LOCK_SH):
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold it alone; not to be nested with any other holding.

        Raises
        ------
        StoreInUse
            If others hold it for too long.
        ProjectReadOnly, DiskFull
            If it cannot be held, and nothing can be deleted, from here.
        """
        with self._held(fcntl.LOCK_EX):
            yield

    @contextmanager
    def _held(self, kind: int) -> Iterator[None]:
        try:
            with full_disk_told(self._path), read_only_told(self._path):
                descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except (ProjectReadOnly, DiskFull):
            if kind == fcntl.LOCK_EX:
                raise
            if not self._path.exists():  # who reads is not kept from reading: all bytes are verified
                yield
                return
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._wait(descriptor, kind)
            yield
        finally:
            os.close(descriptor)

    def _wait(self, descriptor: int, kind: int) -> None:
        deadline = self._clock.monotonic() + self._timeout_s
        while True:
            try:
                fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                if self._clock.monotonic() >= deadline:
                    raise StoreInUse(
                        f"the store is in use by other processes for more than {self._timeout_s:g} s",
                        cure="wait until additions and clean-ups have ended, then try again",
                    ) from None
                self._clock.sleep(_POLL_S)
            else:
                return
