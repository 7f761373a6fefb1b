"""From one answer back to where it came from."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from undrift.core.clock import to_us
from undrift.core.ids import IdSource
from undrift.endpoints.state import EndpointState, VersionRef
from undrift.loop import release
from undrift.loop.why import NoSuchPrediction, explain
from undrift.project import Project
from undrift.segments.records import FeedbackRecord, PredictionRecord, encode
from undrift.segments.writer import SegmentWriter

from .conftest import ADA, Registered

Logged = Callable[[EndpointState, VersionRef], PredictionRecord]


@pytest.fixture
def logged(registered: Registered) -> Logged:
    """Give a function that logs one answer of a version, as a worker would."""
    project = registered.project
    now_us = to_us(project.clocks.real.now())

    def log(state: EndpointState, served: VersionRef) -> PredictionRecord:
        variant = "canary" if served == state.canary else "stable"
        record = PredictionRecord(
            id=IdSource(project.clocks.real).next(), received_us=now_us, event_us=None, key="UA-17", endpoint="delay",
            variant=variant, model="delay", version=served.number, package=served.package_digest,
            generation=state.generation, share_bp=10_000, row=[1.0], scores=[0.2, 0.8], prediction=1, status=200,
            latency_us=800,
        )  # fmt: skip
        _write(project, project.endpoint_rooms.predictions("delay"), encode(record))
        return record

    return log


def _label(registered: Registered, **about: object) -> None:
    project = registered.project
    fields = {"prediction_id": None, "key": None, "event_us": None, **about}
    record = FeedbackRecord(id="a", actual=0, received_us=to_us(project.clocks.real.now()), **fields)  # type: ignore[arg-type]  # fields by name
    _write(project, project.endpoint_rooms.feedback("delay"), encode(record))


def _write(project: Project, folder: Path, frame: bytes) -> None:
    with closing(SegmentWriter(folder, owner="a-test", clocks=project.clocks)) as log:
        log.append(frame)


def test_an_answer_leads_to_its_version_and_decision(registered: Registered, logged: Logged) -> None:
    """The id alone is enough."""
    version = registered.approved()
    state = registered.deployed(version)
    record = logged(state, state.stable)
    found = explain(registered.project, record.id)
    assert found.subject == f"prediction:{record.id}"
    assert found.data["version"] == version.ref
    decided = dict(found.parts)["decided"]
    assert [line.split()[0] for line in decided] == ["model.approved", "endpoint.created"]


@pytest.mark.parametrize("by", ["prediction_id", "key"])
def test_an_answer_is_shown_with_its_label(registered: Registered, logged: Logged, by: str) -> None:
    """Labels join by id or by key."""
    state = registered.deployed(registered.approved())
    record = logged(state, state.stable)
    _label(registered, **{by: record.id if by == "prediction_id" else record.key})
    assert "it turned out to be 0" in dict(explain(registered.project, record.id).parts)["answer"]


def test_another_event_of_the_same_key_is_not_its_label(registered: Registered, logged: Logged) -> None:
    """A label with an event time is about that time only."""
    state = registered.deployed(registered.approved())
    record = logged(state, state.stable)
    _label(registered, key=record.key, event_us=5)
    assert "no label for it has come yet" in dict(explain(registered.project, record.id).parts)["answer"]


def test_a_canarys_answer_names_the_start_of_its_trial(registered: Registered, logged: Logged) -> None:
    """Not the promotion that came later, nor the decision about the version beside it."""
    first, second = registered.approved(), registered.approved()
    registered.deployed(first)
    state = registered.deployed(second)
    assert state.canary is not None
    record = logged(state, state.canary)
    release.promote(registered.project, "delay", "seen enough", ADA)
    decided = dict(explain(registered.project, record.id).parts)["decided"]
    assert [line.split()[0] for line in decided] == ["model.approved", "rollout.started"]


def test_another_versions_trial_is_no_decision_about_this_one(registered: Registered) -> None:
    """The version that was live while another was tried was not decided upon."""
    first, second = registered.approved(), registered.approved()
    registered.deployed(first)
    registered.deployed(second)
    decided = dict(explain(registered.project, first.ref).parts)["decided"]
    assert not any("rollout.started" in line for line in decided)


def test_an_unknown_prediction_is_told_so(registered: Registered) -> None:
    """With the place where ids come from."""
    registered.deployed(registered.approved())
    with pytest.raises(NoSuchPrediction) as refused:
        explain(registered.project, "prediction:00zr6y1m5w8qk3v2t7d9c4xhba")
    assert "POST /predict" in refused.value.cure


def test_persons_are_shown_as_unverified(registered: Registered) -> None:
    """The operating system's word is all that there is."""
    version = registered.approved()
    registered.deployed(version)
    assert "os-user:ada (unverified)" in dict(explain(registered.project, version.ref).parts)["decided"][0]
