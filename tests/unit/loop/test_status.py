"""One screen: what is live, healthy, drifting, waiting, and what to do next."""

from __future__ import annotations

from pathlib import Path

import pytest

from undrift.core.decision import Decision
from undrift.core.errors import UndriftError
from undrift.loop import release
from undrift.loop.retraining import incidents_of
from undrift.loop.status import Status, status
from undrift.loop.training.home import training_of
from undrift.monitoring.incident import Finding, IncidentKind
from undrift.project import Project

from .conftest import ADA, Registered


def _broken(registered: Registered, kind: IncidentKind, version: str) -> None:
    decision = Decision("has x drifted?", "fail", "a test", 0.01, 28, "day", reason="x moved by 0.4")
    with registered.project.ledger.change(ADA) as change:
        incidents_of(registered.project).apply(change, "delay", version, [Finding(kind, decision)])


def _next(found: Status) -> str:
    return "\n".join([*found.next, *(step for one in found.endpoints for step in one.next)])


def test_an_empty_project_begins_with_up(tmp_path: Path) -> None:
    """Somebody who knows nothing yet is told the one command."""
    with Project.create(tmp_path) as project:
        found = status(project)
    told = found.as_json()
    assert (told["endpoints"], told["training"], told["next"]) == ([], [], ["undrift up TABLE --target COLUMN"])


@pytest.mark.parametrize(
    ("outcome", "said"),
    [("pass", "undrift approve model:delay@1 --deploy --reason TEXT"), ("fail", "model show")],
)
def test_the_first_step_fits_what_the_gate_said(registered: Registered, outcome: str, said: str) -> None:
    """A command that would be refused is not suggested."""
    registered.version(outcome)  # type: ignore[arg-type]  # words of the parameter list
    assert said in _next(status(registered.project))


def test_an_endpoint_without_a_process_is_down(registered: Registered) -> None:
    """And the next step serves it."""
    registered.deployed(registered.approved())
    found = status(registered.project)
    assert [one.health for one in found.endpoints] == ["down"]
    assert _next(found) == "undrift serve delay"


def test_a_version_that_passed_waits_for_approval(registered: Registered) -> None:
    """The one command is told in full; once it is approved, the one that deploys it."""
    registered.deployed(registered.approved())
    second = registered.version()
    assert f"undrift approve {second.ref} --deploy --reason TEXT" in _next(status(registered.project))
    release.approve(registered.project, second.ref, "fine", ADA)
    assert f"undrift deploy {second.ref}" in _next(status(registered.project))


def test_a_version_that_was_tried_does_not_wait(registered: Registered) -> None:
    """Its canary was taken back: nobody is asked to deploy it again."""
    registered.deployed(registered.approved())
    second = registered.approved()
    registered.deployed(second)
    release.rollback(registered.project, "delay", "complaints", ADA)
    assert second.ref not in _next(status(registered.project))


def test_a_canary_is_shown_with_its_share(registered: Registered) -> None:
    """And what is forced stays visible, on trial too."""
    registered.deployed(registered.approved())
    second = registered.version("fail")
    registered.deployed(second, force=True)
    told = status(registered.project).as_json()["endpoints"]
    assert isinstance(told, list)
    assert told[0] | {"canary": second.ref, "canary_percent": 5.0, "canary_forced": "a test"} == told[0]


def test_an_incident_is_shown_with_what_it_waits_for(registered: Registered) -> None:
    """Without new rows a retraining would learn nothing: the command that adds them is told."""
    version = registered.approved()
    registered.deployed(version)
    registered.project.data.add(_table(registered.project), "flights", actor=ADA)
    _broken(registered, "drift", version.ref)
    found = status(registered.project)
    assert [one.kind for one in found.endpoints[0].incidents] == ["drift"]
    assert "undrift" in _next(found)


def test_drift_has_its_own_word_for_the_screen(registered: Registered) -> None:
    """An endpoint that answers but drifts is not called healthy."""
    version = registered.approved()
    registered.deployed(version)
    registered.project.data.add(_table(registered.project), "flights", actor=ADA)
    _broken(registered, "drift", version.ref)
    one = status(registered.project).endpoints[0]
    served = type(one)(one.state, "http://127.0.0.1:1", None, one.incidents, one.next)
    assert served.health == "drifting"


def test_a_training_that_failed_unseen_is_shown(registered: Registered) -> None:
    """The loop started it in the background: its reason and the way on stand on the screen until one ends well."""
    project = registered.project
    project.data.add(_table(project), "flights", actor=ADA)
    with project.ledger.change(ADA) as change:
        run = training_of(project).submit(change, "delay").run_id
    with pytest.raises(UndriftError):
        training_of(project).run(run)
    (failed,) = status(project).failed
    assert f"undrift pipeline resume {run}" in failed


def _table(project: Project) -> Path:
    path = project.root / "flights.csv"
    path.write_text("x,late\n1,0\n2,1\n")
    return path


@pytest.mark.parametrize("comes", ["data.added", "data.merged"])
def test_an_anomaly_of_the_newest_version_is_told_until_the_next_one(tmp_path: Path, comes: str) -> None:
    """With value, interval, method and number of past points."""
    verdict = {"metric": "rows", "outcome": "anomaly", "value": 480, "low": 800, "high": 1250, "method": "robust z"}
    with Project.create(tmp_path) as project:
        with project.ledger.change(ADA) as change:
            change.record("data.added", "data:t@2", {})
            change.record("data.measured", "data:t@2", {"anomalies": [{**verdict, "n": 20}]})
        told = "data:t@2 rows: 480, expected 800 to 1,250, robust z, 20 past points"
        assert status(project).as_json()["unusual"] == [told]
        with project.ledger.change(ADA) as change:
            change.record(comes, "data:t@3", {})
        assert status(project).unusual == []
