"""How good predictions are: each metric as a plain function, and as a :class:`Metric` that knows its direction.

Conventions: `y` holds 0/1 for binary metrics, class indices for multiclass ones, numbers for regression; `scores` holds
the probability of class 1, an (n, k) array of probabilities, or the predicted numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from undrift.core.errors import BadInput

Floats: TypeAlias = npt.NDArray[np.float64]
ArrayLike: TypeAlias = npt.NDArray[Any]  # Any: labels may be bool, int or float
Task: TypeAlias = Literal["binary", "multiclass", "regression"]

CLIP = 1e-15


class UndefinedMetric(BadInput):
    """The metric has no value on these rows, for instance AUC where only one class occurs."""

    code = "undefined-metric"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric, its direction and how it comes about.

    Attributes
    ----------
    name : str
        Its name, as in :data:`METRICS`.
    task : {"binary", "multiclass", "regression"}
        What kind of model it judges.
    greater_is_better : bool
        Direction.
    function : callable, optional
        ``function(y, scores) -> float``; needed for metrics of ranks only.
    parts : callable, optional
        ``parts(y, scores) -> (n, k)``: values by row whose sums determine the metric; None for metrics of ranks.
    combine : callable, optional
        Takes sums of parts, ``(..., k)``, to values of the metric, ``(...)``.
    """

    name: str
    task: Task
    greater_is_better: bool
    function: Callable[[ArrayLike, ArrayLike], float] | None = None
    parts: Callable[[ArrayLike, ArrayLike], Floats] | None = None
    combine: Callable[[Floats], Floats] | None = None

    def __call__(self, y: ArrayLike, scores: ArrayLike) -> float:
        """Return the metric on these rows.

        Raises
        ------
        UndefinedMetric
            If it has no value on them.
        """
        if self.function is not None:
            return self.function(y, scores)
        assert self.parts is not None
        assert self.combine is not None
        with np.errstate(divide="ignore", invalid="ignore"):
            value = float(self.combine(self.parts(y, scores).sum(axis=0)))
        if not np.isfinite(value):
            raise UndefinedMetric(f"{self.name} has no value on these rows")
        return value


def auc(y: ArrayLike, scores: ArrayLike) -> float:
    """Return the area under the ROC curve: P(score of a positive > score of a negative) + half the ties.

    Raises
    ------
    UndefinedMetric
        If only one class occurs.
    """
    positive = np.asarray(y).astype(bool)
    p, n = int(positive.sum()), int((~positive).sum())
    if not p or not n:
        raise UndefinedMetric("AUC needs rows of both classes")
    return float((mid_ranks(np.asarray(scores))[positive].sum() - p * (p + 1) / 2) / (p * n))


def mid_ranks(values: ArrayLike) -> Floats:
    """Return ranks from 1, ties with the mean of their ranks."""
    order = np.sort(values)
    low = np.searchsorted(order, values, side="left")
    high = np.searchsorted(order, values, side="right")
    return (low + high + 1) / 2.0


