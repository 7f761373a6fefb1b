"""Cells as database drivers give them, as typed columns; no value is bent."""

from __future__ import annotations

import datetime as dt
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import polars as pl

from undrift.data.connectors.declared import Declared
from undrift.data.schema import DTYPES, LARGEST_SCALE, LogicalType
from undrift.data.tabular.objects import BadValue, series_of, shown

_CAST = "cast the column in the query, for instance CAST(col AS text)"
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_LARGEST_EXACT_FLOAT = 2**53
_DIGITS = 38


def column_of(name: str, cells: Sequence[Any], declared: Declared, first_row: int) -> pl.Series:  # Any: cells
    """Return the cells of a column, typed.

    Parameters
    ----------
    name : str
        The column.
    cells : sequence
        As the driver gives them, None where missing.
    declared : Declared
        What the database says of the column.
    first_row : int
        Number of the first cell's row, from 0, for messages.

    Raises
    ------
    BadValue
        If a cell is not what was declared, or cannot be kept exactly; row and column are named.
    """
    if declared.type is None:
        return _undeclared(name, cells, first_row)
    if declared.type in _AS_THEY_ARE and not declared.is_single:
        kinds = set(map(type, cells)) - {type(None)}
        if kinds <= {_AS_THEY_ARE[declared.type]} and (declared.type != "int" or _fit(cells)):
            return pl.Series(name, cells, dtype=DTYPES[declared.type], strict=True)
    read = _READERS[declared.type]
    values: list[Any] = []  # Any: cells
    for row, cell in enumerate(cells):
        value = None if cell is None else read(cell, declared)
        if value is None and cell is not None:
            problem = f"{shown(cell)} is not a value of type {declared.type} that can be kept exactly"
            raise BadValue(first_row + row, name, problem, _CAST)
        values.append(value)
    if declared.type == "decimal":
        return _decimals(name, values, declared, first_row)
    return pl.Series(name, values, dtype=DTYPES[declared.type], strict=True)


def _fit(cells: Sequence[Any]) -> bool:  # Any: whole numbers
    """Say whether all whole numbers fit into 64 bits."""
    present = [cell for cell in cells if cell is not None]
    return not present or (min(present) >= _SMALLEST and max(present) <= _LARGEST)


def _undeclared(name: str, cells: Sequence[Any], first_row: int) -> pl.Series:  # Any: cells
    """Return cells of a column of which nothing is said, by their values; all missing is no type yet."""
    if all(cell is None for cell in cells):
        return pl.Series(name, [None] * len(cells), dtype=pl.Null)
    try:
        found = series_of(name, [str(cell) if isinstance(cell, UUID) else cell for cell in cells])
    except BadValue as error:
        raise BadValue(first_row + error.row, name, error.problem, _CAST) from error
    return found


def _decimals(name: str, values: Sequence[Decimal | None], declared: Declared, first_row: int) -> pl.Series:
    scale = declared.scale
    if scale is None:
        scale = max((_scale(value) for value in values if value is not None), default=0)
    for row, value in enumerate(values):
        if value is not None and (scale > LARGEST_SCALE or _scale(value) > scale or not _fits(value, scale)):
            problem = f"{shown(value)} has more digits than a decimal of scale {min(scale, LARGEST_SCALE)} can hold"
            raise BadValue(first_row + row, name, problem, _CAST)
    return pl.Series(name, values, dtype=pl.Decimal(_DIGITS, scale), strict=True)


def _scale(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _fits(value: Decimal, scale: int) -> bool:
    return value.adjusted() + 1 + scale <= _DIGITS if value else True


def _bool(cell: object, _: Declared) -> bool | None:
    if type(cell) is bool:
        return cell
    return bool(cell) if type(cell) is int and cell in (0, 1) else None


def _int(cell: object, _: Declared) -> int | None:
    return cell if type(cell) is int and _SMALLEST <= cell <= _LARGEST else None


def _float(cell: object, declared: Declared) -> float | None:
    if type(cell) is float:
        return _single(cell) if declared.is_single else cell
    return float(cell) if type(cell) is int and abs(cell) <= _LARGEST_EXACT_FLOAT else None


def _single(value: float) -> float:
    """Return the 32 bits that the shortest digits of a single float stand for, as a double."""
    if not math.isfinite(value):
        return value
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


def _decimal(cell: object, _: Declared) -> Decimal | None:
    """Return a decimal; of a float the shortest digits that are this float, as SQLite keeps decimals."""
    try:
        value = Decimal(repr(cell) if isinstance(cell, float) else cell)  # type: ignore[arg-type]  # checked by raising
    except (InvalidOperation, TypeError, ValueError):
        return None
    return value if value.is_finite() else None


def _text(cell: object, _: Declared) -> str | None:
    if isinstance(cell, UUID):
        return str(cell)
    return cell if type(cell) is str else None


def _bytes(cell: object, _: Declared) -> bytes | None:
    return bytes(cell) if isinstance(cell, bytes | memoryview) else None


def _date(cell: object, _: Declared) -> dt.date | None:
    if type(cell) is dt.date:
        return cell
    try:
        return dt.date.fromisoformat(cell) if isinstance(cell, str) else None
    except ValueError:
        return None


def _naive(cell: object, _: Declared) -> dt.datetime | None:
    value = _moment(cell)
    return value if value is not None and value.tzinfo is None else None


def _instant(cell: object, _: Declared) -> dt.datetime | None:
    value = _moment(cell)
    return value.astimezone(dt.UTC) if value is not None and value.tzinfo is not None else None


def _moment(cell: object) -> dt.datetime | None:
    if isinstance(cell, dt.datetime):
        return cell
    if not isinstance(cell, str) or (len(cell.partition(".")[2].rstrip("Z")) > len("123456") and "+" not in cell):
        return None  # digits beyond microseconds would be cut off
    try:
        return dt.datetime.fromisoformat(cell)
    except ValueError:
        return None


_READERS: Mapping[LogicalType, Callable[[Any, Declared], Any]] = {  # Any: cells
    "bool": _bool,
    "int": _int,
    "float64": _float,
    "decimal": _decimal,
    "string": _text,
    "bytes": _bytes,
    "date": _date,
    "timestamp": _naive,
    "timestamp-utc": _instant,
}
_AS_THEY_ARE: Mapping[LogicalType, type] = {
    "bool": bool,
    "int": int,
    "float64": float,
    "string": str,
    "bytes": bytes,
    "date": dt.date,
}
"""What drivers give that needs no look at each cell."""
