"""Estimates from units: totals per unit, pair counts between units, and what leaving a unit out does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from undrift.stats.metrics import Metric, UndefinedMetric

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
ArrayLike: TypeAlias = npt.NDArray[Any]  # Any: labels may be bool, int or float
Scores: TypeAlias = tuple[ArrayLike, ...]  # one array, or two whose metrics are subtracted

PAIR_MATRIX_UNITS = 64
GROUPS = 50
SLOPE_STEP = 1e-6


class Resampler(Protocol):
    """Estimates under unit weights.

    ``resampler(weights)`` takes (B, units) multiplicities and returns B estimates and B standard errors, the latter by
    the delta method (infinitesimal jackknife) on the weighted units.
    """

    def __call__(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return estimates and standard errors."""


@dataclass(frozen=True, slots=True)
class ClusterEstimate:
    """An estimate, its jackknife over units, and how to resample it.

    Attributes
    ----------
    estimate : float
        On all units.
    left_out : (units,) array
        The estimate without each unit (or without each group of units, where recomputing is dear).
    resampler : Resampler or None
        None when units are so many that the normal limit serves.
    """

    estimate: float
    left_out: Floats
    resampler: Resampler | None = None

    @property
    def standard_error(self) -> float:
        """``sqrt((m - 1)/m * sum (theta_(i) - mean)^2)`` (Tukey's jackknife), m units left out one at a time."""
        m = len(self.left_out)
        return float(np.sqrt((m - 1) / m * ((self.left_out - self.left_out.mean()) ** 2).sum()))


def units_of(unit: ArrayLike | None, n: int) -> tuple[Ints, int]:
    """Return each row's unit as an index, and the number of units; rows are units when `unit` is None."""
    if unit is None:
        return np.arange(n, dtype=np.int64), n
    held, codes = np.unique(np.asarray(unit), return_inverse=True)
    return codes.astype(np.int64), len(held)


def estimate_from(metric: Metric, y: ArrayLike, scores: Scores, codes: Ints, units: int) -> ClusterEstimate:
    """Return a metric of one score vector, or the difference first - second of two, over units."""
    if metric.name == "auc":
        pairs = [PairCounts.of(y, s, codes, units) for s in scores] if units <= PAIR_MATRIX_UNITS else None
        return _from_pairs(pairs) if pairs else _from_placements(y, scores, codes, units)
    if metric.parts is not None and metric.combine is not None:
        return _from_parts(metric, y, scores, codes, units)
    return _by_recomputing(metric, y, scores, codes, units)


@dataclass(frozen=True, slots=True)
class PairCounts:
    """Won pairs between units: all that AUC and its resampling need.

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
    def of(cls, y: ArrayLike, scores: ArrayLike, codes: Ints, units: int) -> PairCounts:
        """Count, in O(n log n + n units) (one sort of the negatives, one pass over the positives)."""
        positive = np.asarray(y).astype(bool)
        negatives = np.asarray(scores, dtype=np.float64)[~positive]
        order = np.argsort(negatives, kind="stable")
        below = np.zeros((len(order) + 1, units))
        below[np.arange(1, len(order) + 1), codes[~positive][order]] = 1.0
        np.cumsum(below, axis=0, out=below)
        ranked, asked = negatives[order], np.asarray(scores, dtype=np.float64)[positive]
        wins = below[np.searchsorted(ranked, asked, "left")] + below[np.searchsorted(ranked, asked, "right")]
        won = np.zeros((units, units))
        np.add.at(won, codes[positive], wins / 2)
        counts = [np.bincount(codes[mask], minlength=units).astype(np.float64) for mask in (positive, ~positive)]
        return cls(won, counts[0], counts[1])

    def weighted(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return AUC under (B, units) weights and each unit's influence on it, (B, units)."""
        p, n = weights @ self.positives, weights @ self.negatives
        as_positive, as_negative = weights @ self.won.T, weights @ self.won
        with np.errstate(divide="ignore", invalid="ignore"):
            value = (as_positive * weights).sum(axis=1) / (p * n)
            won = (as_positive + as_negative) / (p * n)[:, None]
            lost = value[:, None] * (self.positives / p[:, None] + self.negatives / n[:, None])
        return value, won - lost


