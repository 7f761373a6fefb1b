"""A project's training rooms in a folder, without the composition root."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from undrift.blobs.store import BlobStore
from undrift.core.clock import Clocks, RealClock, SimulatedClock
from undrift.core.config import Settings, parse
from undrift.data.service import Data
from undrift.ledger.ledger import Ledger
from undrift.loop.training.rooms import TrainingRooms
from undrift.loop.training.training import Training
from undrift.models.registry import Registry
from undrift.tracking.runs import Runs


def rooms_in(folder: Path, now: datetime | None = None) -> TrainingRooms:
    real = RealClock()
    clocks = Clocks(SimulatedClock(folder / "clock.json", now), real) if now or _simulated(folder) else None
    both = clocks or Clocks(real, real)
    ledger = Ledger.open(folder / "ledger.db", clock=both.business, real=real)
    blobs = BlobStore(folder / "blobs")
    return TrainingRooms(
        ledger=ledger,
        blobs=blobs,
        data=Data(ledger, blobs, both, folder),
        runs=Runs(ledger, blobs, folder, both),
        registry=Registry(ledger, folder / "packages"),
        clocks=both,
        root=folder,
        packages=folder / "packages",
    )


def training_in(rooms: TrainingRooms, settings: str | Settings) -> Training:
    return Training(rooms, parse(settings) if isinstance(settings, str) else settings)


def _simulated(folder: Path) -> bool:
    return (folder / "clock.json").exists()
