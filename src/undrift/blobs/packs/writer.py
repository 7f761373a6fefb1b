"""Writing chunks into packs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeAlias

from blake3 import blake3

from undrift.blobs.errors import corrupt
from undrift.blobs.incoming import Incoming, IncomingFile
from undrift.blobs.packs.toc import FULL_BYTES, FULL_CHUNKS, LARGEST_CHUNK_BYTES, Toc
from undrift.core.digest import hex_of
from undrift.core.errors import BadInput

Place: TypeAlias = Callable[[IncomingFile, Toc], None]
Holds: TypeAlias = Callable[[Sequence[bytes]], set[bytes]]


class ChunkTooLarge(BadInput):
    """A chunk is longer than a pack may hold in one piece."""

    code = "chunk-too-large"


@dataclass(slots=True)
class _Growing:
    """A pack being written."""

    file: IncomingFile
    chunks: dict[bytes, int] = field(default_factory=dict)
    size_bytes: int = 0

    @property
    def is_full(self) -> bool:
        return self.size_bytes >= FULL_BYTES or len(self.chunks) >= FULL_CHUNKS


class PackWriter:
    """Appends chunks that the store does not hold to packs of its own; a context manager.

    When the block ends well, everything that was added is on disk and in the index. When it ends with
    an error, the pack that was being written is gone; full ones before it stay, which nothing refers to.

    Parameters
    ----------
    incoming : Incoming
        Where packs are written.
    holds : callable
        Which of some chunks the store holds.
    place : callable
        Gives a finished pack its place and enters it in the index.

    Attributes
    ----------
    added_bytes : int
        Bytes of the chunks that were new.

    Notes
    -----
    Not to be shared between threads. Writers never wait for each other; two may store the same chunk.
    Full packs are brought to disk by a thread while the next one is written.
    """

    def __init__(self, incoming: Incoming, holds: Holds, place: Place) -> None:
        self._incoming = incoming
        self._holds = holds
        self._place = place
        self._growing: _Growing | None = None
        self._placing: list[tuple[_Growing, Future[None]]] = []
        self._placer: ThreadPoolExecutor | None = None
        self.added_bytes = 0

    def add(self, digest: str, data: bytes) -> bool:
        """Add one chunk and say whether it is new.

        Parameters
        ----------
        digest : str
            Its name.
        data : bytes
            Its bytes, which are checked against the name.

        Raises
        ------
        BlobCorrupt
            If they are not what the digest names.
        ChunkTooLarge
            If they are too many for one chunk.
        DiskFull
            If they do not fit.
        """
        name = bytes.fromhex(hex_of(digest))
        if blake3(data).digest() != name:
            raise corrupt(digest)
        if not 1 <= len(data) <= LARGEST_CHUNK_BYTES:
            raise ChunkTooLarge(
                f"a chunk of {len(data):,} bytes cannot be kept in a pack", cure="keep it as an object of its own"
            )
        return self.add_named([(name, memoryview(data))]) > 0

    def add_named(self, pieces: Sequence[tuple[bytes, memoryview]]) -> int:
        """Add chunks whose digests the caller has just computed, and return how many bytes were new.

        Parameters
        ----------
        pieces : sequence of (bytes, memoryview)
            Digests and bytes; the bytes are written before this returns.

        Raises
        ------
        DiskFull
            If they do not fit.
        """
        new = self._new_among(dict(pieces))
        total = sum(map(len, new.values()))
        while new:
            growing = self._open()
            batch: dict[bytes, memoryview] = {}
            for digest, data in new.items():
                batch[digest] = data
                growing.chunks[digest] = len(data)
                growing.size_bytes += len(data)
                if growing.is_full:
                    break
            growing.file.write(list(batch.values()))
            new = {digest: data for digest, data in new.items() if digest not in batch}
            if growing.is_full:
                self._finish(growing)
        self.added_bytes += total
        return total

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None and self._growing is not None:
                self._place(self._growing.file, self._ended(self._growing))
            for _, placing in self._placing:
                if error is None:
                    placing.result()
        finally:
            self._abandon()

    def _new_among(self, pieces: dict[bytes, memoryview]) -> dict[bytes, memoryview]:
        own = [growing.chunks for growing, placing in self._placing if not placing.done()]
        own += [self._growing.chunks] if self._growing else []
        unknown = [digest for digest in pieces if not any(digest in chunks for chunks in own)]
        held = self._holds(unknown)
        return {digest: pieces[digest] for digest in unknown if digest not in held}

    def _open(self) -> _Growing:
        if self._growing is None:
            self._growing = _Growing(self._incoming.claim())
        return self._growing

    def _finish(self, growing: _Growing) -> None:
        """Let a thread bring a full pack to its place."""
        toc = self._ended(growing)
        if self._placer is None:
            self._placer = ThreadPoolExecutor(1, thread_name_prefix="packs")
        for _, placing in self._placing:
            if placing.done():
                placing.result()
        self._placing = [(one, placing) for one, placing in self._placing if not placing.done()]
        self._placing.append((growing, self._placer.submit(self._place, growing.file, toc)))
        self._growing = None

    def _ended(self, growing: _Growing) -> Toc:
        toc = Toc(tuple(growing.chunks.items()))
        growing.file.write([toc.end])
        return toc

    def _abandon(self) -> None:
        if self._placer is not None:
            self._placer.shutdown(wait=True)
        for growing in [*(one for one, _ in self._placing), *([self._growing] if self._growing else [])]:
            growing.file.discard()
        self._growing, self._placing, self._placer = None, [], None
