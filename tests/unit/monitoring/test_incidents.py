"""One incident per cause, from its opening to its end."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from undrift.core.clock import RealClock, SimulatedClock
from undrift.core.decision import Decision, Outcome
from undrift.core.ids import IdSource
from undrift.ledger.ledger import Ledger
from undrift.monitoring.incident import Finding, IncidentKind
from undrift.monitoring.incidents import Incidents, NoIncident
from undrift.monitoring.monitor import MONITOR

V1, V2 = "model:delay@1", "model:delay@2"
Find = Callable[..., list[str]]


def finding(outcome: Outcome, kind: IncidentKind = "drift") -> Finding:
    return Finding(kind, Decision("as in training", outcome, "test", 0.01, 28, "day", reason=outcome))


@pytest.fixture
def clock(tmp_path: Path) -> SimulatedClock:
    return SimulatedClock(tmp_path / "clock.json", datetime(2013, 3, 1, tzinfo=UTC))


@pytest.fixture
def ledger(tmp_path: Path, clock: SimulatedClock) -> Ledger:
    return Ledger.open(tmp_path / "ledger.db", clock=clock, real=RealClock())


@pytest.fixture
def incidents(ledger: Ledger, clock: SimulatedClock) -> Incidents:
    return Incidents(ledger, IdSource(clock))


def apply(ledger: Ledger, incidents: Incidents, *findings: Finding, version: str = V1) -> None:
    with ledger.change(MONITOR) as change:
        incidents.apply(change, "delay", version, findings)
        change.record("window.closed", "endpoint:delay")


def kinds(ledger: Ledger) -> list[str]:
    return [event.kind for event in ledger.events() if event.kind.startswith("incident.")]


def test_a_rule_broken_again_updates_the_open_incident(ledger: Ledger, incidents: Incidents) -> None:
    """Three findings of one cause are one incident."""
    for _ in range(3):
        apply(ledger, incidents, finding("fail"))
    (only,) = incidents.all("delay")
    assert (only.times, only.is_open) == (3, True)
    assert kinds(ledger) == ["incident.opened", "incident.updated", "incident.updated"]


def test_a_healed_rule_closes_and_a_relapse_opens_another(ledger: Ledger, incidents: Incidents) -> None:
    """Closing frees the cause."""
    for outcome in ("fail", "pass", "pass", "fail"):
        apply(ledger, incidents, finding(outcome))
    assert [one.is_open for one in incidents.all("delay")] == [False, True]
    assert kinds(ledger) == ["incident.opened", "incident.closed", "incident.opened"]


def test_a_rule_that_cannot_be_judged_changes_nothing(ledger: Ledger, incidents: Incidents) -> None:
    """Too little evidence neither opens nor closes."""
    apply(ledger, incidents, finding("cannot_tell"))
    assert incidents.all() == []
    apply(ledger, incidents, finding("fail"))
    apply(ledger, incidents, finding("cannot_tell"))
    assert kinds(ledger) == ["incident.opened"]


def test_each_kind_is_a_cause_of_its_own(ledger: Ledger, incidents: Incidents) -> None:
    """Drift that heals leaves the errors open."""
    apply(ledger, incidents, finding("fail"), finding("fail", "errors"))
    apply(ledger, incidents, finding("pass"), finding("fail", "errors"))
    assert [one.kind for one in incidents.all("delay", only_open=True)] == ["errors"]


def test_a_replaced_version_takes_its_incidents_along(
    ledger: Ledger, incidents: Incidents, clock: SimulatedClock
) -> None:
    """What was wrong with version 1 is not wrong with version 2."""
    apply(ledger, incidents, finding("fail"))
    clock.advance_to(clock.now() + timedelta(days=1))
    with ledger.change(MONITOR) as change:
        (closed,) = incidents.close_replaced(change, "delay", V2)
    assert closed.closed_because == f"{V1} was replaced by {V2}"
    assert closed.closed_at == clock.now()
    assert incidents.get(closed.id) == closed


def test_an_unknown_incident_is_told(incidents: Incidents) -> None:
    """The error is ours and names a cure."""
    with pytest.raises(NoIncident, match="cure"):
        incidents.get("nobody")
