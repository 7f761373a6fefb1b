"""The manifest: the list of a version's files, whose exact bytes give the version its id.

Format ``undrift.data-manifest/1``, described in ``docs/formats.md``. The order of the files is
the order of their rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from undrift.blobs.contents import Chunk, Contents
from undrift.core.digest import BadDigest, blake3_bytes, check_digest
from undrift.core.errors import BadInput
from undrift.data.paths import check_distinct, check_path

FORMAT = "undrift.data-manifest/1"


class BadManifest(BadInput):
    """A manifest is not in its canonical form, or names what must not be named."""

    code = "bad-manifest"


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a version.

    Attributes
    ----------
    path : str
        Its relative path, ``/`` between the parts.
    contents : Contents
        Its bytes.
    """

    path: str
    contents: Contents


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of a version, in the order of their rows.

    Raises
    ------
    UnsafePath
        If a path is unsafe or two are one file.
    """

    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        for part in self.parts:
            check_path(part.path)
        check_distinct(part.path for part in self.parts)

    @property
    def size_bytes(self) -> int:
        """Bytes of all files."""
        return sum(part.contents.size_bytes for part in self.parts)

    @property
    def version_id(self) -> str:
        """Digest of the manifest's bytes."""
        return blake3_bytes(self.encode())

    def with_part(self, part: Part) -> Manifest:
        """Return the manifest with one more file at its end."""
        return Manifest((*self.parts, part))

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        # Written by msgspec, many times faster than by the general writer: keys stand in their order, and what the two
        # would write in different ways (control characters, halves of letters, large numbers) no manifest holds.
        return msgspec.json.encode(_Wire([_wire(part) for part in self.parts], FORMAT))

    @classmethod
    def decode(cls, data: bytes) -> Manifest:
        """Return the manifest that some bytes hold.

        Raises
        ------
        BadManifest
            If they are not exactly the canonical bytes of a manifest.
        UnsafePath
            If a path is unsafe or two are one file.
        """
        try:
            wire = msgspec.json.decode(data, type=_Wire)
        except msgspec.MsgspecError as error:
            raise _bad(str(error)) from error
        if wire.format != FORMAT:
            raise _bad(f"its format is {wire.format[:40]!r}, not {FORMAT!r}")
        manifest = cls(tuple(_part(file) for file in wire.files))
        if manifest.encode() != data:
            raise _bad("its bytes are not canonical")
        return manifest


class _WireFile(msgspec.Struct, forbid_unknown_fields=True):
    """Fields in the order of their names."""

    bytes: int
    chunks: list[tuple[str, int]]
    digest: str
    path: str


class _Wire(msgspec.Struct, forbid_unknown_fields=True):
    """Fields in the order of their names."""

    files: list[_WireFile]
    format: str


def _wire(part: Part) -> _WireFile:
    contents = part.contents
    chunks = [(chunk.digest, chunk.size_bytes) for chunk in contents.chunks]
    return _WireFile(contents.size_bytes, chunks, contents.digest, part.path)


def _part(file: _WireFile) -> Part:
    _check_digests([file.digest, *(digest for digest, _ in file.chunks)])
    chunks = tuple(Chunk(digest, size_bytes) for digest, size_bytes in file.chunks)
    if any(chunk.size_bytes < 1 for chunk in chunks) or sum(chunk.size_bytes for chunk in chunks) != file.bytes:
        raise _bad(f"the chunks of {file.path[:80]!r} do not add up to its size")
    return Part(file.path, Contents(file.digest, file.bytes, chunks))


def _check_digests(digests: Iterable[str]) -> None:
    for digest in digests:
        try:
            check_digest(digest)
        except BadDigest as error:
            raise _bad(error.message) from error


def _bad(why: str) -> BadManifest:
    return BadManifest(f"this is not a manifest of a dataset: {why}", cure="fetch the version again from its source")
