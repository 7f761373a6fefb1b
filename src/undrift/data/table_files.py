"""Tables in files: CSV, tab-separated and Parquet, read under a logical schema."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias

import polars as pl

from undrift.data import csv_text, csv_types
from undrift.data.conform import check_columns, conform
from undrift.data.csv_text import BadTable
from undrift.data.csv_types import CellFault
from undrift.data.schema import Schema, freeze

TableFormat: TypeAlias = Literal["csv", "tsv", "parquet"]
_FORMATS: dict[str, TableFormat] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_DELIMITERS: dict[TableFormat, str] = {"csv": ",", "tsv": "\t"}


@dataclass(frozen=True, slots=True)
class Reading:
    """A table as read, with the cells that could not be.

    Attributes
    ----------
    frame : polars.DataFrame
        All rows under the schema; null where a cell could not be read.
    faults : tuple of CellFault
        Those cells, by row.
    """

    frame: pl.DataFrame
    faults: tuple[CellFault, ...] = ()


def format_of(path: str | Path) -> TableFormat | None:
    """Return the format that a file's name tells, None when it is not a table's."""
    return _FORMATS.get(PurePosixPath(str(path)).suffix.lower())


def infer_schema(path: Path, table_format: TableFormat) -> tuple[Schema, int]:
    """Return the schema and the number of rows of a table file.

    Parquet tells both in its footer; a CSV file is read whole.

    Raises
    ------
    BadTable
        If the file cannot be read as a table.
    BadSchema
        If a column holds what no logical type can.
    """
    if table_format == "parquet":
        lazy = _scan_parquet(path)
        return freeze(lazy.collect_schema()), int(lazy.select(pl.len()).collect().item())
    texts = csv_text.read_text(path, _DELIMITERS[table_format])
    return csv_types.infer(texts), texts.height


def read(path: Path, table_format: TableFormat, schema: Schema) -> pl.DataFrame:
    """Return the table in a file, under a schema.

    Raises
    ------
    BadTable
        If the file cannot be read, or a cell is not of its column's type; line and column are named.
    SchemaMismatch
        If it has other columns or types.
    """
    reading = read_with_faults(path, table_format, schema)
    if reading.faults:
        first = reading.faults[0]
        line = csv_text.line_of(path, first.row + 1, _DELIMITERS[table_format])
        others = len(reading.faults) - 1
        more = f" (and {others} more such cells)" if others else ""
        raise BadTable(
            f"line {line}, column {first.column!r}: {first.problem}{more}",
            cure="mend the cells; `undrift data add --append --check` puts such rows in quarantine instead",
        )
    return reading.frame


def read_with_faults(path: Path, table_format: TableFormat, schema: Schema) -> Reading:
    """Return the table in a file under a schema, with the cells that could not be read.

    Raises
    ------
    BadTable
        If the file cannot be read as a table at all.
    SchemaMismatch
        If it has other columns, or (Parquet) other types.
    """
    if table_format == "parquet":
        return Reading(conform(_read_parquet(path), schema))
    texts = csv_text.read_text(path, _DELIMITERS[table_format])
    # A text can be any type, so only the names can differ here; cells are judged one by one.
    check_columns(schema, {name: schema.type_of(name) or "string" for name in texts.columns})
    frame, faults = csv_types.parse(texts, schema)
    return Reading(frame, tuple(faults))


def scan_parquet(path: Path, schema: Schema) -> pl.LazyFrame | None:
    """Return a lazy reader of a Parquet file which has exactly the schema's types, else None."""
    lazy = _scan_parquet(path)
    found = dict(lazy.collect_schema())
    return lazy.select(schema.names) if found == schema.dtypes else None


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
