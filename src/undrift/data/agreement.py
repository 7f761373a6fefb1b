"""Whether what a caller says of a file agrees with the schema that its dataset has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from undrift.data.schema import Column, CsvFile, Schema
from undrift.data.tabular.reading import BadReading, Reading
from undrift.data.tabular.spelt_days import STYLES
from undrift.data.tabular.spelt_numbers import number_style

_NUMBERS = ("int", "float64")
_DAYS = ("date", "timestamp", "timestamp-utc")


def disagreeing(schema: Schema, reading: Reading) -> tuple[str, ...]:
    """Return the columns which the caller says are written in another way than the schema.

    Raises
    ------
    BadReading
        If the caller speaks of a column that the schema does not have.
    """
    reading.check_columns(schema.names)
    columns = {column.name: column for column in schema.columns}
    return tuple(
        name for option, agrees in _AGREES.items() for name in getattr(reading, option) if not agrees(columns[name])
    )


def may_stay(schema: Schema, reading: Reading) -> bool:
    """Say whether a schema has all columns that the caller speaks of, written in the way that is said."""
    return set(reading.columns) <= set(schema.names) and not disagreeing(schema, reading)


def check_typed(schema: Schema, reading: Reading) -> None:
    """Check what a caller says of a file that has types of its own, which no words change.

    Raises
    ------
    BadReading
        If a column is not there, or is said to stay text and is none.
    """
    reading.check_columns(schema.names)
    for name in reading.as_text:
        kind = schema.type_of(name)
        if kind != "string":
            raise BadReading(
                f"column {name!r} is said to stay text and is {kind} in the file", cure="write it as text there"
            )


def under(schema: Schema, reading: Reading, *, appended: bool) -> Schema:
    """Return a schema with which a file of a dataset is read when the caller says how that file is written.

    Parameters
    ----------
    schema : Schema
        The dataset's.
    reading : Reading
        What the caller says of the file.
    appended : bool
        Whether the files before are read with it, too.

    Raises
    ------
    BadReading
        If they could then be read no more.
    """
    csv = schema.csv
    if not appended:
        named = csv.encoding if reading.encoding is None else reading.encoding
        return replace(schema, csv=CsvFile(reading.delimiter or csv.delimiter, _unless_utf8(named)))
    other = disagreeing(schema, reading)
    if other:
        raise BadReading(
            f"column {other[0]!r} of the dataset is written in another way than is said",
            cure="leave that out, or add all rows anew without --append",
        )
    known = csv.letters
    if reading.encoding and not reading.encoding.startswith("utf-8") and known not in ("", reading.encoding):
        raise BadReading(
            f"the files of the dataset are read as {known}, not as {reading.encoding}",
            cure="convert the file to UTF-8 (iconv -t utf-8)",
        )
    fallback = csv.fallback or ("" if csv.encoding else reading.encoding or "")
    return replace(schema, csv=CsvFile(csv.delimiter or reading.delimiter or "", csv.encoding, fallback))


def _unless_utf8(encoding: str) -> str:
    return "" if encoding.startswith("utf-8") else encoding


def is_in_order(order: str, column: Column) -> bool:
    """Say whether a column holds days that are written in an order, or in a way that no order changes."""
    if column.type not in _DAYS:
        return False
    unmistakable = not column.spelt or any(one.isalpha() for one in column.spelt)
    return unmistakable or STYLES[column.spelt].order in (order, "year-first")


def is_written_with(point: str, column: Column) -> bool:
    """Say whether a column holds numbers with this mark before fractions, or whole ones without a mark."""
    style = number_style(column.spelt)
    plain = column.type == "int" and not column.spelt
    return column.type in _NUMBERS and (plain or (style is not None and style.point == point))


_AGREES: Mapping[str, Callable[[Column], bool]] = {
    "day_first": lambda column: is_in_order("day-first", column),
    "month_first": lambda column: is_in_order("month-first", column),
    "decimal_comma": lambda column: is_written_with(",", column),
    "decimal_point": lambda column: is_written_with(".", column),
    "as_text": lambda column: column.type == "string",
}
