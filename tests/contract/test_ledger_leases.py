"""Leases, on SQLite and on Postgres."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from undrift.core.clock import SimulatedClock
from undrift.ledger.actor import Actor
from undrift.ledger.errors import LeaseLost
from undrift.ledger.leases import Lease, Leases
from undrift.ledger.ledger import Ledger


@pytest.fixture
def clock(tmp_path: Path) -> SimulatedClock:
    """Give a clock that the test steps."""
    return SimulatedClock(tmp_path / "clock.json", datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Ledger:
    """Give an open ledger of each kind."""
    if request.param == "sqlite":
        return Ledger.open(tmp_path / "store" / "ledger.db")
    return Ledger.open(cast(str, request.getfixturevalue("postgres_url")))


@pytest.fixture
def leases(ledger: Ledger, clock: SimulatedClock) -> Leases:
    """Give the leases of the ledger."""
    return Leases(ledger, clock)


def claimed(leases: Leases, owner: str = "one") -> Lease:
    """Return a lease that must be had."""
    lease = leases.claim("rollout:delay", owner, 10)
    assert lease is not None
    return lease


def step(clock: SimulatedClock, seconds: float) -> None:
    """Let so much time pass."""
    clock.advance_to(clock.now() + timedelta(seconds=seconds))


def test_a_held_lease_is_given_to_nobody_else(leases: Leases) -> None:
    """One owner at a time, per name."""
    claimed(leases)
    assert leases.claim("rollout:delay", "two", 10) is None
    assert leases.claim("rollout:other", "two", 10) is not None


def test_an_expired_or_released_lease_is_free(leases: Leases, clock: SimulatedClock) -> None:
    """A dead owner is waited for no longer than the lease lasts."""
    first = claimed(leases)
    step(clock, 11)
    second = claimed(leases, "two")
    leases.release(second)
    assert first.fence < second.fence < claimed(leases, "three").fence


def test_a_renewed_lease_stays(leases: Leases, clock: SimulatedClock) -> None:
    """Renewing counts from now."""
    lease = claimed(leases)
    step(clock, 9)
    leases.renew(lease)
    step(clock, 9)
    assert leases.claim("rollout:delay", "two", 10) is None


def test_a_lost_lease_can_neither_be_renewed_nor_used(leases: Leases, ledger: Ledger, clock: SimulatedClock) -> None:
    """A process that slept through its lease writes nothing."""
    lost = claimed(leases)
    step(clock, 11)
    held = claimed(leases, "two")
    with pytest.raises(LeaseLost):
        leases.renew(lost)
    with pytest.raises(LeaseLost), ledger.change(Actor.current()) as change:
        leases.check(change, lost)
    leases.release(lost)
    with ledger.change(Actor.current()) as change:
        leases.check(change, held)


def test_of_many_who_claim_at_once_one_gets_it(leases: Leases) -> None:
    """The first claim of a name is a race as well."""
    barrier = threading.Barrier(8)
    got: list[Lease | None] = []

    def claim(owner: str) -> None:
        barrier.wait()
        got.append(leases.claim("rollout:delay", owner, 10))

    threads = [threading.Thread(target=claim, args=(f"t{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([lease for lease in got if lease]) == 1
