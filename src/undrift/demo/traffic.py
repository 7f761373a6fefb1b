"""The demo's callers: real HTTP requests to the endpoint, and the count of what came back."""

from __future__ import annotations

import http.client
import queue
import select
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec

from undrift.core.json import JSON

CALLERS = 4
LABELS_PER_REQUEST = 500
_OK = range(200, 300)


class Answered(msgspec.Struct):
    """The parts of an answer that the story needs."""

    id: str
    prediction: bool
    probability: float
    model_version: str
    variant: str


class _Reply(msgspec.Struct):
    predictions: list[Answered]


@dataclass(slots=True)
class Tally:
    """What the callers saw.

    Attributes
    ----------
    requests, labels : int
        Requests for predictions, and labels sent.
    failed : int
        Answers outside 200-299, connections that broke included.
    by_version : Counter
        Answers by model version.
    """

    requests: int = 0
    labels: int = 0
    failed: int = 0
    by_version: Counter[str] = field(default_factory=Counter)


class Traffic:
    """Sends requests over kept-alive connections.

    Parameters
    ----------
    url : str
        ``http://host:port`` of the endpoint.
    callers : int
        Connections that ask at the same time.
    """

    def __init__(self, url: str, callers: int = CALLERS) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._idle: queue.SimpleQueue[http.client.HTTPConnection] = queue.SimpleQueue()
        for _ in range(callers):
            self._idle.put(http.client.HTTPConnection(*self._address, timeout=30))
        self._pool = ThreadPoolExecutor(callers, thread_name_prefix="caller")
        self._lock = threading.Lock()
        self.tally = Tally()

    def ask(self, requests: Iterable[Mapping[str, JSON]]) -> list[Answered | None]:
        """Send each request and return the answers in the same order; None where it failed."""
        return list(self._pool.map(self._ask_one, requests))

    def tell(self, labels: Sequence[Mapping[str, JSON]]) -> None:
        """Send what turned out to be true."""
        parts = [labels[at : at + LABELS_PER_REQUEST] for at in range(0, len(labels), LABELS_PER_REQUEST)]
        for status, _ in self._pool.map(lambda part: self._post("/feedback", {"labels": part}), parts):
            self.tally.failed += status not in _OK
        self.tally.labels += len(labels)

    def close(self) -> None:
        """Close the connections."""
        self._pool.shutdown()
        while not self._idle.empty():
            self._idle.get().close()

    def _ask_one(self, request: Mapping[str, JSON]) -> Answered | None:
        status, body = self._post("/predict", request)
        answered = msgspec.json.decode(body, type=_Reply).predictions[0] if status in _OK else None
        with self._lock:
            self.tally.requests += 1
            self.tally.failed += answered is None
            if answered:
                self.tally.by_version[answered.model_version] += 1
        return answered

    def _post(self, path: str, body: Any) -> tuple[int, bytes]:  # Any: msgspec encodes what JSON can hold
        connection = self._idle.get()
        if _was_dropped(connection):
            connection.close()  # the next request opens it again
        try:
            connection.request("POST", path, msgspec.json.encode(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (http.client.HTTPException, OSError):
            connection.close()
            return 0, b""
        finally:
            self._idle.put(connection)


def _was_dropped(connection: http.client.HTTPConnection) -> bool:
    """Say whether the server closed a kept-alive connection while nobody used it."""
    return connection.sock is not None and bool(select.select([connection.sock], [], [], 0)[0])
