"""A small endpoint whose traffic a test writes by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from undrift.core.clock import Clocks, RealClock, SimulatedClock, to_us
from undrift.ledger.ledger import Ledger
from undrift.monitoring.incident import Incident
from undrift.monitoring.monitor import Monitor
from undrift.monitoring.traffic import PREDICTION, Folders
from undrift.monitoring.watched import Version, Watched, WindowPlan
from undrift.segments.records import Cell, ColumnsRecord, FeedbackRecord, Label, PredictionRecord, encode
from undrift.segments.writer import SegmentWriter
from undrift.stats.intervals import Interval
from undrift.stats.sketch import ReferenceSketch

LIVE = datetime(2013, 2, 1, tzinfo=UTC)
PACKAGE = "b3:" + "1" * 64
COLUMNS = ["x", "carrier", "weekday"]
TYPES = {"x": "float", "carrier": "string", "weekday": "int", PREDICTION: "float"}
GATE = Interval(0.75, 0.70, 0.80, 0.9, "stated", 1000, 28, "day")

Change = Callable[[int, list[Cell]], list[Cell]]


def unchanged(number: int, row: list[Cell]) -> list[Cell]:
    """Return a row as it was drawn."""
    return row


def draw(day: datetime, rows: int) -> list[list[Cell]]:
    """Return a day's rows: x with an effect of the day, two carriers, the weekday."""
    seeded = np.random.default_rng(day.toordinal())
    level = seeded.normal(0, 0.1)
    numbers = seeded.normal(level, 1, rows)
    carriers = seeded.choice(["UA", "AA"], rows)
    return [[float(x), str(name), day.isoweekday()] for x, name in zip(numbers, carriers, strict=True)]


def probability(row: list[Cell]) -> float:
    """Return the model's answer to a row."""
    x = row[0]
    return float(1 / (1 + np.exp(-x))) if isinstance(x, float) else 0.5


def sketch(days_before: int = 60) -> ReferenceSketch:
    """Return the sketch of so many days before."""
    days = [LIVE - timedelta(days=number) for number in range(days_before, 0, -1)]
    rows = [(day, row) for day in days for row in draw(day, 50)]
    columns = {name: [row[place] for _, row in rows] for place, name in enumerate(COLUMNS)}
    columns[PREDICTION] = [probability(row) for _, row in rows]
    return ReferenceSketch.fit(columns, TYPES, [day.date().isoformat() for day, _ in rows])


VERSION = Version(
    model="delay",
    number=1,
    package=PACKAGE,
    task="binary",
    sketch=sketch(),
    classes=(False, True),
    positive=1,
    calendar=frozenset({"weekday"}),
)
WATCHED = Watched(endpoint="delay", version=VERSION, since=LIVE, metric="auc", gate=GATE)


@dataclass
class World:
    """A store, its clock and its ledger, and hands to make traffic with."""

    store: Path
    clock: SimulatedClock
    ledger: Ledger
    asked: int = 0

    @property
    def clocks(self) -> Clocks:
        return Clocks(business=self.clock, real=RealClock())

    def monitor(self) -> Monitor:
        """Return a new monitor, as another process would have."""
        return Monitor(self.ledger, self.store, self.clocks)

    def serve(self, first: int, days: int, change: Change = unchanged, *, rows: int = 40, status: int = 200) -> None:
        """Write the traffic of some days, counted from going live."""
        records = [ColumnsRecord(PACKAGE, COLUMNS, ["float", "string", "int"])]
        payloads = [encode(record) for record in records]
        for number in range(first, first + days):
            day = LIVE + timedelta(days=number)
            for place, row in enumerate(draw(day, rows)):
                self.asked += 1
                payloads.append(encode(self._record(day + timedelta(minutes=place), change(place, row), status)))
        self._write(Folders.below(self.store, "delay").predictions, payloads)

    def label(self, first: int, days: int, *, rows: int = 40, flipped: bool = False) -> None:
        """Say what was true of some days: drawn from the model's own probabilities, or against them."""
        payloads = []
        for number in range(first, first + days):
            day = LIVE + timedelta(days=number)
            luck = np.random.default_rng(number).uniform(size=rows)
            for place, row in enumerate(draw(day, rows)):
                late = bool((luck[place] < probability(row)) != flipped)
                payloads.append(encode(self._feedback(day + timedelta(minutes=place), late)))
        self._write(Folders.below(self.store, "delay").feedback, payloads)

    def go_to(self, day: int, watched: Watched = WATCHED) -> list[Incident]:
        """Step the clock to a day after going live and make one pass."""
        self.clock.advance_to(LIVE + timedelta(days=day))
        return self.monitor().pass_(watched)

    def kinds(self, prefix: str = "") -> list[str]:
        """Return the kinds of the events so far."""
        return [event.kind for event in self.ledger.events() if event.kind.startswith(prefix)]

    def _record(self, at: datetime, row: list[Cell], status: int) -> PredictionRecord:
        p = probability(row)
        return PredictionRecord(
            id=f"prediction{self.asked:016d}",
            received_us=to_us(at),
            event_us=to_us(at),
            key=f"flight-{to_us(at)}",
            endpoint="delay",
            variant="stable",
            model="delay",
            version=1,
            package=PACKAGE,
            generation=1,
            share_bp=0,
            row=row if status == 200 else None,
            scores=[1 - p, p] if status == 200 else [],
            prediction=p >= 0.5,
            status=status,
            latency_us=500,
        )

    @staticmethod
    def _feedback(at: datetime, actual: Label) -> FeedbackRecord:
        key = f"flight-{to_us(at)}"
        return FeedbackRecord(f"label-{key}", None, key, actual, to_us(at), to_us(at) + 1)

    @staticmethod
    def _write(folder: Path, payloads: list[bytes]) -> None:
        writer = SegmentWriter(folder, owner="test")
        writer.extend(payloads)
        writer.close()


def by_rows(rows: int) -> Watched:
    """Return the endpoint watched in windows of so many rows."""
    return replace(WATCHED, plan=WindowPlan(rows=rows))
