"""Parts of packs at a remote: where they lie, and reading them so that damage is told from silence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from blake3 import blake3

from undrift.blobs.buckets import Bucket, ObjectMissing
from undrift.blobs.packs.packs import raw_of

_RANGE_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Lying:
    """Where a chunk lies in a remote.

    Attributes
    ----------
    pack : str
        The pack's name.
    offset, length : int
        Its bytes.
    """

    pack: str
    offset: int
    length: int


Placed: TypeAlias = tuple[str, Lying]
"""A chunk's digest, and where it lies."""


def pack_path(name: str) -> str:
    """Return where a pack lies in a remote."""
    return f"packs/{name[:2]}/{name}.pack"


def toc_path(name: str) -> str:
    """Return where the table of contents of a pack lies in a remote."""
    return f"tocs/{name[:2]}/{name}"


def runs(wanted: Sequence[Placed]) -> Iterator[list[Placed]]:
    """Give chunks in groups that are fetched at once."""
    run: list[Placed] = []
    size_bytes = 0
    for one in wanted:
        if run and size_bytes + one[1].length > _RANGE_BYTES:
            yield run
            run, size_bytes = [], 0
        run.append(one)
        size_bytes += one[1].length
    if run:
        yield run


def length_of(bucket: Bucket, path: str) -> int:
    """Return how long an object is, 0 when it is not there."""
    there = bucket.head(path)
    return there.size_bytes if there is not None else 0


def read_parts(bucket: Bucket, path: str, places: Sequence[Lying], length: int) -> list[bytes] | None:
    """Return parts of an object; None when it is not there, or shorter than they ask for.

    Parameters
    ----------
    bucket : Bucket
        The remote.
    path : str
        The object.
    places : sequence of Lying
        The parts.
    length : int
        How long the object is: of one that is too short one storage says that it does not answer, another one panics.

    Raises
    ------
    BucketUnreachable
        If the remote does not answer.
    """
    if length < max(one.offset + one.length for one in places):
        return None
    try:
        return bucket.read_ranges(path, [one.offset for one in places], [one.length for one in places])
    except ObjectMissing:  # it went since
        return None


def read_each(bucket: Bucket, wanted: Sequence[Placed]) -> Iterator[tuple[str, bytes | None]]:
    """Give chunks of one pack with their bytes, None where these are damaged.

    Parameters
    ----------
    bucket : Bucket
        The remote.
    wanted : sequence of (str, Lying)
        The chunks, in the order in which they lie.

    Raises
    ------
    BucketUnreachable
        If the remote does not answer.

    Notes
    -----
    Wrong bytes are read once more, alone: what was damaged on its way is not called damaged at the remote.
    """
    if not wanted:
        return
    path = pack_path(wanted[0][1].pack)
    length = length_of(bucket, path)
    for run in runs(wanted):
        found = read_parts(bucket, path, [place for _, place in run], length)
        for at, (digest, place) in enumerate(run):
            data = found[at] if found is not None else None
            if data is None or not _is_named(digest, data):
                data = next(iter(read_parts(bucket, path, [place], length) or ()), None)
            yield digest, data if data is not None and _is_named(digest, data) else None


def _is_named(digest: str, data: bytes) -> bool:
    return blake3(data).digest() == raw_of(digest)
