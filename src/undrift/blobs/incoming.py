"""Files being written: each is locked by its writer, and what dead writers left is swept."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from undrift.core.files import fsync_folder, full_disk_told, make_private, make_where_possible, read_only_told

_READ_ONLY = 0o400


class Incoming:
    """The folder of files being written.

    Parameters
    ----------
    folder : Path
        Made when it is missing; left-overs of dead writers in it are deleted. Where nothing can be written it may
        be missing until something is.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = make_where_possible(folder)
        if os.access(folder, os.W_OK):
            self._sweep()

    @contextmanager
    def file(self) -> Iterator[IncomingFile]:
        """Give a new file that only this writer holds; it is gone at the end unless it was accepted."""
        found = self.claim()
        try:
            yield found
        finally:
            found.discard()

    def claim(self) -> IncomingFile:
        """Return a new file, locked; whoever claims it accepts or discards it.

        Raises
        ------
        DiskFull, ProjectReadOnly
            If it cannot be made.
        """
        while True:
            path = self._folder / f"{secrets.token_hex(12)}.part"
            if not self._folder.exists():
                make_private(self._folder)
            with full_disk_told(path), read_only_told(path):
                descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:  # else a sweep took it before it was locked
                return IncomingFile(path, descriptor)
            os.close(descriptor)

    def _sweep(self) -> None:
        for path in self._folder.glob("*.part"):
            with suppress(FileNotFoundError):
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()
                except BlockingIOError:
                    pass
                finally:
                    os.close(descriptor)


class IncomingFile:
    """One file being written.

    Attributes
    ----------
    path : Path
        Where it is until it is accepted.
    descriptor : int
        Open for writing and reading.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor
        self._is_open = True

    def write(self, pieces: list[bytes] | list[memoryview]) -> None:
        """Write pieces one behind the other.

        Raises
        ------
        DiskFull
            If they do not fit on the disk.
        """
        with full_disk_told(self.path):
            for start in range(0, len(pieces), _MOST_PIECES):
                _write_all(self.descriptor, pieces[start : start + _MOST_PIECES])

    def accept(self, target: Path, *, durable: bool = True) -> None:
        """Make it read-only, bring it to disk and give it its place; its folder is made when it is missing.

        Parameters
        ----------
        target : Path
            Its place.
        durable : bool
            Whether it must survive a power cut from now on; what can be made again need not.

        Raises
        ------
        DiskFull
            If the disk is full; the target is then untouched.
        """
        with full_disk_told(target):
            if not target.parent.exists():
                make_private(target.parent)
                fsync_folder(target.parent.parent)
            os.fchmod(self.descriptor, _READ_ONLY)
            if durable:
                os.fsync(self.descriptor)
            self.path.replace(target)
            if durable:
                fsync_folder(target.parent)
        self._close()

    def discard(self) -> None:
        """Delete it unless it was accepted."""
        if self._is_open:
            self.path.unlink(missing_ok=True)
            self._close()

    def _close(self) -> None:
        self._is_open = False
        os.close(self.descriptor)


_MOST_PIECES = 512  # of one writev; systems allow 1,024


def _write_all(descriptor: int, pieces: list[bytes] | list[memoryview]) -> None:
    """Write all of the pieces; the system may take less than asked."""
    left = sum(map(len, pieces))
    written = os.writev(descriptor, pieces) if pieces else 0
    if written == left:
        return
    rest = memoryview(b"".join(pieces))[written:]
    while rest:
        rest = rest[os.write(descriptor, rest) :]
