"""Everything that was found in one window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from undrift.core.json import JSON
from undrift.monitoring.drift import DriftFound, input_drift, prediction_drift
from undrift.monitoring.incident import Finding
from undrift.monitoring.performance import Performance, Promise, measure
from undrift.monitoring.quality import ShareCheck, check_shares, errors_decision, quality_decision
from undrift.monitoring.spans import Span
from undrift.monitoring.traffic import Traffic
from undrift.monitoring.watched import Watched

FORMAT = "undrift.window/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowReport:
    """What one window showed.

    Attributes
    ----------
    span : Span
        Its place in event time.
    requests, answered : int
        All requests, and those that got an answer.
    late_before : int
        Rows of the window before which came after it was closed; they are in none of its numbers.
    drift, answers : DriftFound
        Of the inputs, and of the answers.
    shares : sequence of ShareCheck
        Nulls and unseen categories by column.
    performance : Performance
        As far as labels are there.
    findings : sequence of Finding
        What each rule said; performance is among them only when its labels are in.
    """

    span: Span
    requests: int
    answered: int
    late_before: int
    drift: DriftFound
    answers: DriftFound
    shares: Sequence[ShareCheck]
    performance: Performance
    findings: Sequence[Finding]

    def summary(self) -> dict[str, JSON]:
        """Return what the event keeps: the decisions, without the lists by column."""
        return {
            "number": self.span.number,
            "start": self.span.start.isoformat(),
            "end": self.span.end.isoformat(),
            "requests": self.requests,
            "answered": self.answered,
            "late_before": self.late_before,
            "labelled": self.performance.labelled,
            "decisions": {finding.kind: finding.decision.as_json() for finding in self.findings},
            "performance": self.performance.decision.reason,
        }

    def as_json(self) -> dict[str, JSON]:
        """Return what the window's row keeps."""
        return {
            "format": FORMAT,
            **self.summary(),
            "columns": [*self.drift.columns, *self.answers.columns],
            "shares": [check.as_json() for check in self.shares],
            "performance": self.performance.as_json(),
        }


def examine(
    watched: Watched, requests: Traffic, span: Span, *, late_before: int = 0, first: Traffic | None = None
) -> WindowReport:
    """Return what the requests of a window show; nothing is written.

    Parameters
    ----------
    watched : Watched
        The endpoint and what its package says of normal traffic.
    requests : Traffic
        The requests of the window.
    span : Span
        Its beginning and end.
    late_before : int
        How many requests came too late for their window before.
    first : Traffic, optional
        The answered requests of the version's first window, when this is a later one.
    """
    answered = requests.answered()
    rules = watched.rules
    drift = input_drift(watched.version, answered, first, rules.alpha)
    answers = prediction_drift(watched.version, answered, first, rules.alpha)
    shares = check_shares(watched.version.sketch, answered, rules)
    performance = measure(answered, Promise(watched.metric, watched.gate, rules))
    findings = [
        Finding("drift", drift.decision),
        Finding("prediction-drift", answers.decision),
        Finding("quality", quality_decision(shares, answered, rules)),
        Finding("errors", errors_decision(requests, rules)),
    ]
    if performance.is_final:
        findings.append(Finding("performance", performance.decision))
    return WindowReport(
        span=span,
        requests=requests.rows,
        answered=answered.rows,
        late_before=late_before,
        drift=drift,
        answers=answers,
        shares=shares,
        performance=performance,
        findings=findings,
    )
