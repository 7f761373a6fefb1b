"""A new version against those before it: row count, freshness, missing shares, distributions, new values, schema.

The error probability holds for all metrics of a version together: half of it is shared by those of the table (row
count, freshness, metrics from outside), half by those of the columns, in equal parts (Bonferroni 1936).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from undrift.core.json import JSON
from undrift.data.anomalies.distance import distances, new_values
from undrift.data.anomalies.measurement import Measurement
from undrift.data.anomalies.series import (
    DISTANCE,
    HOURS,
    MOST,
    NEW_VALUES,
    ROWS,
    SHARE,
    Past,
    Scale,
    judge,
    plain_scale,
    within,
)
from undrift.data.anomalies.verdict import Outcome, Verdict
from undrift.data.schema import compare

ALPHA = 0.01
_SHOWN_VALUES = 5


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is said of a version.

    Attributes
    ----------
    version : str
        Its reference, or what it would be.
    verdicts : tuple of Verdict
        Anomalies first, then what has too little history, then the rest.
    alpha : float
        Probability that a version like all others is said to have an anomaly.
    """

    version: str
    verdicts: tuple[Verdict, ...]
    alpha: float

    @property
    def anomalies(self) -> tuple[Verdict, ...]:
        """What is out of the ordinary."""
        return tuple(one for one in self.verdicts if one.is_anomaly)

    @property
    def outcome(self) -> str:
        """The gravest verdict; not enough history only where nothing could be judged."""
        if self.anomalies:
            return "anomaly"
        judged = any(one.outcome == "normal" and one.metric != "schema" for one in self.verdicts)
        return "normal" if judged else "not enough history"

    def as_json(self) -> dict[str, JSON]:
        """Return the judgement for machines."""
        return {
            "version": self.version,
            "outcome": self.outcome,
            "alpha": self.alpha,
            "verdicts": [one.as_json() for one in self.verdicts],
        }


@dataclass(frozen=True, slots=True)
class _Asked:
    """One metric that is to be judged."""

    metric: str
    value: float
    past: Past
    scale: Scale
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Fed:
    """A metric that was fed from outside.

    Attributes
    ----------
    value : float
        Of the new version.
    past : Past
        Of those before it.
    """

    value: float
    past: Past


def judge_version(
    history: Sequence[Measurement],
    new: Measurement,
    *,
    version: str = "",
    alpha: float = ALPHA,
    fed: Mapping[str, Fed] | None = None,
) -> Judgement:
    """Return how a new version stands against those before it.

    Parameters
    ----------
    history : sequence of Measurement
        Of past versions of the same kind, the oldest first; the newest 120 count.
    new : Measurement
        The new one.
    version : str
        Its reference.
    alpha : float
        Probability that a version like all others is said to have an anomaly, over all its metrics, in (0, 1).
    fed : mapping of str to Fed, optional
        Metrics from outside by name.
    """
    history = list(history)[-MOST:]
    table = [*_of_table(history, new), *(_fed(name, one) for name, one in (fed or {}).items())]
    columns = [one for name in new.columns for one in _of_column(history, new, name)]
    verdicts = [_schema(history, new)] if history else []
    for group in (table, columns):
        verdicts += [
            replace(judge(one.metric, one.value, one.past, one.scale, alpha / 2 / len(group)), detail=one.detail)
            for one in group
        ]
    order = ("anomaly", "not enough history", "normal")
    return Judgement(version, tuple(sorted(verdicts, key=lambda one: order.index(one.outcome))), alpha)


def _of_table(history: list[Measurement], new: Measurement) -> Iterator[_Asked]:
    at = [one.at for one in history]
    yield _Asked("rows", new.rows, Past([one.rows for one in history], at, new.at), ROWS)
    if history:
        gaps = [_hours(before, after) for before, after in pairwise(history)]
        yield _Asked("hours since the last version", _hours(history[-1], new), Past(gaps, at[1:], new.at), HOURS)
    column = _freshest(history, new)
    if column is not None:
        held = [(one.ages_h()[column], one.at) for one in history if column in one.ages_h()]
        past = Past([max(age, 0.0) for age, _ in held], [moment for _, moment in held], new.at)
        yield _Asked(f"age of the newest {column} in hours", max(new.ages_h()[column], 0.0), past, HOURS)


def _hours(before: Measurement, after: Measurement) -> float:
    return max((after.at - before.at).total_seconds() / 3600, 0.0)


def _freshest(history: list[Measurement], new: Measurement) -> str | None:
    """Return the column of moments whose newest one used to lie nearest to the addition."""
    usual = {
        name: abs(float(np.median([one.ages_h()[name] for one in history if name in one.ages_h()] or [math.inf])))
        for name in new.ages_h()
    }
    known = {name: age for name, age in usual.items() if math.isfinite(age)}
    return min(known, key=lambda name: (known[name], name)) if known else None


def _of_column(history: list[Measurement], new: Measurement, name: str) -> Iterator[_Asked]:
    told = [one for one in history if name in one.columns and one.columns[name].type == new.columns[name].type]
    if not new.rows:
        return
    at = [one.at for one in told]
    shares = [one.columns[name].missing / max(one.rows, 1) for one in told]
    scale = replace(SHARE, floor=within(max(0.02, 2 / math.sqrt(new.rows))))
    yield _Asked(f"missing {name}", new.columns[name].missing / new.rows, Past(shares, at, new.at), scale)
    found = distances(told, new, name)
    if found is not None:
        past, distance, noise = found
        yield _Asked(f"distribution {name}", distance, Past(past, at[len(at) - len(past) :], new.at), _apart(noise))
    if new.columns[name].values:
        yield _new_values(told, new, name)


def _apart(noise: float) -> Scale:
    """Return the scale of distances, on which what chance makes of so few rows is nothing."""
    assert DISTANCE.loose is not None
    floor, loose = DISTANCE.floor, DISTANCE.loose
    return replace(
        DISTANCE,
        floor=lambda middle: (0.0, max(floor(middle)[1], noise)),
        loose=lambda middle: (0.0, max(loose(middle)[1], noise)),
    )


def _new_values(told: list[Measurement], new: Measurement, name: str) -> _Asked:
    past, share, values = new_values(told, new, name)
    scale = replace(NEW_VALUES, floor=within(max(0.01, 3 / new.rows)))
    more = f" and {len(values) - _SHOWN_VALUES} more" if len(values) > _SHOWN_VALUES else ""
    detail = f"never seen before: {', '.join(map(repr, values[:_SHOWN_VALUES]))}{more}" if values and told else ""
    at = [one.at for one in told if one.columns[name].values]
    return _Asked(f"new values {name}", share, Past(past, at[len(at) - len(past) :], new.at), scale, detail)


def _fed(name: str, one: Fed) -> _Asked:
    return _Asked(name, one.value, one.past, plain_scale(one.past.values))


def _schema(history: list[Measurement], new: Measurement) -> Verdict:
    """Return whether columns and types are those of the version before."""
    became = compare(_types(history[-1]), _types(new))
    told = [f"{name} is gone" for name in became.removed]
    told += [f"{name} is new" for name in became.added]
    told += [f"{name} was {was} and is {now}" for name, was, now in became.retyped]
    outcome: Outcome = "anomaly" if told else "normal"
    return Verdict("schema", outcome, None, None, None, "equal to the version before", 1, "; ".join(told))


def _types(measured: Measurement) -> dict[str, str]:
    return {name: column.type for name, column in measured.columns.items()}
