"""The distribution of a column from the rows of the sample: quantiles, histogram, frequent values, shapes of text."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from undrift.core.json import JSON
from undrift.data.profile.facts import QUANTILES, Histogram, TextShape
from undrift.data.schema import LogicalType

Floats: TypeAlias = npt.NDArray[np.float64]

TOP_VALUES = 200
LEVELS = 129
_BINS = 40
_MOST_PATTERNS = 10
_SHAPED_ROWS = 100_000
_FAR = 4.0
_MOST_SINGLE = 41
_DAY_S = 86_400.0
_TELLING = 0.5
_FORMS = (
    ("digits", r"\d"),
    ("letters", r"\p{L}"),
    ("spaces", r"\s"),
    ("other marks", r"[^\p{L}\d\s]"),
    ("letters beyond ASCII", r"[^\x00-\x7f]"),
    ("space at an end", r"^\s|\s$"),
    ("numbers", r"^\s*[+-]?(\d+([.,]\d+)*|\.\d+)\s*$"),
    ("empty", r"^$"),
)


def numbers_of(series: pl.Series, kind: LogicalType) -> Floats:
    """Return the finite values as floats, sorted; dates and instants as seconds since 1970."""
    known = series.drop_nulls()
    if kind == "date":
        values = known.cast(pl.Int32).cast(pl.Float64).to_numpy() * _DAY_S
    elif kind in {"timestamp", "timestamp-utc"}:
        values = known.dt.epoch("us").cast(pl.Float64).to_numpy() / 1e6
    else:
        values = known.cast(pl.Float64).to_numpy()
    found: Floats = np.sort(values[np.isfinite(values)])
    return found


def quantiles_of(ordered: Floats) -> tuple[float, ...]:
    """Return the quantiles of sorted values, linear between neighbours; empty of none."""
    return tuple(float(one) for one in _at(ordered, np.array(QUANTILES))) if len(ordered) else ()


def levels_of(ordered: Floats) -> tuple[float, ...]:
    """Return quantiles that hold the distribution, each a value that occurs; empty of none."""
    if not len(ordered):
        return ()
    at = np.rint(np.linspace(0.0, 1.0, LEVELS) * (len(ordered) - 1)).astype(np.int64)
    return tuple(float(one) for one in ordered[at])


def histogram_of(ordered: Floats, kind: LogicalType) -> Histogram | None:
    """Return how sorted values lie, in about forty bins with round edges; None of none.

    Parameters
    ----------
    ordered : (n,) array of float
        Finite values, ascending.
    kind : LogicalType
        Whole numbers and dates get bins of a whole width: others would hold now two values, now three.
    """
    if not len(ordered):
        return None
    low, high = float(ordered[0]), float(ordered[-1])
    near, far = (float(one) for one in _at(ordered, np.array([0.01, 0.99])))
    if far > near and high - low > _FAR * (far - near):
        low, high = near, far
    edges = _edges(low, high, kind)
    counts, _ = np.histogram(ordered, edges)
    inside_top = int(np.searchsorted(ordered, edges[-1], "right"))
    below = int(np.searchsorted(ordered, edges[0], "left"))
    return Histogram(
        tuple(float(one) for one in edges), tuple(int(one) for one in counts), below, len(ordered) - inside_top
    )


def frequent(series: pl.Series) -> tuple[tuple[JSON, int], ...]:
    """Return the most frequent values; ties are put in order, so that one table has one profile."""
    counted = series.drop_nulls().alias("value").value_counts(name="n").lazy()
    kept = counted.sort(["n", "value"], descending=[True, False]).head(TOP_VALUES).collect()
    return in_order(dict(kept.iter_rows()))


def in_order(counts: dict[JSON, int]) -> tuple[tuple[JSON, int], ...]:
    """Return counts, the most frequent first."""
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))[:TOP_VALUES])


def text_of(series: pl.Series, lengths: tuple[int, int, float]) -> TextShape:
    """Return how texts are written.

    Parameters
    ----------
    series : polars.Series
        Texts; of more than 100,000 the patterns of some, evenly spread, are counted.
    lengths : tuple of (int, int, float)
        Of the shortest, of the longest, and on average, of all values.
    """
    known = series.drop_nulls().cast(pl.String)
    if len(known) > _SHAPED_ROWS:
        known = known.gather_every(math.ceil(len(known) / _SHAPED_ROWS))
    asked = [known.str.contains(pattern).sum() for _, pattern in _FORMS]
    classes = tuple((name, int(many)) for (name, _), many in zip(_FORMS, asked, strict=True) if many)
    return TextShape(*lengths, patterns=_patterns(known), classes=classes, looked_at=len(known))


def _patterns(known: pl.Series) -> tuple[tuple[str, int], ...]:
    plain = known.str.replace_all(r"\p{Lu}", "A").str.replace_all(r"[\p{L}--A]", "a").str.replace_all(r"\d", "9")
    exact = _counted(plain)
    if sum(many for _, many in exact) >= _TELLING * len(known):
        return exact
    runs = plain.str.replace_all(r"aa+", "a+").str.replace_all(r"AA+", "A+").str.replace_all(r"99+", "9+")
    return _counted(runs.str.replace_all(r"(?:A?a\+? )+A?a\+?", "a+ a+"))


def _counted(shapes: pl.Series) -> tuple[tuple[str, int], ...]:
    counted = shapes.alias("shape").value_counts(name="n").sort(["n", "shape"], descending=[True, False])
    return tuple((str(shape)[:60], int(many)) for shape, many in counted.head(_MOST_PATTERNS).iter_rows())


def _at(ordered: Floats, shares: Floats) -> Floats:
    """Return quantiles of sorted values, linear between neighbours as numpy's."""
    place = shares * (len(ordered) - 1)
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, len(ordered) - 1)
    found: Floats = ordered[low] + (place - low) * (ordered[high] - ordered[low])
    return found


def _edges(low: float, high: float, kind: LogicalType) -> Floats:
    unit = {"int": 1.0, "date": _DAY_S}.get(kind)
    if unit is not None and (high - low) / unit < _MOST_SINGLE:
        many = round((high - low) / unit) + 1
        return np.asarray(low + unit * (np.arange(many + 1) - 0.5), dtype=np.float64)
    if high <= low:
        room = max(abs(low), 1.0) / 2
        return np.array([low - room, low + room])
    step = _step((high - low) / _BINS, kind)
    first, last = math.floor(low / step), math.floor(high / step) + 1
    return np.asarray(step * np.arange(first, last + 1), dtype=np.float64)


_ROUND_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200)
_ROUND_DAYS = (1, 2, 7, 14, 28, 91, 182, 364, 728, 1820, 3640, 7280, 18_200, 36_400)


def _step(rough: float, kind: LogicalType) -> float:
    """Return a round width of a bin that is at least so wide."""
    if kind in {"date", "timestamp", "timestamp-utc"} and rough >= 1:
        for step in (*_ROUND_S, *(_DAY_S * days for days in _ROUND_DAYS)):
            if step >= rough and (kind != "date" or step >= _DAY_S):
                return float(step)
    power = 10.0 ** math.floor(math.log10(rough))
    rounds = (1.0, 2.0, 5.0, 10.0) if kind == "int" else (1.0, 2.0, 2.5, 5.0, 10.0)
    step = next(power * one for one in rounds if power * one >= rough * (1 - 1e-9))
    return max(step, 1.0) if kind == "int" else step
