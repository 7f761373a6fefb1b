"""An empty project whose endpoints can be changed."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from undrift.core.clock import Clocks, RealClock, SimulatedClock
from undrift.core.decision import Outcome
from undrift.core.digest import blake3_bytes
from undrift.core.files import make_private
from undrift.core.ids import IdSource
from undrift.endpoints.plan import RolloutPlan
from undrift.endpoints.rooms import EndpointRooms
from undrift.endpoints.service import Cause, Deployment, Endpoints
from undrift.endpoints.state import EndpointState, VersionRef
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Change, Ledger

ADA = Actor("os-user", "ada")


def version(number: int, gate: Outcome | None = "pass") -> VersionRef:
    """Return a version with a package of its own."""
    return VersionRef("delay", number, blake3_bytes(f"package {number}".encode()), gate)


class Project:
    """A project with one service, in which every change is one call."""

    def __init__(self, folder: Path) -> None:
        store = make_private(folder / ".undrift")
        self.business = SimulatedClock(store / "clock.json", datetime(2013, 2, 1, tzinfo=UTC))
        self.clocks = Clocks(business=self.business, real=RealClock())
        self.ledger = Ledger.open(store / "ledger.db", clock=self.business, real=self.clocks.real)
        self.live: list[tuple[str, VersionRef | None, VersionRef]] = []
        # the same ids, and with them the same arms, in every run of a test
        ids = IdSource(self.business, random.Random(0).randbytes)
        self.rooms = EndpointRooms(self.ledger, store, self.clocks, on_live=self._on_live, ids=ids)
        self.endpoints = Endpoints(self.rooms)

    def _on_live(self, change: Change, endpoint: str, old: VersionRef | None, new: VersionRef) -> None:
        self.live.append((endpoint, old, new))

    def change(self, act: Callable[[Change], EndpointState]) -> EndpointState:
        """Return what an act leads to, in a change of its own."""
        with self.ledger.change(ADA) as change:
            return act(change)

    def deploy(self, number: int, plan: RolloutPlan | None = None, gate: Outcome | None = "pass") -> EndpointState:
        """Deploy a version to the endpoint ``delay``."""
        deployment = Deployment(version(number, gate), plan, reason="a test")
        return self.change(lambda change: self.endpoints.deploy(change, "delay", deployment))

    def canary(self, plan: RolloutPlan | None = None) -> EndpointState:
        """Deploy version 1 and bring version 2 in as a canary."""
        self.deploy(1)
        return self.deploy(2, plan or RolloutPlan())

    def promote(self) -> EndpointState:
        """Promote the canary."""
        return self.change(lambda change: self.endpoints.promote(change, "delay", Cause("it is good")))

    def rollback(self) -> EndpointState:
        """Roll back."""
        return self.change(lambda change: self.endpoints.rollback(change, "delay", Cause("it is bad")))


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of an empty ledger, to copy: migrating one takes longer than most tests."""
    folder = tmp_path_factory.mktemp("empty")
    Ledger.open(folder / "ledger.db").close()
    return folder


@pytest.fixture
def project(tmp_path: Path, empty_ledger: Path) -> Iterator[Project]:
    """Give an empty project."""
    shutil.copytree(empty_ledger, tmp_path / ".undrift")
    made = Project(tmp_path)
    yield made
    made.ledger.close()
