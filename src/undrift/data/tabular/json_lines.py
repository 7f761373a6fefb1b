"""JSON lines: an object in each line, its keys the columns.

A key that is not there is null. Texts that are all days or moments are read like those of a CSV file;
digits in quotes stay text.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, NoReturn

import polars as pl

from undrift.data.agreement import check_typed
from undrift.data.schema import BadSchema, Column, LogicalType, Schema, freeze
from undrift.data.tabular import csv_types, inference
from undrift.data.tabular.csv_types import CellFault
from undrift.data.tabular.inference import Circumstances, Inferred
from undrift.data.tabular.objects import BadValue, columns_of, refuse_infinite, series_of, shown
from undrift.data.tabular.text_file import BadTable, TextFile

_AS_IN_CSV = ("date", "timestamp", "timestamp-utc", "decimal")
_LARGEST_EXACT_FLOAT = 2**53
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_CURE = 'each line is one object such as {"a": 1, "b": "x"}'


@dataclass(frozen=True, slots=True)
class JsonTable:
    """The values of a file of JSON lines.

    Attributes
    ----------
    columns : dict of str to list
        The values of each key, None where it is null or not there.
    lines : tuple of int
        The line of each row, from 1.
    """

    columns: dict[str, list[Any]]  # Any: JSON values
    lines: tuple[int, ...]

    def place(self, row: int) -> str:
        """Return where a row, from 0, stands."""
        return f"line {self.lines[row]}"


def read_json(text: TextFile) -> JsonTable:
    """Return the values of a file of JSON lines; blank lines are skipped.

    Raises
    ------
    BadTable
        If a line is no JSON object, holds a key twice, or numbers that are none.
    """
    content = text.data[:].decode("utf-8-sig")
    if content.lstrip()[:1] == "[":
        raise BadTable("the file is one JSON array", cure="write one object per line (jq -c '.[]' FILE)")
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    for number, line in enumerate(content.split("\n"), 1):
        if line.strip():
            rows.append(_object(line, number))
            lines.append(number)
    columns = columns_of(rows)
    if not columns:
        raise BadTable("no line has a key", cure=_CURE)
    return JsonTable(columns, tuple(lines))


def infer_json(tables: Sequence[JsonTable], given: Circumstances) -> Inferred:
    """Return the columns of some files, and what to know of them.

    Parameters
    ----------
    tables : sequence of JsonTable
        The files, one behind the other.
    given : Circumstances
        What is known beside them.

    Raises
    ------
    BadTable
        If a column holds values of two kinds, or nested ones; the line is named.
    AmbiguousDates
        If the dates of a column have two readings.
    """
    names = list(dict.fromkeys(name for table in tables for name in table.columns))
    series = [_series(name, tables, given.place) for name in names]
    texts = pl.DataFrame([one for one in series if one.dtype == pl.String])
    typed = freeze({one.name: one.dtype for one in series})
    check_typed(typed, given.reading)
    about_texts = replace(given, reading=given.reading.among(texts.columns))
    found = inference.infer(texts, about_texts) if texts.width else Inferred(())
    by_name = {column.name: column for column in found.columns}
    return Inferred(tuple(by_name.get(column.name, column) for column in typed.columns), found.notes)


def parse_json(table: JsonTable, schema: Schema) -> tuple[pl.DataFrame, list[CellFault]]:
    """Return the values under a schema, and the cells which have none (null in the frame).

    Parameters
    ----------
    table : JsonTable
        The values; a column that no line has is null.
    schema : Schema
        What they mean.
    """
    columns, faults = [], []
    for column in schema.columns:
        values = table.columns.get(column.name, [None] * len(table.lines))
        series, bad = _parse(column, values)
        columns.append(series)
        faults += bad
    return pl.DataFrame(columns), sorted(faults, key=lambda fault: fault.row)


def _object(line: str, number: int) -> dict[str, Any]:  # Any: JSON values
    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) != len(items):
            raise BadTable(f"line {number} has a key twice", cure="leave out one of them")
        return found

    def constant(word: str) -> NoReturn:
        raise BadTable(f"line {number} holds {word}, which is no JSON", cure="write null")

    try:
        value = json.loads(line, object_pairs_hook=pairs, parse_constant=constant)
    except (ValueError, RecursionError) as error:
        raise BadTable(
            f"line {number} is not JSON: {str(error)[:80]}", cure=f"mend or leave out the line; {_CURE}"
        ) from error
    if not isinstance(value, dict):
        raise BadTable(f"line {number} is no JSON object", cure=_CURE)
    return value


def _series(name: str, tables: Sequence[JsonTable], place: Callable[[int], str]) -> pl.Series:
    values = [value for table in tables for value in table.columns.get(name, [None] * len(table.lines))]
    try:
        refuse_infinite(name, values)
        return series_of(name, values)
    except BadValue as error:
        raise BadTable(f"{place(error.row)}, column {name!r}: {error.problem}", cure=error.cure) from error


def _parse(column: Column, values: list[Any]) -> tuple[pl.Series, list[CellFault]]:  # Any: JSON values
    """Return texts read as in a CSV file where the type allows it, other values as they stand, and what is neither."""
    if column.type == "bytes":
        raise BadSchema(f"column {column.name!r} is of bytes, which JSON cannot hold", cure="use Parquet")
    as_in_csv = bool(column.spelt) or column.type in _AS_IN_CSV
    if column.type == "decimal":
        values = [_digits(value) if type(value) in (int, float) else value for value in values]
    takes = _TAKES.get(column.type, _nothing)
    bare = [value if value is not None and takes(value) else None for value in values]
    if column.type == "int":
        bare = [value if value is None else int(value) for value in bare]
    texts = [value if as_in_csv and isinstance(value, str) else None for value in values]
    odd = [
        CellFault(row, column.name, f"{shown(value)} is not a value of type {column.type}")
        for row, value in enumerate(values)
        if value is not None and bare[row] is None and texts[row] is None
    ]
    read = pl.Series(column.name, bare, dtype=column.dtype)
    if not as_in_csv:
        return read, odd
    frame, faults = csv_types.parse(
        pl.DataFrame({column.name: texts}, schema={column.name: pl.String}), Schema((column,))
    )
    return read.zip_with(read.is_not_null(), frame.to_series()), [*odd, *faults]


def _digits(value: float) -> str:
    return f"{Decimal(repr(value)):f}"


def _nothing(_: object) -> bool:
    return False


def _is_int(value: object) -> bool:
    whole = type(value) is int or (type(value) is float and value.is_integer())
    return whole and _SMALLEST <= value <= _LARGEST  # type: ignore[operator]


def _is_float(value: object) -> bool:
    exact = type(value) is int and abs(value) <= _LARGEST_EXACT_FLOAT
    return exact or (type(value) is float and math.isfinite(value))


_TAKES: Mapping[LogicalType, Callable[[Any], bool]] = {  # Any: JSON values
    "bool": lambda value: type(value) is bool,
    "int": _is_int,
    "float64": _is_float,
    "string": lambda value: type(value) is str,
}
