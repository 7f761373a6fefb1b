"""What watching a model can and cannot show: said on the card and in the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from undrift.core.config import ModelSettings, MonitorSettings

FEWEST_UNITS = 20
Stored = Mapping[str, Any]  # Any: JSON that a step wrote


def limits_of(settings: ModelSettings, split: Stored, monitoring: MonitorSettings | None = None) -> list[str]:
    """Return the limits of what was judged and of what will be watched, one sentence each.

    Parameters
    ----------
    settings : ModelSettings
        As they were at training.
    split : mapping
        How the rows were split, as the run keeps it.
    monitoring : MonitorSettings, optional
        Of the endpoint, where it is known.
    """
    unit = settings.unit or ("day" if settings.time else "row")
    span = f"in windows of {monitoring.window_days} days" if monitoring else "window by window"
    drift = (
        f"Drift is looked for {span}, in each input and in the answers, against the rows of training. "
        f"A window of fewer than {FEWEST_UNITS} {unit}s cannot tell."
    )
    labels = "A change in what the inputs mean for the outcome shows in neither: it is seen when labels come."
    return [*_judged(settings, split), drift, labels, *_not_watched(settings.calendar)]


def _judged(settings: ModelSettings, split: Stored) -> list[str]:
    if not settings.time:
        return ["It was judged on rows of the same period as those of training: how it ages was not looked at."]
    span = split.get("holdout_span")
    when = f", {str(span['first'])[:10]} to {str(span['last'])[:10]}" if span else ""
    return [f"It was judged on the newest rows{when}: no other season was looked at."]


def _not_watched(calendar: Sequence[str]) -> list[str]:
    if not calendar:
        return []
    return [f"{', '.join(calendar)}: the calendar, so never a reason for a drift alarm."]
