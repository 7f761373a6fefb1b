"""Batching without waiting: whatever arrived in this turn of the event loop is scored in one call.

The first request of a turn schedules a flush at the turn's end, so that a lone request waits for
nobody. While a model runs, requests gather for the next call: the batch follows the load by
itself. A model slower than two milliseconds a call runs in a thread, one call at a time, so that
health and metrics answer meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar

import numpy as np

from undrift.core.clock import Clock
from undrift.models.answer import Answer, answer
from undrift.models.engines.base import Engine, NotScorable, Scores
from undrift.models.package import Manifest
from undrift.models.signature import Columns
from undrift.serving.problem import SERVER_ERROR, UNAVAILABLE, UNPROCESSABLE, Problem, trace_of

_log = logging.getLogger("undrift.serving")
_LARGEST_BATCH = 1024
_SLOW_S = 0.002
_FAST_S = 0.001
_SMOOTHING = 0.2


@dataclass(frozen=True, slots=True)
class Scored:
    """What a model said about the rows of one job."""

    scores: Scores
    answers: Sequence[Answer]


Outcome: TypeAlias = Scored | Problem


class Job(Protocol):
    """Some rows of one request for one variant."""

    @property
    def columns(self) -> Columns:
        """The decoded rows."""
        ...

    @property
    def rows(self) -> int:
        """How many they are."""
        ...


J = TypeVar("J", bound=Job)


@dataclass(frozen=True, slots=True)
class Model:
    """What a batcher scores with."""

    manifest: Manifest
    engine: Engine

    @property
    def width(self) -> int:
        """Scores per row."""
        return max(1, len(self.manifest.classes))

    def score(self, columns: Columns, rows: int) -> Scored:
        """Return scores and answers of some rows.

        Raises
        ------
        NotScorable
            If the model refuses the values.
        ArithmeticError
            If what it gives is not finite numbers of the right shape.
        """
        scores = self.engine.score(columns, rows)
        if scores.shape != (rows, self.width) or not np.isfinite(scores).all():
            raise ArithmeticError(f"scores of shape {scores.shape} for {rows} rows, or not finite")
        return Scored(scores, answer(self.manifest, scores))


class Batcher(Generic[J]):
    """Scores jobs of one model, many in one call; belongs to one event loop.

    Parameters
    ----------
    model : Model
        What to score with.
    clock : Clock
        Measures the calls.
    finish : callable
        Takes the jobs of a call with their outcomes, and the call's seconds, on the loop.
    """

    def __init__(self, model: Model, clock: Clock, finish: Callable[[list[tuple[J, Outcome]], float], None]) -> None:
        self._model = model
        self._clock = clock
        self._finish = finish
        self._waiting: list[J] = []
        self._rows = 0
        self._scheduled = False
        self._running = False
        self._retired = False
        self._reported: set[str] = set()
        self._thread: ThreadPoolExecutor | None = None
        self.call_s = 0.0

    @property
    def rows(self) -> int:
        """Rows that wait."""
        return self._rows

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits or runs."""
        return not self._waiting and not self._running

    def add(self, job: J, most_rows: int) -> None:
        """Let a job wait for the next call.

        Raises
        ------
        Problem
            503 if too many rows wait already.
        """
        if self._rows + job.rows > most_rows and self._rows:
            raise Problem(UNAVAILABLE, "queue-full", "too many rows are waiting for this model", cure="retry in 1 s")
        self._waiting.append(job)
        self._rows += job.rows
        self._schedule()

    def warm(self, columns: Columns, rows: int) -> None:
        """Score some rows a few times, off the loop, so that the first request finds a warm model of known speed."""
        times = []
        for _ in range(3):
            began = self._clock.monotonic()
            self._model.score(columns, rows)
            times.append(self._clock.monotonic() - began)
        self.call_s = min(times)

    def retire(self) -> None:
        """Give the thread back once the last job is done; nothing may be added any more."""
        self._retired = True
        self._let_go()

    def _schedule(self) -> None:
        if not self._scheduled and not self._running and self._waiting:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        jobs = self._take()
        if self.call_s > _SLOW_S:
            self._running = True
            loop = asyncio.get_running_loop()
            if self._thread is None:
                self._thread = ThreadPoolExecutor(1, "model")
            loop.run_in_executor(self._thread, self._score, jobs).add_done_callback(self._came_back)
        else:
            self._done(*self._score(jobs))

    def _take(self) -> list[J]:
        """Take the jobs of the next call: at least one, then as many as fit."""
        count = rows = 0
        for job in self._waiting:
            if count and rows + job.rows > _LARGEST_BATCH:
                break
            count += 1
            rows += job.rows
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        self._rows -= rows
        return taken

    def _came_back(self, call: asyncio.Future[tuple[list[tuple[J, Outcome]], float]]) -> None:
        self._running = False
        self._done(*call.result())

    def _done(self, outcomes: list[tuple[J, Outcome]], seconds: float) -> None:
        smoothed = self.call_s + _SMOOTHING * (seconds - self.call_s)
        if not (self.call_s > _SLOW_S and _FAST_S < smoothed <= _SLOW_S):  # no to and fro between loop and thread
            self.call_s = smoothed
        self._finish(outcomes, seconds)
        self._schedule()
        self._let_go()

    def _let_go(self) -> None:
        if self._retired and self.is_idle and self._thread is not None:
            self._thread.shutdown(wait=False)
            self._thread = None

    def _score(self, jobs: list[J]) -> tuple[list[tuple[J, Outcome]], float]:
        """Return the outcome of each job and the seconds of the call."""
        began = self._clock.monotonic()
        outcomes = self._together(jobs) if len(jobs) > 1 else None
        if outcomes is None:  # one job, or one of them spoils the batch: each for itself
            outcomes = [(job, self._attempt(job.columns, job.rows)) for job in jobs]
        return outcomes, self._clock.monotonic() - began

    def _together(self, jobs: list[J]) -> list[tuple[J, Outcome]] | None:
        rows = sum(job.rows for job in jobs)
        columns: Columns = {name: [cell for job in jobs for cell in job.columns[name]] for name in jobs[0].columns}
        whole = self._attempt(columns, rows)
        if isinstance(whole, Problem):
            return None
        found: list[tuple[J, Outcome]] = []
        start = 0
        for job in jobs:
            part = slice(start, start + job.rows)
            found.append((job, Scored(whole.scores[part], whole.answers[part])))
            start += job.rows
        return found

    def _attempt(self, columns: Columns, rows: int) -> Outcome:
        try:
            return self._model.score(columns, rows)
        except NotScorable as error:
            return Problem(UNPROCESSABLE, "not-scorable", error.message, cure="mend the values")
        except Exception as error:  # noqa: BLE001  # the edge to a stranger's model: counted against its variant
            self._report(error)
            return Problem(
                SERVER_ERROR, "model-failed", "the model failed on these rows", cure="undrift logs shows why"
            )

    def _report(self, error: Exception) -> None:
        """Log a model's error with its traceback, the same kind once."""
        kind = type(error).__name__
        if kind not in self._reported:
            self._reported.add(kind)
            _log.error("the model failed: %s", trace_of(error))
