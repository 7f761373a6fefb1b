"""From rows to logged answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from undrift.core.clock import Clock, to_us
from undrift.core.errors import UndriftError
from undrift.core.ids import IdSource
from undrift.core.masking import Mask
from undrift.models.answer import Answer
from undrift.models.signature import BadRow, Columns, Fault, InputColumn, Value, as_json_value
from undrift.segments.records import STATUS_OK, Cell, PredictionRecord
from undrift.serving.batching import Outcome, Scored
from undrift.serving.live import Asking, Current, Live, Served
from undrift.serving.metrics import Metrics
from undrift.serving.problem import TOO_LARGE, UNAVAILABLE, Problem, of_bad_row

_INSTANTS = frozenset({"date", "datetime"})


@dataclass(frozen=True, slots=True)
class Asked:
    """The rows of one request, not yet held against a schema.

    Attributes
    ----------
    rows : sequence
        JSON values, one per row.
    keys, events : sequence
        Caller's key and event time (microseconds) of each row, or None.
    paths : sequence of str
        Where each row stands in the request.
    version : Served, optional
        The variant of the version that the caller names; chance decides otherwise.
    """

    rows: Sequence[object]
    keys: Sequence[str | None]
    events: Sequence[int | None]
    paths: Sequence[str]
    version: Served | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """One answered row."""

    id: str
    answer: Answer
    scores: list[float]
    served: Served


class Predictor:
    """Routes rows to variants, scores them in batches, and logs each before it is answered.

    Parameters
    ----------
    clock : Clock
        Real time.
    ids : IdSource
        Gives the prediction ids.
    metrics : Metrics
        Counts.
    current : Current
        Holds the prediction log of now.
    """

    def __init__(self, clock: Clock, ids: IdSource, metrics: Metrics, current: Current) -> None:
        self._clock = clock
        self._ids = ids
        self._metrics = metrics
        self._current = current

    async def ask(self, live: Live, asked: Asked, began: float) -> list[Answered]:
        """Return the answers of a request's rows, in their order, once they are logged.

        Parameters
        ----------
        live : Live
            What is served now; nothing may be awaited between reading it and this call.
        asked : Asked
            The rows.
        began : float
            When the request was whole, by the clock's ``monotonic``.

        Raises
        ------
        Problem
            If any row cannot be answered: then none is.
        """
        if len(asked.rows) > live.state.limits.rows:
            raise self.refuse(live, too_many_rows(live.state.limits.rows), began)
        jobs = self._jobs(live, asked, began)
        self._decode(jobs, asked)
        for job in jobs:
            self._add(job)
        if len(jobs) == 1:
            return _answered(jobs[0], await jobs[0].future)
        return _in_order(jobs, await asyncio.gather(*(job.future for job in jobs)))

    def refuse(self, live: Live, problem: Problem, began: float) -> Problem:
        """Log a request that was refused before it had rows, and return the problem to raise."""
        one = Asked([None], [None], [None], ["$"])
        for job in self._jobs(live, one, began):
            self._log([(job, problem)])
        return problem

    def finish(self, outcomes: list[tuple[Asking, Outcome]], seconds: float) -> None:
        """Take what a batcher scored: count, log as one group, then let the answers go."""
        first = outcomes[0][0]
        self._metrics.scored(first.served.labels, sum(job.rows for job, _ in outcomes), seconds)
        self._log(outcomes)

    def _jobs(self, live: Live, asked: Asked, began: float) -> list[Asking]:
        now_us = to_us(self._clock.now())
        ids = [self._ids.next() for _ in asked.rows]
        loop = asyncio.get_running_loop()
        return [
            Asking(
                served=served,
                live=live,
                places=places,
                ids=[ids[place] for place in places],
                keys=[asked.keys[place] for place in places],
                events=[asked.events[place] for place in places],
                received_us=now_us,
                began=began,
                pinned=asked.version is not None,
                future=loop.create_future(),
            )
            for served, places in _routed(live, asked, ids)
        ]

    def _decode(self, jobs: Sequence[Asking], asked: Asked) -> None:
        """Decode each job's rows against its own variant; a fault refuses the request."""
        faults: list[Fault] = []
        for job in jobs:
            error = _decoded(job, asked)
            if error is not None:
                faults.extend(error.faults)
                self._log([(job, of_bad_row(error))])
        if faults:
            raise of_bad_row(BadRow(faults))

    def _add(self, job: Asking) -> None:
        try:
            job.served.loaded.batcher.add(job, job.live.state.limits.queue)
        except Problem as problem:
            self._log([(job, problem)])
            raise

    def _log(self, outcomes: Sequence[tuple[Asking, Outcome]]) -> None:
        """Log outcomes as one group; futures are set once the log's promise holds."""
        now = self._clock.monotonic()
        records: list[PredictionRecord] = []
        for job, outcome in outcomes:
            records.extend(_records(job, outcome, round((now - job.began) * 1e6)))
            self._count(job, outcome, now - job.began)

        def kept(error: UndriftError | None) -> None:
            for job, outcome in outcomes:
                _settle(job, outcome if error is None else _not_logged())

        self._current.predictions.write(records, kept)

    def _count(self, job: Asking, outcome: Outcome, seconds: float) -> None:
        status = STATUS_OK if isinstance(outcome, Scored) else outcome.status
        self._metrics.answered(job.served.labels, status, [seconds] * job.rows)


