"""Rollouts with real workers, real answers and real labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from undrift.endpoints.errors import NotAcknowledged
from undrift.endpoints.plan import RolloutPlan
from undrift.endpoints.service import Cause, Deployment
from undrift.endpoints.state import EndpointState
from undrift.ledger.ledger import Change

from .served import NAME, REAL, Client, Served, asking, build, until

HALF = (5000, 10_000)
UNLABELLED = RolloutPlan(steps_bp=HALF, labels="none", min_requests=20, error_margin=0.05)
LABELLED = RolloutPlan(
    steps_bp=HALF, loss="brier", classes=(0, 1), labels="required", min_requests=20, quality_margin=0.1
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a project whose endpoint serves version 1 with two workers."""
    made = Served(tmp_path_factory.mktemp("rollouts") / ".undrift")
    made.deploy(build(made.store, 1))
    made.start(workers=2)
    made.ready()
    yield made
    made.stop()


@pytest.fixture
def served(project: Served) -> Iterator[Served]:
    """Give the project with version 1 alone, before and after."""
    yield project
    if project.endpoints.get(NAME).rollout is not None:
        project.change(lambda change: project.endpoints.abort(change, NAME, Cause("the test is over")))


@pytest.fixture
def client(served: Served) -> Client:
    return served.client()


def happens(served: Served, kind: str, before: int, timeout_s: float = 40.0) -> str:
    """Return the reason of the next event of a kind, once it has happened."""
    until(lambda: served.rooms.ledger.events(kinds=[kind], after=before), timeout_s)
    return str(served.rooms.ledger.events(kinds=[kind], after=before)[0].body["reason"])


def nobody(_key: str, _status: int, _body: Any) -> None:
    """Take no notice of an answer."""


def test_no_answer_comes_from_the_canary_once_a_rollback_has_returned(served: Served, client: Client) -> None:
    """By hand, in less than five seconds, under traffic, without a failed request."""
    served.deploy(build(served.store, 2), RolloutPlan(steps_bp=HALF, labels="required"))
    answers: list[tuple[int, str]] = []

    def take(_: str, status: int, body: Any) -> None:
        answers.append((status, body["predictions"][0]["variant"]))

    with asking(client, take):
        until(lambda: Counter(variant for _, variant in answers)["canary"] > 20)
        began = REAL.monotonic()
        served.rollback()
        took, seen = REAL.monotonic() - began, len(answers)
        until(lambda: len(answers) > seen + 200)
    assert took < 5
    # the one in flight while the rollback returned may have been asked before
    assert {variant for _, variant in answers[seen + 1 :]} == {"stable"}
    assert {status for status, _ in answers} == {200}


def test_a_canary_that_fails_its_callers_goes_back_by_itself(served: Served, client: Client) -> None:
    """It wants a column that nobody sends; within five seconds of the evidence stable is alone."""
    before = served.rooms.ledger.head().seq
    served.deploy(build(served.store, 3, extra=True), UNLABELLED)
    failures: list[float] = []

    def take(_key: str, status: int, _body: Any) -> None:
        if status != 200:
            failures.append(REAL.monotonic())

    with asking(client, take):
        reason = happens(served, "rollout.rolled-back", before)
        served.publisher.wait_acknowledged(NAME, served.endpoints.get(NAME).generation)
        took = REAL.monotonic() - failures[20]
    assert took < 5
    assert "units failed" in reason
    assert client.predict()[0] == 200


@pytest.mark.parametrize(("number", "sign", "end"), [(4, -1, "rollout.rolled-back"), (5, 1, "rollout.promoted")])
def test_labels_decide(served: Served, client: Client, number: int, sign: int, end: str) -> None:
    """One canary answers the opposite as fast as the other, and goes back; a good one is promoted."""
    before = served.rooms.ledger.head().seq
    served.deploy(build(served.store, number, sign=sign), LABELLED)
    labeller = served.client()

    def take(key: str, _status: int, _body: Any) -> None:
        labeller.post("/feedback", {"key": key, "actual": 1})

    with asking(client, take):
        happens(served, end, before)
    live = number if end == "rollout.promoted" else 1
    served.publisher.wait_acknowledged(NAME, served.endpoints.get(NAME).generation)
    assert client.predict()[1]["predictions"][0]["model_version"] == f"model:delay@{live}"


def test_after_promotion_a_rollback_brings_the_version_before(served: Served, client: Client) -> None:
    """Under five seconds, as during a rollout."""
    served.deploy(build(served.store, 6))
    before = served.endpoints.get(NAME).previous
    assert before is not None
    began = REAL.monotonic()
    served.rollback()
    assert REAL.monotonic() - began < 5
    assert client.predict()[1]["predictions"][0]["model_version"] == before.ref


def test_a_canary_that_no_worker_can_load_goes_back(served: Served, client: Client) -> None:
    """One byte was changed; nobody was ever asked by it."""
    start = served.rooms.ledger.head().seq
    version = build(served.store, 7)
    model = served.store / "packages" / version.package_digest[3:] / "model" / "sklearn.skops"
    model.write_bytes(model.read_bytes() + b" ")

    def deploy(change: Change) -> EndpointState:
        return served.endpoints.deploy(change, NAME, Deployment(version, UNLABELLED))

    with suppress(NotAcknowledged):  # unless the rollback was faster than our look
        served.change(deploy)
    assert "cannot load" in happens(served, "rollout.rolled-back", start)
    assert client.predict()[0] == 200


def test_a_rollout_goes_on_after_its_judge_was_killed(served: Served, client: Client) -> None:
    """The next supervisor reads the segments again and comes to the same end, once."""
    start = served.rooms.ledger.head().seq
    served.deploy(build(served.store, 8), UNLABELLED)
    judged = served.store / "run" / "endpoints" / f"{NAME}.judge.json"
    judged.unlink(missing_ok=True)
    with asking(client, nobody):
        until(judged.exists)
    killed = served.processes[-1]
    killed.kill()
    killed.communicate()
    second = served.start(workers=2)
    until(lambda: served.ready().pid == second.pid)
    with asking(served.client(), nobody):
        happens(served, "rollout.promoted", start)
    assert len(served.rooms.ledger.events(kinds=["rollout.promoted"], after=start)) == 1
