"""Which metrics judge which task, and how they come with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from undrift.core.errors import BadInput, UndriftError
from undrift.evaluation.target import Task
from undrift.stats.intervals import Interval, TooFewUnits, metric_interval
from undrift.stats.metrics import METRICS, Metric, UndefinedMetric, metric_of

Array = npt.NDArray[Any]  # Any: labels may be class codes or numbers

DEFAULTS: Mapping[Task, str] = {"binary": "auc", "multiclass": "multiclass_log_loss", "regression": "mae"}
REPORTED: Mapping[Task, tuple[str, ...]] = {
    "binary": ("auc", "pr_auc", "log_loss", "brier"),
    "multiclass": ("multiclass_log_loss", "multiclass_brier", "multiclass_accuracy"),
    "regression": ("mae", "rmse", "r2"),
}
_SHARES = ("auc", "pr_auc", "brier", "accuracy", "multiclass_accuracy", "multiclass_brier")
_RANGES: Mapping[str, tuple[float, float]] = {**dict.fromkeys(_SHARES, (0.0, 1.0)), "r2": (-np.inf, 1.0)}


RARE = 0.2
"""A class with a smaller share is rare: what ranks all pairs alike says little of it."""


@dataclass(frozen=True, slots=True)
class MetricChoice:
    """The metric that decides, those shown beside it, and why.

    Attributes
    ----------
    name : str
        What the gate compares.
    also : tuple of str
        What is to be read with it.
    reason : str
        One sentence for a person.
    """

    name: str
    also: tuple[str, ...]
    reason: str


def metric_for(task: Task, counts: npt.NDArray[np.int64]) -> MetricChoice:
    """Return the metric that suits a table: never one that always guessing the frequent class would please.

    Parameters
    ----------
    task : Task
        Kind of prediction.
    counts : int array
        Rows of each class; empty for numbers.

    Notes
    -----
    It is chosen once, for a model's first version, and written into the settings: versions that
    are compared must be compared by the same one, whatever share the classes have by then.
    """
    if task == "regression":
        return MetricChoice("mae", ("rmse", "r2"), "the mean absolute error: outliers do not decide")
    if task == "multiclass":
        return MetricChoice("multiclass_log_loss", ("multiclass_brier",), "probabilities of all classes are judged")
    share = float(counts.min() / counts.sum())
    if share < RARE:
        return MetricChoice("pr_auc", ("brier", "log_loss"), f"the rarer class is {share:.1%} of the rows")
    return MetricChoice("log_loss", ("auc", "brier"), f"probabilities are judged; the rarer class is {share:.0%}")


def chosen_metric(name: str | None, task: Task) -> Metric:
    """Return the metric that decides: the named one, or the task's default.

    Raises
    ------
    BadInput
        If there is no such metric, or it judges another task.
    """
    if name is None:
        return metric_of(DEFAULTS[task])
    metric = METRICS.get(f"multiclass_{name}") if task == "multiclass" else None
    metric = metric or metric_of(name)
    if metric.task != task:
        fitting = ", ".join(sorted(known.name for known in METRICS.values() if known.task == task))
        raise BadInput(
            f"the metric {name!r} judges {metric.task} models, not {task} ones", cure=f"use one of {fitting}"
        )
    return metric


def reported(
    task: Task, y: Array, scores: Array, unit: Array, unit_name: str, *, also: str = ""
) -> dict[str, Interval]:
    """Return the task's metrics with intervals over units; one that has no value here is left out.

    Where there are too few units for an interval, low and high are the estimate's own whole
    range of ignorance: minus and plus infinity are not JSON, so the metric stands alone with
    the method ``"none: too few units"`` and equal ends.

    Parameters
    ----------
    task : Task
        What the model predicts.
    y : array of shape (n,)
        What came true.
    scores : array of shape (n, k)
        What the model said.
    unit : array of shape (n,)
        Code of the independent unit of each row.
    unit_name : str
        What a unit is, for instance ``"day"``.
    also : str
        One more metric than the usual ones of the task.
    """
    names = dict.fromkeys((*((also,) if also else ()), *REPORTED[task]))
    found: dict[str, Interval] = {}
    for name in names:
        try:
            found[name] = _bounded(name, metric_interval(name, y, scores, unit, unit_name=unit_name))
        except TooFewUnits:
            found[name] = _bare(metric_of(name), y, scores, (len(np.unique(unit)), unit_name))
        except UndefinedMetric:
            continue
    return found


def value_of(metric: Metric, y: Array, scores: Array) -> float | None:
    """Return the metric's value on some rows, None where it has none."""
    try:
        return float(metric(y, scores))
    except UndriftError:
        return None


def _bounded(name: str, found: Interval) -> Interval:
    """Return an interval that does not leave the metric's range: symmetric ends can."""
    low, high = _RANGES.get(name, (0.0, np.inf))
    return replace(found, low=max(found.low, low), high=min(found.high, high))


def _bare(metric: Metric, y: Array, scores: Array, units: tuple[int, str]) -> Interval:
    value = float(metric(y, scores))
    return Interval(value, value, value, 0.0, "none: too few units", len(y), units[0], units[1])
