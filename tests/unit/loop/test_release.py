"""How versions come to endpoints and back."""

from __future__ import annotations

import pytest

from undrift.endpoints.errors import RolloutRunning
from undrift.loop import release
from undrift.loop.promotion import waiting
from undrift.loop.why import explain
from undrift.models.version import GateNotPassed

from .conftest import ADA, Registered


@pytest.mark.parametrize("outcome", ["fail", "cannot_tell", None])
def test_a_version_whose_gate_did_not_pass_is_not_approved(registered: Registered, outcome: str | None) -> None:
    """Nor one without a gate report: exit code 3."""
    version = registered.version(outcome)  # type: ignore[arg-type]  # words of the parameter list
    with pytest.raises(GateNotPassed) as refused:
        release.approve(registered.project, version.ref, "I like it", ADA)
    assert refused.value.exit_code == 3
    assert registered.project.registry.get(version.ref).state == "proposed"


def test_a_proposed_version_waits_for_a_person(registered: Registered) -> None:
    """A passed gate is not an approval: exit code 4, and nothing is served."""
    with pytest.raises(release.NotApproved) as refused:
        registered.deployed(registered.version())
    assert refused.value.exit_code == 4
    assert registered.project.endpoints.all() == []


def test_the_first_version_is_live_at_once(registered: Registered) -> None:
    """There is nobody to compare it with; endpoint, state and champion move together."""
    version = registered.approved()
    state = registered.deployed(version)
    found = registered.project.registry.get(version.ref)
    assert (state.stable.ref, state.canary, found.state, found.aliases) == (version.ref, None, "live", ("champion",))


def test_a_rejected_version_is_no_longer_asked_about(registered: Registered) -> None:
    """It was proposed with a passed gate, and is retired with the reason."""
    project = registered.project
    endpoint = registered.deployed(registered.approved())
    proposed = registered.version()
    assert waiting(project, endpoint) is not None
    assert release.retire(project, proposed.ref, "wrong on the smallest carriers", ADA).state == "retired"
    assert waiting(project, endpoint) is None
    event = project.ledger.events(kinds=["model.retired"], newest_first=True, limit=1)[0]
    assert event.body["reason"] == "wrong on the smallest carriers"


def test_a_version_that_answers_is_not_retired(registered: Registered) -> None:
    """Neither the live one nor the canary."""
    live, canary = registered.approved(), registered.approved()
    registered.deployed(live)
    registered.deployed(canary)
    for version, cure in ((live, "another version"), (canary, "undrift rollback delay")):
        with pytest.raises(release.StillServed) as refused:
            release.retire(registered.project, version.ref, "no longer liked", ADA)
        assert cure in str(refused.value.cure)


def test_the_next_version_begins_as_a_canary(registered: Registered) -> None:
    """Five per cent of the traffic, and the champion stays."""
    first, second = registered.approved(), registered.approved()
    registered.deployed(first)
    state = registered.deployed(second)
    assert (state.stable.ref, state.share_bp) == (first.ref, 500)
    assert registered.project.registry.aliases("delay") == {"champion": 1}


def test_promotion_moves_states_and_champion(registered: Registered) -> None:
    """The version before is retired, in the same change."""
    first, second = registered.approved(), registered.approved()
    registered.deployed(first)
    registered.deployed(second)
    release.promote(registered.project, "delay", "seen enough", ADA)
    registry = registered.project.registry
    assert (registry.get(first.ref).state, registry.get(second.ref).state) == ("retired", "live")
    assert registry.aliases("delay") == {"champion": 2}


def test_a_rollback_takes_the_canary_out(registered: Registered) -> None:
    """The live version stays what it was."""
    first, second = registered.approved(), registered.approved()
    registered.deployed(first)
    registered.deployed(second)
    state = release.rollback(registered.project, "delay", "complaints", ADA).state
    assert (state.stable.ref, state.canary) == (first.ref, None)


def test_a_rollback_without_a_canary_brings_the_version_before_back(registered: Registered) -> None:
    """States and champion follow."""
    first, second = registered.approved(), registered.approved()
    registered.deployed(first)
    registered.deployed(second, at_once=True)
    state = release.rollback(registered.project, "delay", "complaints", ADA).state
    assert state.stable.ref == first.ref
    assert registered.project.registry.get(first.ref).state == "live"
    assert registered.project.registry.aliases("delay") == {"champion": 1}


def test_a_second_rollout_waits_for_the_first(registered: Registered) -> None:
    """One canary at a time: exit code 4, and approvals made for it are undone with it."""
    for _ in range(2):
        registered.deployed(registered.approved())
    third = registered.version("fail")
    with pytest.raises(RolloutRunning):
        registered.deployed(third, force=True)
    assert registered.project.registry.get(third.ref).state == "proposed"


def test_a_forced_version_is_remembered(registered: Registered) -> None:
    """An event, the version, the endpoint and `why` keep the reason."""
    version = registered.version("fail")
    state = registered.deployed(version, force=True)
    project = registered.project
    assert state.stable.forced_reason == "a test"
    assert [one.reason for one in project.registry.get(version.ref).overrides] == ["a test", "a test"]
    assert dict(explain(project, version.ref).parts)["overrides"][0].endswith("a test")
    assert project.verify().findings == ()
