"""CSV as text: every cell as it stands in the file, every line with all its cells.

A missing cell (nothing between two commas) is null, a quoted nothing (``""``) is the empty text.
What the texts mean is decided in ``csv_types``.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from undrift.data.tabular.text_file import BadTable, Buffer, TextFile

_BLOCK_BYTES = 1 << 26
_NEWLINE, _RETURN, _QUOTE = 10, 13, 34
_BARE_RETURN = re.compile(rb'"[^"]*"|\r(?!\n|\Z)')
_LINE_FEED = re.compile(rb'"[^"]*"|\n')
_ANY_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Texts:
    """The cells of a CSV file.

    Attributes
    ----------
    frame : polars.DataFrame
        All rows, every cell as text.
    blank_lines : int
        Lines without a cell, which were skipped.
    index_dropped : bool
        Whether a first column without a name, which counted the rows, was left out.
    """

    frame: pl.DataFrame
    blank_lines: int = 0
    index_dropped: bool = False


@dataclass(frozen=True, slots=True)
class _Shape:
    """What the lines of a file are like: which records are blank, and the first of a wrong width."""

    blank: tuple[int, ...] = ()
    wrong_record: int | None = None
    wrong_width: int = 0


def read_text(text: TextFile, delimiter: str = ",") -> Texts:
    """Return the cells of a CSV file as text.

    Parameters
    ----------
    text : TextFile
        With a header. Blank lines are skipped.
    delimiter : str
        One ASCII character.

    Raises
    ------
    BadTable
        If a line has more or fewer cells than the header, a column has no name or two have one;
        line or column is named.
    """
    _refuse_mixed_ends(text)
    names = _header(text, delimiter)
    _check_names(names)
    shape = _shape(text, delimiter, len(names))
    _refuse_ragged(text, delimiter, names, shape)
    frame = _without_blanks(_cells(text, delimiter, names), shape)
    if names[0].strip():
        return Texts(frame, len(shape.blank))
    if frame.width == 1 or not _counts_rows(frame.to_series(0)):
        raise _nameless(1)
    return Texts(frame.drop(frame.columns[0]), len(shape.blank), index_dropped=True)


class _Memory(io.RawIOBase):
    """A file over bytes in memory, none of which are copied before they are read."""

    def __init__(self, view: memoryview) -> None:
        self._view = view

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:  # Any: whatever can be written into
        """Fill a buffer and return how many bytes went in."""
        target = memoryview(buffer)
        size = min(len(target), len(self._view))
        target[:size] = self._view[:size]
        self._view = self._view[size:]
        return size


def lines_of(text: TextFile, rows: Collection[int], delimiter: str = ",") -> dict[int, int]:
    """Return the numbers of the lines, from 1, on which rows, from 0, begin."""
    wanted, last = set(rows), max(rows, default=-1)
    found: dict[int, int] = {}
    row, width = -1, 0  # -1 is the header
    for line, record in _numbered(text, delimiter):
        # In a table of one column a blank line below the header is a row with nothing in it.
        if not record and width != 1:
            continue
        if row in wanted:
            found[row] = line
        if row >= last:
            break
        width = width or len(record)
        row += 1
    return found


def _numbered(text: TextFile, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Give each record with the number of its first line."""
    raw = io.BufferedReader(cast("io.RawIOBase", _Memory(memoryview(text.data))))
    with io.TextIOWrapper(raw, encoding="utf-8-sig", errors="replace", newline="") as lines:
        reader = csv.reader(lines, delimiter=delimiter)
        line = 1 + text.lines_above
        try:
            for record in reader:
                yield line, record
                line = reader.line_num + 1 + text.lines_above
        except csv.Error:  # a cell longer than the module reads: lines from there on are not known
            return


def _line_of_record(text: TextFile, record: int, delimiter: str) -> int:
    return next((line for number, (line, _) in enumerate(_numbered(text, delimiter)) if number == record), 0)


def _refuse_ragged(text: TextFile, delimiter: str, names: list[str], shape: _Shape) -> None:
    if shape.wrong_record is None:
        return
    line = _line_of_record(text, shape.wrong_record, delimiter)
    raise BadTable(
        f"line {line} has {shape.wrong_width} cells, the header has {len(names)}",
        cure="mend the line, or put quotes round cells which hold the delimiter (if the cells are divided by another "
        "character than " + repr(delimiter) + ": --delimiter)",
    )


def _refuse_mixed_ends(text: TextFile) -> None:
    """Refuse a file in which, outside quotes, some lines end in CR alone and others do not."""
    if text.newline == "\n" and not _has_bare_return(text.data):
        return
    if text.newline == "\r" and text.data.find(b"\n") < 0:
        return
    other = _BARE_RETURN if text.newline == "\n" else _LINE_FEED
    found = next((one for one in other.finditer(text.data) if one.group()[:1] != b'"'), None)
    if found is not None:
        line = len(_ANY_END.findall(text.data[: found.start()])) + 1 + text.lines_above
        raise BadTable(
            f"line {line} ends in another way than the first", cure="convert the line ends (dos2unix, mac2unix)"
        )


def _has_bare_return(data: Buffer) -> bool:
    """Say whether a CR stands before something else than LF; at the very end it counts as an end of line."""
    if data.find(b"\r") < 0:
        return False
    array = np.frombuffer(data, dtype=np.uint8)
    for start in range(0, len(array) - 1, _BLOCK_BYTES):
        block = array[start : start + _BLOCK_BYTES + 1]
        if ((block[:-1] == _RETURN) & (block[1:] != _NEWLINE)).any():
            return True
    return False