def too_many_rows(most: int) -> Problem:
    """Return the problem of a request with more rows than are taken."""
    return Problem(TOO_LARGE, "too-many-rows", f"a request has at most {most} rows", cure="send them in parts")


def _not_logged() -> Problem:
    return Problem(UNAVAILABLE, "log-unavailable", "the answer could not be logged, so it is not given", cure="retry")


def _routed(live: Live, asked: Asked, ids: Sequence[str]) -> Iterable[tuple[Served, list[int]]]:
    """Return the variants that are asked, each with the places of its rows."""
    everything = list(range(len(ids)))
    if asked.version is not None or live.canary is None:
        return [(asked.version or live.stable, everything)]
    chosen = [live.variant_of(key or identifier) for key, identifier in zip(asked.keys, ids, strict=True)]
    found = [(served, [place for place in everything if chosen[place] is served]) for served in live.served]
    return [(served, places) for served, places in found if places]


def _decoded(job: Asking, asked: Asked) -> BadRow | None:
    decoder = job.served.loaded.package.decoder
    rows = [asked.rows[place] for place in job.places]
    try:
        if len(rows) == 1:
            job.columns = decoder.decode_one(rows[0], asked.paths[job.places[0]])
        else:
            job.columns = decoder.decode(rows)
    except BadRow as error:
        return error if len(rows) == 1 else _placed(job, asked, error)
    return None


def _placed(job: Asking, asked: Asked, error: BadRow) -> BadRow:
    """Return the faults of many rows with the paths that the caller knows."""
    decoder = job.served.loaded.package.decoder
    for place in job.places:
        try:
            decoder.decode_one(asked.rows[place], asked.paths[place])
        except BadRow as found:
            return found
    return error


def _records(job: Asking, outcome: Outcome, latency_us: int) -> list[PredictionRecord]:
    rows = _rows(job)
    mask = job.live.mask
    scores = outcome.scores.tolist() if isinstance(outcome, Scored) else None
    return [
        PredictionRecord(
            id=identifier,
            received_us=job.received_us,
            event_us=job.events[place],
            key=_masked(job.keys[place], mask),
            endpoint=job.live.state.endpoint,
            variant=job.served.state.name,
            model=job.served.state.model,
            version=job.served.state.version,
            package=job.served.state.package,
            generation=job.live.state.generation,
            share_bp=None if job.pinned else job.live.share_bp,
            row=rows[place] if rows else None,
            scores=scores[place] if scores else [],
            prediction=outcome.answers[place] if isinstance(outcome, Scored) else None,
            status=outcome.status if isinstance(outcome, Problem) else STATUS_OK,
            latency_us=latency_us,
            error=outcome.what if isinstance(outcome, Problem) else None,
        )
        for place, identifier in enumerate(job.ids)
    ]


def _rows(job: Asking) -> list[list[Cell]]:
    """Return the job's rows as the log keeps them."""
    columns: Columns = job.columns
    if not columns:
        return []
    inputs = job.served.loaded.package.manifest.inputs
    cells = [_cells(column, columns[column.name], job.live.mask) for column in inputs]
    return [list(row) for row in zip(*cells, strict=True)]


def _cells(column: InputColumn, values: list[Value], mask: Mask | None) -> list[Cell]:
    """Return a column as the log keeps it: of a personal one the masks of texts, and no number."""
    if column.role == "personal" and mask is not None:
        return [mask.text(value) if isinstance(value, str) else None for value in values]
    if column.type in _INSTANTS:
        return [as_json_value(value) for value in values]
    return values  # type: ignore[return-value]  # the decoder gives plain cells for the other types


def _masked(key: str | None, mask: Mask | None) -> str | None:
    return key if key is None or mask is None else mask.text(key)


def _settle(job: Asking, outcome: Outcome) -> None:
    """Let the answer go; whoever waited may have been cancelled."""
    if not job.future.done():
        job.future.set_result(outcome)


def _answered(job: Asking, outcome: Outcome) -> list[Answered]:
    if isinstance(outcome, Problem):
        raise outcome
    scores = outcome.scores.tolist()
    return [
        Answered(identifier, outcome.answers[place], scores[place], job.served)
        for place, identifier in enumerate(job.ids)
    ]


def _in_order(jobs: Sequence[Asking], outcomes: Sequence[Outcome]) -> list[Answered]:
    found: list[tuple[int, Answered]] = []
    for job, outcome in zip(jobs, outcomes, strict=True):
        found.extend(zip(job.places, _answered(job, outcome), strict=True))
    return [answered for _, answered in sorted(found, key=lambda pair: pair[0])]
