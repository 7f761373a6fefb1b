"""What an answer loses, what the class shares alone would lose, and what the model itself expects to lose."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from undrift.evaluation.diagnosis.judged import Array, Floats, Judged
from undrift.stats.metrics import CLIP, binary_log_losses, brier_losses, multiclass_brier_losses, multiclass_log_losses

Mask = npt.NDArray[np.bool_]


def name_of(judged: Judged) -> str:
    """Return the loss by which rows are compared, in words."""
    if judged.task == "regression":
        return "absolute error"
    return "Brier score" if _is_brier(judged) else "log loss"


def losses(judged: Judged) -> Floats:
    """Return what the model loses by row: log loss, Brier score where the gate compares it, absolute error."""
    if judged.task == "regression":
        return np.abs(np.asarray(judged.scores - judged.y, dtype=np.float64))
    return _of_classes(judged, judged.y, judged.scores)


def shares_lose(judged: Judged, part: Mask) -> Floats:
    """Return what the answer "the class shares of these rows" loses, by row of a part."""
    y = judged.y[part]
    if judged.task == "binary":
        return _of_classes(judged, y, np.full(len(y), y.mean()))
    shares = np.bincount(y.astype(np.int64), minlength=judged.scores.shape[1]) / len(y)
    return _of_classes(judged, y, np.broadcast_to(shares, (len(y), len(shares))))


def expected(judged: Judged) -> Floats | None:
    """Return what the model's own probabilities expect it to lose, by row; None for numbers, which it has none for."""
    if judged.task == "regression":
        return None
    p: Any = np.asarray(judged.scores, dtype=np.float64)
    p = np.clip(np.column_stack([1 - p, p]) if judged.task == "binary" else p, CLIP, 1.0)
    if not _is_brier(judged):
        return np.asarray(-(p * np.log(p)).sum(axis=1), dtype=np.float64)
    return np.asarray((1 - (p**2).sum(axis=1)) / 2, dtype=np.float64) * (2.0 if judged.task == "binary" else 1.0)


def _is_brier(judged: Judged) -> bool:
    return judged.metric.name.endswith("brier")


def _of_classes(judged: Judged, y: Array, scores: Array) -> Floats:
    if judged.task == "binary":
        return brier_losses(y, scores) if _is_brier(judged) else binary_log_losses(y, scores)
    return multiclass_brier_losses(y, scores) if _is_brier(judged) else multiclass_log_losses(y, scores)
