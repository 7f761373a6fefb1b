"""Taking rows out of a table's file without touching the others: what is left reads as before."""

from __future__ import annotations

import gzip
import io
import math
import tempfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl

from undrift.core.errors import Fault
from undrift.data.schema import Schema
from undrift.data.tabular import table_files
from undrift.data.tabular.table_files import TableFormat, format_of
from undrift.data.tabular.text_file import BadTable, open_text

_GZIP = b"\x1f\x8b"


class NotRedactable(Fault):
    """Rows cannot be taken out of a file so that the others stay as they are."""

    code = "not-redactable"


@dataclass(frozen=True, slots=True)
class Redacted:
    """A file without some of its rows."""

    data: bytes
    removed: int


def matches(series: pl.Series, values: Collection[str]) -> pl.Series:
    """Return which cells are one of some values, written as text; numbers also where they are equal as numbers."""
    wanted = set(values)
    texts = series.to_list() if series.dtype == pl.Binary else series.cast(pl.String).str.strip_chars().to_list()
    hits = pl.Series(series.name, [text is not None and text in wanted for text in texts], dtype=pl.Boolean)
    if not series.dtype.is_numeric():
        return hits
    read: Callable[[str], Any] = float if series.dtype.is_float() else Decimal  # Any: both compare with their cells
    numbers = {number for value in wanted if (number := _number(value, read)) is not None}
    return hits | pl.Series(series.name, [cell in numbers for cell in series.to_list()], dtype=pl.Boolean)


def redact(path: Path, name: str, schema: Schema, column: str, values: Collection[str]) -> Redacted | None:
    """Return a table's file without the rows that hold one of some values, None when no row does.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Its name, whose ending tells its format.
    schema : Schema
        What its columns mean.
    column : str
        The column that names the subject.
    values : collection of str
        The subject's values.

    Raises
    ------
    NotRedactable
        If what is left would not read as the other rows do now.
    """
    table_format = format_of(name)
    if table_format is None or schema.type_of(column) is None:
        return None
    before = table_files.read_with_faults(path, table_format, schema).frame
    gone = matches(before[column], values)
    if not gone.any():
        return None
    rest = before.filter(~gone)
    if table_format == "jsonl" and rest.is_empty():
        return Redacted(b"", before.height)  # its columns stand in its rows: with none it is an empty file
    for data in _attempts(path, table_format, schema, gone):
        if _reads_as(data, name, table_format, schema, rest):
            return Redacted(data, int(gone.sum()))
    raise NotRedactable(
        f"rows cannot be taken out of {name!r} without changing others",
        cure="add a new version without them as Parquet, and erase this one's file as a whole",
    )


def _number(text: str, read: Callable[[str], Any]) -> Any:  # Any: as above; None where the text is no number
    try:
        number = read(text)
    except (ValueError, InvalidOperation):
        return None
    return number if math.isfinite(number) else None


def _attempts(path: Path, table_format: TableFormat, schema: Schema, gone: pl.Series) -> Iterator[bytes]:
    """Give the bytes that may be what is left; blank lines are rows in some files and nothing in others."""
    if table_format == "parquet":
        buffer = io.BytesIO()
        pl.read_parquet(path, glob=False).filter(~gone).write_parquet(buffer, compression="zstd")
        yield buffer.getvalue()
        return
    raw = path.read_bytes()
    is_packed = raw[:2] == _GZIP
    plain = gzip.decompress(raw) if is_packed else raw
    found = open_text(path, schema.csv.encoding, schema.csv.fallback)
    text = plain.decode(found.encoding)
    records = list(_records(text, found.newline, quoted=table_format != "jsonl"))
    head = found.lines_above
    for blanks_count in (False, True):
        kept = "".join(_kept(records[head:], gone, header=table_format != "jsonl", blanks_count=blanks_count))
        data = ("".join(records[:head]) + kept).encode(found.encoding)
        yield gzip.compress(data, mtime=0) if is_packed else data


def _records(text: str, newline: str, *, quoted: bool) -> Iterator[str]:
    """Give the records of a text, each with its line end; a quoted line end is part of its record."""
    pending: list[str] = []
    marks = 0
    *ended, rest = text.split(newline)
    for line in ended:
        pending.append(line)
        marks += line.count('"') if quoted else 0
        if marks % 2 == 0:
            yield newline.join(pending) + newline
            pending, marks = [], 0
    if pending or rest:  # the last line, which nothing ends
        yield newline.join([*pending, rest])


def _kept(records: list[str], gone: pl.Series, *, header: bool, blanks_count: bool) -> Iterator[str]:
    row = -1 if header else 0
    for record in records:
        if not record.strip("\ufeff\r\n \t") and (not blanks_count or row < 0):
            yield record
            continue
        if row < 0 or row >= len(gone) or not gone[row]:
            yield record
        row += 1


def _reads_as(data: bytes, name: str, table_format: TableFormat, schema: Schema, rest: pl.DataFrame) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, PurePosixPath(name).name)
        path.write_bytes(data)
        try:
            found = table_files.read_with_faults(path, table_format, schema).frame
        except BadTable:
            return False
        return found.equals(rest)
