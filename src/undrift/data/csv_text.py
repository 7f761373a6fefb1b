"""CSV as text: every cell as it stands in the file, every line with all its cells.

A missing cell (nothing between two commas) is null, a quoted nothing (``""``) is the empty text.
What the texts mean is decided in ``csv_types``.
"""

from __future__ import annotations

import csv
import io
import mmap
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from undrift.core.errors import BadInput

_BOM = b"\xef\xbb\xbf"
_HEADER_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 26
_NEWLINE, _RETURN, _QUOTE = 10, 13, 34


class BadTable(BadInput):
    """A file cannot be read as a table; the message says where."""

    code = "bad-table"


@dataclass(frozen=True, slots=True)
class _Shape:
    """What the lines of a file are like: which records are blank, and the first of a wrong width."""

    blank: tuple[int, ...] = ()
    wrong_record: int | None = None
    wrong_width: int = 0


def read_text(path: Path, delimiter: str = ",") -> pl.DataFrame:
    """Return the cells of a CSV file as text.

    Parameters
    ----------
    path : Path
        UTF-8, with a header; lines end in LF or CR LF. Blank lines are skipped.
    delimiter : str
        One ASCII character.

    Raises
    ------
    BadTable
        If it is empty, not UTF-8, or a line has more or fewer cells than the header; the line is named.
    BadInput
        If a column has no name or two have one name.
    """
    names = _header(path, delimiter)
    shape = _shape(path, delimiter, len(names))
    _refuse_ragged(path, delimiter, names, shape)
    frame = _cells(path, delimiter, names)
    if not shape.blank:
        return frame
    # The reader skips blank lines above the header and makes rows of nulls of those below it.
    above = sum(record == place for place, record in enumerate(shape.blank))
    drop = [record - above - 1 for record in shape.blank[above:]]
    return frame.with_row_index("").filter(~pl.col("").is_in(drop)).drop("")


def line_of(path: Path, record: int, delimiter: str = ",") -> int:
    """Return the number of the line, from 1, on which a record begins; record 0 is the header."""
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        reader = csv.reader(file, delimiter=delimiter)
        line = 1
        for number, _ in enumerate(reader):
            if number == record:
                return line
            line = reader.line_num + 1
    return line


def _refuse_ragged(path: Path, delimiter: str, names: list[str], shape: _Shape) -> None:
    if shape.wrong_record is None:
        return
    line = line_of(path, shape.wrong_record, delimiter)
    raise BadTable(
        f"line {line} has {shape.wrong_width} cells, the header has {len(names)}",
        cure="mend the line, or put quotes round cells which hold the delimiter",
    )


def _header(path: Path, delimiter: str) -> list[str]:
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    if not head.strip():
        raise BadTable("the file is empty", cure="a table needs a header line with the names of its columns")
    try:
        text = head.removeprefix(_BOM).decode("utf-8", errors="ignore" if len(head) == _HEADER_BYTES else "strict")
    except UnicodeDecodeError as error:
        raise _not_utf8(head.count(b"\n", 0, error.start) + 1) from error
    if b"\r" in head and b"\n" not in head:
        raise BadTable("the lines of the file do not end in LF", cure="convert its line ends (mac2unix)")
    names = next(cells for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if cells)
    if len(names) == 1 and any(other in names[0] for other in ";\t|,"):
        raise BadTable(
            f"the header has one column, {names[0][:60]!r}: its cells seem to be divided by another character",
            cure="write the file with commas (.csv) or tabs (.tsv)",
        )
    _check_names(names)
    return names


def _check_names(names: list[str]) -> None:
    for position, name in enumerate(names, 1):
        if not name.strip():
            raise BadTable(f"column {position} has no name", cure="name it (pandas: write with index=False)")
        if names.index(name) != position - 1:
            raise BadTable(f"two columns are called {name!r}", cure="rename one of them")


def _cells(path: Path, delimiter: str, names: list[str]) -> pl.DataFrame:
    try:
        frame = pl.read_csv(path, separator=delimiter, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        if "utf-8" in str(error).lower():
            raise _not_utf8(_first_line_that_is_not_utf8(path)) from error
        _refuse_ragged(path, delimiter, names, _shape(path, delimiter, len(names), exact=True))
        raise BadTable(
            f"the file is not well-formed CSV: {str(error).splitlines()[0]}",
            cure="check the quotes: a quote inside a quoted cell is written twice",
        ) from error
    if frame.width != len(names):
        raise BadTable("the lines of the file end in different ways", cure="convert its line ends (dos2unix)")
    frame.columns = names
    return frame


def _not_utf8(line: int) -> BadTable:
    return BadTable(f"line {line} is not UTF-8", cure="convert the file to UTF-8 (iconv -t utf-8)")


def _first_line_that_is_not_utf8(path: Path) -> int:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return 0


def _shape(path: Path, delimiter: str, width: int, *, exact: bool = False) -> _Shape:
    """Find blank records and the first with a wrong number of cells.

    Unless it must be exact, a file in which long and short lines cancel out passes: the reader
    refuses long lines.
    """
    if width == 1:
        return _Shape()  # a blank line is then a row with nothing in it
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        array = np.frombuffer(data, dtype=np.uint8)
        try:
            if not exact and data.find(b'"') < 0 and _counts_agree(array, ord(delimiter), width):
                return _Shape()
            return _walk(array, ord(delimiter), width)
        finally:
            del array


def _counts_agree(array: npt.NDArray[np.uint8], delimiter: int, width: int) -> bool:
    """Say whether there are as many delimiters as full lines have; longer lines are refused by the reader."""
    lines = delimiters = 0
    for start in range(0, len(array), _BLOCK_BYTES):
        block = array[start : start + _BLOCK_BYTES]
        lines += int(np.count_nonzero(block == _NEWLINE))
        delimiters += int(np.count_nonzero(block == delimiter))
    lines += int(array[-1] != _NEWLINE)
    return delimiters == lines * (width - 1)


def _walk(array: npt.NDArray[np.uint8], delimiter: int, width: int) -> _Shape:
    blank: list[int] = []
    record, cells, length, inside = 0, 0, 0, 0
    for start in range(0, len(array), _BLOCK_BYTES):
        block = array[start : start + _BLOCK_BYTES]
        quoted = (np.cumsum(block == _QUOTE, dtype=np.int64) + inside) & 1
        ends = np.flatnonzero((block == _NEWLINE) & (quoted == 0))
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
    returned = (ends > 0) & (block[np.maximum(ends - 1, 0)] == _RETURN)
    return found, sizes - returned
