"""Putting files together from their chunks: every piece is verified, and the whole."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from blake3 import blake3

from undrift.blobs.contents import Contents, named
from undrift.blobs.errors import BlobCorrupt
from undrift.blobs.runs import LARGEST_RUN_BYTES, Run, found_runs, is_right, read_alone
from undrift.blobs.store import Apart, BlobStore
from undrift.core.files import DiskFull, ProjectReadOnly

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


def verified_path(store: BlobStore, contents: Contents) -> Path:
    """Return a file with the bytes, verified now, for a reader that maps files itself.

    The file is read-only and is never to be written. It is put together once and kept for the next
    reader; where the store cannot be written, in a temporary folder and for this process.

    Raises
    ------
    BlobMissing, BlobCorrupt, BlobErased
        As for :func:`read`.
    DiskFull
        If there is no room for it.
    """
    contents = left_of(store, contents)
    if _is_object(store, contents):
        return store.verified_path(contents.digest)
    try:
        return _kept_whole(store, contents, store)
    except (DiskFull, ProjectReadOnly):  # what can be read is read all the same
        return _kept_whole(store, contents, store.apart)


def _kept_whole(store: BlobStore, contents: Contents, where: BlobStore | Apart) -> Path:
    kept = where.whole.get(contents.digest)
    if kept is not None:
        return kept
    with where.incoming.file() as file:
        for piece in pieces(store, contents):
            file.write([piece])
        return where.whole.put(file, contents.digest)


def pieces(store: BlobStore, contents: Contents) -> Iterator[bytes]:
    """Give the bytes in order, each piece verified before it is given; the last only if the whole is right.

    Raises
    ------
    BlobMissing, BlobCorrupt, BlobErased
        As for :func:`read`.
    """
    contents = left_of(store, contents)
    hasher = blake3()
    last: bytes | None = None
    for piece in _runs_read(store, contents):
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


def left_of(store: BlobStore, contents: Contents) -> Contents:
    """Return the contents themselves, or what is left of them when they were erased.

    Raises
    ------
    BlobErased
        If nothing is left.
    """
    return contents if store.left_of(contents.digest) == contents.digest else named(store, contents.digest)


def _is_object(store: BlobStore, contents: Contents) -> bool:
    """Say whether the bytes are an object of their own, as stores before packs kept them."""
    return contents.is_one_piece and store.has(contents.digest)


def _runs_read(store: BlobStore, contents: Contents) -> Iterator[bytes]:
    runs = found_runs(store, contents.chunks)
    if contents.size_bytes <= LARGEST_RUN_BYTES:
        for run in runs:
            yield from _read_run(store, run)
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


def _read_run(store: BlobStore, run: Run) -> list[bytes]:
    """Return the bytes of a run, as one piece where all of it is as it should be."""
    data = store.packs.files.read(run.held.pack, run.held.offset, run.size_bytes) if run.held else None
    if data is not None and is_right(memoryview(data), run.chunks):
        return [data]
    return [read_alone(store, chunk) for chunk in run.chunks]
