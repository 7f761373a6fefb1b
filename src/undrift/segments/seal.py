"""Sealing: a segment file is finished, given its digest, and never changes again."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import msgspec

from undrift.core.clock import Clock, RealClock, to_us
from undrift.core.digest import blake3_bytes, blake3_file
from undrift.core.errors import Corrupt
from undrift.core.files import fsync_folder, write_atomic
from undrift.segments.folder import OPEN, SEAL, SEALED, TORN, listing, path_of
from undrift.segments.frames import MAGIC, scan

FORMAT = "undrift.seal/1"


class SegmentCorrupt(Corrupt):
    """A sealed segment does not hold the bytes that its seal names."""

    code = "segment-corrupt"


class Seal(msgspec.Struct, frozen=True):
    """What is known of a sealed segment, kept beside it as ``<name>.seal``.

    Attributes
    ----------
    segment : str
        The segment's name.
    digest : str
        BLAKE3 of the whole file.
    bytes : int
        Its size.
    records : int
        Its frames.
    torn_bytes : int
        Bytes of a half-written end which were cut off; they are kept as ``<name>.torn``.
    sealed_us : int
        When it was sealed, microseconds since 1970 UTC.
    format : str
        ``"undrift.seal/1"``.
    """

    segment: str
    digest: str
    bytes: int
    records: int
    torn_bytes: int = 0
    sealed_us: int = 0
    format: str = FORMAT


def finish(folder: Path, name: str, facts: Seal, clock: Clock) -> Seal:
    """Write the seal of a durable open file and give the file its final name.

    Parameters
    ----------
    folder : Path
        Where the file lies.
    name : str
        Its name without suffix.
    facts : Seal
        What the seal says of it.
    clock : Clock
        Business clock, for the instant of sealing.
    """
    seal = msgspec.structs.replace(facts, sealed_us=to_us(clock.now()))
    write_atomic(path_of(folder, name, SEAL), msgspec.json.encode(seal))
    path_of(folder, name, OPEN).rename(path_of(folder, name, SEALED))
    fsync_folder(folder)
    return seal


def seal_abandoned(folder: Path, clock: Clock | None = None) -> list[Seal]:
    """Seal the open files whose writers are dead.

    Parameters
    ----------
    folder : Path
        A folder of segments; it may be missing.
    clock : Clock, optional
        Dates the seals.

    Returns
    -------
    list of Seal
        What was sealed. ``torn_bytes`` says what a writer had half written when it died: such
        bytes belong to records that were never acknowledged.

    Notes
    -----
    A living writer holds its file's lock, and the system frees it with the process. Any number
    of processes may call this at once.
    """
    sealed = [_seal_one(folder, file.name, clock or RealClock()) for file in listing(folder) if not file.sealed]
    return [seal for seal in sealed if seal is not None]


def read_seal(folder: Path, name: str) -> Seal | None:
    """Return the seal of a segment, or None when it has none that can be read."""
    try:
        return msgspec.json.decode(path_of(folder, name, SEAL).read_bytes(), type=Seal)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def verify(folder: Path, name: str) -> Seal:
    """Return the seal of a sealed segment after reading every byte of it.

    Raises
    ------
    SegmentCorrupt
        If the bytes are not those that were sealed.
    """
    seal = read_seal(folder, name)
    if seal is None or blake3_file(path_of(folder, name, SEALED)) != seal.digest:
        raise SegmentCorrupt(f"segment {name} was changed after it was sealed", cure="restore it from a copy")
    return seal


def _seal_one(folder: Path, name: str, clock: Clock) -> Seal | None:
    path = path_of(folder, name, OPEN)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _still_there(descriptor, path):
            return None
        return finish(folder, name, _cut(folder, name, descriptor), clock)
    except BlockingIOError:
        return None
    finally:
        os.close(descriptor)


def _still_there(descriptor: int, path: Path) -> bool:
    """Say whether the path still names the opened file: another process may have sealed it first."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _cut(folder: Path, name: str, descriptor: int) -> Seal:
    """Cut the file after its last sound frame and return what it holds."""
    data = path_of(folder, name, OPEN).read_bytes()
    frames, end = scan(data, len(MAGIC)) if data.startswith(MAGIC) else ([], 0)
    if end < len(data):
        write_atomic(path_of(folder, name, TORN), data[end:])
        os.ftruncate(descriptor, end)
    os.fsync(descriptor)
    return Seal(name, blake3_bytes(data[:end]), end, len(frames), torn_bytes=len(data) - end)
