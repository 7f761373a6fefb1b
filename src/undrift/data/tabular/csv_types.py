"""What the texts of a CSV file mean under a schema.

In columns which are not text, empty cells and the words of ``MISSING`` are missing; in a column of
text they are text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from undrift.data.schema import BadSchema, Column, LogicalType, Schema
from undrift.data.tabular.spelt_days import STYLES
from undrift.data.tabular.spelt_numbers import number_style

_USUAL_MISSING = ("", "NA", "N/A", "#N/A", "NULL", "null", "None", "n/a", "#NA", "<NA>")
UNUSUAL_MISSING = ("unknown", "Unknown", "UNKNOWN", "--", "\\N", "?", "-", ".")
MISSING = (*_USUAL_MISSING, *UNUSUAL_MISSING)
BLANKS = " \t\u00a0"
_SAMPLE_ROWS = 1000
_LONGEST_SHOWN = 60
_NOT_PLAIN = r"^(\+|-?0[0-9])"
_WHOLE = r"^-?(0|[1-9][0-9]*)\.(0{0,2}|0{4,})$"  # 1.000 may be a thousand
TOO_MANY_DIGITS = r"^[+-]?[0-9]{17,}$"
"""Whole numbers which a float cannot tell apart."""
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
_OFFSET = r"(Z|UTC|[+-][0-9]{2}:?[0-9]{2})"
_NAIVE = rf"^{_DAY}[T ]{_TIME}$"
_NAIVE_OR_DAY = rf"^{_DAY}([T ]{_TIME})?$"
_INSTANT = rf"^{_DAY}[T ]{_TIME} ?{_OFFSET}$"
_BOOL = r"^(true|false|True|False|TRUE|FALSE)$"
_BOOL_OR_DIGIT = r"^(true|false|True|False|TRUE|FALSE|0|1)$"


@dataclass(frozen=True, slots=True)
class CellFault:
    """A cell that is not a value of its column's type.

    Attributes
    ----------
    row : int
        Number of the row, from 0.
    column : str
        The column.
    problem : str
        What is wrong; it shows the cell's text.
    """

    row: int
    column: str
    problem: str


def parse(texts: pl.DataFrame, schema: Schema) -> tuple[pl.DataFrame, list[CellFault]]:
    """Return the values under a schema, and the cells which have none (null in the frame).

    Parameters
    ----------
    texts : polars.DataFrame
        All cells as text, with exactly the schema's columns in any order.
    schema : Schema
        What they mean.

    Raises
    ------
    BadSchema
        If a column is declared as bytes, which CSV cannot hold.
    """
    columns, faults = [], []
    for column in schema.columns:
        texts_of = texts.get_column(column.name)
        values = _parse(texts_of, column)
        columns.append(values.alias(column.name))
        faults += _faults(texts_of, values, column)
    return pl.DataFrame(columns), sorted(faults, key=lambda fault: fault.row)


def plain_type_of(values: pl.Series) -> LogicalType | None:
    """Return the type that all texts have as programs write them, None when there is no such but text.

    Parameters
    ----------
    values : polars.Series
        The cells of a column, stripped, none of them missing.
    """
    sample = values.head(_SAMPLE_ROWS)
    return next((kind for kind, fits in _FITS.items() if fits(sample) and fits(values)), None)


def is_missing(stripped: pl.Series) -> pl.Series:
    """Say of each cell, blanks around it removed, whether it is missing in a column which is not text."""
    return stripped.is_null() | stripped.is_in(MISSING)


def _matches(values: pl.Series, pattern: str) -> bool:
    return bool(values.str.contains(pattern).all())


def _reads(values: pl.Series, pattern: str, kind: LogicalType) -> bool:
    return _matches(values, pattern) and not _READERS[kind](values, Column("", kind)).has_nulls()


def _is_int(values: pl.Series) -> bool:
    return not _numbers(values, pl.Int64()).has_nulls()


def _is_float(values: pl.Series) -> bool:
    return not _numbers(values, pl.Float64()).has_nulls() and not values.str.contains(TOO_MANY_DIGITS).any()


def _is_date(values: pl.Series) -> bool:
    return not _dates(values, Column("", "date")).has_nulls()


_FITS: Mapping[LogicalType, Callable[[pl.Series], bool]] = {
    "bool": lambda values: _matches(values, _BOOL),
    "int": _is_int,
    "float64": _is_float,
    "date": _is_date,
    "timestamp": lambda values: _reads(values, _NAIVE, "timestamp"),
    "timestamp-utc": lambda values: _reads(values, _INSTANT, "timestamp-utc"),
}


def _parse(texts: pl.Series, column: Column) -> pl.Series:
    if column.type == "string":
        return texts
    if column.type == "bytes":
        raise BadSchema(f"column {column.name!r} is of bytes, which CSV cannot hold", cure="use Parquet")
    stripped = texts.str.strip_chars(BLANKS)
    return _spelt(stripped, column) if column.spelt else _READERS[column.type](stripped, column)


def _spelt(texts: pl.Series, column: Column) -> pl.Series:
    """Return the values of a column which is written in a way of its own; ISO dates are read beside it."""
    style = number_style(column.spelt)
    if style is not None:
        return style.read(texts, column.dtype)
    values = STYLES[column.spelt].read(texts, time=column.type == "timestamp")
    if values.null_count() == texts.null_count():
        return values
    return values.zip_with(values.is_not_null(), _READERS[column.type](texts, column))


def _only(texts: pl.Series, pattern: str) -> pl.Series:
    """Return the texts with null for those that do not match."""
    return texts.set(~texts.str.contains(pattern).fill_null(value=True), None)


def _bools(texts: pl.Series, _: Column) -> pl.Series:
    known = _only(texts, _BOOL_OR_DIGIT).str.to_lowercase()
    return (known == "true") | (known == "1")


def _numbers(texts: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Return the numbers; null for leading zeros and plus signs, which make a text an identifier."""
    values = texts.cast(dtype, strict=False)
    return values.set(texts.str.contains(_NOT_PLAIN).fill_null(value=False), None)


