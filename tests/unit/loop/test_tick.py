"""One pass of the loop does what is due, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from undrift.core.decision import Decision
from undrift.loop import release
from undrift.loop.retraining import incidents_of, retrain
from undrift.loop.tick import repeat, tick
from undrift.monitoring.incident import Finding
from undrift.project import Project
from undrift.segments.endpoint_file import read_state

from .conftest import ADA, Registered


def test_an_empty_project_has_nothing_to_do(tmp_path: Path) -> None:
    """A pass over nothing does nothing and records nothing."""
    with Project.create(tmp_path) as project:
        before = project.ledger.head()
        assert tick(project).done == []
        assert project.ledger.head() == before


@pytest.mark.parametrize("registered", ["ask"], indirect=True)
def test_a_version_that_passed_waits_when_the_policy_asks(registered: Registered) -> None:
    """The default: a person decides."""
    registered.deployed(registered.approved())
    second = registered.version()
    tick(registered.project)
    assert registered.project.registry.get(second.ref).state == "proposed"


@pytest.mark.parametrize("registered", ["auto"], indirect=True)
def test_the_policy_releases_what_passed_once(registered: Registered) -> None:
    """Admitted in its own name and with its reason, never approved; a second pass changes nothing."""
    registered.deployed(registered.approved())
    second = registered.version()
    tick(registered.project)
    head = registered.project.ledger.head()
    tick(registered.project)
    decided = registered.project.ledger.events(second.ref)[1:]
    assert [(one.kind, str(one.actor), one.body["reason"]) for one in decided] == [
        ("model.admitted", "policy:auto-promotion", "nobody is on call")
    ]
    canary = registered.project.endpoints.get("delay").canary
    assert canary is not None
    assert canary.ref == second.ref
    assert registered.project.ledger.head() == head


@pytest.mark.parametrize("registered", ["auto"], indirect=True)
@pytest.mark.parametrize("outcome", ["fail", "cannot_tell", None])
def test_the_policy_leaves_what_did_not_pass(registered: Registered, outcome: str | None) -> None:
    """Not shown to be better is not better."""
    registered.deployed(registered.approved())
    second = registered.version(outcome)  # type: ignore[arg-type]  # words of the parameter list
    tick(registered.project)
    assert registered.project.registry.get(second.ref).state == "proposed"


def test_a_model_without_its_dataset_does_not_stop_the_pass(registered: Registered) -> None:
    """The settings name a dataset that nobody has added: the rest is done all the same."""
    version = registered.approved()
    registered.deployed(version)
    _drift(registered, version.ref)
    assert tick(registered.project).done == []


def test_a_state_that_was_not_published_is_published(registered: Registered) -> None:
    """A process killed between its commit and the file leaves the file behind; the next pass mends it."""
    registered.deployed(registered.approved())
    project = registered.project
    second = registered.approved()
    with project.ledger.change(ADA) as change:
        request = release.Request(version=second.ref, endpoint="delay", reason="a test", at_once=True)
        release.deploy_in(project, change, request)
    assert "published endpoint:delay" in tick(project).done
    assert read_state(project.endpoint_rooms.run_folder / "delay.json").generation == 2


def test_incidents_start_one_retraining(registered: Registered) -> None:
    """Whoever comes to the same conclusion meets the cooldown, or the same run."""
    version = registered.approved()
    registered.deployed(version)
    project = registered.project
    table = project.root / "flights.csv"
    table.write_text("x,late\n1,0\n2,1\n")
    project.data.add(table, "flights", actor=ADA)
    _drift(registered, version.ref)
    endpoints = project.endpoints.all()
    first, second = retrain(project, "delay", endpoints), retrain(project, "delay", endpoints)
    assert (first is not None, second) == (True, None)
    assert len(project.ledger.events(kinds=["pipeline.submitted"])) == 1


def test_incidents_without_new_rows_start_nothing(registered: Registered) -> None:
    """The dataset is what it was when the newest version was trained: there is nothing to learn."""
    version = registered.approved()
    registered.deployed(version)
    table = registered.project.root / "flights.csv"
    table.write_text("x,late\n")
    registered.project.data.add(table, "flights", actor=ADA)
    _drift(registered, version.ref)
    assert retrain(registered.project, "delay", registered.project.endpoints.all()) is None


def test_a_pass_that_fails_does_not_end_the_worker(registered: Registered) -> None:
    """Settings half written: told, and the next pass reads what stands there by then."""
    project, told = registered.project, list[str]()
    path = project.root / "undrift.toml"
    good = path.read_text()
    path.write_text("[policy\n")

    def wait(_: float) -> bool:
        done = path.read_text() == good
        path.write_text(good)
        return done

    repeat(project, 1, wait, told.append)
    assert len(told) == 1
    assert told[0].startswith("the pass failed")


def _drift(registered: Registered, version: str) -> None:
    decision = Decision("has x drifted?", "fail", "a test", 0.01, 28, "day", reason="x moved by 0.4")
    with registered.project.ledger.change(ADA) as change:
        incidents_of(registered.project).apply(change, "delay", version, [Finding("drift", decision)])
