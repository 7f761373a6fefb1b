"""Arguments as values of a column's kind: JSON has no dates and no decimals."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypeAlias

import polars as pl

Kind: TypeAlias = Literal["number", "text", "bool", "date", "naive", "instant", "other"]
Value: TypeAlias = bool | int | float | str | date | datetime | Decimal


def kind_of(dtype: pl.DataType) -> Kind:
    """Return what a column's values can be compared with."""
    if dtype.is_numeric():
        return "number"
    if isinstance(dtype, pl.Datetime):
        return "instant" if dtype.time_zone else "naive"
    return _KINDS.get(dtype.base_type(), "other")


_KINDS: dict[type[pl.DataType], Kind] = {
    pl.String: "text",
    pl.Categorical: "text",
    pl.Enum: "text",
    pl.Boolean: "bool",
    pl.Date: "date",
    pl.Null: "text",
}


def value_of(argument: object, kind: Kind) -> Value | None:
    """Return an argument as a value that a column of a kind can hold, None when it is none."""
    if isinstance(argument, bool):
        return argument if kind == "bool" else (int(argument) if kind == "number" else None)
    if isinstance(argument, int | float | Decimal):
        return _number(argument, kind)
    if isinstance(argument, str):
        return argument if kind == "text" else _moment(argument, kind)
    if isinstance(argument, datetime):
        return argument if kind == ("instant" if argument.tzinfo else "naive") else None
    if isinstance(argument, date):
        return argument if kind == "date" else (datetime(*argument.timetuple()[:3]) if kind == "naive" else None)  # noqa: DTZ001
    return None


def values_of(arguments: Iterable[object], dtype: pl.DataType) -> list[Value]:
    """Return those of some arguments which a column can hold, as values of exactly its type."""
    found = (value_of(argument, kind_of(dtype)) for argument in arguments)
    typed = (value if value is None else _typed(value, dtype) for value in found)
    return list(dict.fromkeys(value for value in typed if value is not None))


def _typed(value: Value, dtype: pl.DataType) -> Value | None:
    if not dtype.is_numeric() or not isinstance(value, int | float | Decimal):
        return value
    if dtype.is_integer():
        whole = int(value) if math.isfinite(value) and value == int(value) else None
        return whole if whole is not None and -(2**63) <= whole < 2**63 else None
    return float(value) if dtype.is_float() else Decimal(str(value))


def _number(number: float | Decimal, kind: Kind) -> Value | None:
    if kind == "bool":
        return bool(number) if number in (0, 1) else None
    return number if kind == "number" and number == number else None  # noqa: PLR0124


def _moment(text: str, kind: Kind) -> date | datetime | None:
    """Return the date or instant of an ISO 8601 text, None when it is none or of the other kind."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if kind == "date":
        return moment.date() if moment.tzinfo is None and not any(moment.timetuple()[3:6]) else None
    return moment if kind == ("instant" if moment.tzinfo else "naive") else None
