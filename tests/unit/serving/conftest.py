"""The application in process, around a model made by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from undrift.core.clock import RealClock, real_clocks
from undrift.core.ids import IdSource
from undrift.models.engines.base import NotScorable, Scores
from undrift.models.package import Manifest, Package
from undrift.models.signature import InputColumn, Value
from undrift.segments.endpoint_file import EndpointState, FeedbackState, Limits, LogMode, LogState, VariantState
from undrift.segments.records import FeedbackRecord, PredictionRecord, decode
from undrift.segments.tail import SegmentTail
from undrift.serving.access import Gate
from undrift.serving.app import App, Parts
from undrift.serving.batching import Batcher, Model
from undrift.serving.live import Asking, Current, Live, Loaded, Served
from undrift.serving.logs import EndpointLog
from undrift.serving.metrics import Metrics
from undrift.serving.predictor import Predictor

INPUTS = (
    InputColumn("temp", "float", nullable=True),
    InputColumn("hour", "int"),
    InputColumn("carrier", "string"),
    InputColumn("wet", "bool"),
    InputColumn("day", "date"),
    InputColumn("at", "datetime"),
)
ROW = {"temp": 3.5, "hour": 7, "carrier": "UA", "wet": True, "day": "2013-02-01", "at": "2013-02-01T07:00:00Z"}


@dataclass
class HandEngine:
    """Probability of being late: hour / 24. Told by ``carrier`` to misbehave."""

    name: str = "hand"
    calls: list[int] = field(default_factory=list)
    offset: float = 0.0

    def score(self, columns: Mapping[str, Sequence[Value]], rows: int) -> Scores:
        self.calls.append(rows)
        carriers = set(columns["carrier"])
        if "refuse" in carriers:
            raise NotScorable("too large")
        if "crash" in carriers:
            raise ZeroDivisionError("a bug of the model")
        hours = np.array(columns["hour"], dtype=np.float64)
        late = hours / 24 + self.offset
        if "nan" in carriers:
            late[:] = np.nan
        return np.column_stack([1 - late, late])


def manifest(name: str = "delay", **changed: Any) -> Manifest:
    facts: dict[str, Any] = {
        "format": "undrift.package/1",
        "name": name,
        "task": "binary",
        "classes": (False, True),
        "positive": 1,
        "inputs": INPUTS,
        "engines": (),
        "files": (),
        "created_at": "2013-02-01T00:00:00Z",
        "python": "3.11",
        "versions": {},
    }
    return Manifest(**{**facts, **changed})


@dataclass
class Answer:
    """What the application sent."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        return self.json["error"]


@dataclass
class Bench:
    """One application with its parts in reach."""

    folder: Path
    app: App
    parts: Parts
    engines: dict[str, HandEngine]
    clock: RealClock

    async def ask(self, method: str, path: str, body: object = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Send one request into the application."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent: list[Any] = []
        given = {"host": "127.0.0.1:80", "content-length": str(len(data)), **(headers or {})}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": [(key.lower().encode(), value.encode()) for key, value in given.items()],
        }
        parts = iter([{"type": "http.request", "body": data, "more_body": False}])

        async def receive() -> Any:
            return next(parts)

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        headers_back = {key.decode(): value.decode() for key, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], headers_back, sent[1]["body"])

    def post(self, path: str, body: object, headers: Mapping[str, str] | None = None) -> Answer:
        """Send one POST in a loop of its own."""
        return asyncio.run(self.ask("POST", path, body, headers))

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Send one GET in a loop of its own."""
        return asyncio.run(self.ask("GET", path, headers=headers))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run(work)

    def logged(self) -> list[PredictionRecord]:
        """Return the logged predictions."""
        records = [decode(frame.payload) for frame in SegmentTail(self.folder / "predictions").poll()]
        return [record for record in records if isinstance(record, PredictionRecord)]

    def labels(self) -> list[FeedbackRecord]:
        """Return the logged feedback."""
        records = [decode(frame.payload) for frame in SegmentTail(self.folder / "feedback").poll()]
        return [record for record in records if isinstance(record, FeedbackRecord)]

    def serve(self, live: Live) -> None:
        for served in live.served:
            self.parts.current.predictions.introduce(served.loaded.columns_record)
        self.parts.current.live = live

    def loaded(self, digest: str, about: Manifest | None = None) -> Loaded:
        about = about or manifest()
        engine = self.engines.setdefault(digest, HandEngine())
        batcher: Batcher[Asking] = Batcher(Model(about, engine), self.clock, self.parts.predictor.finish)
        return Loaded(Package(self.folder, digest, about, {}), batcher)


def live_of(bench: Bench, share_bp: int = 0, about: Manifest | None = None, **changed: Any) -> Live:
    """Return a generation with a stable variant and, where it has a share, a canary."""
    variants = [VariantState("stable", "delay", 3, "b3:stable", "none", 10_000 - share_bp)]
    if share_bp:
        variants.append(VariantState("canary", "delay", 4, "b3:canary", "none", share_bp))
    facts: dict[str, Any] = {
        "endpoint": "delay",
        "generation": 7,
        "salt": "salt",
        "variants": variants,
        "log": LogState("written", "predictions"),
        "feedback": FeedbackState("feedback"),
        "limits": Limits(body_bytes=20_000, rows=50, queue=100),
    }
    state = EndpointState(**{**facts, **changed})
    served = [Served.of(variant, bench.loaded(variant.package, about)) for variant in variants]
    return Live(state, served[0], served[1] if share_bp else None)


@pytest.fixture
def make_bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Return a maker of benches; their logs are closed afterwards."""
    made: list[Bench] = []

    def make(gate: Gate | None = None, mode: LogMode = "written") -> Bench:
        clock = RealClock()
        clocks = real_clocks()
        logs = [EndpointLog(tmp_path / name, mode, "w", clocks) for name in ("predictions", "feedback")]
        current = Current(*logs)
        metrics = Metrics("1")
        predictor = Predictor(clock, IdSource(clock), metrics, current)
        parts = Parts(current, predictor, gate or Gate(local=True, token_sha256=None), metrics, clock)
        bench = Bench(tmp_path, App(parts), parts, {}, clock)
        bench.serve(live_of(bench))
        made.append(bench)
        return bench

    yield make
    for bench in made:
        bench.parts.current.predictions.close()
        bench.parts.current.feedback.close()


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    """Return an application on a loopback address without a token."""
    return make_bench()
