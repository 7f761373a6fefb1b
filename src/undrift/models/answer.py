"""From scores to answers."""

from __future__ import annotations

from typing import TypeAlias

from undrift.models.engines.base import Scores
from undrift.models.package import ClassLabel, Manifest

Answer: TypeAlias = ClassLabel | float
_EVEN = 0.5


def answer(manifest: Manifest, scores: Scores) -> list[Answer]:
    """Return one answer per row of scores.

    Parameters
    ----------
    manifest : Manifest
        Says the task, the classes and the threshold.
    scores : ndarray, shape (rows, k)
        What an engine gave.

    Returns
    -------
    list
        For two classes with a positive one, the positive class where its probability is at
        least the threshold (0.5 when none is stated). For more classes, the most probable,
        the first of equals. For regression, the number itself. Classes are in their own type.
    """
    if manifest.task == "regression":
        numbers: list[Answer] = scores[:, 0].tolist()
        return numbers
    classes = manifest.classes
    if manifest.task == "binary" and manifest.positive is not None:
        yes, no = classes[manifest.positive], classes[1 - manifest.positive]
        threshold = _EVEN if manifest.threshold is None else manifest.threshold
        return [yes if p >= threshold else no for p in scores[:, manifest.positive].tolist()]
    return [classes[index] for index in scores.argmax(axis=1).tolist()]
