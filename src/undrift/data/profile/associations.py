"""How much columns tell of one another, from rows of the sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from undrift.data.profile.facts import MOMENTS, NUMBERS, Association
from undrift.data.schema import LogicalType

Floats: TypeAlias = npt.NDArray[np.float64]
Codes: TypeAlias = npt.NDArray[np.int64]

ROWS = 100_000
"""Of more rows, this many are looked at, evenly spread."""

_WEAKEST = 0.1
_MOST_TOLD = 200
_FEWEST_ROWS = 30
_MOST_CATEGORIES = 50
_MOST_CATEGORICAL = 40
_MOST_NUMERIC = 300
_MOST_PAIRS = 2_000


@dataclass(frozen=True, slots=True)
class _Category:
    """A column of few values as codes, -1 where missing."""

    name: str
    codes: Codes
    values: int


def associations(frame: pl.DataFrame, types: Mapping[str, LogicalType]) -> tuple[Association, ...]:
    """Return pairs of columns of which one tells of the other, the strongest first.

    Parameters
    ----------
    frame : polars.DataFrame
        The rows of the sample; of more than 100,000 some, evenly spread, are looked at.
    types : mapping of str to LogicalType
        Of its columns.

    Notes
    -----
    Numbers with numbers by Pearson's correlation over the rows in which both are finite. Texts and booleans of at most
    50 different values with each other by Cramér's V, corrected for its bias (Bergsma 2013), and with numbers by the
    correlation ratio. At most 300 numbers, 40 categories and 2,000 pairs with a category are looked at. Pairs weaker
    than 0.1 are not told, and no more than 200.
    """
    if frame.height > ROWS:
        frame = frame.gather_every(-(-frame.height // ROWS))
    if frame.height < _FEWEST_ROWS:
        return ()
    named, table = _numbers(frame, types)
    found = [*_pearson(named, table), *_with_categories(named, table, list(_categories(frame, types)))]
    told = [one for one in found if abs(one.strength) >= _WEAKEST and one.rows >= _FEWEST_ROWS]
    return tuple(sorted(told, key=lambda one: (-abs(one.strength), one.first, one.second))[:_MOST_TOLD])


def _numbers(frame: pl.DataFrame, types: Mapping[str, LogicalType]) -> tuple[list[str], Floats]:
    """Return numbers standardised, NaN where unknown: rows x columns."""
    named, columns = [], []
    for name in [one for one, kind in types.items() if kind in NUMBERS | MOMENTS][:_MOST_NUMERIC]:
        series = frame[name].to_physical() if types[name] in MOMENTS else frame[name]
        values = series.cast(pl.Float64).to_numpy().copy()
        values[~np.isfinite(values)] = np.nan
        known = values[~np.isnan(values)]
        if len(known) < _FEWEST_ROWS or not known.std() > 1e-12 * max(1.0, float(np.abs(known).max())):
            continue
        named.append(name)
        columns.append((values - known.mean()) / known.std())
    return named, np.column_stack(columns) if columns else np.empty((frame.height, 0))


def _pearson(named: list[str], table: Floats) -> Iterator[Association]:
    known = (~np.isnan(table)).astype(np.float64)
    values = np.nan_to_num(table)
    many, sums, squares = known.T @ known, values.T @ known, (values**2).T @ known
    with np.errstate(divide="ignore", invalid="ignore"):
        covered = values.T @ values / many - (sums / many) * (sums / many).T
        spread = squares / many - (sums / many) ** 2
        strength = covered / np.sqrt(spread * spread.T)
    for i, j in combinations(range(len(named)), 2):
        if np.isfinite(strength[i, j]):
            bounded = float(np.clip(strength[i, j], -1.0, 1.0))
            yield Association(named[i], named[j], "pearson", bounded, int(many[i, j]))


def _categories(frame: pl.DataFrame, types: Mapping[str, LogicalType]) -> Iterator[_Category]:
    named = [name for name, kind in types.items() if kind in {"string", "bool"}]
    kept = 0
    for name in named:
        values = frame[name].drop_nulls().n_unique()
        if not 2 <= values <= _MOST_CATEGORIES or kept == _MOST_CATEGORICAL:  # noqa: PLR2004 - one value tells nothing
            continue
        kept += 1
        ranks = frame[name].cast(pl.String).rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
        yield _Category(name, ranks - 1, values)


def _with_categories(named: list[str], table: Floats, categories: list[_Category]) -> Iterator[Association]:
    left = _MOST_PAIRS
    for one, other in combinations(categories, 2):
        if left:
            left -= 1
            yield _cramer(one, other)
    for category in categories:
        for at, name in enumerate(named):
            if left:
                left -= 1
                yield _ratio(category, name, table[:, at])


def _cramer(one: _Category, other: _Category) -> Association:
    both = (one.codes >= 0) & (other.codes >= 0)
    rows = int(both.sum())
    counts = np.bincount(one.codes[both] * other.values + other.codes[both], minlength=one.values * other.values)
    counted = counts.reshape(one.values, other.values).astype(np.float64)
    counted = counted[counted.sum(axis=1) > 0][:, counted.sum(axis=0) > 0]
    strength = 0.0
    if min(counted.shape, default=0) > 1 and rows > 1:
        expected = np.outer(counted.sum(axis=1), counted.sum(axis=0)) / rows
        r, k = counted.shape
        phi = float(((counted - expected) ** 2 / expected).sum()) / rows - (r - 1) * (k - 1) / (rows - 1)
        smaller = min(r - (r - 1) ** 2 / (rows - 1), k - (k - 1) ** 2 / (rows - 1)) - 1
        strength = float(np.sqrt(max(phi, 0.0) / smaller)) if smaller > 0 else 0.0
    return Association(one.name, other.name, "cramers_v", min(strength, 1.0), rows)


def _ratio(category: _Category, name: str, values: Floats) -> Association:
    both = (category.codes >= 0) & ~np.isnan(values)
    codes, known = category.codes[both], values[both]
    many = np.bincount(codes, minlength=category.values)
    sums = np.bincount(codes, known, minlength=category.values)
    total = float(((known - known.mean()) ** 2).sum()) if len(known) else 0.0
    strength = 0.0
    groups = int((many > 0).sum())
    if total > 0 and len(known) > groups > 1:
        between = float((sums[many > 0] ** 2 / many[many > 0]).sum() - known.sum() ** 2 / len(known))
        # Many groups explain something of any number by chance: what they would is taken off (epsilon squared).
        share = 1.0 - (1.0 - between / total) * (len(known) - 1) / (len(known) - groups)
        strength = float(np.sqrt(min(max(share, 0.0), 1.0)))
    return Association(category.name, name, "correlation_ratio", strength, len(known))
