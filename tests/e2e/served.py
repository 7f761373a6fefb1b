"""A project with real packages, a supervisor in a process of its own, and callers."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import polars as pl
from sklearn.linear_model import LogisticRegression

from undrift.core.clock import Clocks, RealClock
from undrift.core.files import make_private
from undrift.endpoints.plan import RolloutPlan
from undrift.endpoints.publisher import Publisher, SupervisorFile, is_alive
from undrift.endpoints.rooms import EndpointRooms
from undrift.endpoints.service import Cause, Deployment, Endpoints
from undrift.endpoints.state import EndpointState, VersionRef
from undrift.endpoints.supervisor import wait_ready
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Change, Ledger
from undrift.models.build import PackageParts, build_package
from undrift.models.infer import columns_of, infer_inputs
from undrift.stats.sketch import ReferenceSketch

ADA = Actor("os-user", "ada")
NAME = "delay"
REAL = RealClock()


def open_rooms(store: Path) -> EndpointRooms:
    """Return the rooms of a store."""
    return EndpointRooms(Ledger.open(store / "ledger.db"), store, Clocks(business=REAL, real=REAL))


def build(store: Path, number: int, *, sign: int = 1, extra: bool = False) -> VersionRef:
    """Return a version with a real package: a logistic regression of y = (sign * x > 0)."""
    rng = np.random.default_rng(number)
    x = rng.normal(0, 1, 300)
    columns = {"x": x, "z": rng.normal(0, 1, 300)} if extra else {"x": x}
    frame = pl.DataFrame(columns)
    inputs = infer_inputs(frame)
    values = columns_of(frame, inputs)
    model = LogisticRegression().fit(frame, (sign * x > 0).astype(int))
    sketch = ReferenceSketch.fit(values, {column.name: column.type for column in inputs})
    parts = PackageParts(
        name="delay", model=model, task="binary", inputs=inputs, sketch=sketch, replay=values,
        created_at=datetime(2013, 2, 1, tzinfo=UTC),
    )  # fmt: skip
    return VersionRef("delay", number, build_package(parts, store / "packages").digest, "pass")


@dataclass
class Served:
    """A project with one endpoint, changed as the command line would change it."""

    store: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        make_private(self.store)
        self.rooms = open_rooms(self.store)
        self.endpoints = Endpoints(self.rooms)
        self.publisher = Publisher(self.rooms)

    def change(self, act: Callable[[Change], EndpointState], timeout_s: float = 10.0) -> EndpointState:
        """Change, publish, and wait until every worker serves it."""
        with self.rooms.ledger.change(ADA) as change:
            state = act(change)
        self.publisher.render(NAME)
        self.publisher.wait_acknowledged(NAME, state.generation, timeout_s)
        return state

    def deploy(self, version: VersionRef, plan: RolloutPlan | None = None) -> EndpointState:
        """Deploy a version."""
        return self.change(lambda change: self.endpoints.deploy(change, NAME, Deployment(version, plan)))

    def rollback(self) -> EndpointState:
        """Roll back."""
        return self.change(lambda change: self.endpoints.rollback(change, NAME, Cause("by hand")))

    def start(self, workers: int = 1, judge_every_s: float = 0.3) -> subprocess.Popen[bytes]:
        """Start a supervisor in a process of its own."""
        script = Path(__file__).with_name("supervise.py")
        command = [sys.executable, str(script), str(self.store), NAME, str(workers), str(judge_every_s)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.processes.append(process)
        return process

    def ready(self) -> SupervisorFile:
        """Return what the supervisor says once it serves."""
        return wait_ready(self.rooms, NAME, 60.0)

    def client(self) -> Client:
        """Return a caller with a connection of its own."""
        return Client(self.ready().url)

    def events(self) -> list[str]:
        """Return the kinds of the endpoint's events."""
        return [event.kind for event in self.rooms.ledger.events(subject=f"endpoint:{NAME}")]

    def stop(self) -> None:
        """Stop every supervisor, and whatever is left of their workers."""
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
            process.communicate(timeout=60)
        self.rooms.ledger.close()


@dataclass
class Client:
    """Asks over one connection, which it opens again when it was closed."""

    url: str

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=10)

    def post(self, path: str, body: object) -> tuple[int, Any]:
        """Return status and body of an answer."""
        data = json.dumps(body).encode()
        try:
            self._connection.request("POST", path, data, {"content-type": "application/json"})
            answer = self._connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise

    def predict(self, key: str | None = None, x: float = 1.0) -> tuple[int, Any]:
        """Ask for one row."""
        return self.post("/predict", {"row": {"x": x}, "key": key} if key else {"row": {"x": x}})


@contextmanager
def asking(client: Client, take: Callable[[str, int, Any], None]) -> Iterator[None]:
    """Ask without pause, each time with a new key, while the block runs."""
    done = threading.Event()

    def ask() -> None:
        number = 0
        while not done.is_set():
            number += 1
            key = f"caller-{number}"
            try:
                status, body = client.predict(key)
            except (OSError, http.client.HTTPException):
                status, body = 0, None
            take(key, status, body)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def until(true: Callable[[], object], timeout_s: float = 40.0) -> float:
    """Return how many seconds it took until something was true."""
    began = REAL.monotonic()
    while not true():
        assert REAL.monotonic() - began < timeout_s, "it did not happen in time"
        REAL.sleep(0.02)
    return REAL.monotonic() - began


def kill(pid: int) -> None:
    """End a process as a power cut would."""
    os.kill(pid, signal.SIGKILL)


def gone(pids: list[int]) -> bool:
    """Say whether none of these processes runs."""
    return not any(is_alive(pid) for pid in pids)
