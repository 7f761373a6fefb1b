"""The bytes of one file, as the list of chunks it is put together from.

Readers follow the list and never ask how it was cut, so that other ways of cutting need no other
format. A version's manifest lists the chunks of its files. What no manifest lists, a delivered batch
or what is left of an erased file, has a recipe of its own: ``undrift.recipe/1`` in ``docs/formats.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from undrift.blobs import errors
from undrift.blobs.errors import BlobCorrupt, BlobMissing
from undrift.blobs.store import BlobStore
from undrift.blobs.tombstones import BlobErased
from undrift.core import canonical
from undrift.core.digest import BadDigest, blake3_bytes, check_digest, hex_of
from undrift.core.files import make_private, write_atomic
from undrift.core.json import JSON

FORMAT = "undrift.recipe/1"
EMPTY = blake3_bytes(b"")


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

    @property
    def is_one_piece(self) -> bool:
        """Whether the only chunk is the file itself."""
        return len(self.chunks) == 1 and self.chunks[0].digest == self.digest


def named(store: BlobStore, digest: str) -> Contents:
    """Return what bytes of a digest are made of, or what is left of them, where no manifest says it.

    Parameters
    ----------
    store : BlobStore
        The store.
    digest : str
        Of a whole file: a delivered batch, the rest of an erased file, an object, a file of one chunk.

    Raises
    ------
    BlobMissing
        If nothing of this name is in the store.
    BlobErased
        If it was erased and nothing is left.
    BlobCorrupt
        If its recipe is damaged.
    """
    digest = store.tombstones.readable(digest)
    if digest == EMPTY:
        return Contents(EMPTY, 0, ())
    if store.has(digest):
        return _whole(digest, store.size(digest))
    recipe = _recipe(store, digest)
    if recipe is not None:
        return recipe
    size_bytes = store.packs.size(digest)
    if size_bytes is None:
        raise errors.missing(digest)
    return _whole(digest, size_bytes)


def is_there(store: BlobStore, digest: str) -> bool:
    """Say whether :func:`named` knows bytes of a digest; they are not checked."""
    try:
        named(store, digest)
    except (BlobMissing, BlobErased):
        return False
    return True


def remember(store: BlobStore, contents: Contents) -> None:
    """Keep a recipe of contents that no manifest lists, so that they are found by digest and not collected."""
    path = _path(store, contents.digest)
    make_private(path.parent)
    write_atomic(path, encode(contents))


def forget(store: BlobStore, digest: str) -> None:
    """Delete a recipe, if there is one."""
    _path(store, digest).unlink(missing_ok=True)


def remembered(store: BlobStore) -> Iterator[Contents]:
    """Give the contents of all recipes.

    Raises
    ------
    BlobCorrupt
        If one is damaged.
    """
    for path in sorted((store.folder / "recipes").glob("??/*")):
        contents = _recipe(store, f"b3:{path.name}") if not path.name.startswith(".") else None
        if contents is not None:
            yield contents


def _whole(digest: str, size_bytes: int) -> Contents:
    return Contents(digest, size_bytes, (Chunk(digest, size_bytes),) if size_bytes else ())


class _Wire(msgspec.Struct, forbid_unknown_fields=True):
    format: str
    bytes: int
    digest: str
    chunks: list[tuple[str, int]]


def encode(contents: Contents) -> bytes:
    """Return the canonical bytes of a recipe."""
    chunks: list[JSON] = [[chunk.digest, chunk.size_bytes] for chunk in contents.chunks]
    return canonical.dumps(
        {"format": FORMAT, "bytes": contents.size_bytes, "digest": contents.digest, "chunks": chunks}
    )


def decode(data: bytes, digest: str) -> Contents:
    """Return the contents that a recipe tells.

    Parameters
    ----------
    data : bytes
        Its bytes.
    digest : str
        Of the file that it must be the recipe of.

    Raises
    ------
    BlobCorrupt
        If it is damaged, or of another file.
    """
    try:
        wire = msgspec.json.decode(data, type=_Wire)
        chunks = tuple(Chunk(check_digest(one), size) for one, size in wire.chunks)
    except (msgspec.MsgspecError, BadDigest) as error:
        raise _damaged(digest) from error
    if wire.digest != digest or sum(chunk.size_bytes for chunk in chunks) != wire.bytes or wire.format != FORMAT:
        raise _damaged(digest)
    return Contents(digest, wire.bytes, chunks)


def _recipe(store: BlobStore, digest: str) -> Contents | None:
    try:
        data = _path(store, digest).read_bytes()
    except FileNotFoundError:
        return None
    return decode(data, digest)


def _path(store: BlobStore, digest: str) -> Path:
    name = hex_of(digest)
    return store.folder / "recipes" / name[:2] / name


def _damaged(digest: str) -> BlobCorrupt:
    return BlobCorrupt(f"the list of chunks of {digest} is damaged", cure="deliver the file again", digest=digest)
