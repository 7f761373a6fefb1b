"""When an incident deserves a retraining: a pure rule, so that a storm of incidents starts one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from undrift.monitoring.incident import Incident, IncidentKind

Action: TypeAlias = Literal["retrain", "wait", "nothing"]
CURED_BY_TRAINING: frozenset[IncidentKind] = frozenset({"drift", "prediction-drift", "performance"})
BLOCKS_TRAINING: frozenset[IncidentKind] = frozenset({"quality"})


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about the open incidents.

    Attributes
    ----------
    action : {"retrain", "wait", "nothing"}
        Start one training now, not yet, or there is nothing that training would cure.
    reason : str
        One sentence for a person.
    incidents : tuple of str
        References of the incidents it is about, the oldest first.
    """

    action: Action
    reason: str
    incidents: tuple[str, ...] = ()


def retrain_advice(
    incidents: Sequence[Incident],
    new_labelled_rows: int,
    last_retrain: datetime | None,
    cooldown: timedelta,
    now: datetime,
) -> Advice:
    """Return whether the open incidents of one model deserve one retraining now.

    Parameters
    ----------
    incidents : sequence of Incident
        Of all endpoints that serve the model; closed ones are ignored.
    new_labelled_rows : int
        Labelled rows which the last training could not have seen.
    last_retrain : datetime or None
        When the last retraining was started, whatever its gate said.
    cooldown : timedelta
        No second retraining within this time.
    now : datetime
        Business time.

    Returns
    -------
    Advice
        At most one retraining for any number of incidents. An incident that the last retraining
        did not cure counts again only once it was found broken after it.
    """
    ours = sorted((one for one in incidents if one.is_open), key=lambda one: (one.opened_at, one.id))
    curable = [one for one in ours if one.kind in CURED_BY_TRAINING]
    if not curable:
        return Advice("nothing", "no open incident that a retraining would cure")
    refs = tuple(one.ref for one in curable)
    blocking = [one for one in ours if one.kind in BLOCKS_TRAINING]
    if blocking:
        return Advice("wait", f"{blocking[0].ref} says that the data are broken: mend them first", refs)
    if last_retrain is not None and now < last_retrain + cooldown:
        return Advice("wait", f"the last retraining was at {last_retrain:%Y-%m-%d %H:%M}, cooldown {cooldown}", refs)
    if last_retrain is not None and all(one.updated_at <= last_retrain for one in curable):
        return Advice("wait", "no window since the last retraining has found it broken again", refs)
    if new_labelled_rows < 1:
        return Advice("wait", "no labelled rows that the last training has not seen", refs)
    kinds = ", ".join(sorted({one.kind for one in curable}))
    return Advice("retrain", f"{len(curable)} open: {kinds}; {new_labelled_rows} new labelled rows", refs)
