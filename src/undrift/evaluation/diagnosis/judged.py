"""Rows with what the model said of them and what came true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats as distributions

from undrift.core.json import JSON
from undrift.evaluation.target import Task
from undrift.stats.clusters import units_of
from undrift.stats.intervals import FEWEST_UNITS, Interval
from undrift.stats.metrics import Metric

Array = npt.NDArray[Any]  # Any: labels are codes or numbers, scores (n,) or (n, k)
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
TOO_FEW = "none: too few units"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A holdout with a model's answers.

    Attributes
    ----------
    task : {"binary", "multiclass", "regression"}
        Kind of prediction.
    classes : tuple of str
        Names of the classes in the order of the scores; empty for numbers.
    positive : int or None
        Which of two classes the scores are about.
    y, scores : arrays
        Labels and scores as metrics take them.
    units : int64 array
        Code of the independent unit of each row.
    unit_name : str
        What a unit is.
    metric : Metric
        What the gate compares.
    threshold : float or None
        From which score on the positive class is answered.
    personal : frozenset of str
        Columns that look personal: no slice is cut by them, not even by a text that many share.
    """

    task: Task
    classes: tuple[str, ...]
    positive: int | None
    y: Array
    scores: Array
    units: Ints
    unit_name: str
    metric: Metric
    threshold: float | None = None
    personal: frozenset[str] = frozenset()

    @property
    def rows(self) -> int:
        """How many rows."""
        return len(self.y)


def share(happened: Array, units: Ints, unit_name: str, *, level: float = 0.95) -> Interval:
    """Return the share of rows in which something happened, with Wilson's interval over units.

    Parameters
    ----------
    happened : (n,) array of 0 and 1
        At least one row.
    units : (n,) array
        The unit of each row.
    unit_name : str
        What a unit is.
    level : float
        Two-sided confidence.

    Notes
    -----
    Wilson's formula with the effective number of rows, ``p (1 - p) / v``, v the cluster-robust variance (the number
    of units where v is zero; never more than the rows), and Student's t in place of z. Rows that are units of their
    own give Wilson's usual interval but for the t. Fewer than 8 units give no interval: both ends are the estimate,
    level is 0.
    """
    n, p = len(happened), float(np.mean(happened))
    codes, count = units_of(units, n)
    if count < FEWEST_UNITS:
        return Interval(p, p, p, 0.0, TOO_FEW, n, count, unit_name)
    residual = np.bincount(codes, weights=happened - p, minlength=count)
    variance = float((residual**2).sum()) * count / (count - 1) / n**2
    effective = float(count) if variance == 0.0 else min(p * (1 - p) / variance, float(n))
    t2 = float(distributions.t.ppf((1 + level) / 2, count - 1)) ** 2
    middle = (p + t2 / (2 * effective)) / (1 + t2 / effective)
    half = (t2 * (p * (1 - p) / effective + t2 / (4 * effective**2))) ** 0.5 / (1 + t2 / effective)
    return Interval(
        p, max(0.0, middle - half), min(1.0, middle + half), level, "wilson over units", n, count, unit_name
    )


def finite(value: float) -> float | None:
    """Return a number as JSON holds it: None where it has no value."""
    return float(value) if np.isfinite(value) else None


def numbers(values: Floats) -> list[JSON]:
    """Return an array as a JSON list, to six significant digits: it is drawn, not computed with."""
    return [float(f"{value:.6g}") for value in values]


def score_bins(scores: Floats, *, most: int = 10, fewest_rows: int = 20) -> tuple[Ints, int]:
    """Return a bin of about as many rows for each score, ordered by score, and how many bins there are.

    Equal scores share a bin, so there may be fewer bins than asked for.
    """
    wanted = max(1, min(most, len(scores) // fewest_rows))
    edges = np.unique(np.quantile(scores, np.arange(1, wanted) / wanted))
    found = np.searchsorted(edges, scores, side="left")
    held, codes = np.unique(found, return_inverse=True)
    return codes.astype(np.int64), len(held)
