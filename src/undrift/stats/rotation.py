"""A test of many means at once from few dependent units: slow cosines as yardstick, rotations as null distribution.

Let a stretch of T days have values u_1..u_T (deviations from their mean). The cosine weighted sums
``y_j = sqrt(2/T) sum_t u_t cos(pi j (t - 1/2) / T)``, j = 1..v with v small against T, are nearly independent with
variance equal to the long-run variance of u, which is T times the variance of its mean, autocorrelation included
(Mueller 2007; Lazarus, Lewis, Stock, Watson 2018, "equal-weighted cosine" estimator). For positive autocorrelation
they fall short of it, the more the faster the cosine: each is therefore multiplied by the ratio that an AR(1) process
with coefficient :data:`WORST_AUTOCORRELATION` would need, which makes them too large for weaker dependence.

The difference of two means, scaled to the same variance, and the v sums are then v + 1 exchangeable (indeed rotation
invariant) vectors over all columns and cells. Rotating them at random gives the null distribution of any statistic,
also of the largest studentised difference over hundreds of dependent cells, exactly under normality and without
resampling rows (Langsrud 2005, "Rotation tests", Statistics and Computing 15).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]

WORST_AUTOCORRELATION = 0.65
FASTEST_COSINE = 0.5
ROTATIONS = 4999
TINY = 1e-12


def slow_sums(values: Floats, *, is_ordered: bool) -> Floats:
    """Return (v, columns) sums whose variance is the long-run variance of the rows of `values`.

    Parameters
    ----------
    values : (units, columns) array
        Deviations from the mean by unit; days in the order of time.
    is_ordered : bool
        Days: only cosines slower than 0.5 radians a day, made larger against autocorrelation. Otherwise units are
        independent and all units - 1 cosines serve.
    """
    units = len(values)
    count = int(FASTEST_COSINE * units / np.pi) if is_ordered else units - 1
    speed = np.pi * np.arange(1, count + 1) / units
    basis = np.sqrt(2.0 / units) * np.cos(speed[:, None] * (np.arange(units) + 0.5))
    if is_ordered:
        basis *= np.sqrt(_shortfall(speed))[:, None]
    sums: Floats = basis @ values
    return sums


def _shortfall(speed: Floats) -> Floats:
    """Return spectral density at 0 over that at `speed` for an AR(1) process."""
    phi = WORST_AUTOCORRELATION
    ratio: Floats = 1.0 + 2.0 * phi * (1.0 - np.cos(speed)) / (1.0 - phi) ** 2
    return ratio


def rotation_p_values(difference: Floats, noise: Floats, groups: Ints, *, seed: int) -> tuple[Floats, Floats, Floats]:
    """Return each group's largest |t|, its p-value, and its p-value adjusted for all groups.

    Parameters
    ----------
    difference : (k,) array
        Differences of means, scaled to the variance of the rows of `noise`.
    noise : (v, k) array
        From :func:`slow_sums`, of both samples.
    groups : (k,) array of int
        The group (column) of each difference, 0..g-1, none empty.
    seed : int
        Of the rotations.

    Returns
    -------
    statistic, p_value, adjusted : (g,) arrays
        The adjustment is Westfall and Young's step-down maximum: the probability of a false alarm in any group is at
        most alpha when groups with ``adjusted <= alpha`` are reported.
    """
    stacked = np.vstack([difference, noise])
    total = (stacked**2).sum(axis=0)
    held = total > TINY
    stacked, total, groups_held = stacked[:, held], total[held], groups[held]
    count = int(groups.max()) + 1
    turn = np.random.default_rng(seed).normal(size=(ROTATIONS, len(stacked)))
    turn /= np.linalg.norm(turn, axis=1, keepdims=True)
    observed = _group_max(_share(stacked[:1], total), groups_held, count)[0]
    rotated = _group_max(_share(turn @ stacked, total), groups_held, count)
    raw = ((rotated >= observed).sum(axis=0) + 1) / (ROTATIONS + 1)
    freedom = len(noise)
    return _as_t(observed, freedom), raw, _stepped_down(observed, rotated)


def _share(projected: Floats, total: Floats) -> Floats:
    """Return the share of a cell's total square that lies in one direction: an increasing function of |t|."""
    share: Floats = projected**2 / total
    return share


def _as_t(share: Floats, freedom: int) -> Floats:
    with np.errstate(divide="ignore"):
        t: Floats = np.sqrt(share * freedom / np.maximum(1.0 - share, 0.0))
    return t


def _group_max(values: Floats, groups: Ints, count: int) -> Floats:
    largest = np.zeros((len(values), count))
    for group in np.unique(groups):
        largest[:, group] = values[:, groups == group].max(axis=1)
    return largest


def _stepped_down(observed: Floats, rotated: Floats) -> Floats:
    order = np.argsort(-observed, kind="stable")
    tails = np.maximum.accumulate(rotated[:, order[::-1]], axis=1)[:, ::-1]
    stepped = ((tails >= observed[order]).sum(axis=0) + 1) / (ROTATIONS + 1)
    adjusted = np.empty(len(observed))
    adjusted[order] = np.maximum.accumulate(stepped)
    return adjusted
