"""What would have been: never retrain, always retrain, and undrift, on the same flights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from undrift.cli.answer import table
from undrift.core.json import JSON
from undrift.demo import flights
from undrift.demo.stage import MODEL
from undrift.evaluation.candidates import fit
from undrift.evaluation.features import Features
from undrift.evaluation.target import Target, read_target
from undrift.loop.training.champion import in_order, scored
from undrift.loop.training.rows import features_of
from undrift.models.version import ModelVersion
from undrift.project import Project
from undrift.stats.intervals import Interval, metric_interval, paired_difference

AHEAD = timedelta(days=30)
MEMORY = timedelta(days=60)
MONTHS = tuple(datetime(2013, month, 1, 5, tzinfo=UTC) for month in range(3, 12))
LEVEL = 0.95
ARMS = ("never", "always", "undrift")
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Month:
    """The thirty days after a month's beginning.

    Attributes
    ----------
    start : datetime
        Its beginning.
    auc : mapping of str to Interval
        By arm.
    over_never, over_always : Interval
        By how much undrift's AUC is larger on the same flights, with an interval over days.
    live : str
        The version that was live.
    """

    start: datetime
    auc: dict[str, Interval]
    over_never: Interval
    over_always: Interval
    live: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A gate's decision and what happened next.

    Attributes
    ----------
    version, reference : str
        Challenger and champion.
    outcome : str
        What the gate said.
    next : Interval
        By how much the challenger was better in the thirty days after the decision.
    verdict : {"right", "wrong", "cannot tell"}
        What the thirty days say of the decision.
    """

    version: str
    reference: str
    outcome: str
    next: Interval
    verdict: str


@dataclass(frozen=True, slots=True)
class Scoreboard:
    """The comparison.

    Attributes
    ----------
    months : list of Month
        March to November.
    swaps : mapping of str to int
        How often each arm changed its model.
    decisions : list of Judged
        The gate's decisions after the first.
    """

    months: list[Month]
    swaps: dict[str, int]
    decisions: list[Judged]

    def mean(self, arm: str) -> float:
        """Return the mean AUC of an arm over the months."""
        return float(np.mean([month.auc[arm].estimate for month in self.months]))

    def as_json(self) -> dict[str, JSON]:
        """Return the scoreboard for machines."""
        return {
            "mean_auc": {arm: self.mean(arm) for arm in ARMS},
            "swaps": dict(self.swaps),
            "months": [
                {
                    "start": month.start.isoformat(),
                    "live": month.live,
                    "auc": {arm: month.auc[arm].as_json() for arm in ARMS},
                    "over_never": month.over_never.as_json(),
                    "over_always": month.over_always.as_json(),
                }
                for month in self.months
            ],
            "decisions": [
                {
                    "version": one.version,
                    "reference": one.reference,
                    "gate": one.outcome,
                    "next_30_days": one.next.as_json(),
                    "verdict": one.verdict,
                }
                for one in self.decisions
            ],
        }

    def lines(self) -> list[str]:
        """Return the scoreboard in words."""
        rows = [
            (
                f"{month.start:%Y-%m-%d}",
                *(_short(month.auc[arm]) for arm in ARMS),
                month.live.rpartition("@")[2],
                _won(month.over_never),
                _won(month.over_always),
            )
            for month in self.months
        ]
        rows.append(("mean", *(f"{self.mean(arm):.3f}" for arm in ARMS), "", "", ""))
        rows.append(("swaps", *(str(self.swaps[arm]) for arm in ARMS), "", "", ""))
        headers = ("from", "never retrain", "always retrain", "undrift", "live", "- never", "- always")
        decided = [
            (one.version, one.outcome.replace("_", " "), _short(one.next, sign=True), one.verdict)
            for one in self.decisions
        ]
        judged = table(("decision on", "gate", "next 30 days", "so it was"), decided)
        return [*table(headers, rows).splitlines(), "", *judged.splitlines()]


