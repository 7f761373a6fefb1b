"""Where the pieces of a file lie: chunks that lie one behind the other are read at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from blake3 import blake3

from undrift.blobs.contents import Chunk
from undrift.blobs.errors import BlobCorrupt
from undrift.blobs.packs.index import Held
from undrift.blobs.packs.packs import raw_of
from undrift.blobs.store import BlobStore

Places: TypeAlias = Mapping[str, list[Held]]
LARGEST_RUN_BYTES = 2 << 20
"""So little that a core's cache holds it from being read until it is used."""
_LOOKED_UP = 1000  # chunks that are looked up together


@dataclass(slots=True)
class Run:
    """Chunks that lie one behind the other in one pack, or one that lies elsewhere.

    Attributes
    ----------
    held : Held or None
        Where the first of them lies; None when no pack is known to hold it.
    chunks : list of Chunk
        Them.
    size_bytes : int
        Their bytes together.
    """

    held: Held | None
    chunks: list[Chunk] = field(default_factory=list)
    size_bytes: int = 0

    def goes_on(self, held: Held | None, chunk: Chunk) -> bool:
        """Say whether a chunk that lies there may be read with these."""
        return (
            held is not None
            and self.held is not None
            and held.pack == self.held.pack
            and held.offset == self.held.offset + self.size_bytes
            and held.length == chunk.size_bytes
            and self.size_bytes + chunk.size_bytes <= LARGEST_RUN_BYTES
        )

    def take(self, chunk: Chunk) -> None:
        """Put a chunk to these."""
        self.chunks.append(chunk)
        self.size_bytes += chunk.size_bytes


def runs_of(chunks: Iterable[Chunk], places: Places) -> list[Run]:
    """Return the runs that chunks make up, in order.

    Parameters
    ----------
    chunks : iterable of Chunk
        Chunks of a file.
    places : mapping
        Where they lie, as ``store.packs.find`` returns it.
    """
    runs: list[Run] = []
    for chunk in chunks:
        copies = places.get(chunk.digest, [])
        # The copy that lies behind the chunk before, else the first: good ones come first.
        follows = next((held for held in copies if runs and runs[-1].goes_on(held, chunk)), None)
        if follows is None:
            runs.append(Run(copies[0] if copies else None))
        runs[-1].take(chunk)
    return runs


def found_runs(store: BlobStore, chunks: Sequence[Chunk]) -> Iterator[Run]:
    """Give the runs that chunks make up, in order; where some lie is looked up when the runs before were taken."""
    for start in range(0, len(chunks), _LOOKED_UP):
        some = chunks[start : start + _LOOKED_UP]
        yield from runs_of(some, store.packs.find(chunk.digest for chunk in some))


def is_right(data: memoryview, chunks: list[Chunk]) -> bool:
    """Say whether bytes are exactly these chunks, by their digests."""
    start = 0
    for chunk in chunks:
        end = start + chunk.size_bytes
        if blake3(data[start:end]).digest() != raw_of(chunk.digest):
            return False
        start = end
    return start == len(data)


def read_chunk(store: BlobStore, digest: str) -> bytes:
    """Return a chunk from wherever it lies, verified: a good copy of several, or an object of an older store.

    Raises
    ------
    BlobMissing, BlobCorrupt
        If nothing holds it, or nothing undamaged.
    """
    return store.read_bytes(digest) if store.has(digest) else store.packs.read_chunk(digest)


def read_alone(store: BlobStore, chunk: Chunk) -> bytes:
    """Return a chunk from wherever it lies, verified, and of the length that its list says.

    Raises
    ------
    BlobMissing, BlobCorrupt
        As for :func:`read_chunk`; also if the length is another.
    """
    data = read_chunk(store, chunk.digest)
    if len(data) != chunk.size_bytes:
        raise BlobCorrupt(
            f"the chunk {chunk.digest} is not as long as its list says",
            cure="fetch the version again from its source",
            digest=chunk.digest,
        )
    return data
