"""Folds for comparing candidates; none of them cuts a unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from undrift.evaluation.errors import TooLittleData
from undrift.evaluation.rows import Instants, Units, days, rarest_of_unit
from undrift.evaluation.splits import Positions


@dataclass(frozen=True, slots=True)
class Fold:
    """Positions to fit on and to score on."""

    fit: Positions
    score: Positions


@dataclass(frozen=True, slots=True)
class Folds:
    """All folds, how they were cut, and what one unit is."""

    folds: tuple[Fold, ...]
    scheme: str


def make_folds(
    positions: Positions,
    units: Units,
    *,
    times: Instants | None = None,
    strata: npt.NDArray[np.float64] | None = None,
    count: int = 5,
    seed: int = 0,
) -> Folds:
    """Return the folds of the rows to learn from.

    Parameters
    ----------
    positions : int64 array
        The rows to learn from; the holdout is not among them.
    units : int64 array
        Unit of every row of the table.
    times : int64 array, optional
        Instants of every row of the table: then each fold is scored on days after those it is
        fitted on.
    strata : array, optional
        Class of every row of the table; folds then have the classes in equal shares, as far as
        whole units allow.
    count : int
        How many folds, at most.
    seed : int
        Of the random order.

    Raises
    ------
    TooLittleData
        If there are fewer than three units.
    """
    if times is not None:
        return _forward(positions, units, days(times), count)
    codes = units[positions]
    distinct = len(np.unique(codes))
    if distinct < 3:  # noqa: PLR2004 - one to score, two to fit
        raise TooLittleData(f"{distinct} units are too few to compare candidates", cure="add rows, or name a candidate")
    several = distinct < len(positions)
    label = _balanced(codes, None if strata is None else strata[positions], min(count, distinct), seed)
    folds = tuple(Fold(positions[label != fold], positions[label == fold]) for fold in range(min(count, distinct)))
    what = "whole groups" if several else "rows"
    return Folds(folds, what if strata is None else f"{what}, classes in equal shares")


def _forward(positions: Positions, units: Units, day: Units, count: int) -> Folds:
    """Return folds that are fitted on the past and scored on the days after it."""
    present = np.unique(day[positions])
    blocks = np.array_split(present, min(count + 1, len(present)))
    if len(blocks) < 2:  # noqa: PLR2004 - a past and a future
        raise TooLittleData("one day is too little to compare candidates", cure="add rows, or name a candidate")
    folds = []
    for block in blocks[1:]:
        score = positions[np.isin(day[positions], block)]
        past = positions[day[positions] < block[0]]
        folds.append(Fold(past[~np.isin(units[past], units[score])], score))
    return Folds(tuple(fold for fold in folds if len(fold.fit)), "forward in time, whole days")


def _balanced(codes: Units, strata: npt.NDArray[np.float64] | None, count: int, seed: int) -> npt.NDArray[np.int64]:
    """Return the fold of each row: units shuffled by the seed, then dealt out, stratum by stratum, large ones first."""
    distinct, first, inverse, sizes = np.unique(codes, return_index=True, return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(distinct))
    if sizes.max() > 1:
        order = order[np.argsort(-sizes[order], kind="stable")]
    if strata is not None:
        order = order[np.argsort(rarest_of_unit(codes, strata)[first][order], kind="stable")]
    fold = np.empty(len(distinct), dtype=np.int64)
    fold[order] = np.arange(len(distinct)) % count
    return fold[inverse]