def scoreboard(project: Project) -> Scoreboard:
    """Return the comparison for the story that a project has lived through."""
    versions = {one.ref: one for one in project.registry.versions(MODEL)}
    live = _live(project)
    first = versions[live[0][1]]
    months = [_month(project, start, first, versions[_at(live, start)]) for start in MONTHS]
    decisions = [_judged(project, one, versions) for one in versions.values() if one.number > 1 and one.gate]
    swaps = {"never": 0, "always": len(MONTHS), "undrift": len(live) - 1}
    return Scoreboard(months, swaps, [one for one in decisions if one is not None])


def _month(project: Project, start: datetime, first: ModelVersion, live: ModelVersion) -> Month:
    rows = flights.asked(flights.load(), start, start + AHEAD)
    target = _target(rows)
    y, units = target.codes(rows), _days(rows)
    scores = {
        "never": _answers(project, first, rows, target),
        "always": _refitted(project, start, rows, target),
        "undrift": _answers(project, live, rows, target),
    }
    auc = {arm: metric_interval("auc", y, scores[arm], units, level=LEVEL, unit_name="day") for arm in ARMS}
    over = {
        arm: paired_difference("auc", y, scores["undrift"], scores[arm], units, level=LEVEL, unit_name="day")
        for arm in ("never", "always")
    }
    return Month(start, auc, over["never"], over["always"], live.ref)


def _refitted(project: Project, start: datetime, rows: pl.DataFrame, target: Target) -> Scores:
    """Return what a model says that is fitted anew on the sixty days before, gate or no gate."""
    known = flights.load().filter((pl.col(flights.EVENT_TIME) >= start - MEMORY) & (pl.col(flights.LABEL_TIME) < start))
    features = _features(project, known)
    fitted = fit("linear", known, features, target)
    return np.asarray(fitted.scores(rows, features, target), dtype=np.float64)


def _judged(project: Project, version: ModelVersion, versions: dict[str, ModelVersion]) -> Judged | None:
    gate: Any = version.gate  # Any: the stored report
    reference = versions.get(gate["reference"]["name"])
    rows = flights.asked(flights.load(), version.created_at, version.created_at + AHEAD)
    if reference is None or rows[flights.EVENT_TIME].dt.date().n_unique() < AHEAD.days // 2:
        return None
    target = _target(rows)
    challenger, champion = (_answers(project, one, rows, target) for one in (version, reference))
    found = paired_difference(
        "auc", target.codes(rows), challenger, champion, _days(rows), level=LEVEL, unit_name="day"
    )
    outcome = str(gate["decision"]["outcome"])
    return Judged(version.ref, reference.ref, outcome, found, _verdict(outcome, found))


def _verdict(outcome: str, found: Interval) -> str:
    if found.low <= 0 <= found.high:
        return "cannot tell"
    was_better = found.low > 0
    return "right" if was_better == (outcome == "pass") else "wrong"


def _answers(project: Project, version: ModelVersion, rows: pl.DataFrame, target: Target) -> Scores:
    package = project.registry.open(version)
    return np.asarray(target.scores(in_order(scored(package, rows), package.manifest, target)), dtype=np.float64)


def _live(project: Project) -> list[tuple[datetime, str]]:
    """Return since when which version was live, oldest first; a canary that was rolled back never was."""
    events = project.ledger.events(f"model:{MODEL}", ["model.went-live"], versions_too=True)
    return [(event.at, event.subject) for event in events]


def _at(live: Sequence[tuple[datetime, str]], moment: datetime) -> str:
    return [version for since, version in live if since <= moment][-1]


def _target(rows: pl.DataFrame) -> Target:
    return read_target(rows, flights.TARGET, positive=True)


def _features(project: Project, rows: pl.DataFrame) -> Features:
    settings = project.settings.model(MODEL)
    return features_of(rows, settings, _target(rows))


def _days(rows: pl.DataFrame) -> npt.NDArray[Any]:
    return rows[flights.EVENT_TIME].dt.date().cast(pl.String).to_numpy()


def _short(found: Interval, *, sign: bool = False) -> str:
    shown = "+.3f" if sign else ".3f"
    return f"{found.estimate:{shown}} [{found.low:{shown}} {found.high:{shown}}]"


def _won(found: Interval) -> str:
    """Say by how much undrift was better, and whether that is more than its interval."""
    word = "" if found.low <= 0 <= found.high else " won" if found.low > 0 else " LOST"
    return f"{found.estimate:+.3f}{word}"
