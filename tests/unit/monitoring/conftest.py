"""The world of a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from undrift.core.clock import RealClock, SimulatedClock
from undrift.ledger.ledger import Ledger
from unit.monitoring.world import LIVE, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Give an empty store at the moment of going live."""
    clock = SimulatedClock(tmp_path / "clock.json", LIVE)
    return World(tmp_path, clock, Ledger.open(tmp_path / "ledger.db", clock=clock, real=RealClock()))