def pr_auc(y: ArrayLike, scores: ArrayLike) -> float:
    """Return the average precision: sum over thresholds of precision x gain in recall (no interpolation).

    Raises
    ------
    UndefinedMetric
        If no positive row occurs.
    """
    positive = np.asarray(y).astype(bool)
    if not positive.any():
        raise UndefinedMetric("average precision needs a positive row")
    order = np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")
    ranked, hits = np.asarray(scores, dtype=np.float64)[order], np.cumsum(positive[order])
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    precision, recall = hits[last] / (last + 1), hits[last] / hits[-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def binary_log_losses(y: ArrayLike, scores: ArrayLike) -> Floats:
    """Return each row's -ln(probability given to what happened), probabilities limited to [1e-15, 1 - 1e-15]."""
    p = np.clip(np.asarray(scores, dtype=np.float64), CLIP, 1 - CLIP)
    losses: Floats = np.where(np.asarray(y).astype(bool), -np.log(p), -np.log1p(-p))
    return losses


def brier_losses(y: ArrayLike, scores: ArrayLike) -> Floats:
    """Return each row's squared distance between probability and outcome, in [0, 1]."""
    squared: Floats = (np.asarray(scores, dtype=np.float64) - np.asarray(y, dtype=np.float64)) ** 2
    return squared


def multiclass_log_losses(y: ArrayLike, scores: ArrayLike) -> Floats:
    """Return each row's -ln(probability given to its class)."""
    p = np.clip(np.asarray(scores, dtype=np.float64), CLIP, 1.0)
    losses: Floats = -np.log(p[np.arange(len(p)), np.asarray(y, dtype=np.int64)])
    return losses


def multiclass_brier_losses(y: ArrayLike, scores: ArrayLike) -> Floats:
    """Return each row's half squared distance between probabilities and the class that occurred, in [0, 1]."""
    p = np.asarray(scores, dtype=np.float64)
    happened = np.asarray(y, dtype=np.int64)[:, None] == np.arange(p.shape[1])
    losses: Floats = ((p - happened) ** 2).sum(axis=1) / 2.0
    return losses


def _with_ones(values: Floats) -> Floats:
    return np.column_stack([values, np.ones(len(values))])


def _binary_hits(y: ArrayLike, scores: ArrayLike) -> Floats:
    predicted = np.asarray(scores, dtype=np.float64) >= 0.5  # noqa: PLR2004 - the usual cut
    return np.asarray(predicted == np.asarray(y).astype(bool), dtype=np.float64)


def _class_hits(y: ArrayLike, scores: ArrayLike) -> Floats:
    return np.asarray(np.asarray(scores).argmax(axis=1) == np.asarray(y), dtype=np.float64)


def _absolute_errors(y: ArrayLike, scores: ArrayLike) -> Floats:
    errors: Floats = np.abs(np.asarray(scores, dtype=np.float64) - np.asarray(y, dtype=np.float64))
    return errors


def _r2_parts(y: ArrayLike, scores: ArrayLike) -> Floats:
    """Return squared error, y, y**2 and 1 of each row."""
    target = np.asarray(y, dtype=np.float64)
    return np.column_stack([brier_losses(y, scores), target, target**2, np.ones(len(target))])


def _mean(sums: Floats) -> Floats:
    value: Floats = sums[..., 0] / sums[..., -1]
    return value


def _root_mean(sums: Floats) -> Floats:
    value: Floats = np.sqrt(sums[..., 0] / sums[..., -1])
    return value


def _r2(sums: Floats) -> Floats:
    value: Floats = 1.0 - sums[..., 0] / (sums[..., 2] - sums[..., 1] ** 2 / sums[..., 3])
    return value


def _median_absolute_error(y: ArrayLike, scores: ArrayLike) -> float:
    return float(np.median(_absolute_errors(y, scores)))


def _of_means(
    name: str, task: Task, losses: Callable[[ArrayLike, ArrayLike], Floats], *, greater_is_better: bool = False
) -> Metric:
    """Return the metric that is the mean of a value by row."""
    return Metric(name, task, greater_is_better, parts=lambda y, scores: _with_ones(losses(y, scores)), combine=_mean)


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("auc", "binary", True, auc),
        Metric("pr_auc", "binary", True, pr_auc),
        _of_means("log_loss", "binary", binary_log_losses),
        _of_means("brier", "binary", brier_losses),
        _of_means("accuracy", "binary", _binary_hits, greater_is_better=True),
        _of_means("multiclass_log_loss", "multiclass", multiclass_log_losses),
        _of_means("multiclass_brier", "multiclass", multiclass_brier_losses),
        _of_means("multiclass_accuracy", "multiclass", _class_hits, greater_is_better=True),
        _of_means("mae", "regression", _absolute_errors),
        _of_means("mse", "regression", brier_losses),
        Metric("rmse", "regression", False, parts=lambda y, s: _with_ones(brier_losses(y, s)), combine=_root_mean),
        Metric("r2", "regression", True, parts=_r2_parts, combine=_r2),
        Metric("median_absolute_error", "regression", False, _median_absolute_error),
    )
}


def metric_of(name: str) -> Metric:
    """Return the metric of this name.

    Raises
    ------
    BadInput
        If there is none.
    """
    if name not in METRICS:
        raise BadInput(f"there is no metric {name!r}", cure=f"use one of {', '.join(sorted(METRICS))}")
    return METRICS[name]
