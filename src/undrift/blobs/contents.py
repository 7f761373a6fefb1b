"""The bytes of one file, as the list of chunks it is put together from.

A file is stored as one chunk today. Readers follow the list and never ask how it was cut, so
that other ways of cutting need no other format.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

from undrift.blobs.store import BlobCorrupt, BlobStore
from undrift.core.files import replacing

_WORKSPACE_FILE = 0o666


@dataclass(frozen=True, slots=True)
class Chunk:
    """One stored piece of a file.

    Attributes
    ----------
    digest : str
        Digest of the piece, which names it in the store.
    size_bytes : int
        Its length.
    """

    digest: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Contents:
    """The bytes of a file.

    Attributes
    ----------
    digest : str
        Digest of all the bytes.
    size_bytes : int
        How many there are.
    chunks : tuple of Chunk
        The pieces, in order; none for an empty file.
    """

    digest: str
    size_bytes: int
    chunks: tuple[Chunk, ...]


def store_file(store: BlobStore, source: Path) -> Contents:
    """Store a file and return what it is made of."""
    digest = store.put_file(source)
    return _whole(digest, store.size(digest))


def store_bytes(store: BlobStore, data: bytes) -> Contents:
    """Store bytes as the content of one file."""
    return _whole(store.put_bytes(data), len(data))


def read(store: BlobStore, contents: Contents) -> bytes:
    """Return the bytes, verified piece by piece and as a whole.

    Raises
    ------
    BlobMissing
        If a piece is not in the store.
    BlobCorrupt
        If a piece, or their sum, is not what its digest names.
    """
    return b"".join(_verified(store, contents))


def materialise(store: BlobStore, contents: Contents, target: Path) -> None:
    """Write the bytes to a file, which appears whole and verified or not at all.

    Raises
    ------
    BlobMissing, BlobCorrupt
        As for :func:`read`; the target is then untouched.
    """
    if len(contents.chunks) == 1 and contents.chunks[0].digest == contents.digest:
        store.materialise(contents.digest, target)
        return
    with replacing(target, _WORKSPACE_FILE) as part, part.open("wb") as file:
        for piece in _verified(store, contents):
            file.write(piece)


def single_path(store: BlobStore, contents: Contents) -> Path | None:
    """Return the verified path of contents that are one piece, None for any other."""
    if len(contents.chunks) != 1 or contents.chunks[0].digest != contents.digest:
        return None
    return store.verified_path(contents.digest)


def _whole(digest: str, size_bytes: int) -> Contents:
    return Contents(digest, size_bytes, (Chunk(digest, size_bytes),) if size_bytes else ())


def _verified(store: BlobStore, contents: Contents) -> Iterator[bytes]:
    hasher = blake3()
    for chunk in contents.chunks:
        piece = store.read_bytes(chunk.digest)
        hasher.update(piece)
        yield piece
    is_whole = all(store.left_of(chunk.digest) == chunk.digest for chunk in contents.chunks)
    if is_whole and f"b3:{hasher.hexdigest()}" != contents.digest:  # of an erased piece its own digest was verified
        raise BlobCorrupt(
            f"the pieces of {contents.digest} do not make up that file",
            cure="add the original data again",
            digest=contents.digest,
        )
