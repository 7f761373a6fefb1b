"""Estimates from units: totals per unit, pair counts between units, and what leaving a unit out does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from undrift.stats.metrics import Metric, UndefinedMetric

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
ArrayLike: TypeAlias = npt.NDArray[Any]  # Any: labels may be bool, int or float
Scores: TypeAlias = tuple[ArrayLike, ...]  # one array, or two whose metrics are subtracted

PAIR_MATRIX_UNITS = 64
GROUPS = 50


@dataclass(frozen=True, slots=True)
class ClusterEstimate:
    """An estimate and its jackknife over units.

    Attributes
    ----------
    estimate : float
        On all units.
    left_out : (m,) array
        The estimate without each unit (or without each group of units, where recomputing is dear).
    sizes : (m,) array
        Rows in each unit or group.
    """

    estimate: float
    left_out: Floats
    sizes: Floats

    @property
    def standard_error(self) -> float:
        """``sqrt((m - 1)/m * sum (theta_(i) - mean)^2)`` (Tukey's jackknife), m units left out one at a time."""
        m = len(self.left_out)
        return float(np.sqrt((m - 1) / m * ((self.left_out - self.left_out.mean()) ** 2).sum()))

    @property
    def freedom(self) -> float:
        """Degrees of freedom for Student's t: m - 1 for units of equal size, fewer when a few units dominate.

        ``(sum n^2)^2 / sum n^4 - 1``: the effective number of units whose contributions to the variance go with the
        square of their size (Carter, Schnepel, Steigerwald 2017), less one.
        """
        squares = self.sizes**2
        return max(float(squares.sum() ** 2 / (squares**2).sum()) - 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Units:
    """Which unit each row belongs to.

    Attributes
    ----------
    codes : (n,) array of int
        The unit of each row, 0..count-1.
    count : int
        Number of units.
    seed : int
        Of random groups of units, where units are left out in groups.
    """

    codes: Ints
    count: int
    seed: int = 0

    def sizes(self) -> Floats:
        """Return the number of rows of each unit."""
        return np.bincount(self.codes, minlength=self.count).astype(np.float64)

    def sums(self, values: Floats) -> Floats:
        """Return the sum of a value over each unit's rows."""
        return np.bincount(self.codes, weights=values, minlength=self.count).astype(np.float64)


def units_of(unit: ArrayLike | None, n: int) -> tuple[Ints, int]:
    """Return each row's unit as an index, and the number of units; rows are units when `unit` is None."""
    if unit is None:
        return np.arange(n, dtype=np.int64), n
    held, codes = np.unique(np.asarray(unit), return_inverse=True)
    return codes.astype(np.int64), len(held)


def estimate_from(metric: Metric, y: ArrayLike, scores: Scores, units: Units) -> ClusterEstimate:
    """Return a metric of one score vector, or the difference first - second of two, over units.

    Parameters
    ----------
    metric : Metric
        The metric.
    y : array-like of shape (n,)
        What came true.
    scores : Scores
        One score vector, or two to compare.
    units : Units
        The independent unit of each row.
    """
    if metric.name == "auc":
        pairs = [PairCounts.of(y, s, units) for s in scores] if units.count <= PAIR_MATRIX_UNITS else None
        return _from_pairs(pairs, units.sizes()) if pairs else _from_placements(y, scores, units)
    if metric.parts is not None and metric.combine is not None:
        return _from_parts(metric, y, scores, units)
    return _by_recomputing(metric, y, scores, units)


@dataclass(frozen=True, slots=True)
class PairCounts:
    """Won pairs between units: all that AUC without any one unit needs.

    Attributes
    ----------
    won : (units, units) array
        ``won[i, j]``: pairs of a positive of unit i and a negative of unit j in which the positive scores higher, ties
        counted half.
    positives, negatives : (units,) array
        Rows by class.
    """

    won: Floats
    positives: Floats
    negatives: Floats

    @classmethod
    def of(cls, y: ArrayLike, scores: ArrayLike, units: Units) -> PairCounts:
        """Count, in O(n log n + n units): one sort of the negatives, one pass over the positives."""
        positive = np.asarray(y).astype(bool)
        negatives = np.asarray(scores, dtype=np.float64)[~positive]
        order = np.argsort(negatives, kind="stable")
        below = np.zeros((len(order) + 1, units.count))
        below[np.arange(1, len(order) + 1), units.codes[~positive][order]] = 1.0
        np.cumsum(below, axis=0, out=below)
        ranked, asked = negatives[order], np.asarray(scores, dtype=np.float64)[positive]
        wins = below[np.searchsorted(ranked, asked, "left")] + below[np.searchsorted(ranked, asked, "right")]
        won = np.zeros((units.count, units.count))
        np.add.at(won, units.codes[positive], wins / 2)
        return cls(won, units.sums(positive.astype(np.float64)), units.sums((~positive).astype(np.float64)))

    def weighted(self, weights: Floats) -> Floats:
        """Return AUC under each row of (B, units) weights."""
        with np.errstate(divide="ignore", invalid="ignore"):
            pairs = (weights @ self.positives) * (weights @ self.negatives)
            value: Floats = ((weights @ self.won) * weights).sum(axis=1) / pairs
        return value


def _from_pairs(pairs: list[PairCounts], sizes: Floats) -> ClusterEstimate:
    units = len(sizes)
    weights = np.vstack([np.ones((1, units)), np.ones((units, units)) - np.eye(units)])
    found = [pair.weighted(weights) for pair in pairs]
    values = found[0] - found[1] if len(found) > 1 else found[0]
    return ClusterEstimate(_known(float(values[0])), _known_all(values[1:]), sizes)


def _from_placements(y: ArrayLike, scores: Scores, units: Units) -> ClusterEstimate:
    """Return AUC with its placement values summed by unit (DeLong 1988; Obuchowski 1997 for clusters).

    With many units, the estimate without a unit is the estimate less the unit's influence.
    """
    positive = np.asarray(y).astype(bool)
    values, influences = zip(*[_placements(positive, np.asarray(s, dtype=np.float64)) for s in scores], strict=True)
    estimate = values[0] - values[1] if len(values) > 1 else values[0]
    by_row = influences[0] - influences[1] if len(influences) > 1 else influences[0]
    by_unit = units.sums(by_row)
    return ClusterEstimate(float(estimate), estimate - by_unit * units.count / (units.count - 1), units.sizes())


def _placements(positive: npt.NDArray[np.bool_], scores: Floats) -> tuple[float, Floats]:
    """Return AUC and each row's influence on it."""
    high, low = np.sort(scores[positive]), np.sort(scores[~positive])
    if not high.size or not low.size:
        raise UndefinedMetric("AUC needs rows of both classes")
    placement = np.empty(len(scores))
    placement[positive] = _share_below(low, scores[positive])
    placement[~positive] = 1.0 - _share_below(high, scores[~positive])
    value = float(placement[positive].mean())
    return value, (placement - value) / np.where(positive, high.size, low.size)


def _share_below(ranked: Floats, asked: Floats) -> Floats:
    places = np.searchsorted(ranked, asked, "left") + np.searchsorted(ranked, asked, "right")
    return np.asarray(places / (2.0 * ranked.size), dtype=np.float64)


def _from_parts(metric: Metric, y: ArrayLike, scores: Scores, units: Units) -> ClusterEstimate:
    assert metric.parts is not None
    assert metric.combine is not None
    rows = np.concatenate([metric.parts(y, s) for s in scores], axis=1)
    sums = np.stack([units.sums(column) for column in rows.T], axis=1)
    value = _subtracted(metric.combine, len(scores))

    total = sums.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        left_out = value(total - sums)
    return ClusterEstimate(_known(float(value(total))), _known_all(left_out), units.sizes())


def _subtracted(combine: Callable[[Floats], Floats], count: int) -> Callable[[Floats], Floats]:
    if count == 1:
        return combine

    def value(sums: Floats) -> Floats:
        half = sums.shape[-1] // 2
        difference: Floats = combine(sums[..., :half]) - combine(sums[..., half:])
        return difference

    return value


def _by_recomputing(metric: Metric, y: ArrayLike, scores: Scores, units: Units) -> ClusterEstimate:
    """Return the estimate with a jackknife that leaves out units, or groups of units where there are more than 50."""
    groups = min(units.count, GROUPS)
    grouped = Units(np.random.default_rng(units.seed).permutation(units.count)[units.codes] % groups, groups)

    def value(keep: npt.NDArray[np.bool_]) -> float:
        found = [metric(y[keep], s[keep]) for s in scores]
        return found[0] - found[1] if len(found) > 1 else found[0]

    left_out = np.array([value(grouped.codes != g) for g in range(groups)])
    return ClusterEstimate(value(np.ones(len(y), dtype=bool)), left_out, grouped.sizes())


def _known(value: float) -> float:
    if not np.isfinite(value):
        raise UndefinedMetric("the metric has no value on these rows")
    return value


def _known_all(values: Floats) -> Floats:
    if not np.isfinite(values).all():
        raise UndefinedMetric("the metric has no value when one unit is left out")
    return values
