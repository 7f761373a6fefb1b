"""Tables in files: CSV, tab-separated, JSON lines and Parquet, read under a logical schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias

import polars as pl

from undrift.data.agreement import check_typed, may_stay, under
from undrift.data.conform import conform
from undrift.data.schema import Schema, SchemaMismatch, freeze
from undrift.data.tabular.csv_notes import Note
from undrift.data.tabular.csv_types import CellFault
from undrift.data.tabular.delimiters import NAMES
from undrift.data.tabular.reading import Reading
from undrift.data.tabular.text_file import BadTable
from undrift.data.tabular.text_tables import (
    TableText,
    TextTable,
    infer_from,
    is_unicode,
    names_of,
    notes_under,
    parse_cells,
    place_in,
    read_cells,
    read_under,
    rows_of,
)

TableFormat: TypeAlias = Literal["csv", "tsv", "jsonl", "parquet"]
TABLE_ENDINGS = ".csv, .tsv, .jsonl and .parquet"
_FORMATS: dict[str, TableFormat] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_PACKED = ".gz"


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
class How:
    """How a table file was read.

    Attributes
    ----------
    format : TableFormat
        What kind of file it is.
    rows : int
        How many rows it has.
    delimiter, encoding : str
        What divides its cells, and the encoding it came in; empty where there is no such thing.
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
        if self.format == "jsonl":
            return f"JSON lines, {self.encoding.upper()}, {self.rows:,} rows"
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
        The schema of the dataset's newest version: its types stay where the rows fit, as when the file is added,
        and else it decides what the cells leave open.

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


def read_columns(path: Path, typed: Collection[str]) -> pl.DataFrame:
    """Return the rows of a table file of which only some columns are read as what they look like.

    Parameters
    ----------
    path : Path
        A file with the ending of a table.
    typed : collection of str
        Columns whose cells are numbers, dates, ... where all look so. The others stay text, so that nothing need be
        said of how they are written; in Parquet and JSON lines, which have types of their own, they keep those.

    Raises
    ------
    BadTable, AmbiguousDates, AmbiguousNumbers, AmbiguousDelimiter, BadSchema
        As for :func:`read_table`.
    """
    table_format = format_of(path)
    if table_format not in ("csv", "tsv"):
        return read_table(path).frame
    cells = read_cells(path, table_format, Reading())
    texts = tuple(name for name in names_of(cells) if name not in typed)
    schema, _ = infer_from([cells], Reading(as_text=texts), None)
    return parse_cells(cells, schema)[0]


def _read(path: Path, table_format: TableFormat, reading: Reading, before: Schema | None) -> ReadTable:
    """Read a file as it would be added: under the schema before where its rows fit."""
    if before is not None and may_stay(before, reading):
        try:
            return _under(path, table_format, under(before, reading, appended=False))
        except (BadTable, SchemaMismatch):
            pass
    if table_format == "parquet":
        frame = _read_parquet(path)
        schema = _typed(frame.schema, reading)
        return ReadTable(conform(frame, schema), schema, How("parquet", frame.height))
    table = read_cells(path, table_format, reading)
    schema, notes = infer_from([table], reading, before)
    frame, _ = parse_cells(table, schema)
    return ReadTable(frame, schema, _how(table_format, table, notes))


def _under(path: Path, table_format: TableFormat, schema: Schema) -> ReadTable:
    if table_format == "parquet":
        frame = conform(_read_parquet(path), schema)
        return ReadTable(frame, schema, How("parquet", frame.height))
    table = read_under(path, table_format, schema)
    frame, faults = parse_cells(table, schema)
    refuse_faults(Rows(frame, tuple(faults)))
    return ReadTable(frame, schema, _how(table_format, table, notes_under(table, schema)))


def _how(table_format: TableFormat, table: TextTable, notes: tuple[Note, ...]) -> How:
    how = How(table_format, rows_of(table), encoding=table.file.encoding, notes=notes)
    if not isinstance(table, TableText):
        return how
    skipped = table.texts.blank_lines + table.file.lines_above
    return replace(how, delimiter=table.delimiter, skipped_lines=skipped)


