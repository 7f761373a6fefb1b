from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from undrift.evaluation.errors import LeakyGate
from undrift.evaluation.gate import Arm, GateReport, GateRule, Holdout, gate
from undrift.evaluation.metrics import chosen_metric
from undrift.evaluation.rows import Span
from undrift.evaluation.target import Task
from unit.evaluation.training_tables import START

_RULE = GateRule(metric=chosen_metric(None, "binary"), task="binary")
_PAST = Span(START, START + timedelta(days=30))


def world(skill: float, seed: int = 0, days: int = 14) -> tuple[Arm, Arm, Holdout]:
    """Return a challenger with so much more skill than its champion, on whole days."""
    rng = np.random.default_rng(seed)
    y = (rng.random(days * 80) < 0.3).astype(float)
    old = y + rng.normal(scale=1.5, size=len(y))
    new = (1 + skill) * y + rng.normal(scale=1.5, size=len(y))
    holdout = Holdout(
        y=y,
        ids=np.arange(1000, 1000 + len(y), dtype=np.uint64),
        units=np.repeat(np.arange(days), 80),
        unit_name="day",
        digest="b3:" + "0" * 64,
        span=Span(START + timedelta(days=31), START + timedelta(days=31 + days)),
    )
    fitted = np.arange(1000, dtype=np.uint64)
    challenger = Arm(name="challenger", scores=new, fit_ids=fitted, fit_span=_PAST)
    return challenger, Arm(name="model:delay@1", scores=old, fit_ids=fitted, fit_span=_PAST), holdout


def judged(skill: float, seed: int = 0, **rule: Any) -> GateReport:
    rule_ = GateRule(metric=_RULE.metric, task="binary", **rule)
    return gate(*world(skill, seed), rule_)


@pytest.mark.parametrize(("skill", "outcome"), [(1.0, "pass"), (-0.9, "fail"), (0.0, "cannot_tell")])
def test_the_gate_passes_fails_or_cannot_tell(skill: float, outcome: str) -> None:
    """Better is shown, worse is shown, or the data show neither."""
    assert judged(skill).outcome == outcome


def test_a_margin_must_be_cleared_by_the_lower_bound() -> None:
    """A challenger that is better by less than the margin does not pass."""
    assert judged(0.5).outcome == "pass"
    assert judged(0.5, margin=0.2).outcome != "pass"


def test_a_row_learnt_from_in_the_holdout_is_an_error() -> None:
    """One shared row of either model is enough."""
    challenger, champion, holdout = world(0.5)
    for arm in (challenger, champion):
        leaky = Arm(name=arm.name, scores=arm.scores, fit_ids=np.append(arm.fit_ids, np.uint64(1003)))  # type: ignore[arg-type]
        other = champion if arm is challenger else challenger
        with pytest.raises(LeakyGate, match="1 of"):
            gate(leaky, other, holdout, _RULE)


def test_a_holdout_that_is_not_newer_than_a_training_is_an_error() -> None:
    """Both spans must end before the holdout begins."""
    challenger, champion, holdout = world(0.5)
    late = Arm(name="model:delay@1", scores=champion.scores, fit_span=Span(START, START + timedelta(days=40)))
    with pytest.raises(LeakyGate, match="up to"):
        gate(challenger, late, holdout, _RULE)


def test_few_units_are_cannot_tell() -> None:
    """Seven days are too few, however many rows they hold."""
    assert gate(*world(1.0, days=7), _RULE).outcome == "cannot_tell"


def of_classes(counts: list[int], task: Task) -> GateReport:
    """Return a near perfect challenger's gate against the base rate, with so many rows of each class."""
    y = np.repeat(np.arange(len(counts)), counts).astype(float)
    shares = np.array(counts) / sum(counts)
    sure = 0.9 * np.eye(len(counts))[y.astype(int)] + 0.1 * shares
    scores, base = (
        (sure, np.tile(shares, (len(y), 1))) if task == "multiclass" else (sure[:, 1], np.full(len(y), shares[1]))
    )
    rows = np.arange(len(y))
    holdout = Holdout(y=y, ids=rows.astype(np.uint64), units=rows, unit_name="row", digest="b3:" + "0" * 64)
    rule = GateRule(metric=chosen_metric(None, task), task=task)
    return gate(Arm(name="challenger", scores=scores), Arm(name="baseline: base rate", scores=base), holdout, rule)


@pytest.mark.parametrize(
    ("counts", "task", "outcome"),
    [
        ([500, 49], "binary", "cannot_tell"),
        ([500, 50], "binary", "pass"),
        ([18, 15, 12], "multiclass", "pass"),
        ([200, 10, 9], "multiclass", "cannot_tell"),
        ([3] * 20, "multiclass", "pass"),
    ],
)
def test_few_rows_outside_of_the_commonest_class_are_cannot_tell(counts: list[int], task: Task, outcome: str) -> None:
    """50 rows of the rarer of two classes, 20 outside of the commonest of several, however good the model looks."""
    found = of_classes(counts, task)
    assert found.outcome == outcome
    assert ("are needed" in found.decision.reason) == (outcome == "cannot_tell")


def test_the_reason_says_better_or_worse_with_what_both_reach() -> None:
    """A loss that falls is better, one that rises worse, and the same scores are no difference."""
    found = of_classes([18, 15, 12], "multiclass").decision.reason
    assert re.search(r"is better: multiclass_log_loss 0\.0\d+ against 1\.08\d, less is better; better by 1\.0\d", found)
    challenger, champion, holdout = world(1.0)
    worse = gate(replace(champion, name="a"), replace(challenger, name="b"), holdout, _RULE).decision.reason
    assert re.search(r"not better: auc 0\.\d+ against 0\.\d+, more is better; worse by 0\.\d+ \(-0", worse)
    assert "no difference" in gate(challenger, replace(challenger, name="b"), holdout, _RULE).decision.reason


def test_the_report_holds_both_arms_the_holdout_and_the_method() -> None:
    """What a person needs to check the decision is in it, and it is JSON without rows."""
    body: Any = judged(1.0).as_json()
    assert body["holdout"]["rows"] == 14 * 80
    assert body["holdout"]["units"] == 14
    assert body["challenger"]["fit_span"] == body["reference"]["fit_span"] == _PAST.as_json()
    assert {"auc", "log_loss"} <= body["reference"]["metrics"].keys()
    assert body["decision"]["alpha"] == 0.05
    assert body["decision"]["unit"] == "day"


@pytest.mark.slow
@pytest.mark.parametrize(("alpha", "most"), [(0.05, 73), (0.01, 21)])
def test_a_challenger_that_is_no_better_passes_at_most_alpha_of_the_time(alpha: float, most: int) -> None:
    """1,000 null worlds with effects of days; the bound is the 99.9 % binomial one."""
    passed = 0
    for seed in range(1000):
        challenger, champion, holdout = world(0.0, seed)
        rng = np.random.default_rng(10_000 + seed)
        swing = rng.normal(scale=0.8, size=14)[holdout.units]  # each arm has days that suit it
        moved = Arm(name="challenger", scores=challenger.scores + holdout.y * swing)
        rule = GateRule(metric=_RULE.metric, task="binary", alpha=alpha)
        passed += gate(moved, champion, holdout, rule).outcome == "pass"
    assert passed <= most
