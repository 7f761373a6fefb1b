"""How wrong one answer was, as a number in [0, 1]."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import assert_never

from undrift.core.labels import label_text
from undrift.endpoints.plan import RolloutPlan
from undrift.segments.records import Label

_LEAST_PROBABILITY = 0.01
WORST = 1.0


class LossOf:
    """Tells the loss of an answer given the truth.

    Parameters
    ----------
    plan : RolloutPlan
        Which loss, and what it needs.
    """

    def __init__(self, plan: RolloutPlan) -> None:
        self._plan = plan
        self._places = {label_text(label): place for place, label in enumerate(plan.classes)}

    def __call__(self, scores: Sequence[float], prediction: Label | None, actual: Label) -> float | None:
        """Return the loss, or None when this label and this answer cannot be compared."""
        loss = self._plan.loss
        match loss:
            case "brier":
                return self._of_class(scores, actual, _brier)
            case "log":
                return self._of_class(scores, actual, _log)
            case "error01":
                return None if prediction is None else float(label_text(prediction) != label_text(actual))
            case "absolute":
                return self._absolute(prediction, actual)
            case _:
                assert_never(loss)

    def _of_class(
        self, scores: Sequence[float], actual: Label, loss: Callable[[Sequence[float], int], float]
    ) -> float | None:
        place = self._places.get(label_text(actual))
        if place is None or len(scores) != len(self._places):
            return None
        return min(max(loss(scores, place), 0.0), 1.0)

    def _absolute(self, prediction: Label | None, actual: Label) -> float | None:
        if not isinstance(prediction, int | float) or not isinstance(actual, int | float):
            return None
        error = abs(prediction - actual) / self._plan.scale
        return min(error, 1.0) if math.isfinite(error) else None


def _brier(scores: Sequence[float], place: int) -> float:
    """Return half the squared distance to the truth: for two classes (1 - p)**2 of the true one."""
    others = sum(score * score for index, score in enumerate(scores) if index != place)
    return ((1.0 - scores[place]) ** 2 + others) / 2


def _log(scores: Sequence[float], place: int) -> float:
    return math.log(max(scores[place], _LEAST_PROBABILITY)) / math.log(_LEAST_PROBABILITY)