def infer_schema(path: Path, table_format: TableFormat, reading: Reading, before: Schema | None) -> tuple[Schema, int]:
    """Return the schema and the number of rows of a table file.

    Parquet tells both in its footer; a text file is read whole.

    Parameters
    ----------
    path, reading, before
        As for :func:`read_table`.
    table_format : TableFormat
        What kind of file it is.
    """
    if table_format == "parquet":
        lazy = _scan_parquet(path)
        return _typed(lazy.collect_schema(), reading), int(lazy.select(pl.len()).collect().item())
    table = read_cells(path, table_format, reading)
    return infer_from([table], reading, before)[0], rows_of(table)


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
    table = read_under(path, table_format, schema)
    frame, faults = parse_cells(table, schema)
    fallback = "" if schema.csv.encoding or is_unicode(table.file) else table.file.encoding
    return Rows(frame, tuple(faults), place_in(table), fallback)


def read_as_text(path: Path, table_format: TableFormat, schema: Schema) -> pl.DataFrame:
    """Return the cells of a file that has other columns than its dataset, as texts; Parquet keeps its own types.

    Parameters
    ----------
    path : Path
        The file.
    table_format : TableFormat
        What kind of file it is.
    schema : Schema
        The dataset's; it tells how its text files are written.

    Raises
    ------
    BadTable
        If the file cannot be read as a table at all.
    """
    if table_format == "parquet":
        return _read_parquet(path)
    table = read_under(path, table_format, schema)
    if isinstance(table, TableText):
        return table.texts.frame
    cells = {name: [_as_text(value) for value in values] for name, values in table.table.columns.items()}
    return pl.DataFrame(cells, schema=dict.fromkeys(cells, pl.String))


def _as_text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def scan_parquet(path: Path, schema: Schema) -> pl.LazyFrame | None:
    """Return a lazy reader of a Parquet file which has exactly the schema's types, else None."""
    lazy = _scan_parquet(path)
    found = dict(lazy.collect_schema())
    return lazy.select(schema.names) if found == schema.dtypes else None


def count_rows(path: Path, schema: Schema) -> int | None:
    """Return how many rows a Parquet file of exactly the schema's types has, else None; its footer tells."""
    try:
        lazy = scan_parquet(path, schema)
    except BadTable:
        return None  # whoever reads it whole says what is wrong
    return None if lazy is None else int(lazy.select(pl.len()).collect().item())


def batches(path: Path, table_format: TableFormat, schema: Schema, rows: int) -> Iterator[pl.DataFrame]:
    """Give the rows of a file under a schema, so many at a time; a text file is read whole first.

    Parameters
    ----------
    path : Path
        The file.
    table_format : TableFormat
        What kind of file it is.
    schema : Schema
        The types.
    rows : int
        Rows of a batch.

    Raises
    ------
    BadTable, SchemaMismatch
        As for :func:`read`.
    """
    if table_format != "parquet":
        frame = read(path, table_format, schema)
        yield from (frame.slice(start, rows) for start in range(0, frame.height, rows))
        return
    try:
        for batch in _scan_parquet(path).collect_batches(chunk_size=rows, maintain_order=True):
            yield conform(batch, schema)
    except pl.exceptions.PolarsError as error:
        raise _not_parquet(error) from error


def _typed(dtypes: Mapping[str, pl.DataType], reading: Reading) -> Schema:
    """Return the schema of a file that has types of its own, which no words of a caller change."""
    schema = freeze(dtypes)
    check_typed(schema, reading)
    return schema


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


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """The rows of a table file that nobody added.

    Attributes
    ----------
    table : DataFrame or LazyFrame
        The rows.
    rows : int
        How many there are.
    is_streamed : bool
        Whether the file's own bytes may be read piece by piece in place of the table, however large it is.
    """

    table: pl.DataFrame | pl.LazyFrame
    rows: int
    is_streamed: bool


def scan_file(path: Path, reading: Reading) -> ScannedFile:
    """Return the rows of a table file; Parquet is not read yet.

    Raises
    ------
    BadTable, AmbiguousDates, AmbiguousNumbers, AmbiguousDelimiter, BadSchema
        If it cannot be read as a table, or in two ways.
    """
    if format_of(path) == "parquet":
        schema, rows = infer_schema(path, "parquet", reading, None)
        lazy = scan_parquet(path, schema)
        if lazy is not None:
            return ScannedFile(lazy, rows, is_streamed=True)
    frame = read_table(path, reading).frame
    return ScannedFile(frame, frame.height, is_streamed=False)
