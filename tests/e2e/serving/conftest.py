"""Real scoring workers with real packages, on ports that the system chooses."""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from undrift.core.clock import RealClock
from undrift.models.build import PackageParts, PackageRef, build_package
from undrift.models.infer import columns_of, infer_inputs
from undrift.segments.endpoint_file import (
    EndpointState,
    FeedbackState,
    Limits,
    LogMode,
    LogState,
    VariantState,
    WorkerAck,
    read_acks,
    write_state,
)
from undrift.segments.reader import payloads_in
from undrift.segments.records import PredictionRecord, decode
from undrift.segments.seal import seal_abandoned
from undrift.stats.sketch import ReferenceSketch

ROW = {"temp": 3.5, "carrier": "UA"}
CLOCK = RealClock()
START_S = 30.0


@dataclass
class Packages:
    """Packages of models which answer their own version number; built once per session."""

    store: Path
    made: dict[int, PackageRef] = field(default_factory=dict)

    def constant(self, number: int) -> PackageRef:
        """Return the package that answers a number."""
        if number not in self.made:
            self.made[number] = self._build(number)
        return self.made[number]

    def _build(self, number: int) -> PackageRef:
        rng = np.random.default_rng(number)
        frame = pl.DataFrame({"temp": rng.normal(10, 5, 60), "carrier": rng.choice(["UA", "AA"], 60)})
        inputs = infer_inputs(frame)
        columns = columns_of(frame, inputs)
        prepare = ColumnTransformer([("numbers", StandardScaler(), ["temp"])])
        answer = DummyRegressor(strategy="constant", constant=float(number))
        model = Pipeline([("prepare", prepare), ("answer", answer)]).fit(frame, np.zeros(60))
        parts = PackageParts(
            name="delay",
            model=model,
            task="regression",
            inputs=inputs,
            sketch=ReferenceSketch.fit(columns, {column.name: column.type for column in inputs}),
            replay=columns,
            created_at=datetime(2013, 2, 1, tzinfo=UTC),
        )
        return build_package(parts, self.store / "packages")


@dataclass
class Worker:
    """One running process."""

    process: subprocess.Popen[bytes]
    ack: WorkerAck

    @property
    def port(self) -> int:
        return int(self.ack.address.rpartition(":")[2])

    def ask(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Return status and JSON of one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection.request(method, path, data, headers or {})
        answer = connection.getresponse()
        raw = answer.read()
        connection.close()
        return answer.status, json.loads(raw) if raw and b"json" in answer.headers["content-type"].encode() else raw

    def stop(self) -> int:
        """Ask the process to end and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)


@dataclass
class Endpoint:
    """A store with one endpoint."""

    packages: Packages
    folder: Path
    workers: list[Worker] = field(default_factory=list)
    mode: LogMode = "written"
    limits: Limits = field(default_factory=Limits)

    @property
    def path(self) -> Path:
        return self.folder / "run/endpoints/delay.json"

    def publish(self, generation: int, stable: int, canary: int | None = None, share_bp: int = 0) -> EndpointState:
        """Write the endpoint file."""
        variants = [self._variant("stable", stable, 10_000 - share_bp)]
        if canary is not None:
            variants.append(self._variant("canary", canary, share_bp))
        state = EndpointState(
            endpoint="delay",
            generation=generation,
            salt="salt",
            variants=variants,
            log=LogState(self.mode, "segments/predictions/delay"),
            feedback=FeedbackState("segments/feedback/delay"),
            limits=self.limits,
        )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_state(self.path, state)
        return state

    def start(self, *arguments: str) -> Worker:
        """Start a worker and return once it has confirmed."""
        command = [sys.executable, "-m", "undrift.serving", "--state", str(self.path), "--store", str(self.folder)]
        process = subprocess.Popen([*command, *arguments], stderr=None)
        try:
            ack = self.wait(lambda found: found.pid == process.pid and found.generation > 0, process)
        except BaseException:
            process.kill()
            process.wait()
            raise
        worker = Worker(process, ack)
        self.workers.append(worker)
        self._wait_listening(worker)
        return worker

    def wait(self, wanted: Callable[[WorkerAck], bool], process: subprocess.Popen[bytes] | None = None) -> WorkerAck:
        """Return the first answer of a worker that is as wanted."""
        deadline = CLOCK.monotonic() + START_S
        while CLOCK.monotonic() < deadline:
            for ack in read_acks(self.path):
                if wanted(ack):
                    return ack
            if process is not None and process.poll() is not None:
                raise RuntimeError(f"the worker ended with {process.returncode}")
            CLOCK.sleep(0.005)
        raise TimeoutError("no worker answers as wanted")

    def predictions(self) -> list[PredictionRecord]:
        """Return the logged predictions after sealing what dead workers left."""
        folder = self.folder / "segments/predictions/delay"
        seal_abandoned(folder)
        records = [decode(payload) for payload in payloads_in(folder)]
        return [record for record in records if isinstance(record, PredictionRecord)]

    def _wait_listening(self, worker: Worker) -> None:
        deadline = CLOCK.monotonic() + START_S
        while CLOCK.monotonic() < deadline:
            try:
                worker.ask("GET", "/health")
            except ConnectionRefusedError:
                CLOCK.sleep(0.005)
            else:
                return
        raise TimeoutError("the worker does not listen")

    def _variant(self, name: Any, version: int, share_bp: int) -> VariantState:
        package = self.packages.constant(version)
        return VariantState(name, "delay", version, package.digest, str(package.path), share_bp)


class Client:
    """A keep-alive connection."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def post(self, path: str, body: object) -> tuple[int, Any]:
        """Return status and JSON of one request."""
        data = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(data)}\r\n\r\n"
        self._writer.write(head.encode() + data)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        raw = await self._reader.readexactly(int(length.partition(b":")[2]))
        return int(answer.split(b" ", 2)[1]), json.loads(raw)


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    """Give packages that are built on demand."""
    return Packages(tmp_path_factory.mktemp("built"))


@pytest.fixture
def endpoint(packages: Packages, tmp_path: Path) -> Iterator[Endpoint]:
    """Give an endpoint whose workers are ended afterwards."""
    made = Endpoint(packages, tmp_path)
    yield made
    for worker in made.workers:
        if worker.process.poll() is None:
            worker.kill()


@pytest.fixture(scope="module")
def served(packages: Packages, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """Give one running worker for tests that only ask."""
    made = Endpoint(packages, tmp_path_factory.mktemp("served"), limits=Limits(body_bytes=50_000, rows=100))
    made.publish(1, stable=1)
    worker = made.start()
    yield worker
    assert worker.stop() == 0
    assert [path.name for path in made.path.parent.iterdir()] == ["delay.json"]
