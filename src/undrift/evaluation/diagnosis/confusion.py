"""What was answered against what happened."""

from __future__ import annotations

from typing import cast

import numpy as np

from undrift.core.json import JSON
from undrift.evaluation.diagnosis.judged import Ints, Judged, share

MOST_CLASSES = 12
OTHER = "all others"


def confusion(judged: Judged) -> dict[str, JSON] | None:
    """Return counts by class that happened and class that was answered, with recall and precision; None for numbers.

    Notes
    -----
    Of more than 12 classes the rarest of the holdout are counted as one.
    """
    if judged.task == "regression":
        return None
    happened, answered = _codes(judged)
    names = list(judged.classes)
    if len(names) > MOST_CLASSES:
        happened, answered, names = _pooled(happened, answered, names)
    k = len(names)
    counts = np.bincount(happened * k + answered, minlength=k * k).reshape(k, k)
    return {
        "threshold": judged.threshold,
        "classes": cast("list[JSON]", names),
        "counts": counts.tolist(),
        "by_class": [_rates(judged, happened, answered, (at, name)) for at, name in enumerate(names)],
    }


def _codes(judged: Judged) -> tuple[Ints, Ints]:
    """Return for each row the class that happened and the one that was answered, as places among the classes."""
    if judged.task == "multiclass":
        return judged.y.astype(np.int64), judged.scores.argmax(axis=1).astype(np.int64)
    positive = 1 if judged.positive is None else judged.positive
    cut = 0.5 if judged.threshold is None else judged.threshold
    yes, is_so = judged.scores >= cut, judged.y.astype(bool)
    return np.where(is_so, positive, 1 - positive), np.where(yes, positive, 1 - positive)


def _pooled(happened: Ints, answered: Ints, names: list[str]) -> tuple[Ints, Ints, list[str]]:
    counts = np.bincount(happened, minlength=len(names))
    kept = np.sort(np.argsort(-counts, kind="stable")[: MOST_CLASSES - 1])
    places = np.full(len(names), len(kept), dtype=np.int64)
    places[kept] = np.arange(len(kept))
    return places[happened], places[answered], [*(names[at] for at in kept), OTHER]


def _rates(judged: Judged, happened: Ints, answered: Ints, which: tuple[int, str]) -> JSON:
    at, name = which
    there, said = happened == at, answered == at
    recall = share((said & there)[there], judged.units[there], judged.unit_name).as_json() if there.any() else None
    precision = share((said & there)[said], judged.units[said], judged.unit_name).as_json() if said.any() else None
    return {"class": name, "rows": int(there.sum()), "recall": recall, "precision": precision}
