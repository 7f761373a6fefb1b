"""Tables in files: CSV, tab-separated and Parquet, read under a logical schema."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias

import polars as pl

from undrift.data import csv_text, csv_types, inference
from undrift.data.conform import check_columns, conform
from undrift.data.csv_notes import Note
from undrift.data.csv_text import Texts
from undrift.data.csv_types import CellFault
from undrift.data.delimiters import NAMES, delimiter_for, find_delimiter
from undrift.data.inference import Circumstances
from undrift.data.reading import Reading
from undrift.data.schema import CsvFile, Schema, freeze
from undrift.data.text_file import BadTable, TextFile, open_text

TableFormat: TypeAlias = Literal["csv", "tsv", "parquet"]
TABLE_ENDINGS = ".csv, .tsv and .parquet"
_FORMATS: dict[str, TableFormat] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_PACKED = ".gz"
_DELIMITERS: dict[TableFormat, str] = {"csv": ",", "tsv": "\t"}
_LINES_COUNTED = 1_000_000


@dataclass(frozen=True, slots=True)
class Rows:
    """A table as read, with the cells that could not be.

    Attributes
    ----------
    frame : polars.DataFrame
        All rows under the schema; null where a cell could not be read.
    faults : tuple of CellFault
        Those cells, by row.
    place : callable
        Tells where a row, from 0, stands in the file.
    fallback : str
        The encoding of a text file which is not UTF-8 and in which nobody named it, else empty.
    """

    frame: pl.DataFrame
    faults: tuple[CellFault, ...] = ()
    place: Callable[[int], str] = lambda row: f"row {row + 1}"
    fallback: str = ""


@dataclass(frozen=True, slots=True)
class TableText:
    """A CSV file as text.

    Attributes
    ----------
    texts : Texts
        Its cells.
    file : TextFile
        Its content.
    delimiter : str
        What divides the cells.
    usual : bool
        Whether that is what the file's name lets expect.
    """

    texts: Texts
    file: TextFile
    delimiter: str
    usual: bool

    def place(self, row: int) -> str:
        """Return where a row, from 0, stands: its line, or far down in a file its number."""
        if row < _LINES_COUNTED:
            line = csv_text.lines_of(self.file, [row], self.delimiter).get(row)
            if line is not None:
                return f"line {line}"
        return f"row {row + 1}"


@dataclass(frozen=True, slots=True)
class How:
    """How a table file was read.

    Attributes
    ----------
    format : TableFormat
        What kind of file it is.
    rows : int
        How many rows it has.
    delimiter, encoding : str
        What divides its cells, and the encoding it came in; empty for Parquet.
    skipped_lines : int
        Blank lines, and a first line ``sep=;``.
    notes : tuple of Note
        What a person should know; a note may show a cell, so it belongs on a screen and in no record.
    """

    format: TableFormat
    rows: int
    delimiter: str = ""
    encoding: str = ""
    skipped_lines: int = 0
    notes: tuple[Note, ...] = ()

    def told(self) -> str:
        """Return one line: what kind of file it is."""
        if self.format == "parquet":
            return f"Parquet, {self.rows:,} rows"
        skipped = f", {self.skipped_lines:,} lines skipped" if self.skipped_lines else ""
        divided = NAMES.get(self.delimiter, repr(self.delimiter))
        return f"CSV divided by {divided}s, {self.encoding.upper()}, {self.rows:,} rows{skipped}"


@dataclass(frozen=True, slots=True)
class ReadTable:
    """A table file read without adding it.

    Attributes
    ----------
    frame : polars.DataFrame
        All rows, typed.
    schema : Schema
        What would be frozen.
    how : How
        How the file was read.
    """

    frame: pl.DataFrame
    schema: Schema
    how: How


def format_of(path: str | Path) -> TableFormat | None:
    """Return the format that a file's name tells, None when it is not a table's."""
    name = PurePosixPath(str(path))
    packed = name.suffix.lower() == _PACKED
    found = _FORMATS.get(PurePosixPath(name.stem).suffix.lower() if packed else name.suffix.lower())
    return None if packed and found == "parquet" else found


def read_table(path: Path, reading: Reading | None = None, before: Schema | None = None) -> ReadTable:
    """Return the rows of a table file, the schema they would freeze and how they were read; nothing is written.

    Parameters
    ----------
    path : Path
        A file with the ending of a table.
    reading : Reading, optional
        What the caller says about it.
    before : Schema, optional
        The schema of the dataset's newest version, which decides what the cells leave open.

    Raises
    ------
    BadTable
        If the file cannot be read as a table, or has no rows; line or column is named.
    AmbiguousDates, AmbiguousNumbers, AmbiguousDelimiter
        If it can be read in two ways.
    BadSchema
        If a column holds what no logical type can.
    """
    table_format = format_of(path)
    if table_format is None:
        raise BadTable(f"{path.name} does not end like a table", cure=f"tables are {TABLE_ENDINGS} files")
    found = _read(path, table_format, reading or Reading(), before)
    if not found.how.rows:
        raise BadTable(f"{path.name} has columns and no rows", cure="give a table with rows")
    return found


def _read(path: Path, table_format: TableFormat, reading: Reading, before: Schema | None) -> ReadTable:
    if table_format == "parquet":
        frame = _read_parquet(path)
        schema = freeze(frame.schema)
        return ReadTable(conform(frame, schema), schema, How("parquet", frame.height))
    text = read_cells(path, table_format, reading)
    schema, notes = infer_from([text], reading, before)
    frame, _ = csv_types.parse(text.texts.frame, schema)
    skipped = text.texts.blank_lines + text.file.lines_above
    how = How(table_format, frame.height, text.delimiter, text.file.encoding, skipped, notes)
    return ReadTable(frame, schema, how)


def infer_schema(path: Path, table_format: TableFormat, reading: Reading, before: Schema | None) -> tuple[Schema, int]:
    """Return the schema and the number of rows of a table file.

    Parquet tells both in its footer; a CSV file is read whole.

    Parameters
    ----------
    path, reading, before
        As for :func:`read_table`.
    table_format : TableFormat
        What kind of file it is.
    """
    if table_format == "parquet":
        lazy = _scan_parquet(path)
        return freeze(lazy.collect_schema()), int(lazy.select(pl.len()).collect().item())
    text = read_cells(path, table_format, reading)
    return infer_from([text], reading, before)[0], text.texts.frame.height


def read_cells(path: Path, table_format: TableFormat, reading: Reading) -> TableText:
    """Return a CSV file as text; its dialect is what the caller says, else what is found.

    Parameters
    ----------
    path : Path
        The file.
    table_format : TableFormat
        ``"csv"`` or ``"tsv"``.
    reading : Reading
        What the caller says.
    """
    file = open_text(path, reading.encoding or "")
    usual = _DELIMITERS[table_format]
    delimiter = reading.delimiter or file.delimiter or find_delimiter(file, usual)
    return TableText(csv_text.read_text(file, delimiter), file, delimiter, delimiter == usual)


def infer_from(files: list[TableText], reading: Reading, before: Schema | None) -> tuple[Schema, tuple[Note, ...]]:
    """Return the schema of all cells of some files with the same columns, and what to know of it.

    Parameters
    ----------
    files : list of TableText
        One or more.
    reading, before
        As for :func:`read_table`.
    """
    first = files[0]
    names = first.texts.frame.columns
    texts = pl.concat([file.texts.frame.select(names) for file in files])
    given = Circumstances(reading, before, first.delimiter, _place_in(files))
    found = inference.infer(texts, given)
    unusual = next((file.delimiter for file in files if not file.usual), "")
    foreign = next((file.file.encoding for file in files if not _is_unicode(file.file)), "")
    named = reading.encoding or ""
    csv = CsvFile(unusual, "" if named.startswith("utf-8") else named, "" if named else foreign)
    return Schema(found.columns, csv), (*_about_files(files, named), *found.notes)


def read(path: Path, table_format: TableFormat, schema: Schema) -> pl.DataFrame:
    """Return the table in a file, under a schema.

    Raises
    ------
    BadTable
        If the file cannot be read, or a cell is not of its column's type; line and column are named.
    SchemaMismatch
        If it has other columns or types.
    """
    rows = read_with_faults(path, table_format, schema)
    refuse_faults(rows)
    return rows.frame


def refuse_faults(rows: Rows) -> None:
    """Refuse a table in which a cell could not be read.

    Raises
    ------
    BadTable
        If there is such a cell; line and column are named.
    """
    if not rows.faults:
        return
    first = rows.faults[0]
    others = len(rows.faults) - 1
    more = f" (and {others} more such cells)" if others else ""
    raise BadTable(
        f"{rows.place(first.row)}, column {first.column!r}: {first.problem}{more}",
        cure="mend the cells; `undrift data add --append --check` puts such rows in quarantine instead",
    )


def read_with_faults(path: Path, table_format: TableFormat, schema: Schema) -> Rows:
    """Return the table in a file under a schema, with the cells that could not be read.

    Raises
    ------
    BadTable
        If the file cannot be read as a table at all.
    SchemaMismatch
        If it has other columns, or (Parquet) other types.
    """
    if table_format == "parquet":
        return Rows(conform(_read_parquet(path), schema))
    file = open_text(path, schema.csv.encoding, schema.csv.fallback)
    usual = _DELIMITERS[table_format]
    delimiter = delimiter_for(file, schema.names, schema.csv.delimiter or usual) or find_delimiter(file, usual)
    text = TableText(csv_text.read_text(file, delimiter), file, delimiter, delimiter == usual)
    texts = text.texts.frame
    # A text can be any type, so only the names can differ here; cells are judged one by one.
    check_columns(schema, {name: schema.type_of(name) or "string" for name in texts.columns})
    frame, faults = csv_types.parse(texts, schema)
    fallback = "" if schema.csv.encoding or _is_unicode(file) else file.encoding
    return Rows(frame, tuple(faults), text.place, fallback)


def scan_parquet(path: Path, schema: Schema) -> pl.LazyFrame | None:
    """Return a lazy reader of a Parquet file which has exactly the schema's types, else None."""
    lazy = _scan_parquet(path)
    found = dict(lazy.collect_schema())
    return lazy.select(schema.names) if found == schema.dtypes else None