def _from_pairs(pairs: list[PairCounts]) -> ClusterEstimate:
    units = len(pairs[0].positives)

    def resampler(weights: Floats) -> tuple[Floats, Floats]:
        value, influence = _difference([pair.weighted(weights) for pair in pairs])
        return value, _weighted_error(weights, influence)

    without_one = np.ones((units, units)) - np.eye(units)
    whole, left_out = resampler(np.ones((1, units)))[0][0], resampler(without_one)[0]
    return ClusterEstimate(_known(float(whole)), _known_all(left_out), resampler)


def _difference(parts: list[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
    if len(parts) == 1:
        return parts[0]
    return parts[0][0] - parts[1][0], parts[0][1] - parts[1][1]


def _weighted_error(weights: Floats, influence: Floats) -> Floats:
    units = weights.shape[1]
    error: Floats = np.sqrt(units / (units - 1) * (weights * influence**2).sum(axis=1))
    return error


def _from_placements(y: ArrayLike, scores: Scores, codes: Ints, units: int) -> ClusterEstimate:
    """Return AUC with its placement values summed by unit (DeLong 1988; Obuchowski 1997 for clusters).

    With many units, the estimate without a unit is the estimate less the unit's influence.
    """
    positive = np.asarray(y).astype(bool)
    values, influences = zip(*[_placements(positive, np.asarray(s, dtype=np.float64)) for s in scores], strict=True)
    estimate = values[0] - values[1] if len(values) > 1 else values[0]
    by_row = influences[0] - influences[1] if len(influences) > 1 else influences[0]
    by_unit = np.bincount(codes, weights=by_row, minlength=units)
    return ClusterEstimate(float(estimate), estimate - by_unit * units / (units - 1))


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


def _from_parts(metric: Metric, y: ArrayLike, scores: Scores, codes: Ints, units: int) -> ClusterEstimate:
    assert metric.parts is not None
    assert metric.combine is not None
    rows = np.concatenate([metric.parts(y, s) for s in scores], axis=1)
    sums = np.stack([np.bincount(codes, weights=column, minlength=units) for column in rows.T], axis=1)
    value = _subtracted(metric.combine, len(scores))

    def resampler(weights: Floats) -> tuple[Floats, Floats]:
        totals = weights @ sums
        return value(totals), _weighted_error(weights, _slopes(value, totals) @ sums.T)

    total = sums.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        left_out = value(total - sums)
    few = units <= PAIR_MATRIX_UNITS
    return ClusterEstimate(_known(float(value(total))), _known_all(left_out), resampler if few else None)


def _subtracted(combine: Callable[[Floats], Floats], count: int) -> Callable[[Floats], Floats]:
    if count == 1:
        return combine

    def value(sums: Floats) -> Floats:
        half = sums.shape[-1] // 2
        difference: Floats = combine(sums[..., :half]) - combine(sums[..., half:])
        return difference

    return value


def _slopes(value: Callable[[Floats], Floats], totals: Floats) -> Floats:
    """Return the gradient of `value` at each row of totals, by central differences."""
    slopes = np.empty_like(totals)
    with np.errstate(divide="ignore", invalid="ignore"):
        for k in range(totals.shape[1]):
            step = SLOPE_STEP * np.maximum(np.abs(totals[:, k]), 1e-9)
            up, down = totals.copy(), totals.copy()
            up[:, k] += step
            down[:, k] -= step
            slopes[:, k] = (value(up) - value(down)) / (2 * step)
    return slopes


def _by_recomputing(metric: Metric, y: ArrayLike, scores: Scores, codes: Ints, units: int) -> ClusterEstimate:
    """Return the estimate with a jackknife that leaves out units, or groups of units where there are more than 50."""
    groups = min(units, GROUPS)
    group = np.random.default_rng(0).permutation(units)[codes] % groups

    def value(keep: npt.NDArray[np.bool_]) -> float:
        found = [metric(y[keep], s[keep]) for s in scores]
        return found[0] - found[1] if len(found) > 1 else found[0]

    left_out = np.array([value(group != g) for g in range(groups)])
    return ClusterEstimate(value(np.ones(len(y), dtype=bool)), left_out)


def _known(value: float) -> float:
    if not np.isfinite(value):
        raise UndefinedMetric("the metric has no value on these rows")
    return value


def _known_all(values: Floats) -> Floats:
    if not np.isfinite(values).all():
        raise UndefinedMetric("the metric has no value when one unit is left out")
    return values
