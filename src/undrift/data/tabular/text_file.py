"""A text file as UTF-8, whatever encoding it came in.

A byte-order mark decides; else the encoding that was said; else UTF-8 when all of it is; else Windows'
Western European (cp1252), but only where its letters read like that. Nothing is replaced or dropped.
"""

from __future__ import annotations

import codecs
import gzip
import mmap
import re
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from undrift.core.errors import BadInput

Buffer: TypeAlias = bytes | mmap.mmap

_HEAD_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 24
_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_WESTERN = "cp1252"
# Hardly ever in Western European text, as bytes of cp1252: a sign such as the raised 3 within a word, four accented
# letters or three quotes and dashes in a row, a florin sign before a letter, bytes that stand for nothing.
_LETTER = rb"[A-Za-z\xc0-\xd6\xd8-\xf6\xf8-\xff]"
_FOREIGN = re.compile(
    rb"%b[\xa1-\xa7\xa9\xab-\xaf\xb1-\xb3\xb6\xb8\xb9\xbb-\xbf]%b" % (_LETTER, _LETTER)
    + rb"|[\xc0-\xd6\xd8-\xf6\xf8-\xff]{4}|[\x80-\x9f]{3}|\x83%b|[\x81\x8d\x8f\x90\x9d]" % _LETTER
)
_LINE_END = re.compile(rb'"[^"]*"|\r\n|\r|\n')
_SEPARATOR_LINE = re.compile(rb'"?sep=(.)"?\r?\n', re.IGNORECASE)


class BadTable(BadInput):
    """A file cannot be read as a table; the message says where."""

    code = "bad-table"


@dataclass(frozen=True, slots=True)
class TextFile:
    """The content of a text file.

    Attributes
    ----------
    data : bytes or mmap
        All of it, as UTF-8, perhaps behind a byte-order mark.
    encoding : str
        The encoding it came in.
    newline : str
        What ends its lines: LF (also behind CR), or CR alone.
    lines_above : int
        Lines in the file that are no longer in ``data``.
    delimiter : str or None
        What a first line ``sep=;``, as Excel reads it, says.
    path : Path or None
        A file with exactly these bytes.
    """

    data: Buffer
    encoding: str
    newline: str = "\n"
    lines_above: int = 0
    delimiter: str | None = None
    path: Path | None = None

    @property
    def head(self) -> bytes:
        """The first mebibyte, without a byte-order mark."""
        return bytes(self.data[:_HEAD_BYTES]).removeprefix(codecs.BOM_UTF8)


def open_text(path: Path, encoding: str = "", fallback: str = "") -> TextFile:
    """Return the content of a text file; a gzipped one is unpacked.

    Parameters
    ----------
    path : Path
        The file.
    encoding : str
        Its encoding where somebody said so; a byte-order mark that contradicts is refused.
    fallback : str
        The encoding to take when it is not UTF-8, found for an earlier file of the dataset.

    Raises
    ------
    BadTable
        If it is empty, no text, or not of the encoding; the line is named.
    """
    packed = _content(path)
    data = _unpacked(packed) if packed[:2] == _GZIP else packed
    if not bytes(data[:_HEAD_BYTES]).strip(codecs.BOM_UTF8 + b" \r\n\t"):
        raise BadTable("the file is empty", cure="a table needs a header line with the names of its columns")
    if data[:4] == _ZIP:
        raise BadTable("the file is a workbook or a zip archive, not text", cure="save the sheet as CSV (UTF-8)")
    text = _decoded(data, encoding, fallback)
    if text.data is packed:
        text = replace(text, path=path)
    head = text.head
    if b"\x00" in head.split(b"\n", 1)[0]:
        raise BadTable(
            "line 1 holds zero bytes", cure="if it is UTF-16 without a byte-order mark: --encoding utf-16-le"
        )
    if _first_line_end(head) == b"\r":
        return replace(text, newline="\r")
    return _without_separator_line(text, head)


def _content(path: Path) -> Buffer:
    with path.open("rb") as file:
        if not file.read(1):
            return b""
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _unpacked(data: Buffer) -> bytes:
    try:
        return gzip.decompress(data[:])
    except (OSError, EOFError, zlib.error) as error:
        raise BadTable(
            f"the file cannot be unpacked: {error}", cure="write it again, or deliver it unpacked"
        ) from error


def _decoded(data: Buffer, encoding: str, fallback: str) -> TextFile:
    marked = next((name for mark, name in _MARKS if data[: len(mark)] == mark), None)
    if marked and encoding and not encoding.replace("_", "-").startswith(marked):
        raise BadTable(
            f"the file begins with the byte-order mark of {marked}, not of {encoding}", cure="say no --encoding"
        )
    wanted = marked or encoding
    if wanted in ("", "utf-8"):
        broken = _first_that_is_not_utf8(data)
        if broken is None:
            return TextFile(data, "utf-8")
        if wanted:
            raise _undecodable(data, broken, wanted)
        wanted = fallback or _western(data)
    return TextFile(_as_utf8(data, wanted), wanted)


def _first_that_is_not_utf8(data: Buffer) -> int | None:
    """Return the place of the first byte that is not UTF-8, None when all are."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(data), _BLOCK_BYTES):
        block = data[start : start + _BLOCK_BYTES]
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(block, final=start + _BLOCK_BYTES >= len(data))
        except UnicodeDecodeError as error:
            return start - pending + error.start
    return None


def _western(data: Buffer) -> str:
    """Return cp1252 when the text reads like Western European."""
    foreign = _FOREIGN.search(data)
    if foreign:
        raise BadTable(
            f"line {_line_at(data, foreign.start())} is neither UTF-8 nor Western European text",
            cure="name its encoding: --encoding cp1251 (Cyrillic), cp1250 (Central European), shift_jis, ...",
        )
    return _WESTERN


def _as_utf8(data: Buffer, encoding: str) -> bytes:
    decoder = codecs.getincrementaldecoder(encoding)()
    pieces: list[bytes] = []
    for start in range(0, len(data), _BLOCK_BYTES):
        try:
            text = decoder.decode(data[start : start + _BLOCK_BYTES], final=start + _BLOCK_BYTES >= len(data))
            pieces.append(text.encode("utf-8"))
        except UnicodeError as error:
            raise _undecodable(data, start + getattr(error, "start", 0), encoding) from error
    return b"".join(pieces)


def _undecodable(data: Buffer, place: int, encoding: str) -> BadTable:
    return BadTable(
        f"line {_line_at(data, place)} is not {encoding.upper()}",
        cure=f"convert the file (iconv -t utf-8), or name its encoding: --encoding NAME in place of {encoding}",
    )


def _line_at(data: Buffer, place: int) -> int:
    return data[:place].count(b"\n") + 1


def _first_line_end(head: bytes) -> bytes:
    """Return what ends the first line that has something in it, cells in quotes passed over."""
    ends = (found.group() for found in _LINE_END.finditer(head, len(head) - len(head.lstrip())))
    return next((end for end in ends if end[:1] != b'"'), b"\n")


def _without_separator_line(text: TextFile, head: bytes) -> TextFile:
    found = _SEPARATOR_LINE.match(head)
    if found is None:
        return text
    rest = text.data[:].removeprefix(codecs.BOM_UTF8)[found.end() :]
    return replace(text, data=rest, lines_above=1, delimiter=found[1].decode("ascii", "replace"), path=None)
