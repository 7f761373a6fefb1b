"""ROC and precision-recall curves of a bounded number of points."""

from __future__ import annotations

import numpy as np

from undrift.core.json import JSON
from undrift.evaluation.diagnosis.judged import Floats, Judged, numbers

MOST_POINTS = 101


def curves(judged: Judged) -> dict[str, JSON] | None:
    """Return both curves of a binary model and where its threshold stands on them; None where a class is missing.

    Notes
    -----
    Equal scores are one point. Of long curves those points are kept that lie nearest to even steps along the
    curve, ends included. No score and no row is told, only rates.
    """
    positive = np.asarray(judged.y).astype(bool)
    if judged.task != "binary" or not positive.any() or positive.all():
        return None
    order = np.argsort(-judged.scores, kind="stable")
    ranked = np.asarray(judged.scores, dtype=np.float64)[order]
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    hits = np.cumsum(positive[order])[last].astype(np.float64)
    asked = (last + 1).astype(np.float64)
    recall = np.append(0.0, hits / positive.sum())
    fall_out = np.append(0.0, (asked - hits) / (~positive).sum())
    precision = np.append(hits[0] / asked[0], hits / asked)
    roc, pr = _spread(fall_out, recall), _spread(recall, precision)
    return {
        "roc": {"false_positive_rate": numbers(fall_out[roc]), "recall": numbers(recall[roc])},
        "pr": {"recall": numbers(recall[pr]), "precision": numbers(precision[pr])},
        "base_rate": float(positive.mean()),
        "at_threshold": _at(judged, positive),
    }


def _spread(x: Floats, y: Floats) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return positions of at most 101 points at even steps along a curve."""
    if len(x) <= MOST_POINTS:
        return np.arange(len(x))
    along = np.append(0.0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y))))
    kept = np.searchsorted(along, np.linspace(0.0, along[-1], MOST_POINTS - 1))
    return np.unique(np.append(np.minimum(kept, len(x) - 1), len(x) - 1))


def _at(judged: Judged, positive: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> JSON:
    if judged.threshold is None:
        return None
    yes = judged.scores >= judged.threshold
    return {
        "threshold": judged.threshold,
        "recall": float(yes[positive].mean()),
        "false_positive_rate": float(yes[~positive].mean()),
        "precision": float(positive[yes].mean()) if yes.any() else None,
        "answered": float(yes.mean()),
    }
