"""Which row is which, what is independent of what, and when a row happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from undrift.core.clock import from_us, to_us
from undrift.core.json import JSON
from undrift.evaluation.errors import BadColumn

Ids: TypeAlias = npt.NDArray[np.uint64]
Units: TypeAlias = npt.NDArray[np.int64]
Instants: TypeAlias = npt.NDArray[np.int64]
"""Microseconds since 1970 UTC."""

DAY_US = 86_400_000_000
NEVER = np.iinfo(np.int64).max
_SEPARATOR = "\x1f"
_ROWS_AT_ONCE = 100_000
_NULL = "\x00"


@dataclass(frozen=True, slots=True)
class Span:
    """First and last instant of some rows, both included."""

    first: datetime
    last: datetime

    def as_json(self) -> dict[str, JSON]:
        """Return the span as ISO instants."""
        return {"first": self.first.isoformat(), "last": self.last.isoformat()}

    @classmethod
    def of_json(cls, value: dict[str, str]) -> Span:
        """Return the span that :meth:`as_json` wrote."""
        return cls(datetime.fromisoformat(value["first"]), datetime.fromisoformat(value["last"]))


def span_of(times: Instants | None) -> Span | None:
    """Return the span of some instants, None when there are none."""
    if times is None or not len(times):
        return None
    return Span(from_us(int(times.min())), from_us(int(times.max())))


def row_ids(frame: pl.DataFrame, key: str | None = None) -> Ids:
    """Return a 64-bit id of each row, the same for the same row in every version of the table.

    Parameters
    ----------
    frame : DataFrame
        The rows, with all columns of the table.
    key : str, optional
        The column that names a row. Without it a row is what it holds: two equal rows have
        one id, and a row whose cells were changed is another row.

    Raises
    ------
    BadColumn
        If the key column is missing.

    Notes
    -----
    Two different rows share an id with probability 2**-64 by pair. Floats count by their bits.
    """
    columns = [key] if key is not None else frame.columns
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise BadColumn(f"there is no key column {missing[0]!r}", cure=f"columns are {', '.join(frame.columns)}")
    ids = [_hashed(part, columns) for part in frame.select(columns).iter_slices(_ROWS_AT_ONCE)]
    return np.concatenate(ids) if ids else np.array([], dtype=np.uint64)


def _hashed(frame: pl.DataFrame, columns: list[str]) -> Ids:
    """Return ids of some rows; a whole long table as texts would take many times its own memory."""
    text = pl.concat_str(
        [pl.lit(_SEPARATOR.join(columns)), *(_as_text(frame[name]) for name in columns)], separator=_SEPARATOR
    )
    texts = frame.select(text.alias("text"))["text"].to_list()
    hashed = b"".join(blake2b(item.encode(), digest_size=8).digest() for item in texts)
    return np.frombuffer(hashed, dtype="<u8").astype(np.uint64)


def instants(frame: pl.DataFrame, column: str) -> Instants:
    """Return a column as microseconds since 1970 UTC; a null is :data:`NEVER`.

    Raises
    ------
    BadColumn
        If the column is missing or holds neither dates nor instants. Naive ones count as UTC.
    """
    if column not in frame.columns:
        raise BadColumn(f"there is no time column {column!r}", cure=f"columns are {', '.join(frame.columns)}")
    values = frame[column]
    if values.dtype not in (pl.Date, pl.Datetime):
        told = f"{column!r} holds {_words_for(values.dtype)}, not dates or instants"
        raise BadColumn(told, cure="store it as ISO instants")
    return values.cast(pl.Datetime("us")).to_physical().fill_null(NEVER).to_numpy().astype(np.int64)


def _words_for(dtype: pl.DataType) -> str:
    """Return what a column holds, as people say it."""
    if dtype.is_integer():
        return "whole numbers"
    if dtype.is_float() or dtype == pl.Decimal:
        return "numbers"
    return {pl.String: "texts", pl.Boolean: "yes and no"}.get(dtype.base_type(), str(dtype))


def days(times: Instants) -> Units:
    """Return the UTC day of each instant, in days since 1970."""
    return times // DAY_US


def units_of(frame: pl.DataFrame, unit: str, times: Instants | None, ids: Ids) -> Units:
    """Return the unit of each row as a code.

    Parameters
    ----------
    unit : str
        ``"day"``, ``"row"`` or a column; equal values of the column are one unit, nulls are
        units of their own row.

    Raises
    ------
    BadColumn
        If the unit is neither a column nor a word that is known.
    """
    if unit == "day" and times is not None:
        return days(times)
    if unit == "row":
        return np.unique(ids, return_inverse=True)[1].astype(np.int64)
    if unit not in frame.columns:
        raise BadColumn(f"there is no unit column {unit!r}", cure='use "day", "row" or a column')
    texts = frame[unit].cast(pl.String)
    codes = texts.fill_null(_NULL).rank("dense").to_numpy().astype(np.int64) - 1
    return np.where(texts.is_null().to_numpy(), codes.max(initial=0) + 1 + np.arange(len(codes)), codes)


def rarest_of_unit(units: Units, classes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return for each row the rarest class that its unit holds.

    A unit is dealt out as one, so it has one class to be counted under; the rarest is the one of
    which every part needs its share.
    """
    _, kinds, counts = np.unique(classes, return_inverse=True, return_counts=True)
    _, unit = np.unique(units, return_inverse=True)
    order = np.lexsort((counts[kinds], unit))
    first = np.flatnonzero(np.r_[True, np.diff(unit[order]) > 0]) if len(order) else order
    return np.asarray(classes[order[first]][unit], dtype=np.float64)


def as_instant(moment: datetime) -> int:
    """Return a moment as microseconds since 1970 UTC; a naive one counts as UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return to_us(aware)


def _as_text(values: pl.Series) -> pl.Series:
    """Return cells as texts that differ where the cells differ."""
    if values.dtype.is_float():
        values = values.cast(pl.Float64).reinterpret(signed=True)
    elif values.dtype.is_temporal():
        values = values.to_physical()
    return values.cast(pl.String).fill_null(_NULL)
