"""Who promotes what passed its gate, and how a person does it with one command."""

from __future__ import annotations

from pathlib import Path

import pytest

from undrift.core.config import BadSettings
from undrift.ledger.actor import Actor
from undrift.loop import release
from undrift.loop.promotion import policy_of, set_policy
from undrift.loop.tick import tick
from undrift.models.version import GateNotPassed, NotAPerson, ReasonMissing
from undrift.project import Project

from .conftest import ADA, Registered

SETTINGS = """\
[policy]  # agreed in May
promotion = "ask"
"""


def _request(ref: str) -> release.Request:
    return release.Request(version=ref, endpoint="delay", reason="better on every carrier")


def test_one_command_approves_and_deploys(registered: Registered) -> None:
    """Both in the person's name and in one change: the canary begins."""
    registered.deployed(registered.approved())
    second = registered.version()
    before = registered.project.ledger.head().seq
    state = release.approve_and_deploy(registered.project, _request(second.ref), ADA).state
    assert state.canary is not None
    assert state.canary.ref == second.ref
    events = [e for e in registered.project.ledger.events() if e.seq > before]
    assert [(e.kind, e.actor) for e in events] == [("model.approved", ADA), ("rollout.started", ADA)]


def test_what_cannot_be_deployed_is_not_approved_by_the_way(registered: Registered) -> None:
    """The gate said no: nothing has changed."""
    registered.deployed(registered.approved())
    second = registered.version("fail")
    with pytest.raises(GateNotPassed):
        release.approve_and_deploy(registered.project, _request(second.ref), ADA)
    assert registered.project.registry.get(second.ref).state == "proposed"


def test_a_policy_approves_nothing(registered: Registered) -> None:
    """What it lets through is admitted: no record may say that somebody looked."""
    version = registered.version()
    with pytest.raises(NotAPerson), registered.project.ledger.change(Actor("policy", "any")) as change:
        registered.project.registry.approve(change, version.ref, "it passed")


def test_automatic_promotion_is_an_event_and_a_setting(tmp_path: Path) -> None:
    """With actor and reason; what people wrote into the file stays; the same again changes nothing."""
    with Project.create(tmp_path, SETTINGS) as project:
        assert set_policy(project, "auto", "nobody is on call", ADA)
        head = project.ledger.head()
        assert not set_policy(project, "auto", "nobody is on call", ADA)
        assert project.ledger.head() == head
        found = policy_of(project)
    assert (found.promotion, found.reason, found.by) == ("auto", "nobody is on call", "os-user:ada (unverified)")
    assert "# agreed in May" in (tmp_path / "undrift.toml").read_text()


def test_a_person_can_be_asked_again(registered: Registered) -> None:
    """Back to asking: what passes its gate waits."""
    registered.deployed(registered.approved())
    set_policy(registered.project, "auto", "nobody is on call", ADA)
    set_policy(registered.project, "ask", "somebody is", ADA)
    second = registered.version()
    tick(registered.project)
    assert registered.project.registry.get(second.ref).state == "proposed"


def test_a_policy_without_a_reason_or_a_file_is_refused(tmp_path: Path) -> None:
    """And the ledger does not say that it was made."""
    with Project.create(tmp_path, SETTINGS) as project:
        head = project.ledger.head()
        with pytest.raises(ReasonMissing):
            set_policy(project, "auto", " ", ADA)
        (tmp_path / "undrift.toml").write_text("policy = 1\n")
        with pytest.raises(BadSettings):
            set_policy(project, "auto", "nobody is on call", ADA)
        assert project.ledger.head() == head


def test_a_policy_written_by_hand_has_no_author(tmp_path: Path) -> None:
    """The file rules; nobody is named for what the ledger does not know."""
    with Project.create(tmp_path, SETTINGS) as project:
        set_policy(project, "auto", "nobody is on call", ADA)
        (tmp_path / "undrift.toml").write_text(SETTINGS)
        project.reload_settings()
        assert (policy_of(project).promotion, policy_of(project).by) == ("ask", "")
