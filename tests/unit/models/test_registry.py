"""The rules of the registry; where the database matters, on SQLite and Postgres."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from undrift.core.digest import blake3_bytes
from undrift.core.errors import BadInput
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Ledger
from undrift.models.projection import ModelProjection
from undrift.models.registry import Evidence, Registry
from undrift.models.version import (
    GateNotPassed,
    ModelVersion,
    ReasonMissing,
    UnknownVersion,
    VersionInUse,
    VersionMoved,
    WrongState,
)

ADA = Actor("os-user", "ada")
POLICY = Actor("policy", "auto-promote")
PASSED = Evidence(gate={"outcome": "pass", "n": 14, "unit": "day"}, data="data:flights@1")
FAILED = Evidence(gate={"outcome": "fail"})


_EACH_KIND = pytest.mark.parametrize("ledger", ["sqlite", "postgres"], indirect=True)


@pytest.fixture
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """Give a new ledger: SQLite, or of the kind that the test asks for."""
    is_file = getattr(request, "param", "sqlite") == "sqlite"
    target = tmp_path / "ledger.db" if is_file else request.getfixturevalue("postgres_url")
    ledger = Ledger.open(cast("str | Path", target))
    yield ledger
    ledger.close()


@pytest.fixture
def registry(ledger: Ledger, tmp_path: Path) -> Registry:
    """Give a registry on the ledger."""
    return Registry(ledger, tmp_path / "packages")


def _registered(registry: Registry, evidence: Evidence | None = PASSED, run: str = "run:1") -> ModelVersion:
    with registry._ledger.change(ADA) as change:
        return registry.register(change, "delay", blake3_bytes(run.encode()), run, evidence)


def _live(registry: Registry, run: str = "run:1") -> ModelVersion:
    version = _registered(registry, run=run)
    with registry._ledger.change(POLICY) as change:
        registry.admit(change, version.ref, "gate passed")
        return registry.go_live(change, version.ref, "promoted")


def test_a_passed_version_goes_from_proposed_to_retired_and_each_move_is_an_event(registry: Registry) -> None:
    """Every move carries the actor, the reason and whether a person or a policy decided."""
    version = _live(registry)
    with registry._ledger.change(ADA) as change:
        registry.retire(change, version.ref, "replaced")
    events = registry._ledger.events(version.ref)
    assert [event.kind for event in events] == [
        "model.registered", "model.admitted", "model.went-live", "model.retired",
    ]  # fmt: skip
    assert [event.body["decided_by"] for event in events] == ["person", "policy", "policy", "person"]
    assert events[-1].body["reason"] == "replaced"
    assert registry.get(version.ref).state == "retired"


@pytest.mark.parametrize("evidence", [None, FAILED, Evidence(gate={"outcome": "cannot_tell"})])
def test_a_version_that_did_not_pass_the_gate_is_approved_only_when_forced(
    registry: Registry, evidence: Evidence | None
) -> None:
    """The reason of the force is kept for ever and shown with the version."""
    version = _registered(registry, evidence)
    with pytest.raises(GateNotPassed), registry._ledger.change(ADA) as change:
        registry.approve(change, version.ref, "looks fine")
    with registry._ledger.change(ADA) as change:
        registry.approve(change, version.ref, "demo", force_reason="to show the rollback")
        registry.go_live(change, version.ref, "demo")
    found = registry.get(version.ref)
    assert (found.state, found.forced, found.overrides[0].reason) == ("live", True, "to show the rollback")
    assert "forced" in registry._ledger.events(version.ref, ["model.approved"])[0].body


def test_a_refused_move_leaves_no_trace(registry: Registry) -> None:
    """A gate that says no changes neither rows nor events."""
    version = _registered(registry, FAILED)
    before = registry._ledger.head()
    with pytest.raises(GateNotPassed), registry._ledger.change(ADA) as change:
        registry.approve(change, version.ref, "please", force_reason="   ")
    assert registry._ledger.head() == before
    assert registry.get(version.ref).state == "proposed"


def test_a_proposed_version_cannot_go_live(registry: Registry) -> None:
    """Approval comes first."""
    version = _registered(registry)
    with pytest.raises(WrongState), registry._ledger.change(ADA) as change:
        registry.go_live(change, version.ref, "at once")


def test_a_retired_version_goes_live_again(registry: Registry) -> None:
    """That is a rollback."""
    version = _live(registry)
    with registry._ledger.change(POLICY) as change:
        registry.retire(change, version.ref, "replaced")
        assert registry.go_live(change, version.ref, "rolled back").state == "live"


def test_a_decision_needs_a_reason(registry: Registry) -> None:
    """Blank reasons are none."""
    version = _registered(registry)
    with pytest.raises(ReasonMissing), registry._ledger.change(ADA) as change:
        registry.approve(change, version.ref, " ")


@_EACH_KIND
def test_an_alias_moves_only_from_what_was_expected(registry: Registry) -> None:
    """The second of two movers who saw the same state loses."""
    first, second = _live(registry, "run:1"), _live(registry, "run:2")
    with registry._ledger.change(ADA) as change:
        registry.move_alias(change, "model:delay@champion", to=first.number, expected=None, reason="first")
    for expected in (None, second.number):
        with pytest.raises(VersionMoved), registry._ledger.change(ADA) as change:
            registry.move_alias(change, "model:delay@champion", to=second.number, expected=expected, reason="late")
    with registry._ledger.change(ADA) as change:
        registry.move_alias(change, "model:delay@champion", to=second.number, expected=first.number, reason="better")
    assert registry.resolve("model:delay@champion").number == 2
    assert registry.resolve("delay").aliases == ("champion",)


def test_champion_is_only_an_approved_or_live_version(registry: Registry) -> None:
    """A protected alias does not go round the gate; other aliases are free."""
    version = _registered(registry, FAILED)
    with registry._ledger.change(ADA) as change:
        registry.move_alias(change, "model:delay@try", to=version.number, expected=None, reason="look")
    with pytest.raises(WrongState), registry._ledger.change(ADA) as change:
        registry.move_alias(change, "model:delay@champion", to=version.number, expected=None, reason="mine")


def test_a_live_version_and_one_with_an_alias_cannot_be_deleted(registry: Registry) -> None:
    """Only after it was retired and lost its aliases."""
    version = _live(registry)
    with pytest.raises(VersionInUse), registry._ledger.change(ADA) as change:
        registry.delete(change, version.ref, "tidy")
    with registry._ledger.change(ADA) as change:
        registry.retire(change, version.ref, "old")
        registry.delete(change, version.ref, "tidy")
    with pytest.raises(UnknownVersion):
        registry.get(version.ref)
    assert _registered(registry, run="run:9").number == 2


def test_a_bare_name_is_the_champion_and_before_there_is_one_the_newest_version(registry: Registry) -> None:
    """A retired version is not meant while another is there; a name of several versions is never "not there"."""
    _registered(registry, run="run:1")
    second, third = _registered(registry, run="run:2"), _registered(registry, run="run:3")
    assert registry.resolve("delay").number == third.number
    with registry._ledger.change(ADA) as change:
        registry.retire(change, third.ref, "not wanted")
    assert registry.resolve("model:delay").number == second.number
    live = _live(registry, "run:4")
    _registered(registry, run="run:5")
    with registry._ledger.change(ADA) as change:
        registry.move_alias(change, "model:delay@champion", to=live.number, expected=None, reason="first")
    assert registry.resolve("delay").number == live.number


def test_versions_that_are_not_there_are_named_with_what_is(registry: Registry) -> None:
    """The cure lists the known ones."""
    _registered(registry)
    with pytest.raises(UnknownVersion, match="model:delay has 1"):
        registry.resolve("model:delay@7")
    with pytest.raises(UnknownVersion, match="models are: delay"):
        registry.resolve("model:nope")
    with pytest.raises(BadInput):
        registry.resolve("data:delay@1")


def test_a_run_that_registers_its_package_again_gets_the_same_version(registry: Registry) -> None:
    """So that a step which is repeated after a crash has no second effect."""
    again = [_registered(registry).number for _ in range(2)]
    assert again == [1, 1]


@_EACH_KIND
def test_versions_registered_at_the_same_time_get_distinct_numbers(registry: Registry) -> None:
    """Eight threads, four versions each."""
    numbers: list[int] = []

    def work(worker: int) -> None:
        numbers.extend(_registered(registry, run=f"run:{worker}-{index}").number for index in range(4))

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(1, 33))


@_EACH_KIND
def test_events_explain_the_rows(registry: Registry) -> None:
    """A row edited behind the ledger's back is found."""
    version = _live(registry)
    with registry._ledger.change(ADA) as change:
        registry.move_alias(change, "model:delay@champion", to=1, expected=None, reason="first")
    _registered(registry, FAILED, "run:2")
    assert registry._ledger.verify([ModelProjection()]).ok
    with registry._ledger.bookkeeping() as connection:
        connection.exec_driver_sql("UPDATE model_versions SET state = 'retired' WHERE number = 1")
    found = registry._ledger.verify([ModelProjection()])
    assert not found.ok
    assert version.ref in found.findings[0].message


@_EACH_KIND
def test_a_package_registered_by_several_at_once_is_one_version(registry: Registry) -> None:
    """A step taken over by another process while the first still runs."""
    numbers: list[int] = []
    threads = [threading.Thread(target=lambda: numbers.append(_registered(registry).number)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers == [1] * 6


def test_a_gate_report_must_say_an_outcome(registry: Registry) -> None:
    """Pass, fail or cannot tell; a report that wraps its decision is read too."""
    assert Evidence(gate={"decision": {"outcome": "pass"}, "holdout": "b3:.."}).outcome == "pass"
    with pytest.raises(BadInput):
        _registered(registry, Evidence(gate={"outcome": "maybe"}))
