"""Made-up traffic: records as workers would have logged them, in segments of several workers."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from undrift.core.clock import to_us
from undrift.endpoints.state import EndpointState
from undrift.segments.records import FeedbackRecord, PredictionRecord, encode
from undrift.segments.routing import takes_canary
from undrift.segments.writer import SegmentWriter

from .conftest import Project

WORKERS = 2


@dataclass
class Traffic:
    """Writes predictions and labels of the endpoint ``delay``; arms are dealt as the router deals them."""

    project: Project
    seed: int = 0
    now_us: int = 0
    asked: list[PredictionRecord] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        rooms, clocks = self.project.rooms, self.project.clocks
        self.logs = [
            SegmentWriter(rooms.predictions("delay"), owner=f"worker-{n}", clocks=clocks) for n in range(WORKERS)
        ]
        self.labels = SegmentWriter(rooms.feedback("delay"), owner="labels", clocks=clocks)
        self.now_us = to_us(clocks.real.now()) - 3600 * 1_000_000

    def ask(self, state: EndpointState, key: str | None = None, **changes: object) -> PredictionRecord:
        """Log one prediction, a millisecond after the one before."""
        self.now_us += 1000
        number = len(self.asked)
        identifier = f"{number:026d}"
        is_canary = takes_canary(state.salt, key or identifier, state.share_bp)
        version = state.canary if is_canary and state.canary else state.stable
        fields = {
            "id": identifier,
            "received_us": self.now_us - int(str(changes.get("latency_us", 800))),
            "event_us": None,
            "key": key,
            "endpoint": "delay",
            "variant": "canary" if is_canary else "stable",
            "model": version.model,
            "version": version.number,
            "package": version.package_digest,
            "generation": state.generation,
            "share_bp": state.share_bp,
            "row": [1.0],
            "scores": [0.2, 0.8],
            "prediction": 1,
            "status": 200,
            "latency_us": 800,
        }
        record = PredictionRecord(**{**fields, **changes})  # type: ignore[arg-type]  # fields by name
        self.asked.append(record)
        self.logs[self.random.randrange(WORKERS)].append(encode(record))
        return record

    def label(self, actual: bool | float | str, *, at_us: int | None = None, **about: object) -> None:
        """Log one label."""
        self.now_us += 1
        fields = {"prediction_id": None, "key": None, "event_us": None, **about}
        identifier = f"label {actual} {sorted(fields.items(), key=str)}"
        record = FeedbackRecord(id=identifier, actual=actual, received_us=at_us or self.now_us, **fields)  # type: ignore[arg-type]  # fields by name
        self.labels.append(encode(record))

    def run(self, state: EndpointState, units: int, outcome: Callable[[bool], dict[str, object]] | None = None) -> None:
        """Log predictions of so many new keys; ``outcome`` gives the fields of an arm's answer."""
        for _ in range(units):
            key = f"unit-{len(self.asked)}"
            is_canary = takes_canary(state.salt, key, state.share_bp)
            self.ask(state, key, **(outcome(is_canary) if outcome else {}))

    def close(self) -> None:
        """Seal everything."""
        for writer in (*self.logs, self.labels):
            writer.close()
