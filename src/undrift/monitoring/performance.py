"""How good the served answers were, once it is known what was true."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from undrift.core.decision import Decision, Outcome
from undrift.core.json import JSON
from undrift.monitoring.traffic import Traffic
from undrift.monitoring.watched import Rules
from undrift.stats.intervals import Interval, TooFewUnits, metric_interval
from undrift.stats.metrics import UndefinedMetric, metric_of

_FEWEST_DAYS = 20


@dataclass(frozen=True, slots=True)
class Performance:
    """The metric of one window.

    Attributes
    ----------
    metric : str
        Its name; empty when performance is not watched.
    labelled, answered : int
        Rows with a label, and all answered rows.
    interval : Interval or None
        The metric with its interval over units; None when it cannot be told.
    decision : Decision
        Whether the model still does what the gate saw.
    """

    metric: str
    labelled: int
    answered: int
    interval: Interval | None
    decision: Decision

    @property
    def is_final(self) -> bool:
        """Whether there is nothing to wait for."""
        return not self.metric or not self.answered or self.interval is not None

    @property
    def coverage(self) -> float:
        """Share of the answered rows that have a label."""
        return self.labelled / self.answered if self.answered else 0.0

    def as_json(self) -> dict[str, JSON]:
        """Return what the window's row and events keep."""
        return {
            "metric": self.metric,
            "labelled": self.labelled,
            "answered": self.answered,
            "coverage": self.coverage,
            "interval": self.interval.as_json() if self.interval else None,
            "decision": self.decision.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Promise:
    """What the gate measured, and what may be lost of it: metric, the gate's interval, the rules."""

    metric: str | None
    gate: Interval | None
    rules: Rules


def measure(answered: Traffic, promise: Promise) -> Performance:
    """Return the performance of a window, as far as its labels allow.

    Notes
    -----
    Whole days vary where the window has at least 20 of them, else rows.
    """
    known = answered.labelled()
    undecided = _decision(promise, known.rows, "cannot_tell", "")
    blank = Performance(promise.metric or "", known.rows, answered.rows, None, undecided)
    why_not = _why_not(blank, promise)
    if why_not:
        return _with_reason(blank, why_not)
    by_day = len(set(known.days)) >= _FEWEST_DAYS
    try:
        found = metric_interval(
            blank.metric,
            known.truth(),
            known.judged_scores(),
            np.array(known.days) if by_day else None,
            level=1 - 2 * promise.rules.alpha,
            unit_name="day" if by_day else "row",
        )
    except (TooFewUnits, UndefinedMetric) as error:
        return _with_reason(blank, error.message)
    outcome, reason = _judge(found, promise)
    return replace(blank, interval=found, decision=_decision(promise, found.units, outcome, reason, found))


def _why_not(found: Performance, promise: Promise) -> str:
    if not found.metric:
        return "no metric is watched"
    if not found.answered:
        return "no rows"
    if not found.labelled:
        return "no labels yet"
    if found.coverage < promise.rules.label_coverage:
        needed = promise.rules.label_coverage
        return f"labels for {found.coverage:.0%} of {found.answered} rows so far, {needed:.0%} are needed"
    return ""


def _judge(found: Interval, promise: Promise) -> tuple[Outcome, str]:
    """Return whether the window is worse than the gate by more than is accepted.

    With a stated drop the window's whole interval must lie beyond gate - drop; without one it
    must lie beyond the gate's whole interval (two intervals that do not touch: conservative).
    """
    if promise.gate is None:
        return "cannot_tell", "the gate's value is not known"
    sign = 1.0 if metric_of(promise.metric or "").greater_is_better else -1.0
    window_best = max(sign * found.low, sign * found.high)
    gate_worst = min(sign * promise.gate.low, sign * promise.gate.high)
    drop = promise.rules.performance_drop
    bound = gate_worst if drop is None else sign * promise.gate.estimate - drop
    shown = (
        f"{promise.metric} {found.estimate:.4f} [{found.low:.4f}, {found.high:.4f}], gate {promise.gate.estimate:.4f}"
    )
    return ("fail" if window_best < bound else "pass"), shown


def _with_reason(found: Performance, reason: str) -> Performance:
    return replace(found, decision=replace(found.decision, reason=reason))


def _decision(promise: Promise, n: int, outcome: Outcome, reason: str, found: Interval | None = None) -> Decision:
    evidence: dict[str, JSON] = {
        "metric": promise.metric,
        "window": found.as_json() if found else None,
        "gate": promise.gate.as_json() if promise.gate else None,
        "accepted_drop": promise.rules.performance_drop,
    }
    return Decision(
        question="answers are as good as the gate saw",
        outcome=outcome,
        method=f"{found.method} interval against the gate's" if found else "",
        alpha=promise.rules.alpha,
        n=n,
        unit=found.unit if found else "row",
        evidence=evidence,
        reason=reason,
    )
