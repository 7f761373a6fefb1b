"""The format of a pack file, ``undrift.pack/1``, described in ``docs/formats.md``.

Chunks lie back to back from the first byte; then the table of contents; then a footer of constant
length. So a pack is written in one go, and read over a network by its end first.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path

from blake3 import blake3

from undrift.blobs.errors import PackCorrupt

MARK = b"undrift-pack\x00\x00\x00\x01"
LARGEST_CHUNK_BYTES = 16 << 20
FULL_BYTES = 64 << 20
"""A writer begins another pack when one holds so many bytes, or ``FULL_CHUNKS`` chunks."""
FULL_CHUNKS = 1 << 16

_ENTRY = struct.Struct("<32sI")  # digest, length
_FOOTER = struct.Struct("<Q32s16s")  # length of the table, its digest, mark
FOOTER_BYTES = _FOOTER.size
_LARGEST_TOC_BYTES = _ENTRY.size * FULL_CHUNKS * 4


@dataclass(frozen=True, slots=True)
class Place:
    """Where a chunk lies in a pack.

    Attributes
    ----------
    digest : bytes
        The 32 bytes of its BLAKE3.
    offset, length : int
        Its bytes.
    """

    digest: bytes
    offset: int
    length: int


@dataclass(frozen=True)
class Toc:
    """The table of contents of a pack.

    Attributes
    ----------
    chunks : tuple of (bytes, int)
        Digest and length of each chunk, in the order in which they lie.
    """

    chunks: tuple[tuple[bytes, int], ...]

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Where each chunk lies."""
        offsets = accumulate((length for _, length in self.chunks), initial=0)
        return tuple(
            Place(digest, offset, length) for (digest, length), offset in zip(self.chunks, offsets, strict=False)
        )

    @cached_property
    def data_bytes(self) -> int:
        """Length of all chunks together, which is where the table begins."""
        return sum(length for _, length in self.chunks)

    @cached_property
    def encoded(self) -> bytes:
        """The exact bytes of the table."""
        return b"".join(_ENTRY.pack(digest, length) for digest, length in self.chunks)

    @cached_property
    def name(self) -> str:
        """The pack's name: 64 hexadecimal digits, the digest of its table.

        The table names every byte before it by digest, so this name stands for the whole file; and who
        has read only the end of a pack can tell already that it is the right one.
        """
        return blake3(self.encoded).hexdigest()

    @property
    def end(self) -> bytes:
        """What is written behind the chunks: table and footer."""
        return self.encoded + _FOOTER.pack(len(self.encoded), bytes.fromhex(self.name), MARK)

    @property
    def size_bytes(self) -> int:
        """Length of the whole file."""
        return self.data_bytes + len(self.encoded) + FOOTER_BYTES


@dataclass(frozen=True, slots=True)
class Span:
    """Where the table of contents lies in a pack, as its footer tells."""

    offset: int
    length: int
    digest: bytes


def read_footer(footer: bytes, size_bytes: int, what: str) -> Span:
    """Return where a pack's table lies.

    Parameters
    ----------
    footer : bytes
        The last ``FOOTER_BYTES`` of the file.
    size_bytes : int
        Length of the file.
    what : str
        The pack's name, for errors.

    Raises
    ------
    PackCorrupt
        If these are not the last bytes of such a file.
    """
    if len(footer) != FOOTER_BYTES:
        raise _bad(what, "it is too short")
    length, digest, mark = _FOOTER.unpack(footer)
    if mark != MARK:
        raise _bad(what, "its end is not that of a pack")
    if length % _ENTRY.size or length > min(_LARGEST_TOC_BYTES, size_bytes - FOOTER_BYTES):
        raise _bad(what, "its table of contents has an impossible length")
    return Span(size_bytes - FOOTER_BYTES - length, length, digest)


def read_toc(table: bytes, span: Span, what: str) -> Toc:
    """Return a pack's table of contents from its exact bytes.

    Parameters
    ----------
    table : bytes
        What lies at the span.
    span : Span
        Where the footer says that it lies.
    what : str
        The pack's name, for errors.

    Raises
    ------
    PackCorrupt
        If they are not what the footer names, or do not add up to the bytes before them.
    """
    if len(table) != span.length or blake3(table).digest() != span.digest:
        raise _bad(what, "its table of contents has another digest")
    toc = Toc(tuple(_ENTRY.iter_unpack(table)))
    if not all(1 <= length <= LARGEST_CHUNK_BYTES for _, length in toc.chunks):
        raise _bad(what, "a chunk of it has an impossible length")
    if toc.data_bytes != span.offset:
        raise _bad(what, "its chunks do not add up to its length")
    if len({digest for digest, _ in toc.chunks}) != len(toc.chunks):
        raise _bad(what, "it lists a chunk twice")
    return toc


def toc_of(path: Path) -> Toc:
    """Return the table of contents of a pack file; the chunks themselves are not read.

    Raises
    ------
    PackCorrupt
        If the end of the file is not that of a pack.
    FileNotFoundError
        If there is no such file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size_bytes = os.fstat(descriptor).st_size
        start = max(0, size_bytes - FOOTER_BYTES)
        span = read_footer(os.pread(descriptor, FOOTER_BYTES, start), size_bytes, path.name)
        return read_toc(os.pread(descriptor, span.length, span.offset), span, path.name)
    finally:
        os.close(descriptor)


def toc_named(table: bytes, name: str) -> Toc:
    """Return the table of contents that gives a pack its name, from its exact bytes alone.

    Raises
    ------
    PackCorrupt
        If they are another one, or none.
    """
    try:
        digest = bytes.fromhex(name)
    except ValueError as error:
        raise PackCorrupt(f"{name[:80]!r} is no name of a pack", cure="delete it", pack=name[:80]) from error
    length = len(table) - len(table) % _ENTRY.size
    data_bytes = sum(size for _, size in _ENTRY.iter_unpack(table[:length]))
    return read_toc(table, Span(data_bytes, length, digest), name)


def _bad(what: str, why: str) -> PackCorrupt:
    return PackCorrupt(f"the pack {what} is damaged: {why}", cure="undrift data fsck --repair", pack=what)
