"""How far apart the distributions of a column are: of a version, and of several together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from undrift.data.anomalies.measurement import MeasuredColumn, Measurement

Floats: TypeAlias = npt.NDArray[np.float64]


_MOST_PLACES = 1025


def distances(history: Sequence[Measurement], new: Measurement, column: str) -> tuple[list[float], float, float] | None:
    """Return how far each version lay from all before it together, how far the new one does, and what chance makes.

    Parameters
    ----------
    history : sequence of Measurement
        Past versions, the oldest first; those without the column's distribution are passed over.
    new : Measurement
        The new one.
    column : str
        A column of numbers, moments or few different values.

    Returns
    -------
    (distances, distance, noise) or None
        Largest difference of the distribution functions, or total variation of shares of values, from 0 to 1: of the
        third and later past versions from those before them, and of the new one. ``noise`` is what the number of rows
        alone makes of two equal distributions, in about one case of ten thousand. None where the column has no
        distribution now.
    """
    mine = new.columns[column]
    told = [one for one in history if column in one.columns and _is_told(one.columns[column], mine)]
    if not (mine.levels or mine.values):
        return None
    grid = _grid([*told, new], column)
    shapes = np.array([_shape(one.columns[column], grid) for one in [*told, new]])
    rows = np.array([_known(one, column) for one in [*told, new]], dtype=np.float64)
    summed = np.cumsum(shapes * rows[:, None], axis=0)
    found = []
    for place in range(1, len(shapes)):
        pooled = summed[place - 1] / max(float(rows[:place].sum()), 1.0)
        gap = np.abs(shapes[place] - pooled)
        found.append(float(gap.max() if mine.levels else gap.sum() / 2.0))
    if not found:
        return [], 0.0, 0.0
    return found[1:-1], found[-1], _noise(mine, float(rows[-1]), float(rows[:-1].sum()))


def new_values(history: Sequence[Measurement], new: Measurement, column: str) -> tuple[list[float], float, list[str]]:
    """Return the share of rows with a value never seen before: of the third and later past versions, of the new one.

    Parameters
    ----------
    history : sequence of Measurement
        Past versions, the oldest first.
    new : Measurement
        The new one.
    column : str
        A column of few different values.

    Returns
    -------
    (shares, share, values)
        And which values the new version brings.
    """
    seen: set[str] = set()
    shares: list[float] = []
    for one in [one for one in [*history, new] if column in one.columns and one.columns[column].values]:
        values = one.columns[column].values
        fresh = sum(many for value, many in values.items() if value not in seen)
        shares.append(fresh / max(sum(values.values()), 1))
        if one is new:
            return shares[2:-1], shares[-1], sorted(set(values) - seen)
        seen |= set(values)
    return shares[2:], 0.0, []


def _is_told(past: MeasuredColumn, mine: MeasuredColumn) -> bool:
    return bool(past.levels and mine.levels) or bool(past.values and mine.values)


def _known(one: Measurement, column: str) -> int:
    return max(one.rows - one.columns[column].missing, 0)


def _grid(told: Sequence[Measurement], column: str) -> Floats | list[str]:
    """Return where distributions are looked at: all their levels, or all values."""
    if told[-1].columns[column].levels:
        levels = np.unique(np.concatenate([np.asarray(one.columns[column].levels) for one in told]))
        return levels[np.unique(np.linspace(0, len(levels) - 1, _MOST_PLACES).astype(np.int64))]
    return sorted({value for one in told for value in one.columns[column].values})


def _shape(column: MeasuredColumn, grid: Floats | list[str]) -> Floats:
    """Return the distribution function at a grid, or the share of each value."""
    if isinstance(grid, list):
        counts = np.array([column.values.get(value, 0) for value in grid], dtype=np.float64)
        return np.asarray(counts / max(counts.sum(), 1.0))
    levels = np.asarray(column.levels)
    return np.asarray(np.searchsorted(levels, grid, "right") / len(levels))


def _noise(column: MeasuredColumn, rows: float, before: float) -> float:
    if not rows or not before:
        return 1.0
    sizes = 1.0 / rows + 1.0 / before
    kolmogorov = math.sqrt(-math.log(1e-4 / 2) / 2 * sizes)
    if column.levels:
        return kolmogorov + 1.0 / len(column.levels)
    return kolmogorov + math.sqrt(len(column.values) * sizes / (2 * math.pi))
