"""What a table is like, from one scan.

NaN counts as missing, and is counted by itself too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import combinations
from typing import Any

import polars as pl

from undrift.core.json import JSON
from undrift.core.masking import Mask
from undrift.data.schema import LogicalType, logical_type

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
TOP_VALUES = 200
_MOST_ORDERED_COLUMNS = 20
_FEWEST_ORDERED_ROWS = 500
_NUMBERS = frozenset({"int", "float64"})


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """What one column is like.

    Attributes
    ----------
    name : str
        The column.
    type : LogicalType
        Its logical type.
    missing : int
        Nulls and NaN.
    nan : int
        NaN alone.
    distinct : int
        Different values, missing ones not counted.
    minimum, maximum : JSON
        The extremes; dates, instants and infinities as text, None when there is no value or no order.
    mean, sd : float or None
        Of numbers, None when a value is infinite.
    quantiles : tuple of float
        At 1, 5, 25, 50, 75, 95 and 99 %, of finite numbers; else empty.
    top : tuple of (value, count)
        The most frequent values, at most 200, most frequent first; of text, booleans and integers.
    personal : str
        What kind of personal data it is likely to be; empty when none. Then no cell is told: extremes,
        mean and quantiles are left out, and frequent values are masked.
    """

    name: str
    type: LogicalType
    missing: int
    nan: int
    distinct: int
    minimum: JSON = None
    maximum: JSON = None
    mean: float | None = None
    sd: float | None = None
    quantiles: tuple[float, ...] = ()
    top: tuple[tuple[JSON, int], ...] = ()
    personal: str = ""

    def as_json(self) -> dict[str, JSON]:
        """Return the profile of the column as it is stored."""
        return {
            "name": self.name,
            "type": self.type,
            "missing": self.missing,
            "nan": self.nan,
            "distinct": self.distinct,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "mean": self.mean,
            "sd": self.sd,
            "quantiles": list(self.quantiles),
            "top": [[value, count] for value, count in self.top],
            **({"personal": self.personal} if self.personal else {}),
        }

    def concealed(self, kind: str, mask: Mask | None) -> ColumnProfile:
        """Return the profile of the column as it is told when its cells are personal."""
        if mask is None:
            return replace(self, personal=kind)
        top = tuple((mask.text(str(value)), count) for value, count in self.top)
        return replace(self, minimum=None, maximum=None, mean=None, sd=None, quantiles=(), top=top, personal=kind)


@dataclass(frozen=True, slots=True)
class Profile:
    """What a table is like.

    Attributes
    ----------
    rows : int
        How many.
    columns : tuple of ColumnProfile
        In the table's order.
    ordered : tuple of (str, str)
        Pairs of numeric columns of which the first was never greater than the second,
        although their ranges overlap: a law rather than an accident (dew point and temperature).
    """

    rows: int
    columns: tuple[ColumnProfile, ...]
    ordered: tuple[tuple[str, str], ...] = field(default=())

    def column(self, name: str) -> ColumnProfile:
        """Return the profile of a column.

        Raises
        ------
        KeyError
            If the table has no such column.
        """
        return {column.name: column for column in self.columns}[name]

    def concealed(self, personal: Mapping[str, str], mask: Mask | None) -> Profile:
        """Return the profile without the cells of personal columns.

        Parameters
        ----------
        personal : mapping of str to str
            Kind of personal data, by column.
        mask : Mask or None
            Masks frequent values; without one the cells stay and the columns are only marked.
        """
        columns = tuple(
            one.concealed(personal[one.name], mask) if one.name in personal else one for one in self.columns
        )
        return replace(self, columns=columns)

    def as_json(self) -> dict[str, JSON]:
        """Return the profile as it is stored."""
        return {
            "format": "undrift.profile/1",
            "rows": self.rows,
            "columns": [column.as_json() for column in self.columns],
            "ordered": [list(pair) for pair in self.ordered],
        }


def profile(table: pl.DataFrame | pl.LazyFrame) -> Profile:
    """Return the profile of a table; it is scanned once.

    Parameters
    ----------
    table : polars.DataFrame or LazyFrame
        The table, of logical types only.

    Raises
    ------
    BadSchema
        If a column is of a type that no logical type holds.
    """
    lazy = table.lazy()
    types = {name: logical_type(name, dtype) for name, dtype in lazy.collect_schema().items()}
    pairs = _pairs(types)
    wanted = [expression for name, kind in types.items() for expression in _measures(name, kind)]
    orders = [_never_greater(low, high) for low, high in pairs]
    found = lazy.select(pl.len().alias("rows"), *wanted, *orders).collect()
    row = found.row(0, named=True)
    columns = tuple(_column(name, kind, row) for name, kind in types.items())
    return Profile(row["rows"], columns, _laws(pairs, columns, row))


def _value(name: str, kind: LogicalType) -> pl.Expr:
    column = pl.col(name)
    return column.fill_nan(None) if kind == "float64" else column


def _measures(name: str, kind: LogicalType) -> list[pl.Expr]:
    value = _value(name, kind)
    wanted = {"missing": value.null_count(), "distinct": value.drop_nulls().n_unique()}
    if kind == "float64":
        wanted["nan"] = pl.col(name).is_nan().sum()
    if kind not in {"bytes", "bool"}:
        wanted |= {"minimum": _orderable(value, kind).min(), "maximum": _orderable(value, kind).max()}
    if kind in _NUMBERS:
        wanted |= {"mean": value.mean(), "sd": value.std()}
        wanted["quantiles"] = value.quantile(list(QUANTILES), "linear")
    if kind in {"string", "bool", "int"}:
        named = _orderable(value, kind).alias("value")
        wanted["top"] = named.drop_nulls().value_counts(sort=True, name="n").head(TOP_VALUES).implode()
    return [expression.alias(f"{name}\x1f{what}") for what, expression in wanted.items()]


def _orderable(value: pl.Expr, kind: LogicalType) -> pl.Expr:
    return value.cast(pl.String) if kind == "string" else value


def _column(name: str, kind: LogicalType, row: Mapping[str, Any]) -> ColumnProfile:  # Any: a collected row
    def of(what: str) -> Any:  # Any: as the measure is
        return row.get(f"{name}\x1f{what}")

    quantiles = tuple(of("quantiles")) if _finite(of("mean")) is not None else ()
    top = [(item["value"], item["n"]) for item in of("top") or ()]
    return ColumnProfile(
        name=name,
        type=kind,
        missing=of("missing"),
        nan=of("nan") or 0,
        distinct=of("distinct"),
        minimum=_plain(of("minimum")),
        maximum=_plain(of("maximum")),
        mean=_finite(of("mean")),
        sd=_finite(of("sd")),
        quantiles=quantiles,
        # Ties are put in order, so that one table has one profile.
        top=tuple(sorted(top, key=lambda item: (-item[1], str(item[0])))),
    )


def _plain(value: object) -> JSON:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | str):
        return value
    return value if isinstance(value, float) and math.isfinite(value) else str(value)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _pairs(types: Mapping[str, LogicalType]) -> list[tuple[str, str]]:
    numbers = [name for name, kind in types.items() if kind in _NUMBERS][:_MOST_ORDERED_COLUMNS]
    return [pair for one, other in combinations(numbers, 2) for pair in ((one, other), (other, one))]


def _never_greater(low: str, high: str) -> pl.Expr:
    """Return whether one column never exceeds another; NaN and null are left out."""
    one, other = pl.col(low), pl.col(high)
    greater = (one > other) & one.is_finite() & other.is_finite()
    return (~greater.any()).alias(f"{low}\x1f<=\x1f{high}")


def _laws(
    pairs: list[tuple[str, str]], columns: tuple[ColumnProfile, ...], row: Mapping[str, Any]
) -> tuple[tuple[str, str], ...]:  # Any: a collected row
    if row["rows"] < _FEWEST_ORDERED_ROWS:
        return ()
    by_name = {column.name: column for column in columns}
    return tuple(
        (low, high) for low, high in pairs if row[f"{low}\x1f<=\x1f{high}"] and _overlap(by_name[low], by_name[high])
    )


def _overlap(low: ColumnProfile, high: ColumnProfile) -> bool:
    """Say whether the middle ranges of two columns overlap by at least half of the smaller."""
    if not (low.quantiles and high.quantiles):
        return False
    bottom = max(low.quantiles[0], high.quantiles[0])
    top = min(low.quantiles[-1], high.quantiles[-1])
    smaller = min(low.quantiles[-1] - low.quantiles[0], high.quantiles[-1] - high.quantiles[0])
    return smaller > 0 and top - bottom >= smaller / 2
