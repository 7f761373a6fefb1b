"""The gate: has the challenger been shown to be better, on rows that neither model has seen.

``d = metric(challenger) - metric(reference)`` on the same rows, turned so that positive says
better. The one-sided bounds at ``alpha`` come from :func:`undrift.stats.intervals.paired_difference`
over units (whole days where rows have a time): *pass* when the lower bound is above the
margin, *fail* when the upper bound is at or under it, else *cannot tell*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from undrift.core.decision import Decision, Outcome
from undrift.core.json import JSON
from undrift.evaluation.errors import LeakyGate
from undrift.evaluation.metrics import reported, value_of
from undrift.evaluation.rows import Ids, Span, Units
from undrift.evaluation.target import Task
from undrift.stats.intervals import Interval, TooFewUnits, paired_difference
from undrift.stats.metrics import Metric, UndefinedMetric

FORMAT = "undrift.gate/1"
Array = npt.NDArray[Any]  # Any: scores are (n,) or (n, k)
FEWEST_MINORITY_ROWS = 50
"""Of two classes: what ranks or finds the rarer one rests on its rows alone, however many the others are."""
FEWEST_OTHER_ROWS = 20
"""Of several classes: the log loss is a mean over all rows, so asked is that the commonest class is not all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One of the two models at the gate.

    Attributes
    ----------
    name : str
        A reference such as ``model:delay@3``, ``challenger``, or ``baseline: base rate``.
    scores : array
        Its scores on the holdout.
    fit_ids : uint64 array or None
        Ids of the rows it was fitted on; None where that is not known (an imported model) or
        it has none.
    fit_span : Span or None
        When those rows happened.
    package : str
        Digest of what was judged; empty for a baseline.
    judged_ids : uint64 array or None
        Ids of the rows on which it passed its own gate: not a leak, but said.
    """

    name: str
    scores: Array
    fit_ids: Ids | None = None
    fit_span: Span | None = None
    package: str = ""
    judged_ids: Ids | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdout:
    """The rows both models are judged on.

    Attributes
    ----------
    y : array
        Labels as metrics take them.
    ids, units : arrays
        Row ids and unit codes.
    unit_name : str
        What a unit is, in words.
    digest : str
        Table digest of the rows.
    span : Span or None
        When they happened.
    """

    y: Array
    ids: Ids
    units: Units
    unit_name: str
    digest: str
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRule:
    """What the gate asks.

    Attributes
    ----------
    metric : Metric
        What is compared.
    task : str
        Kind of prediction.
    alpha : float
        One-sided probability that a challenger which is not better by the margin passes.
    margin : float
        By how much it must be better.
    seed : int
        Of what is random in the interval.
    """

    metric: Metric
    task: Task
    alpha: float = 0.05
    margin: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class GateReport:
    """The decision and everything it rests on.

    Attributes
    ----------
    decision : Decision
        Outcome, method, alpha, number of units, and the evidence.
    body : mapping
        The report as it is stored; see :meth:`as_json`.
    """

    decision: Decision
    body: dict[str, JSON]

    @property
    def outcome(self) -> Outcome:
        """``pass``, ``fail`` or ``cannot_tell``."""
        return self.decision.outcome

    def as_json(self) -> dict[str, JSON]:
        """Return the report as it is stored: format, decision, arms, holdout, difference."""
        return {"format": FORMAT, "decision": self.decision.as_json(), **self.body}


def gate(challenger: Arm, reference: Arm, holdout: Holdout, rule: GateRule) -> GateReport:
    """Return the gate's report.

    Parameters
    ----------
    challenger : Arm
        The model that would go live; it must say what it was fitted on.
    reference : Arm
        The champion, or a baseline when there is none.
    holdout : Holdout
        The rows.
    rule : GateRule
        What is asked.

    Raises
    ------
    LeakyGate
        If a row of the holdout is among those a model was fitted on, or the holdout does not
        lie after both models' training spans.
    """
    for arm in (challenger, reference):
        refuse_leaks(arm, holdout)
    difference, problem = _difference(challenger, reference, holdout, rule)
    outcome = _outcome(difference, rule.margin)
    values = [value_of(rule.metric, holdout.y, arm.scores) for arm in (challenger, reference)]
    body: dict[str, JSON] = {
        "metric": rule.metric.name,
        "greater_is_better": rule.metric.greater_is_better,
        "margin": rule.margin,
        "difference": difference.as_json() if difference else None,
        "challenger": _arm_json(challenger, holdout, rule),
        "reference": _arm_json(reference, holdout, rule),
        "holdout": _holdout_json(holdout, reference),
    }
    decision = Decision(
        question=f"is {challenger.name} better than {reference.name}"
        + (f" by more than {rule.margin:g}" if rule.margin else "")
        + f" in {rule.metric.name}?",
        outcome=outcome,
        method=f"{difference.method}, paired on the same rows" if difference else "none",
        alpha=rule.alpha,
        n=len(np.unique(holdout.units)),
        unit=holdout.unit_name,
        evidence={"difference": body["difference"], "margin": rule.margin, "rows": len(holdout.y)},
        reason=problem or f"{_words(outcome, rule)}: {_told(difference, rule, values)}",
    )
    return GateReport(decision, body)


def refuse_leaks(arm: Arm, holdout: Holdout) -> None:
    """Let a model be judged on a holdout only when it has not seen it.

    Raises
    ------
    LeakyGate
        If it has, or the holdout is not newer than what it was fitted on.
    """
    if arm.fit_ids is not None:
        shared = int(np.isin(holdout.ids, arm.fit_ids).sum())
        if shared:
            raise LeakyGate(
                f"{shared} of {len(holdout.ids)} rows of the holdout are among those {arm.name} was fitted on",
                cure="judge on rows that it has not seen",
                shared=shared,
                arm=arm.name,
            )
    if arm.fit_span and holdout.span and holdout.span.first <= arm.fit_span.last:
        raise LeakyGate(
            f"the holdout begins at {holdout.span.first}, {arm.name} was fitted on rows up to {arm.fit_span.last}",
            cure="wait until there are labelled rows after its training",
            arm=arm.name,
        )


def _difference(challenger: Arm, reference: Arm, holdout: Holdout, rule: GateRule) -> tuple[Interval | None, str]:
    """Return the interval of the paired difference, or None and why there is none."""
    problem = too_few(holdout.y, rule.task)
    if problem:
        return None, problem
    try:
        found = paired_difference(
            rule.metric,
            holdout.y,
            challenger.scores,
            reference.scores,
            holdout.units,
            level=1 - 2 * rule.alpha,
            seed=rule.seed,
            unit_name=holdout.unit_name,
        )
    except (TooFewUnits, UndefinedMetric) as error:
        return None, error.message
    return found, ""


def too_few(y: Array, task: Task) -> str:
    """Return why too few rows are outside of the commonest class for a decision, nothing where there are enough."""
    if task == "regression":
        return ""
    others = len(y) - int(np.unique(y, return_counts=True)[1].max()) if len(y) else 0
    if task == "binary" and others < FEWEST_MINORITY_ROWS:
        return f"the rarer class has {others} rows in the holdout, {FEWEST_MINORITY_ROWS} are needed"
    if task == "multiclass" and others < FEWEST_OTHER_ROWS:
        return f"{others} rows of the holdout are not of its commonest class, {FEWEST_OTHER_ROWS} are needed"
    return ""


def _outcome(difference: Interval | None, margin: float) -> Outcome:
    if difference is None:
        return "cannot_tell"
    if difference.low > margin:
        return "pass"
    return "fail" if difference.high <= margin else "cannot_tell"


def _words(outcome: Outcome, rule: GateRule) -> str:
    if outcome == "pass":
        return "the challenger is better"
    if outcome == "cannot_tell":
        return "the data do not show that the challenger is better"
    return "the challenger is not better" if rule.margin == 0 else "the challenger is not better by the margin"


def _told(difference: Interval | None, rule: GateRule, values: Sequence[float | None]) -> str:
    """Return what both models reach and the difference, where plus is better: of a loss less is better."""
    assert difference is not None
    challenger, reference = (f"{value:.4g}" for value in values if value is not None)
    side = "more" if rule.metric.greater_is_better else "less"
    by = "better" if difference.estimate > 0 else "worse"
    change = f"{by} by {abs(difference.estimate):.4g}" if difference.estimate else "no difference"
    return (
        f"{rule.metric.name} {challenger} against {reference}, {side} is better; {change} "
        f"({difference.low:+.4g} to {difference.high:+.4g}, plus is better) over {difference.units} {difference.unit}s"
    )


def _arm_json(arm: Arm, holdout: Holdout, rule: GateRule) -> dict[str, JSON]:
    metrics = reported(rule.task, holdout.y, arm.scores, holdout.units, holdout.unit_name, also=rule.metric.name)
    return {
        "name": arm.name,
        "package": arm.package,
        "value": value_of(rule.metric, holdout.y, arm.scores),
        "metrics": {name: interval.as_json() for name, interval in metrics.items()},
        "fit_rows": len(arm.fit_ids) if arm.fit_ids is not None else None,
        "fit_span": arm.fit_span.as_json() if arm.fit_span else None,
    }


def _holdout_json(holdout: Holdout, reference: Arm) -> dict[str, JSON]:
    body: dict[str, JSON] = {
        "digest": holdout.digest,
        "rows": len(holdout.y),
        "units": len(np.unique(holdout.units)),
        "unit": holdout.unit_name,
        "span": holdout.span.as_json() if holdout.span else None,
    }
    if reference.judged_ids is not None:
        body["rows_of_the_references_own_gate"] = int(np.isin(holdout.ids, reference.judged_ids).sum())
    return body
