"""One process at a time acts on a rollout, and says how far it has looked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from undrift.core.clock import to_us
from undrift.core.decision import Decision
from undrift.endpoints.plan import RolloutPlan
from undrift.endpoints.referee import POLICY, Referee, is_settled
from undrift.segments.endpoint_file import read_state

from .conftest import Project
from .traffic import Traffic

PLAN = RolloutPlan(labels="none", min_requests=20)
FAILED = {"status": 500, "scores": [], "prediction": None, "error": "boom"}


@pytest.fixture
def traffic(project: Project) -> Iterator[Traffic]:
    made = Traffic(project)
    yield made
    made.close()


def referee_of(project: Project) -> Referee:
    return Referee(project.rooms, "delay", watermark_s=0.0)


def test_a_rollback_is_recorded_with_its_evidence_and_published(project: Project, traffic: Traffic) -> None:
    """The policy decided; the file is written in the same look."""
    traffic.run(project.canary(PLAN), 400, lambda is_canary: FAILED if is_canary else {})
    verdict = referee_of(project).look()
    assert verdict is not None
    event = project.ledger.events(kinds=["rollout.rolled-back"])[0]
    assert event.actor == POLICY
    assert event.body["decision"] == verdict.decision.as_json()
    assert event.body["decided_by"] == "policy:rollout"
    assert read_state(project.rooms.state_path("delay")).canary is None


def test_two_referees_do_not_act_at_once(project: Project, traffic: Traffic) -> None:
    """The second one sees that the lease is held."""
    state = project.canary(PLAN)
    first, second = referee_of(project), referee_of(project)
    assert first.look() is None
    traffic.run(state, 400, lambda is_canary: FAILED if is_canary else {})
    assert second.look() is None
    assert first.look() is not None


def test_a_referee_that_lost_its_lease_cannot_write(project: Project, traffic: Traffic) -> None:
    """Its verdict was right, and somebody else is in charge."""
    state = project.canary(PLAN)
    first, second = referee_of(project), referee_of(project)
    first.look()
    lease = first._lease
    assert lease is not None
    first._leases.release(lease)
    second.look()
    traffic.run(state, 400, lambda is_canary: FAILED if is_canary else {})
    assert first.look() is None
    assert project.endpoints.get("delay").canary is not None
    assert second.look() is not None


def test_a_canary_is_brought_to_the_end(project: Project, traffic: Traffic) -> None:
    """Five percent, twenty-five percent, live: each look takes one step."""
    moves = []
    project.canary(PLAN)
    referee = referee_of(project)
    for _ in range(2):
        traffic.run(project.endpoints.get("delay"), 1700)
        verdict = referee.look()
        moves.append(verdict.move if verdict else None)
    assert moves == ["advance", "promote"]
    assert project.endpoints.get("delay").stable.number == 2
    assert referee.look() is None


def test_what_no_record_shows_can_condemn_a_canary(project: Project) -> None:
    """Workers cannot load it."""
    project.canary(PLAN)
    decision = Decision("the canary can be served", "fail", "loading", 0.0, 1, "worker", reason="it cannot be loaded")
    assert referee_of(project).condemn(decision)
    assert project.ledger.events(kinds=["rollout.rolled-back"])[0].body["reason"] == "it cannot be loaded"


def test_an_endpoint_is_settled_when_nothing_is_left_to_judge(project: Project, traffic: Traffic) -> None:
    """Without a rollout at once; with one when everything up to then has been taken in."""
    project.deploy(1)
    real = project.clocks.real
    assert is_settled(project.rooms, "delay", to_us(real.now()))
    state = project.deploy(2, PLAN)
    traffic.run(state, 10)
    assert not is_settled(project.rooms, "delay", traffic.now_us)
    referee_of(project).look()
    assert is_settled(project.rooms, "delay", traffic.now_us)
    assert not is_settled(project.rooms, "delay", to_us(real.now()) + 1_000_000)