def _ints(texts: pl.Series, _: Column) -> pl.Series:
    values = _numbers(texts, pl.Int64())
    if values.null_count() == texts.null_count():
        return values
    whole = _only(texts, _WHOLE).str.replace(r"\.0*$", "").cast(pl.Int64, strict=False)
    return values.zip_with(values.is_not_null(), whole)  # pandas writes integers with gaps as 5.0


def _floats(texts: pl.Series, _: Column) -> pl.Series:
    return _numbers(texts, pl.Float64())


def _decimals(texts: pl.Series, column: Column) -> pl.Series:
    pattern = rf"^-?[0-9]+(\.[0-9]{{0,{column.scale}}}0*)?$"
    return _only(texts, pattern).cast(column.dtype, strict=False)


def _dates(texts: pl.Series, _: Column) -> pl.Series:
    ten_long = texts.set(texts.str.len_bytes().fill_null(0) != len("2013-01-31"), None)
    return ten_long.str.to_date("%Y-%m-%d", strict=False)


def _naive(texts: pl.Series, _: Column) -> pl.Series:
    return _instants_of(_spelt_out(_only(texts, _NAIVE_OR_DAY)), "%Y-%m-%dT%H:%M:%S%.f")


def _instants(texts: pl.Series, _: Column) -> pl.Series:
    known = _only(texts, _INSTANT)
    offset = known.str.extract(rf"{_OFFSET}$").str.replace("Z|UTC", "+0000").str.replace(":", "", literal=True)
    moment = _spelt_out(known.str.replace(rf" ?{_OFFSET}$", ""))
    return _instants_of(moment + offset, "%Y-%m-%dT%H:%M:%S%.f%z")


def _spelt_out(moments: pl.Series) -> pl.Series:
    """Return moments with 'T', hours, minutes and seconds."""
    spelt = moments.str.replace(" ", "T", literal=True)
    frame = pl.DataFrame({"text": spelt})
    length = pl.col("text").str.len_bytes()
    whole = (
        pl.when(length == len("2013-01-01"))
        .then(pl.col("text") + "T00:00:00")
        .when(length == len("2013-01-01T00:00"))
        .then(pl.col("text") + ":00")
        .otherwise(pl.col("text"))
    )
    return frame.select(whole).to_series()


def _instants_of(texts: pl.Series, layout: str) -> pl.Series:
    zone = "UTC" if layout.endswith("%z") else None
    if texts.null_count() == len(texts):
        return pl.Series(texts.name, [None] * len(texts), dtype=pl.Datetime("us", zone))
    return texts.str.to_datetime(layout, time_unit="us", time_zone=zone, strict=False)


_READERS: Mapping[LogicalType, Callable[[pl.Series, Column], pl.Series]] = {
    "bool": _bools,
    "int": _ints,
    "float64": _floats,
    "decimal": _decimals,
    "date": _dates,
    "timestamp": _naive,
    "timestamp-utc": _instants,
}


def _faults(texts: pl.Series, values: pl.Series, column: Column) -> list[CellFault]:
    if column.type == "string" or values.null_count() == texts.null_count():
        return []
    unread = values.is_null() & ~is_missing(texts.str.strip_chars(BLANKS))
    rows = unread.arg_true()
    return [
        CellFault(row, column.name, f"{text[:_LONGEST_SHOWN]!r} is not a value of type {column.type}")
        for row, text in zip(rows, texts.gather(rows), strict=True)
    ]
