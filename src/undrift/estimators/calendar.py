"""Dates and instants as numbers, one value at a time, with the standard library alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias

Part: TypeAlias = Literal["year", "month", "day", "weekday", "hour", "days"]

PARTS: tuple[Part, ...] = ("year", "month", "day", "weekday", "hour", "days")
"""What a date or an instant is turned into; ``days`` are days since 1970, with the fraction of the day."""

DAY_US = 86_400_000_000
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - instants inside a row are UTC without saying so
_EPOCH_ORDINAL = _EPOCH.toordinal()
_MICROSECOND = timedelta(microseconds=1)


def _days(value: date) -> float:
    if isinstance(value, datetime):
        return float((value - _EPOCH) // _MICROSECOND) / DAY_US
    return float(value.toordinal() - _EPOCH_ORDINAL)


_READ: Mapping[Part, Callable[[date], float]] = {
    "year": lambda value: float(value.year),
    "month": lambda value: float(value.month),
    "day": lambda value: float(value.day),
    "weekday": lambda value: float(value.isoweekday()),
    "hour": lambda value: float(value.hour) if isinstance(value, datetime) else 0.0,
    "days": _days,
}


def part_of(part: Part) -> Callable[[date], float]:
    """Return the function that takes a date or an instant in UTC to one of its parts.

    Parameters
    ----------
    part : str
        One of :data:`PARTS`; weekdays count from Monday = 1.
    """
    return _READ[part]
