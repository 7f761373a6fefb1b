"""What the judge makes of the records, in whatever order and however often it reads them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta

import pytest

from undrift.core.clock import to_us
from undrift.endpoints.judge import Judge
from undrift.endpoints.plan import RolloutPlan
from undrift.endpoints.rollout import Rollout
from undrift.endpoints.service import Cause
from undrift.endpoints.state import EndpointState
from undrift.endpoints.verdict import Verdict
from undrift.segments.records import PredictionRecord

from .conftest import Project
from .traffic import Traffic

BRIER = RolloutPlan(loss="brier", classes=(0, 1), labels="required", min_requests=20)
NO_LABELS = RolloutPlan(labels="none", min_requests=20)


@pytest.fixture
def traffic(project: Project) -> Iterator[Traffic]:
    made = Traffic(project)
    yield made
    made.close()


def running(project: Project) -> Rollout:
    found = project.endpoints.running("delay")
    assert found is not None
    return found


def judge_of(project: Project) -> Judge:
    return Judge(project.rooms, running(project))


def verdict(project: Project, traffic: Traffic, judge: Judge | None = None) -> Verdict | None:
    """Return the verdict on everything that was logged."""
    rollout = running(project)
    return (judge or judge_of(project)).verdict(rollout, traffic.now_us + 10_000_000, to_us(project.business.now()))


def to_last_step(project: Project) -> EndpointState:
    return project.change(lambda change: project.endpoints.advance(change, "delay", Cause("a test")))


def failing(is_canary: bool) -> dict[str, object]:
    return {"status": 500, "scores": [], "prediction": None, "error": "boom"} if is_canary else {}


def slow(is_canary: bool) -> dict[str, object]:
    return {"latency_us": 900_000 if is_canary else 900}


def test_a_failing_canary_goes_back(project: Project, traffic: Traffic) -> None:
    """A handful of failures that all fall on 5 % of the traffic are enough."""
    state = project.canary(NO_LABELS)
    traffic.run(state, 400, failing)
    found = verdict(project, traffic)
    assert found is not None
    assert found.move == "roll_back"
    assert "errors" in found.reason


def test_errors_of_both_arms_are_nobodys_fault(project: Project, traffic: Traffic) -> None:
    """An outage takes its share of either arm."""
    state = project.canary(NO_LABELS)
    traffic.run(state, 600, lambda _: failing(True))
    assert verdict(project, traffic) is None


def test_rows_that_only_the_canarys_schema_refuses_are_errors(project: Project, traffic: Traffic) -> None:
    """Its callers send what stable takes."""
    state = project.canary(NO_LABELS)
    traffic.run(state, 400, lambda is_canary: {"status": 422, "row": None} if is_canary else {})
    found = verdict(project, traffic)
    assert found is not None
    assert found.move == "roll_back"


def test_requests_that_nobody_could_answer_are_left_out(project: Project, traffic: Traffic) -> None:
    """A body that is no JSON says nothing about a version."""
    state = project.canary(NO_LABELS)
    traffic.run(state, 400, lambda is_canary: {"status": 400, "row": None} if is_canary else {})
    judge = judge_of(project)
    assert verdict(project, traffic, judge) is None
    assert judge.evidence.arms[True].units == 0


def test_a_slow_canary_goes_back(project: Project, traffic: Traffic) -> None:
    """Slow is three times what stable took when the rollout began, and at least 50 ms."""
    state = project.canary(NO_LABELS)
    traffic.run(state, 700, slow)
    found = verdict(project, traffic)
    assert found is not None
    assert "slow" in found.reason


def test_one_key_is_one_unit_however_often_it_asks(project: Project, traffic: Traffic) -> None:
    """A single caller whose every request fails is one error."""
    state = project.canary(NO_LABELS)
    traffic.run(state, 400)
    key = next(record.key for record in traffic.asked if record.variant == "canary")
    for _ in range(300):
        traffic.ask(state, key, **failing(True))
    judge = judge_of(project)
    assert verdict(project, traffic, judge) is None or judge.evidence.rollback().outcome != "fail"
    assert judge.evidence.arms[True].failed == 1


def test_a_good_canary_advances_after_its_minimum(project: Project, traffic: Traffic) -> None:
    """Not before the canary has had its 20 units in this step."""
    state = project.canary(NO_LABELS)
    traffic.run(state, 100)
    assert verdict(project, traffic) is None
    traffic.run(state, 500)
    found = verdict(project, traffic)
    assert found is not None
    assert found.move == "advance"


def test_promotion_is_a_claim_and_waits_for_its_evidence(project: Project, traffic: Traffic) -> None:
    """At the last step a difference of two percent in errors must be excluded."""
    project.canary(NO_LABELS)
    state = to_last_step(project)
    traffic.run(state, 200)
    assert verdict(project, traffic) is None
    traffic.run(state, 1500)
    found = verdict(project, traffic)
    assert found is not None
    assert (found.move, found.decision.outcome) == ("promote", "pass")


def test_without_labels_quality_is_not_promoted_when_they_are_required(project: Project, traffic: Traffic) -> None:
    """Errors and latency say nothing about being right."""
    project.canary(BRIER)
    traffic.run(to_last_step(project), 1500)
    assert verdict(project, traffic) is None


def label_all(traffic: Traffic, truth: float = 0.8) -> None:
    """Label every prediction: 1 with this probability."""
    for record in list(traffic.asked):
        traffic.label(int(traffic.random.random() < truth), prediction_id=record.id)


def test_labels_promote_a_canary_that_is_as_good(project: Project, traffic: Traffic) -> None:
    """Both arms say 0.8, and 0.8 is true."""
    project.canary(BRIER)
    traffic.run(to_last_step(project), 2500)
    label_all(traffic)
    found = verdict(project, traffic)
    assert found is not None
    assert found.move == "promote"
    assert found.decision.evidence["seen"]["canary"]["label_coverage"] == 1.0  # type: ignore[index,call-overload]


def test_labels_take_a_wrong_canary_back(project: Project, traffic: Traffic) -> None:
    """It answers fast, never fails, and is wrong."""
    state = project.canary(BRIER)
    traffic.run(state, 800, lambda is_canary: {"scores": [0.9, 0.1] if is_canary else [0.2, 0.8]})
    label_all(traffic)
    found = verdict(project, traffic)
    assert found is not None
    assert found.move == "roll_back"
    assert "quality" in found.reason


def test_early_labels_do_not_promote_while_most_are_missing(project: Project, traffic: Traffic) -> None:
    """Those that come quickly may be of one kind."""
    project.canary(BRIER)
    traffic.run(to_last_step(project), 3000)
    for record in traffic.asked[:2000]:
        traffic.label(1, prediction_id=record.id)
    judge = judge_of(project)
    assert verdict(project, traffic, judge) is None
    assert "80%" in judge.evidence.promotion().reason


def test_a_label_waits_until_its_prediction_is_old_enough(project: Project, traffic: Traffic) -> None:
    """With a label age of an hour, quick labels do not speak before slow ones can."""
    state = project.canary(RolloutPlan(loss="brier", classes=(0, 1), label_age_s=3600.0))
    day = 86_400_000_000
    traffic.ask(state, "a", event_us=day)
    traffic.label(1, key="a")
    judge = judge_of(project)
    verdict(project, traffic, judge)
    assert judge.evidence.labels["waiting"] == 1
    traffic.ask(state, "b", event_us=day + 3_600_000_000)
    verdict(project, traffic, judge)
    assert (judge.evidence.labels["waiting"], judge.evidence.labels["used"]) == (0, 1)


def test_a_label_counts_once(project: Project, traffic: Traffic) -> None:
    """Sent again, changed later, by key or by id: the first one stands."""
    state = project.canary(BRIER)
    record = traffic.ask(state, "a")
    for actual in (1, 1, 0):
        traffic.label(actual, key="a")
    traffic.label(0, prediction_id=record.id)
    judge = judge_of(project)
    verdict(project, traffic, judge)
    assert (judge.evidence.labels["used"], judge.evidence.labels["repeated"]) == (1, 3)


def test_labels_of_others_and_useless_ones_are_counted_and_left_out(project: Project, traffic: Traffic) -> None:
    """A prediction of before the rollout, another event of the key, a class that does not exist."""
    state = project.canary(BRIER)
    traffic.ask(state, "a", event_us=1)
    traffic.label(1, prediction_id="before")
    traffic.label(1, key="a", event_us=2)
    traffic.label("purple", key="a", event_us=1)
    judge = judge_of(project)
    verdict(project, traffic, judge)
    assert judge.evidence.labels == {"used": 0, "waiting": 0, "repeated": 0, "unusable": 1, "unmatched": 2}


@pytest.mark.parametrize("changes", [{"share_bp": None}, {"generation": 1}, {"package": "b3:" + "0" * 64}])
def test_answers_that_were_not_dealt_by_this_rollout_are_no_evidence(
    project: Project, traffic: Traffic, changes: dict[str, object]
) -> None:
    """Pinned by the caller, of an older generation, of another version."""
    state = project.canary(NO_LABELS)
    traffic.run(state, 50, lambda _: changes)
    judge = judge_of(project)
    verdict(project, traffic, judge)
    assert judge.evidence.arms[True].requests + judge.evidence.arms[False].requests == 0


def test_no_answer_in_time_asks_a_person(project: Project, traffic: Traffic) -> None:
    """Business time counts, and the canary stays where it is."""
    project.canary(RolloutPlan(max_age_s=3 * 86_400))
    assert verdict(project, traffic) is None
    project.business.advance_to(project.business.now() + timedelta(days=3))
    found = verdict(project, traffic)
    assert found is not None
    assert (found.move, found.decision.outcome) == ("ask", "cannot_tell")


def mixed(project: Project, traffic: Traffic) -> None:
    """Log a rollout of two steps with errors, slow answers, repeated keys and labels that come late."""
    dice = random.Random(7)
    state = project.canary(BRIER)
    for step in range(2):
        state = to_last_step(project) if step else state
        for number in range(400):
            status = 500 if dice.random() < 0.02 else 200
            traffic.ask(state, f"key-{dice.randrange(500)}", status=status, latency_us=dice.randrange(90_000))
            if number % 3 == 0:
                traffic.label(int(dice.random() < 0.8), prediction_id=dice.choice(traffic.asked).id)


def test_a_judge_that_starts_again_stands_where_the_first_one_stood(project: Project, traffic: Traffic) -> None:
    """Killed at any moment: the evidence is a function of the records."""
    mixed(project, traffic)
    watching, end = judge_of(project), traffic.now_us
    for until in range(end - 800_000, end + 20_000, 13_000):
        watching.catch_up(until)
    again = judge_of(project)
    again.catch_up(end + 1_000_000)
    watching.catch_up(end + 1_000_000)
    assert again.evidence.rollback() == watching.evidence.rollback()
    assert again.evidence.promotion() == watching.evidence.promotion()
    assert again.evidence.labels["used"] > 0


def test_a_record_that_turns_up_late_is_put_in_its_place(project: Project, traffic: Traffic) -> None:
    """The judge reads again from the beginning, once, and has the order of everybody else."""
    mixed(project, traffic)
    judge = judge_of(project)
    judge.catch_up(traffic.now_us + 1_000_000)
    early = min(traffic.asked, key=lambda record: record.received_us)
    state = project.endpoints.get("delay")
    traffic.ask(state, "late", received_us=early.received_us + 500)
    again = judge_of(project)
    again.catch_up(traffic.now_us + 1_000_000)
    judge.catch_up(traffic.now_us + 1_000_000)
    assert judge.evidence.rollback() == again.evidence.rollback()


def test_a_judge_says_how_far_it_has_read(project: Project, traffic: Traffic) -> None:
    """What arrived after that instant may still be waiting."""
    state = project.canary(NO_LABELS)
    record: PredictionRecord = traffic.ask(state)
    judge = judge_of(project)
    assert not judge.caught_up(record.received_us)
    judge.catch_up(record.received_us + 10_000)
    assert judge.caught_up(record.received_us)
