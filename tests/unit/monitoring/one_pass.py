"""A process that makes one pass over a test's endpoint; it says when it begins."""

import sys
from pathlib import Path

from undrift.core.clock import RealClock, SimulatedClock
from undrift.ledger.ledger import Ledger
from unit.monitoring.world import LIVE, WATCHED, World

store = Path(sys.argv[1])
clock = SimulatedClock(store / "clock.json", LIVE)
world = World(store, clock, Ledger.open(store / "ledger.db", clock=clock, real=RealClock()))
sys.stdout.write("ready\n")
sys.stdout.flush()
world.monitor().pass_(WATCHED)
