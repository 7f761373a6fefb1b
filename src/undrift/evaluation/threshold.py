"""Where a probability turns into a yes."""

from __future__ import annotations

from dataclasses import dataclass

from undrift.core.config import ModelSettings
from undrift.evaluation.metrics import RARE
from undrift.evaluation.target import Target

_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold on the positive class's probability, and what it rests on."""

    value: float
    basis: str


def threshold_of(settings: ModelSettings, target: Target, base_rate: float) -> Threshold | None:
    """Return the threshold of a binary model, None for other tasks; no holdout row has a say in it.

    Parameters
    ----------
    settings : ModelSettings
        Costs or a threshold, if stated.
    target : Target
        What is predicted.
    base_rate : float
        Share of the positive class in the rows learnt from.

    Notes
    -----
    With costs, a yes is worth it when ``p * false_negative_cost > (1 - p) * false_positive_cost``,
    so the threshold is ``fp / (fp + fn)`` (Elkan 2001, equation 2).
    """
    if target.task != "binary":
        return None
    false_positive, false_negative = settings.false_positive_cost, settings.false_negative_cost
    if false_positive is not None and false_negative is not None:
        value = false_positive / (false_positive + false_negative)
        return Threshold(value, f"least expected cost at {false_positive:g} : {false_negative:g}")
    if isinstance(settings.threshold, float):
        return Threshold(settings.threshold, "as the settings say")
    rare = min(base_rate, 1 - base_rate) < RARE
    if settings.threshold == "prevalence" or (settings.threshold == "auto" and rare):
        return Threshold(base_rate, f"the share of positives in training, {base_rate:.1%}")
    return Threshold(_HALF, "the likelier class")
