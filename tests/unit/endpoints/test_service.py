"""What may change at an endpoint, and what is kept of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from undrift.core.errors import Conflict
from undrift.endpoints.errors import (
    AlreadyServed,
    EndpointChanged,
    GateNotPassed,
    NoRollout,
    NothingToRollBack,
    RolloutRunning,
    UnknownEndpoint,
)
from undrift.endpoints.plan import RolloutPlan
from undrift.endpoints.projection import EndpointProjection
from undrift.endpoints.rooms import EndpointRooms
from undrift.endpoints.service import Cause, Deployment, Endpoints
from undrift.ledger.ledger import Ledger

from .conftest import ADA, Project, version


def kinds(project: Project) -> list[str]:
    return [event.kind for event in project.ledger.events(subject="endpoint:delay")]


def test_the_first_version_is_live_at_once(project: Project) -> None:
    """Nothing is live yet: there is nobody to compare with."""
    state = project.deploy(1, RolloutPlan())
    assert (state.stable, state.canary, state.generation) == (version(1), None, 1)
    assert project.live == [("delay", None, version(1))]
    assert kinds(project) == ["endpoint.created"]


def test_a_second_version_comes_in_as_a_canary(project: Project) -> None:
    """The live version stays live."""
    state = project.canary()
    assert (state.stable, state.canary, state.share_bp) == (version(1), version(2), 500)
    assert project.live == [("delay", None, version(1))]
    assert kinds(project) == ["endpoint.created", "rollout.started"]


def test_every_rollout_deals_the_arms_anew(project: Project) -> None:
    """Otherwise the same units would try every canary."""
    first = project.canary()
    project.rollback()
    assert project.deploy(3, RolloutPlan()).salt != first.salt


def test_a_canary_gains_share_step_by_step(project: Project) -> None:
    """An advance changes the share and nothing else."""
    project.canary()
    state = project.change(lambda change: project.endpoints.advance(change, "delay", Cause("enough seen")))
    assert (state.share_bp, state.canary, state.generation) == (2500, version(2), 3)


def test_promotion_leaves_one_live_version(project: Project) -> None:
    """The version before is kept for a rollback; the registry moves in the same change."""
    project.canary()
    state = project.promote()
    assert (state.stable, state.canary, state.previous, state.share_bp) == (version(2), None, version(1), 0)
    assert project.live[-1] == ("delay", version(1), version(2))
    assert project.endpoints.rollouts("delay")[0].state == "promoted"


def test_rolling_back_a_canary_keeps_the_live_version(project: Project) -> None:
    """The canary is out; the registry is not touched."""
    project.canary()
    state = project.rollback()
    assert (state.stable, state.canary, state.share_bp) == (version(1), None, 0)
    assert kinds(project)[-1] == "rollout.rolled-back"
    assert len(project.live) == 1


def test_after_promotion_a_rollback_goes_to_the_version_before(project: Project) -> None:
    """And there is nothing before that one."""
    project.canary()
    project.promote()
    assert project.rollback().stable == version(1)
    assert project.live[-1] == ("delay", version(2), version(1))
    assert kinds(project)[-1] == "endpoint.rolled-back"
    with pytest.raises(NothingToRollBack):
        project.rollback()


def test_a_rollout_can_be_stopped_without_a_judgement(project: Project) -> None:
    """Abort takes the canary out."""
    project.canary()
    state = project.change(lambda change: project.endpoints.abort(change, "delay", Cause("never mind")))
    assert state.canary is None
    assert project.endpoints.rollouts()[0].state == "stopped"


@pytest.mark.parametrize("gate", [None, "fail", "cannot_tell"])
def test_a_version_without_a_passed_gate_is_refused(project: Project, gate: str | None) -> None:
    """Nothing is written."""
    with pytest.raises(GateNotPassed):
        project.deploy(1, gate=gate)  # type: ignore[arg-type]  # parametrized with the three outcomes
    assert kinds(project) == []


def test_a_forced_version_is_remembered_for_ever(project: Project) -> None:
    """The reason is an event and stays with the version, also after promotion."""
    project.deploy(1)
    forced = Deployment(version(2, "fail"), RolloutPlan(), force_reason="the fair is tomorrow")
    project.change(lambda change: project.endpoints.deploy(change, "delay", forced))
    state = project.promote()
    assert state.stable.forced_reason == "the fair is tomorrow"
    event = project.ledger.events(kinds=["endpoint.forced"])[0]
    assert event.body == {"version": "model:delay@2", "gate": "fail", "reason": "the fair is tomorrow"}


def test_a_second_rollout_waits_for_the_first(project: Project) -> None:
    """One canary at a time."""
    project.canary()
    with pytest.raises(RolloutRunning):
        project.deploy(3, RolloutPlan())


def test_the_live_version_is_not_deployed_twice(project: Project) -> None:
    """It is served already."""
    project.deploy(1)
    with pytest.raises(AlreadyServed):
        project.deploy(1)


def test_a_version_can_be_switched_without_a_rollout(project: Project) -> None:
    """Without a plan the version is live at once, and the one before is kept."""
    project.deploy(1)
    state = project.deploy(2)
    assert (state.stable, state.previous) == (version(2), version(1))


def test_a_decision_on_an_older_generation_is_refused(project: Project) -> None:
    """The judge saw a state that is gone."""
    seen = project.canary().generation
    project.change(lambda change: project.endpoints.advance(change, "delay", Cause("enough seen")))
    with pytest.raises(EndpointChanged):
        project.change(lambda change: project.endpoints.rollback(change, "delay", Cause("late", generation=seen)))


def test_a_waiting_rollout_still_rolls_back_but_does_not_advance(project: Project) -> None:
    """It asks a person to go on, and nobody to go back."""
    project.canary()
    project.change(lambda change: project.endpoints.ask(change, "delay", Cause("no answer in 14 days")))
    with pytest.raises(Conflict):
        project.change(lambda change: project.endpoints.advance(change, "delay", Cause("more")))
    assert project.rollback().canary is None


def test_what_does_not_exist_cannot_move(project: Project) -> None:
    """The error names the cure."""
    with pytest.raises(UnknownEndpoint):
        project.rollback()
    project.deploy(1)
    with pytest.raises(NoRollout):
        project.promote()


def test_of_two_that_decide_at_once_one_loses(project: Project) -> None:
    """Eight writers promote or roll back; one of them ends the rollout."""
    project.canary()

    def decide(number: int) -> bool:
        try:
            with project.ledger.change(ADA) as change:
                act = project.endpoints.promote if number % 2 else project.endpoints.abort
                act(change, "delay", Cause("me first", generation=2))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(decide, range(8))) == 1
    assert len(project.ledger.events(kinds=["rollout.promoted", "rollout.stopped"])) == 1


def test_events_explain_the_rows(project: Project) -> None:
    """Folding the events gives what the tables hold."""
    project.canary()
    project.promote()
    project.rollback()
    assert project.ledger.verify(projections=[EndpointProjection()]).ok


def test_it_is_the_same_on_postgres(postgres_url: str, project: Project, tmp_path: Path) -> None:
    """Create, canary, promote, roll back, verify."""
    ledger = Ledger.open(postgres_url, clock=project.business)
    endpoints = Endpoints(EndpointRooms(ledger, tmp_path, project.clocks))
    for number in (1, 2):
        with ledger.change(ADA) as change:
            endpoints.deploy(change, "delay", Deployment(version(number), RolloutPlan()))
    for act in (endpoints.promote, endpoints.rollback):
        with ledger.change(ADA) as change:
            act(change, "delay", Cause("why not"))
    assert endpoints.get("delay").stable == version(1)
    assert ledger.verify(projections=[EndpointProjection()]).ok
    ledger.close()
