"""Whether it tells of the target that a column is missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2_contingency, mannwhitneyu

from undrift.evaluation.target import Task

Array = npt.NDArray[Any]  # Any: class codes or numbers
ALPHA = 0.001
SMALLEST_EFFECT = 0.05
MOST_ROWS = 200_000
_FEWEST = 20


def tells_of(gaps: npt.NDArray[np.bool_], codes: Array, task: Task) -> bool:
    """Say whether rows where a column is missing have other labels than those where it is there.

    Parameters
    ----------
    gaps : bool array
        Where it is missing.
    codes : array
        The rows' labels, as metrics take them.
    task : {"binary", "multiclass", "regression"}
        What the labels are.

    Notes
    -----
    A test of independence at 0.001 and an effect of at least 0.05 (Cramer's V, or the rank
    biserial correlation), both: in long tables anything is significant. Rows count as
    independent, for this chooses columns and decides nothing about a model. At least 20 rows of
    either kind are needed; of very long tables every n-th row is looked at.
    """
    step = max(1, len(gaps) // MOST_ROWS)
    mask, labels = gaps[::step], codes[::step]
    fewest = min(int(mask.sum()), int((~mask).sum()))
    if fewest < _FEWEST:
        return False
    p, effect = _ranks(mask, labels) if task == "regression" else _counts(mask, labels)
    return bool(p < ALPHA and effect >= SMALLEST_EFFECT)


def _counts(mask: npt.NDArray[np.bool_], labels: Array) -> tuple[float, float]:
    classes, inverse = np.unique(labels, return_inverse=True)
    if len(classes) == 1:
        return 1.0, 0.0
    table = np.bincount(inverse + len(classes) * mask, minlength=2 * len(classes)).reshape(2, -1)
    found = chi2_contingency(table, correction=False)
    return float(found.pvalue), float(np.sqrt(found.statistic / len(mask)))


def _ranks(mask: npt.NDArray[np.bool_], labels: Array) -> tuple[float, float]:
    found = mannwhitneyu(labels[mask], labels[~mask], method="asymptotic")
    share = float(found.statistic) / (int(mask.sum()) * int((~mask).sum()))
    return float(found.pvalue), abs(2 * share - 1)
