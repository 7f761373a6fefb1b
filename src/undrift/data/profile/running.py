"""What is counted of a column while its table streams by: exact, in one pass, from bounded memory."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

import polars as pl

from undrift.core.json import JSON
from undrift.data.profile.distinct import Distinct, hashed
from undrift.data.profile.facts import MOMENTS, NUMBERS, Order
from undrift.data.schema import LogicalType

_MOST_COUNTED = 20_000
_COUNTED: frozenset[LogicalType] = frozenset({"string", "bool", "int"})
_STEPS: dict[tuple[bool, bool, bool], Order] = {
    # (never falls, never rises, never stays): what it is called
    (True, False, True): "rising",
    (True, False, False): "never falling",
    (False, True, True): "falling",
    (False, True, False): "never rising",
    (True, True, False): "constant",
}
Row = Mapping[str, Any]  # Any: a collected row


@dataclass(slots=True)
class Running:
    """One column's counts so far.

    Attributes
    ----------
    name : str
        The column.
    kind : LogicalType
        Its type.
    counts : dict or None
        How often each value occurs; None once there are more than 20,000 different ones, or where nobody asks.
    different : Distinct
        Counts different values; fed only when the table is longer than the sample.
    """

    name: str
    kind: LogicalType
    missing: int = 0
    nan: int = 0
    known: int = 0
    minimum: Any = None  # Any: a cell
    maximum: Any = None  # Any: a cell
    mean: float = 0.0
    squares: float = 0.0
    zeros: int = 0
    negatives: int = 0
    shortest: int | None = None
    longest: int = 0
    letters: int = 0
    last: Any = None  # Any: a cell
    steps: dict[Literal["falls", "rises", "stays"], bool] = field(
        default_factory=lambda: {"falls": False, "rises": False, "stays": False}
    )
    counts: dict[JSON, int] | None = None
    different: Distinct = field(default_factory=Distinct)

    def __post_init__(self) -> None:
        if self.kind in _COUNTED:
            self.counts = {}

    def measures(self) -> list[pl.Expr]:
        """Return what is to be computed of the next chunk."""
        wanted = {"missing": self._value.null_count(), "known": self._value.count(), **self._extremes()}
        if self.kind == "float64":
            wanted["nan"] = pl.col(self.name).is_nan().sum()
        if self.kind in NUMBERS:
            wanted |= self._moments()
        if self.kind == "string":
            lengths = self._value.str.len_chars()
            wanted |= {"shortest": lengths.min(), "longest": lengths.max(), "letters": lengths.sum()}
        if self._is_watched:
            present = self._value.drop_nulls()
            before = present.shift(1)
            wanted |= {
                "falls": (present < before).any(),
                "rises": (present > before).any(),
                "stays": (present == before).any(),
                "first": present.first(),
                "last": present.last(),
            }
        return [expression.alias(f"{self.name}\x1f{what}") for what, expression in wanted.items()]

    def sketched(self) -> list[pl.Expr]:
        """Return what is to be computed of a chunk of a table that is longer than the sample."""
        value = _text(self._value, self.kind)
        wanted = [hashed(value, self.different.below).unique().implode().alias(f"{self.name}\x1fhashes")]
        if self.counts is not None:
            counted = value.drop_nulls().alias("value").value_counts(name="n")
            wanted.append(counted.implode().alias(f"{self.name}\x1fcounts"))
        return wanted

    def take(self, row: Row) -> None:
        """Add what was computed of a chunk."""
        self.missing += row[f"{self.name}\x1fmissing"]
        self.nan += row.get(f"{self.name}\x1fnan") or 0
        self._take_moments(row)
        self.known += row[f"{self.name}\x1fknown"]
        self._take_extremes(row)
        if self._is_watched:
            self._take_steps(row)

    def take_sketched(self, frame: pl.DataFrame) -> None:
        """Add the hashes and counts of a chunk."""
        self.different.add(frame[f"{self.name}\x1fhashes"].explode(empty_as_null=False))
        if self.counts is None:
            return
        found = frame[f"{self.name}\x1fcounts"].explode(empty_as_null=False).struct.unnest()
        for value, many in found.iter_rows():
            self.counts[value] = self.counts.get(value, 0) + many
        if len(self.counts) > _MOST_COUNTED:
            self.counts = None

    @property
    def order(self) -> Order:
        """How the values follow one another; empty when there are fewer than two or they go both ways."""
        if self.kind not in NUMBERS | MOMENTS or self.known < 2:  # noqa: PLR2004 - an order needs two
            return ""
        found = self.steps
        return _STEPS.get((not found["falls"], not found["rises"], not found["stays"]), "")

    @property
    def sd(self) -> float | None:
        """Standard deviation over n - 1; None of fewer than two values, or when one is infinite."""
        if self.known < 2 or not math.isfinite(self.squares):  # noqa: PLR2004 - it needs two
            return None
        return math.sqrt(max(self.squares, 0.0) / (self.known - 1))

    @property
    def _is_watched(self) -> bool:
        """Whether it may still be that values only rise, or only fall."""
        return self.kind in NUMBERS | MOMENTS and not (self.steps["falls"] and self.steps["rises"])

    @property
    def _value(self) -> pl.Expr:
        return present(self.name, self.kind)

    def _extremes(self) -> dict[str, pl.Expr]:
        if self.kind in {"bytes", "bool"}:
            return {}
        value = _text(self._value, self.kind)
        return {"minimum": value.min(), "maximum": value.max()}

    def _moments(self) -> dict[str, pl.Expr]:
        value = self._value.cast(pl.Float64)
        wanted = {"mean": value.mean(), "variance": value.var(ddof=0)}
        return {**wanted, "zeros": (self._value == 0).sum(), "negatives": (self._value < 0).sum()}

    def _take_moments(self, row: Row) -> None:
        """Add mean and squares of a chunk (Chan, Golub and LeVeque 1983)."""
        many = row[f"{self.name}\x1fknown"]
        if self.kind not in NUMBERS or not many:
            return
        total = self.known + many
        mean, variance = row[f"{self.name}\x1fmean"], row[f"{self.name}\x1fvariance"]
        apart = mean - self.mean
        self.mean += apart * many / total
        self.squares += variance * many + apart * apart * self.known * many / total
        self.zeros += row[f"{self.name}\x1fzeros"]
        self.negatives += row[f"{self.name}\x1fnegatives"]

    def _take_extremes(self, row: Row) -> None:
        self.minimum = _least(self.minimum, row.get(f"{self.name}\x1fminimum"))
        self.maximum = _most(self.maximum, row.get(f"{self.name}\x1fmaximum"))
        self.shortest = _least(self.shortest, row.get(f"{self.name}\x1fshortest"))
        self.longest = max(self.longest, row.get(f"{self.name}\x1flongest") or 0)
        self.letters += row.get(f"{self.name}\x1fletters") or 0

    def _take_steps(self, row: Row) -> None:
        first, last = row[f"{self.name}\x1ffirst"], row[f"{self.name}\x1flast"]
        if first is None:
            return
        for step in self.steps:
            self.steps[step] = self.steps[step] or bool(row[f"{self.name}\x1f{step}"])
        if self.last is not None:
            self.steps["falls"] |= first < self.last
            self.steps["rises"] |= first > self.last
            self.steps["stays"] |= first == self.last
        self.last = last


def run(columns: Iterable[Running], chunk: pl.DataFrame) -> None:
    """Add a chunk to the counts of all columns, in one query."""
    kept = list(columns)
    row = chunk.select(one for column in kept for one in column.measures()).row(0, named=True) if kept else {}
    for column in kept:
        column.take(row)


def sketch(columns: Iterable[Running], chunk: pl.DataFrame) -> None:
    """Count different and frequent values of a chunk, in one query."""
    kept = list(columns)
    found = chunk.select(one for column in kept for one in column.sketched())
    for column in kept:
        column.take_sketched(found)


def present(name: str, kind: LogicalType) -> pl.Expr:
    """Return a column's values with NaN taken for missing."""
    column = pl.col(name)
    return column.fill_nan(None) if kind == "float64" else column


def plain(value: object) -> JSON:
    """Return a cell as JSON: dates, instants, decimals and infinities as text."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | str):
        return value
    return value if isinstance(value, float) and math.isfinite(value) else str(value)


def _text(value: pl.Expr, kind: LogicalType) -> pl.Expr:
    """Return categories as their texts: they are ordered by them."""
    return value.cast(pl.String) if kind == "string" else value


def _least(one: Any, other: Any) -> Any:  # Any: cells of one type, or None
    return other if one is None else one if other is None else min(one, other)


def _most(one: Any, other: Any) -> Any:  # Any: as above
    return other if one is None else one if other is None else max(one, other)
