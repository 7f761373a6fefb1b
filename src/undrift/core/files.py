"""Files that survive a crash: atomic writes, locks, private folders."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from undrift.core.clock import Clock, RealClock
from undrift.core.errors import BadInput, Fault

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
_NETWORK_TYPES = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "glusterfs", "lustre"})
_POLL_S = 0.01


class LockTimeout(Fault):
    """A file lock was not had within its time."""

    code = "lock-timeout"


class DiskFull(Fault):
    """Bytes did not fit on the disk, or beyond what this account may keep there."""

    code = "disk-full"


class ProjectReadOnly(BadInput):
    """Something was to be written in a project where this account may not write."""

    code = "project-read-only"


NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the system says when bytes do not fit."""
NOT_ALLOWED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
"""The system's words for what this account, or this disk, does not allow."""


@contextmanager
def full_disk_told(path: Path) -> Iterator[None]:
    """Turn the system's error about a full disk into ours; any other error stays what it is.

    Parameters
    ----------
    path : Path
        What is being written.

    Raises
    ------
    DiskFull
        If it does not fit.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise DiskFull(
            f"there is no room left for what is written below {path.parent} ({error.strerror})",
            cure="make room on that disk, then try again: nothing was half-made",
        ) from error


def read_only(path: Path) -> ProjectReadOnly:
    """Return the error about something of a project that cannot be written."""
    return ProjectReadOnly(
        f"{path} cannot be written: this account may only read the project",
        cure=f"let this account write there (chmod -R u+w {path.parent}), or work on a copy of the project;"
        " whatever only reads works as it is",
        path=str(path),
    )


@contextmanager
def read_only_told(path: Path) -> Iterator[None]:
    """Turn the system's error about a file of a project that this account may not write into ours.

    Parameters
    ----------
    path : Path
        What is being written.

    Raises
    ------
    ProjectReadOnly
        If it must not be, or the disk is mounted read-only.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in NOT_ALLOWED:
            raise
        raise read_only(path) from error


def temporary_folder() -> TemporaryDirectory[str]:
    """Return a new private folder outside of any project, deleted with the object.

    Raises
    ------
    DiskFull
        If there is no room for it anywhere.
    """
    try:
        return TemporaryDirectory(prefix="undrift-read-")
    except OSError as error:
        if error.errno not in NO_ROOM | {errno.ENOENT}:  # none: no folder in which a file could be written was found
            raise
        raise DiskFull(
            "there is no room left in the temporary folder", cure="make room there, or name another one in TMPDIR"
        ) from error


def make_where_possible(folder: Path) -> Path:
    """Make a folder as :func:`make_private` does and return it; where nothing can be written there may be none.

    For what a reader opens: who writes into it makes it, and is told why it cannot be made.
    """
    with suppress(ProjectReadOnly, DiskFull):
        make_private(folder)
    return folder


def make_private(folder: Path) -> Path:
    """Make a folder and its missing parents with mode 0700 and return it.

    Raises
    ------
    DiskFull
        If there is no room for it.
    ProjectReadOnly
        If this account may not make it.
    """
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    with full_disk_told(folder), read_only_told(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    for made in missing:
        made.chmod(PRIVATE_FOLDER)
    return folder


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomic(path: Path, data: bytes, mode: int = PRIVATE_FILE) -> None:
    """Write a file so that a reader or a crash sees the old bytes or the new, never a mixture.

    Parameters
    ----------
    path : Path
        Where to write; the folder must exist.
    data : bytes
        The whole content.
    mode : int
        Permission bits of the new file.
    """
    with replacing(path, mode) as part:
        part.write_bytes(data)


@contextmanager
def replacing(path: Path, mode: int = PRIVATE_FILE, *, durable: bool = True) -> Iterator[Path]:
    """Give a temporary file in the same folder which becomes ``path`` when the block ends well.

    Parameters
    ----------
    path : Path
        The file to make or replace.
    mode : int
        Permission bits of the new file.
    durable : bool
        Whether it must survive a power cut from then on.

    Raises
    ------
    DiskFull
        If it does not fit; the file is then as it was.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        with full_disk_told(path):
            os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
            yield part
            if durable:
                _fsync_file(part)
            part.replace(path)
            if durable:
                fsync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _fsync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class FileLock:
    """An exclusive advisory lock on a file (``flock``), freed by the system when the process dies.

    Parameters
    ----------
    path : Path
        The lock's file, made when it is missing.
    timeout_s : float
        How long to wait; 0 tries once.
    clock : Clock, optional
        Measures the waiting.
    """

    def __init__(self, path: Path, timeout_s: float = 60.0, clock: Clock | None = None) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._clock = clock or RealClock()
        self._descriptor: int | None = None

    def try_acquire(self) -> bool:
        """Take the lock if it is free and say whether it was.

        Raises
        ------
        ProjectReadOnly, DiskFull
            If its file cannot be opened for writing, or made.
        """
        with full_disk_told(self._path), read_only_told(self._path):
            descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def acquire(self) -> None:
        """Take the lock, waiting for it.

        Raises
        ------
        LockTimeout
            If it is still held after the time-out.
        """
        deadline = self._clock.monotonic() + self._timeout_s
        while not self.try_acquire():
            if self._clock.monotonic() >= deadline:
                raise LockTimeout(
                    f"{self._path.name} is held by another process for more than {self._timeout_s:g} s",
                    cure="wait for the other undrift process, or end it, and try again",
                )
            self._clock.sleep(_POLL_S)

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def is_network_filesystem(path: Path) -> bool:
    """Say whether a folder lies on a network file system, on which SQLite's locks are not safe.

    Known by the mount table of Linux and by ``stat`` on macOS; where neither can tell, the
    answer is no.
    """
    if sys.platform == "linux":
        return _mounted_type(path.resolve()) in _NETWORK_TYPES
    shown = subprocess.run(  # noqa: S603  (a fixed program and our own path)
        ["/usr/bin/stat", "-f", "%T", str(path)], capture_output=True, text=True, check=False
    )
    return shown.stdout.strip().lower() in _NETWORK_TYPES


def _mounted_type(path: Path) -> str:
    best, kind = "", ""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, point, found, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        if (path == Path(point) or Path(point) in path.parents) and len(point) >= len(best):
            best, kind = point, found
    return kind
