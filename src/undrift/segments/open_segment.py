"""One segment file while it is being written."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass, field
from pathlib import Path

from blake3 import blake3

from undrift.core.clock import Clock
from undrift.core.errors import Fault
from undrift.core.files import PRIVATE_FILE, fsync_folder
from undrift.segments.folder import OPEN, path_of
from undrift.segments.frames import MAGIC
from undrift.segments.seal import Seal, finish


class LogUnavailable(Fault):
    """Records could not be written: the disk is full or failing."""

    code = "log-unavailable"


@dataclass(slots=True)
class OpenSegment:
    """A file with its lock held, its size and its running digest. Not safe for threads."""

    folder: Path
    name: str
    descriptor: int
    opened: float
    size: int = 0
    records: int = 0
    sound: bool = True
    dirty: bool = False
    named: bool = False
    _hash: blake3 = field(default_factory=blake3)

    def write(self, frames: bytes, records: int) -> None:
        """Append whole frames; after an error the file ends where it ended before.

        Raises
        ------
        LogUnavailable
            If the system refuses the bytes.
        """
        try:
            _write_all(self.descriptor, frames)
        except OSError as error:
            self._take_back()
            raise LogUnavailable(f"the log cannot be written: {error.strerror}", cure="free disk space") from error
        self._hash.update(frames)
        self.size += len(frames)
        self.records += records
        self.dirty = True

    def sync(self) -> None:
        """Return when everything written before the call survives a power cut.

        Raises
        ------
        LogUnavailable
            If the disk refuses.
        """
        self.dirty = False
        try:
            _flush(self.descriptor)
            if not self.named:
                fsync_folder(self.folder)
                self.named = True
        except OSError as error:
            self.sound = False
            raise LogUnavailable(f"the log cannot be made durable: {error.strerror}", cure="check the disk") from error

    def seal(self, clock: Clock) -> Seal:
        """Finish the file: durable, digest beside it, renamed; the lock is given back."""
        try:
            if not self.sound:
                os.ftruncate(self.descriptor, self.size)
            self.sync()
            return finish(self.folder, self.name, self._facts(), clock)
        finally:
            os.close(self.descriptor)

    def _facts(self) -> Seal:
        return Seal(self.name, f"b3:{self._hash.hexdigest()}", self.size, self.records)

    def _take_back(self) -> None:
        try:
            os.ftruncate(self.descriptor, self.size)
        except OSError:
            self.sound = False


def create(folder: Path, name: str, opened: float) -> OpenSegment:
    """Return a new segment file, which nobody sees before its lock is held and its magic written.

    Raises
    ------
    LogUnavailable
        If the file cannot be made.
    """
    path = path_of(folder, name, OPEN)
    hidden = path.with_name(f".{path.name}.new")
    try:
        descriptor = os.open(hidden, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND | os.O_CLOEXEC, PRIVATE_FILE)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        made = OpenSegment(folder, name, descriptor, opened)
        made.write(MAGIC, 0)
        hidden.rename(path)
    except OSError as error:
        raise LogUnavailable(
            f"no segment can be begun: {error.strerror}", cure="check the disk and its rights"
        ) from error
    return made


_flush = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


def _write_all(descriptor: int, data: bytes) -> None:
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])
