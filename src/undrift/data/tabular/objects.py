"""Columns of Python values, as JSON lines and lists of dicts hold them: one kind of value in each, nothing bent."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from undrift.core.errors import BadInput

_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_LARGEST_EXACT_FLOAT = 2**53
_LONGEST_SHOWN = 60
_DTYPES: dict[frozenset[type], pl.DataType] = {
    frozenset(): pl.String(),
    frozenset({bool}): pl.Boolean(),
    frozenset({int}): pl.Int64(),
    frozenset({float}): pl.Float64(),
    frozenset({int, float}): pl.Float64(),
    frozenset({str}): pl.String(),
    frozenset({bytes}): pl.Binary(),
    frozenset({dt.date}): pl.Date(),
}
_OPEN = (frozenset({dt.datetime}), frozenset({Decimal}), frozenset({int, Decimal}))
_NESTED = (dict, list, tuple, set)


class BadValue(BadInput):
    """A value cannot stand in its column; ``row``, from 0, says where."""

    code = "bad-value"

    def __init__(self, row: int, column: str, problem: str, cure: str) -> None:
        super().__init__(f"row {row + 1}, column {column!r}: {problem}", cure=cure, row=row, column=column)
        self.row, self.column, self.problem = row, column, problem


def columns_of(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:  # Any: cells
    """Return the values of each key, in the order in which keys first appear; None where a row lacks the key."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def series_of(name: str, values: Sequence[Any]) -> pl.Series:  # Any: cells
    """Return values as a typed column.

    Parameters
    ----------
    name : str
        The column.
    values : sequence
        Python values of one kind, None where missing; whole numbers and floats together are floats.

    Raises
    ------
    BadValue
        If a value is of another kind than the first one, nested, or beyond what its kind can hold.
    """
    kinds = frozenset(map(type, values)) - {type(None)}
    dtype = _DTYPES.get(kinds)
    if dtype is None and kinds not in _OPEN:
        raise _of_another_kind(name, values)
    _check_range(name, values, kinds)
    if dt.datetime in kinds:
        return _moments(name, values)
    try:
        return pl.Series(name, values, dtype=dtype, strict=True)
    except UnicodeEncodeError as error:
        raise BadValue(_first_broken(values), name, "the text holds half a character", "write it as UTF-8") from error
    except (pl.exceptions.PolarsError, TypeError, ValueError) as error:  # such as moments with and without a zone
        row = next(row for row, value in enumerate(values) if value is not None)
        raise BadValue(
            row, name, f"the column cannot be read: {str(error).splitlines()[0]}", "write its values alike"
        ) from error


def _moments(name: str, values: Sequence[dt.datetime | None]) -> pl.Series:
    """Return moments, all without a zone, or all as instants."""
    zoned = [None if value is None else value.tzinfo is not None for value in values]
    first = next(has for has in zoned if has is not None)
    other = next((row for row, has in enumerate(zoned) if has is not None and has != first), None)
    if other is not None:
        problem = "the moment has a time zone" if zoned[other] else "the moment has no time zone"
        raise BadValue(other, name, f"{problem}, unlike those before", "write all of them with a zone, or none")
    if not first:
        return pl.Series(name, values, dtype=pl.Datetime("us"))
    instants = [None if value is None else value.astimezone(dt.UTC) for value in values]
    return pl.Series(name, instants, dtype=pl.Datetime("us", "UTC"))


def shown(value: object) -> str:
    """Return a value as a message shows it."""
    return repr(value)[:_LONGEST_SHOWN]


def _of_another_kind(name: str, values: Sequence[object]) -> BadValue:
    present = [(row, value) for row, value in enumerate(values) if value is not None]
    for row, value in present:
        if isinstance(value, _NESTED):
            return BadValue(row, name, "the value is nested", "write what is in it as columns of their own")
    numbers = (int, float, Decimal)
    first = type(present[0][1])
    alike = numbers if first in numbers else (first,)
    for row, value in present:
        if type(value) not in alike:
            kinds = f"{shown(value)} is of another kind than the values before ({first.__name__})"
            return BadValue(row, name, kinds, "write all values of the column alike, for instance all as texts")
    row, value = present[0]
    return BadValue(row, name, f"a {type(value).__name__} cannot be kept", "write it as a number, a date or a text")


def _check_range(name: str, values: Sequence[Any], kinds: frozenset[type]) -> None:  # Any: cells
    if int not in kinds:
        return
    low, high = (-_LARGEST_EXACT_FLOAT, _LARGEST_EXACT_FLOAT) if float in kinds else (_SMALLEST, _LARGEST)
    for row, value in enumerate(values):
        if type(value) is int and not low <= value <= high:
            raise BadValue(row, name, f"{value} has more digits than a number can hold", "write it as a text")


def refuse_infinite(name: str, values: Sequence[Any]) -> None:  # Any: cells
    """Refuse a float which a text with too large an exponent became.

    Raises
    ------
    BadValue
        If there is one.
    """
    for row, value in enumerate(values):
        if type(value) is float and math.isinf(value):
            raise BadValue(row, name, "the number is too large", "write it as a text")


def _first_broken(values: Sequence[object]) -> int:
    for row, value in enumerate(values):
        try:
            str(value).encode()
        except UnicodeEncodeError:
            return row
    return 0
