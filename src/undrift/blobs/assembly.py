"""Putting files together from their chunks: every piece is verified, and the whole."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from blake3 import blake3

from undrift.blobs.contents import Chunk, Contents, named
from undrift.blobs.errors import BlobCorrupt
from undrift.blobs.packs.index import Held
from undrift.blobs.packs.packs import raw_of
from undrift.blobs.progress import Seen, nobody
from undrift.blobs.store import BlobStore
from undrift.core.files import replacing

Places: TypeAlias = Mapping[str, list[Held]]
_WORKSPACE_FILE = 0o666
_RUN_BYTES = 8 << 20
_AHEAD = 3  # runs that are read and verified while the one before is used


def read(store: BlobStore, contents: Contents) -> bytes:
    """Return the bytes, verified piece by piece and as a whole; of erased contents what is left.

    Raises
    ------
    BlobMissing
        If a piece is not in the store.
    BlobCorrupt
        If a piece, or their sum, is not what its digest names.
    BlobErased
        If nothing is left of them.
    """
    return b"".join(pieces(store, contents))


def materialise(store: BlobStore, contents: Contents, target: Path, seen: Seen = nobody) -> None:
    """Write the bytes to a file, which appears whole and verified or not at all.

    Parameters
    ----------
    store : BlobStore
        Where they are.
    contents : Contents
        Their chunks.
    target : Path
        The file to make or replace; its folder must exist. A link of that name is replaced, not followed.
    seen : callable
        Told of progress in bytes.

    Raises
    ------
    BlobMissing, BlobCorrupt, BlobErased
        As for :func:`read`; the target is then untouched.
    DiskFull
        If they do not fit.

    Notes
    -----
    The system brings the file to disk when it likes: what is in the store can be written again.
    """
    with replacing(target, _WORKSPACE_FILE, durable=False) as part:
        _write(os.open(part, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC), pieces(store, contents), seen)


def write_new(store: BlobStore, contents: Contents, path: str, places: Places | None = None) -> None:
    """Write the bytes to a file that must not exist yet; when this fails, what is there of it is to be deleted.

    Parameters
    ----------
    store : BlobStore
        Where they are.
    contents : Contents
        Their chunks.
    path : str
        The file to make.
    places : mapping, optional
        Where chunks lie, as ``store.packs.find`` returned it for these and many others.

    Raises
    ------
    BlobMissing, BlobCorrupt, BlobErased
        As for :func:`read`.
    FileExistsError
        If there is something of that name.
    """
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    _write(os.open(path, flags, _WORKSPACE_FILE), pieces(store, contents, places), nobody)


def verified_path(store: BlobStore, contents: Contents) -> Path:
    """Return a file with the bytes, verified now, for a reader that maps files itself.

    The file is read-only and is never to be written. It is put together once and kept for the next
    reader.

    Raises
    ------
    BlobMissing, BlobCorrupt, BlobErased
        As for :func:`read`.
    DiskFull
        If there is no room for it.
    """
    contents = _left(store, contents)
    if _is_object(store, contents):
        return store.verified_path(contents.digest)
    kept = store.whole.get(contents.digest)
    if kept is not None:
        return kept
    with store.incoming.file() as file:
        for piece in pieces(store, contents):
            file.write([piece])
        return store.whole.put(file, contents.digest)


def pieces(store: BlobStore, contents: Contents, places: Places | None = None) -> Iterator[bytes]:
    """Give the bytes in order, each piece verified before it is given; the last only if the whole is right.

    Parameters
    ----------
    store : BlobStore
        Where they are.
    contents : Contents
        Their chunks.
    places : mapping, optional
        As for :func:`write_new`.

    Raises
    ------
    BlobMissing, BlobCorrupt, BlobErased
        As for :func:`read`.
    """
    left = _left(store, contents)
    if places is None or left is not contents:
        places = store.packs.find(chunk.digest for chunk in left.chunks)
    contents = left
    hasher = blake3()
    last: bytes | None = None
    for piece in _runs_read(store, _runs(contents, places)):
        if last is not None:
            yield last
        if not contents.is_one_piece:  # else the chunk's digest was verified, which is the file's
            hasher.update(piece)
        last = piece
    if not contents.is_one_piece and f"b3:{hasher.hexdigest()}" != contents.digest:
        raise BlobCorrupt(
            f"the pieces of {contents.digest} do not make up that file",
            cure="add the original data again",
            digest=contents.digest,
        )
    if last is not None:
        yield last


def _write(descriptor: int, given: Iterable[bytes], seen: Seen) -> None:
    try:
        for piece in given:
            rest = memoryview(piece)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            seen(len(piece))
    finally:
        os.close(descriptor)


@dataclass(slots=True)
class _Run:
    """Chunks that lie one behind the other in one pack, or one that lies elsewhere."""

    held: Held | None
    chunks: list[Chunk] = field(default_factory=list)
    size_bytes: int = 0

    def goes_on(self, held: Held | None, chunk: Chunk) -> bool:
        return (
            held is not None
            and self.held is not None
            and held.pack == self.held.pack
            and held.offset == self.held.offset + self.size_bytes
            and held.length == chunk.size_bytes
            and self.size_bytes + chunk.size_bytes <= _RUN_BYTES
        )

    def take(self, chunk: Chunk) -> None:
        self.chunks.append(chunk)
        self.size_bytes += chunk.size_bytes


def _left(store: BlobStore, contents: Contents) -> Contents:
    """Return the contents, or what is left of them when they were erased."""
    return contents if store.left_of(contents.digest) == contents.digest else named(store, contents.digest)


def _is_object(store: BlobStore, contents: Contents) -> bool:
    """Say whether the bytes are an object of their own, as stores before packs kept them."""
    return contents.is_one_piece and store.has(contents.digest)


def _runs_read(store: BlobStore, runs: list[_Run]) -> Iterator[bytes]:
    if len(runs) == 1:
        yield from _read_run(store, runs[0])
        return
    waiting: deque[Future[list[bytes]]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="chunks") as reader:
        try:
            for run in runs:
                waiting.append(reader.submit(_read_run, store, run))
                if len(waiting) > _AHEAD:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()


def _runs(contents: Contents, places: Places) -> list[_Run]:
    runs: list[_Run] = []
    for chunk in contents.chunks:
        copies = places.get(chunk.digest, [])
        # The copy that lies behind the chunk before, else the first: good ones come first.
        follows = next((held for held in copies if runs and runs[-1].goes_on(held, chunk)), None)
        if follows is None:
            runs.append(_Run(copies[0] if copies else None))
        runs[-1].take(chunk)
    return runs


def _read_run(store: BlobStore, run: _Run) -> list[bytes]:
    """Return the bytes of a run, as one piece where all of it is as it should be."""
    data = store.packs.files.read(run.held.pack, run.held.offset, run.size_bytes) if run.held else None
    if data is not None and _is_right(data, run.chunks):
        return [data]
    return [_read_alone(store, chunk) for chunk in run.chunks]


def _is_right(data: bytes, chunks: list[Chunk]) -> bool:
    view, start = memoryview(data), 0
    for chunk in chunks:
        end = start + chunk.size_bytes
        if blake3(view[start:end]).digest() != raw_of(chunk.digest):
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


def _read_alone(store: BlobStore, chunk: Chunk) -> bytes:
    data = read_chunk(store, chunk.digest)
    if len(data) != chunk.size_bytes:
        raise BlobCorrupt(
            f"the chunk {chunk.digest} is not as long as its list says",
            cure="fetch the version again from its source",
            digest=chunk.digest,
        )
    return data
