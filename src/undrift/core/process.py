"""Names of processes, and whether one of them is certainly gone.

A process is named ``host/boot/pid/start``: a process id alone is used again by the system.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

UNWATCHED = "UNDRIFT_UNWATCHED"
"""Set where a process's words go to a file: then a library's, which may quote a user's cell, are not printed."""

_PR_SET_PDEATHSIG = 1
_START_FIELD = 19  # field 22 of /proc/PID/stat, counted after the name, which may hold spaces


def this_process() -> str:
    """Return the name of this process, unique over hosts, reboots and reused process ids."""
    pid = os.getpid()  # asked each time: a forked child is another process
    return f"{_host()}/{_boot()}/{pid}/{_start_of(pid)}"


def is_gone(process: str) -> bool:
    """Say whether a process has certainly ended.

    Parameters
    ----------
    process : str
        A name that :func:`this_process` gave.

    Returns
    -------
    bool
        False also when it cannot be told, as for a process of another host.
    """
    host, boot, pid, start = process.split("/")
    if host != _host():
        return False
    return boot != _boot() or _start_of(int(pid)) != start


def runs(process: str) -> bool:
    """Say whether a process runs on this machine.

    Parameters
    ----------
    process : str
        A name that :func:`this_process` gave, here or under another name of this machine.
    """
    _, boot, pid, start = process.split("/")
    return boot == _boot() and _start_of(int(pid)) == start != ""


def ends_with(parent: int, *, niceness: int = 0) -> Callable[[], None]:
    """Return what a child does before it runs: ask the system to be ended when its parent dies.

    Parameters
    ----------
    parent : int
        The process that starts the child.
    niceness : int
        By how much the child lets others go first.

    Notes
    -----
    Only Linux can be asked; elsewhere a child outlives a parent that was killed.
    """
    prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None

    def ask() -> None:
        if niceness:
            os.nice(niceness)
        if prctl is None:
            return
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask


@contextmanager
def set_by_signals(stop: threading.Event) -> Iterator[None]:
    """Set an event on Ctrl-C, SIGTERM and a closed terminal while the block runs; in the main thread only.

    The event is set by a thread of its own: a handler runs in the middle of whatever the main thread does,
    and would wait for ever for a lock that the interrupted code holds, such as the event's own.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    listener = threading.Thread(target=_set_when_told, args=(told, numbers, stop), name="signals", daemon=True)
    listener.start()
    before = {number: signal.signal(number, lambda *_: None) for number in numbers}
    other = signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(other)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(tell)  # the listener ends with it
        listener.join()
        os.close(told)


def _set_when_told(told: int, numbers: Collection[int], stop: threading.Event) -> None:
    while data := os.read(told, 64):
        if not set(numbers).isdisjoint(data):
            stop.set()


class Heartbeat:
    """Calls a function again and again on a thread until the block ends.

    Parameters
    ----------
    beat : callable
        Returns whether to go on; it must not raise.
    every_s : float
        Pause between two calls, in real seconds.
    """

    def __init__(self, beat: Callable[[], bool], every_s: float) -> None:
        self._beat = beat
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="undrift-heartbeat", daemon=True)

    def start(self) -> None:
        """Begin to beat; the first beat comes after one pause."""
        self._thread.start()

    def stop(self) -> None:
        """End the beating and wait for a beat that is under way."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            if not self._beat():
                return

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


@cache
def _host() -> str:
    return platform.node().replace("/", "_") or "localhost"


@cache
def _boot() -> str:
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip()[:8] if path.exists() else "boot"


def _start_of(pid: int) -> str:
    """Return when a process started, in a form that is only compared; empty when there is none."""
    if sys.platform == "linux":
        try:
            status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return ""
        return "" if status[0] in "ZX" else status[_START_FIELD]
    # No shell, and the only variable part is a number.
    shown = subprocess.run(  # noqa: S603
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return shown.stdout.strip().replace(" ", "_")
