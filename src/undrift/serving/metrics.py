"""Counts of a worker, in Prometheus' text format."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Labels: TypeAlias = tuple[tuple[str, str], ...]

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"


class Histogram:
    """Counts by upper bound.

    Parameters
    ----------
    bounds : sequence of float
        Upper bounds, growing; a last one of infinity is added.
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def lines(self, name: str, labels: Labels) -> Iterator[str]:
        """Yield the histogram's samples."""
        below = 0
        for bound, count in zip((*self.bounds, "+Inf"), self.counts, strict=True):
            below += count
            yield _sample(f"{name}_bucket", (*labels, ("le", str(bound))), below)
        yield _sample(f"{name}_sum", labels, self.total)
        yield _sample(f"{name}_count", labels, below)


@dataclass(slots=True)
class Metrics:
    """All that a worker counts.

    Attributes
    ----------
    worker : str
        Label that tells workers which share a port apart: the process id.
    predictions : Counter
        Rows by model, version, variant and status.
    latency : dict
        Seconds from the whole request read to the answer computed, by model, version, variant.
    engine : dict
        Seconds of one engine call, by the same.
    batch : dict
        Rows of one engine call, by the same.
    requests : Counter
        HTTP requests by route and status.
    feedback : int
        Labels taken.
    """

    worker: str
    predictions: Counter[Labels] = field(default_factory=Counter)
    latency: dict[Labels, Histogram] = field(default_factory=dict)
    engine: dict[Labels, Histogram] = field(default_factory=dict)
    batch: dict[Labels, Histogram] = field(default_factory=dict)
    requests: Counter[tuple[str, int]] = field(default_factory=Counter)
    feedback: int = 0

    def answered(self, labels: Labels, status: int, seconds: Sequence[float]) -> None:
        """Count rows which were answered, or refused, each with its latency."""
        self.predictions[(*labels, ("status", str(status)))] += len(seconds)
        histogram = self.latency.get(labels)
        if histogram is None:
            histogram = self.latency[labels] = Histogram(SECONDS)
        for value in seconds:
            histogram.add(value)

    def scored(self, labels: Labels, rows: int, seconds: float) -> None:
        """Count one engine call."""
        if labels not in self.engine:
            self.engine[labels], self.batch[labels] = Histogram(SECONDS), Histogram(ROWS)
        self.engine[labels].add(seconds)
        self.batch[labels].add(rows)

    def render(self, gauges: Mapping[str, float], counters: Mapping[str, float]) -> bytes:
        """Return everything as text.

        Parameters
        ----------
        gauges, counters : mapping of str to float
            Further single numbers, by name without the prefix.
        """
        return ("\n".join(self._lines(gauges, counters)) + "\n").encode()

    def _lines(self, gauges: Mapping[str, float], counters: Mapping[str, float]) -> Iterator[str]:
        own = (("worker", self.worker),)
        yield from _head("undrift_predictions_total", "counter", "Rows answered or refused.")
        for labels, count in self.predictions.items():
            yield _sample("undrift_predictions_total", (*labels, *own), count)
        for name, what, group in (
            ("undrift_prediction_seconds", "Request read to answer computed.", self.latency),
            ("undrift_engine_seconds", "One call of a model.", self.engine),
            ("undrift_batch_rows", "Rows in one call of a model.", self.batch),
        ):
            yield from _head(name, "histogram", what)
            for labels, histogram in group.items():
                yield from histogram.lines(name, (*labels, *own))
        yield from _head("undrift_http_requests_total", "counter", "HTTP requests.")
        for (route, status), count in self.requests.items():
            labels = (("route", route), ("status", str(status)))
            yield _sample("undrift_http_requests_total", (*labels, *own), count)
        for kind, numbers in (("counter", counters), ("gauge", gauges)):
            for name, value in numbers.items():
                yield from _head(f"undrift_{name}", kind, name.replace("_", " ").capitalize() + ".")
                yield _sample(f"undrift_{name}", own, value)


def variant_labels(model: str, version: int, variant: str) -> Labels:
    """Return the labels of one variant."""
    return (("model", model), ("version", str(version)), ("variant", variant))


def _head(name: str, kind: str, what: str) -> tuple[str, str]:
    return f"# HELP {name} {what}", f"# TYPE {name} {kind}"


def _sample(name: str, labels: Labels, value: float) -> str:
    inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
    return f"{name}{{{inside}}} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
