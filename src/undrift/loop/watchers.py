"""Whether somebody watches: who makes the passes of the loop, and when the last one was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from undrift.core.clock import from_us
from undrift.core.json import JSON
from undrift.core.process import runs
from undrift.endpoints.publisher import SupervisorFile
from undrift.endpoints.watch import read_pass
from undrift.project import Project

_LATE = 5
"""So many periods without a pass are too many."""
_START_UP = timedelta(minutes=2)
_BY_HAND = timedelta(hours=1)
"""Passes that somebody starts, by hand or from cron, are expected as often."""
NOBODY = "nobody watches: undrift worker, or undrift serve ENDPOINT"


@dataclass(frozen=True, slots=True)
class Watch:
    """Who watches a project.

    Attributes
    ----------
    by : str
        ``serve``, ``worker``, ``tick`` (somebody starts passes now and then), or empty when nobody does.
    every_s : float
        Seconds between passes; 0 where they are started one by one.
    last : datetime or None
        Real time of the end of the last pass.
    problem : str
        What is wrong with the watching; empty when nothing is.
    """

    by: str
    every_s: float
    last: datetime | None
    problem: str

    def as_json(self) -> dict[str, JSON]:
        """Return this for machines."""
        last = self.last.isoformat() if self.last else None
        return {"by": self.by or None, "every_s": self.every_s, "last_pass": last, "problem": self.problem or None}


def watch_of(project: Project, served: Sequence[SupervisorFile]) -> Watch:
    """Return who watches a project; it only reads.

    Parameters
    ----------
    project : Project
        The project.
    served : sequence of SupervisorFile
        What the living supervisors of its endpoints say.

    Notes
    -----
    Passes are told in a file of this machine: one that another machine makes on the same Postgres
    ledger is not seen here.
    """
    now = project.clocks.real.now()
    told = read_pass(project.store)
    last = from_us(told.ended_us) if told and told.ended_us is not None else None
    watching = [one for one in served if one.watch_every_s > 0]
    by, every_s, since = "", 0.0, last
    if watching:
        by, every_s = "serve", min(one.watch_every_s for one in watching)
        since = max(filter(None, (last, *(from_us(one.started_us) for one in watching))))
    elif told and told.every_s > 0 and runs(told.process):
        by, every_s = "worker", told.every_s
    elif told and told.by == "tick" and last and now - last < _BY_HAND:
        by = "tick"
    problem = _problem(by, every_s, now - since if since else None)
    if by and not problem and told and told.problem:
        problem = f"the last pass failed: {told.problem}"
    return Watch(by, every_s, last, problem)


def _problem(by: str, every_s: float, silence: timedelta | None) -> str:
    if not by:
        return NOBODY
    if every_s and silence is not None and silence > _LATE * timedelta(seconds=every_s) + _START_UP:
        return f"no pass has ended for {str(silence).partition('.')[0]}: one hangs, or none can be started"
    return ""