def _is_unicode(file: TextFile) -> bool:
    return file.encoding.startswith("utf-")


def _place_in(files: list[TableText]) -> Callable[[int], str]:
    """Return what tells where a row of several files, one behind the other, stands."""

    def place(row: int) -> str:
        for number, file in enumerate(files, 1):
            if row < file.texts.frame.height:
                return file.place(row) + (f" of file {number}" if len(files) > 1 else "")
            row -= file.texts.frame.height
        return f"row {row + 1}"

    return place


def _about_files(files: list[TableText], named: str) -> list[Note]:
    notes = []
    for file in files:
        if not named and not _is_unicode(file.file):
            told = f"not UTF-8, read as {file.file.encoding}; if letters look wrong, name it: --encoding NAME"
            notes.append(Note("", told))
        if file.texts.index_dropped:
            notes.append(Note("", "the first column has no name and counts the rows: an index, left out"))
    return list(dict.fromkeys(notes))


def _scan_parquet(path: Path) -> pl.LazyFrame:
    lazy = pl.scan_parquet(path, glob=False)
    try:
        lazy.collect_schema()
    except pl.exceptions.PolarsError as error:
        raise _not_parquet(error) from error
    return lazy


def _read_parquet(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path, glob=False)
    except pl.exceptions.PolarsError as error:
        raise _not_parquet(error) from error


def _not_parquet(error: Exception) -> BadTable:
    return BadTable(
        f"the file is not readable Parquet: {str(error).splitlines()[0]}", cure="write it again, or deliver it as CSV"
    )