def _header(text: TextFile, delimiter: str) -> list[str]:
    lines = io.StringIO(text.head.decode("utf-8", "ignore"), newline="")
    return next((cells for cells in csv.reader(lines, delimiter=delimiter) if cells), [""])


def _check_names(names: list[str]) -> None:
    for position, name in enumerate(names, 1):
        if not name.strip() and position > 1:
            raise _nameless(position)
        first = names.index(name) + 1
        if first != position:
            raise BadTable(f"columns {first} and {position} are both called {name!r}", cure="rename one of them")


def _nameless(position: int) -> BadTable:
    return BadTable(f"column {position} has no name", cure="name it (pandas: write with index=False)")


def _counts_rows(cells: pl.Series) -> bool:
    """Say whether the cells are 0, 1, 2, ..., or go on from another number: the index that pandas writes by default."""
    text = cells[0] if len(cells) else "0"
    first = int(text) if text and re.fullmatch(r"[0-9]{1,15}", text) else 0
    return cells.equals(pl.Series(np.arange(first, first + len(cells), dtype=np.int64)).cast(pl.String))


def _without_blanks(frame: pl.DataFrame, shape: _Shape) -> pl.DataFrame:
    if not shape.blank:
        return frame
    # The reader skips blank lines above the header and makes rows of nulls of those below it.
    above = sum(record == place for place, record in enumerate(shape.blank))
    drop = [record - above - 1 for record in shape.blank[above:]]
    return frame.with_row_index("").filter(~pl.col("").is_in(drop)).drop("")


def _cells(text: TextFile, delimiter: str, names: list[str]) -> pl.DataFrame:
    try:
        source = text.path or io.BytesIO(text.data[:])
        frame = pl.read_csv(source, separator=delimiter, infer_schema=False, eol_char=text.newline)
    except pl.exceptions.PolarsError as error:
        _refuse_ragged(text, delimiter, names, _shape(text, delimiter, len(names), exact=True))
        raise _malformed(str(error).splitlines()[0]) from error
    # Two readers of one header must agree, or its quotes are not what they seem.
    if frame.width != len(names) or frame.columns[1:] != names[1:]:
        raise _malformed("the names of the columns cannot be told apart")
    frame.columns = [names[0] if names[0].strip() else "\x1f", *names[1:]]
    return frame


def _malformed(what: str) -> BadTable:
    return BadTable(
        f"the file is not well-formed CSV: {what}",
        cure="check the quotes: a quote inside a quoted cell is written twice",
    )


def _shape(text: TextFile, delimiter: str, width: int, *, exact: bool = False) -> _Shape:
    """Find blank records and the first with a wrong number of cells.

    Unless it must be exact, a file in which long and short lines cancel out passes: the reader
    refuses long lines.
    """
    if width == 1 and not exact:
        return _Shape()  # a blank line is then a row with nothing in it
    array = np.frombuffer(text.data, dtype=np.uint8)
    ends = _RETURN if text.newline == "\r" else _NEWLINE
    if not exact and text.data.find(b'"') < 0 and _counts_agree(array, (ord(delimiter), ends), width):
        return _Shape()
    return _walk(array, (ord(delimiter), ends), width)


def _counts_agree(array: npt.NDArray[np.uint8], marks: tuple[int, int], width: int) -> bool:
    """Say whether there are as many delimiters as full lines have; longer lines are refused by the reader."""
    delimiter, newline = marks
    lines = delimiters = 0
    for start in range(0, len(array), _BLOCK_BYTES):
        block = array[start : start + _BLOCK_BYTES]
        lines += int(np.count_nonzero(block == newline))
        delimiters += int(np.count_nonzero(block == delimiter))
    lines += int(array[-1] != newline)
    return delimiters == lines * (width - 1)


def _walk(array: npt.NDArray[np.uint8], characters: tuple[int, int], width: int) -> _Shape:
    delimiter, newline = characters
    blank: list[int] = []
    record, cells, length, inside = 0, 0, 0, 0
    for start in range(0, len(array), _BLOCK_BYTES):
        block = array[start : start + _BLOCK_BYTES]
        quoted = (np.cumsum(block == _QUOTE, dtype=np.int64) + inside) & 1
        ends = np.flatnonzero((block == newline) & (quoted == 0))
        marks = np.flatnonzero((block == delimiter) & (quoted == 0))
        inside = int(quoted[-1])
        found, sizes = _records(block, ends, marks)
        if len(ends):
            found[0] += cells
            sizes[0] += length
            cells, length = 0, 0
            blank += (record + np.flatnonzero(sizes == 0)).tolist()
            wrong = np.flatnonzero((found != width - 1) & (sizes != 0))
            if len(wrong):
                return _Shape((), record + int(wrong[0]), int(found[wrong[0]]) + 1)
        record += len(ends)
        cells += len(marks) - int(np.searchsorted(marks, ends[-1])) if len(ends) else len(marks)
        length += len(block) - 1 - int(ends[-1]) if len(ends) else len(block)
    if length and cells != width - 1:
        return _Shape((), record, cells + 1)
    return _Shape(tuple(blank))


def _records(
    block: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64], marks: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return delimiters and bytes of each record that ends in a block, a CR before the end not counted."""
    before = np.searchsorted(marks, ends)
    found = np.diff(before, prepend=0)
    sizes = np.diff(ends, prepend=-1) - 1
    returned = (ends > 0) & (block[ends] == _NEWLINE) & (block[np.maximum(ends - 1, 0)] == _RETURN)
    return found, sizes - returned
