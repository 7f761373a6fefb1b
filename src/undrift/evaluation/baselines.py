"""The models that a first version must beat: they know the labels' distribution and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from undrift.evaluation.target import Task
from undrift.stats.metrics import Metric

Array = npt.NDArray[Any]  # Any: class codes or numbers
_OF_MEAN = ("rmse", "mse", "r2")


def baseline_name(task: Task, metric: Metric) -> str:
    """Return what the baseline is called."""
    if task != "regression":
        return "base rate"
    return "mean" if metric.name in _OF_MEAN else "median"


def baseline_scores(task: Task, metric: Metric, fit_codes: Array, rows: int, classes: int) -> npt.NDArray[np.float64]:
    """Return the baseline's scores for some rows.

    Parameters
    ----------
    task : {"binary", "multiclass", "regression"}
        Kind of prediction.
    metric : Metric
        What decides: squared errors are beaten least easily by the mean, absolute ones by the median.
    fit_codes : array
        Labels of the rows learnt from, as metrics take them.
    rows : int
        How many rows to answer.
    classes : int
        Number of classes.
    """
    if task == "binary":
        return np.full(rows, float(fit_codes.mean()))
    if task == "multiclass":
        shares = np.bincount(fit_codes.astype(np.int64), minlength=classes) / len(fit_codes)
        return np.tile(shares, (rows, 1))
    value = fit_codes.mean() if metric.name in _OF_MEAN else np.median(fit_codes)
    return np.full(rows, float(value))
