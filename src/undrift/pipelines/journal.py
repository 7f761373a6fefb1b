"""The journal: which pipeline runs there are and how far each has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias, cast

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from undrift.core import canonical
from undrift.core.clock import Clocks, from_us, to_us
from undrift.core.ids import IdSource
from undrift.core.json import JSON
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Change, Ledger
from undrift.pipelines import tables
from undrift.pipelines.errors import NoSuchPipelineRun
from undrift.pipelines.graph import Pipeline

RunState: TypeAlias = Literal["submitted", "running", "finished", "failed", "cancelled"]
StepState: TypeAlias = Literal["pending", "running", "finished", "failed", "cancelled"]
UNFINISHED: tuple[RunState, ...] = ("submitted", "running")


@dataclass(frozen=True, slots=True)
class PipelineRun:
    """One run of a pipeline, as the journal has it.

    Attributes
    ----------
    id, pipeline : str
        Its id and the name of its pipeline.
    params : mapping
        What it was submitted with.
    dedupe_key : str
        Two submissions with one key are one run.
    state : {"submitted", "running", "finished", "failed", "cancelled"}
        How far it is.
    actor : Actor
        Who submitted it; its steps act in that name.
    submitted_at : datetime
        Business time of the submission.
    reason : str
        Why it failed or was cancelled; empty otherwise.
    """

    id: str
    pipeline: str
    params: Mapping[str, JSON]
    dedupe_key: str
    state: RunState
    actor: Actor
    submitted_at: datetime
    reason: str

    @property
    def ref(self) -> str:
        """The reference under which the ledger speaks of it."""
        return f"pipeline:{self.pipeline}@{self.id}"

    @property
    def is_unfinished(self) -> bool:
        """Whether there is something left to run."""
        return self.state in UNFINISHED


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step of a run, as the journal has it."""

    run: str
    name: str
    state: StepState
    attempt: int
    owner: str | None
    fence: int
    lease_until_us: int
    not_before_us: int
    outputs: Mapping[str, JSON]
    key_parts: Mapping[str, JSON]
    reused_from: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Submission:
    """The answer to a submission: the run, and whether this call made it."""

    run_id: str
    is_new: bool


class Journal:
    """Stores pipeline runs.

    Parameters
    ----------
    ledger : Ledger
        Where the journal lives.
    clocks : Clocks
        Business time for what people read, real time for waiting.
    """

    def __init__(self, ledger: Ledger, clocks: Clocks) -> None:
        self._ledger = ledger
        self._ids = IdSource(clocks.business)

    def submit(
        self, change: Change, pipeline: Pipeline[Any], params: Mapping[str, JSON], dedupe_key: str | None = None
    ) -> Submission:
        """Write down that a pipeline is to be run; running it is another call.

        Parameters
        ----------
        change : Change
            The caller's change, so that a trigger and its run are one fact.
        pipeline : Pipeline
            What to run.
        params : mapping
            JSON; the steps see those that they declare.
        dedupe_key : str, optional
            A second submission with the same key is the first run again.
        """
        found = self._by_key(change.connection, dedupe_key) if dedupe_key else None
        if found:
            return Submission(found, is_new=False)
        run_id = self._ids.next()
        row = {
            "id": run_id,
            "pipeline": pipeline.name,
            "params": canonical.text(params),
            "dedupe_key": dedupe_key or run_id,
            "state": "submitted",
            "actor": str(change.actor),
            "submitted_us": to_us(change.at),
        }
        try:
            with change.connection.begin_nested():
                change.connection.execute(insert(tables.runs).values(**row))
        except IntegrityError:  # on Postgres another transaction may have been first since the look above
            first = self._by_key(change.connection, str(row["dedupe_key"]))
            if first is None:
                raise
            return Submission(first, is_new=False)
        change.connection.execute(insert(tables.steps), _step_rows(run_id, pipeline))
        body: dict[str, JSON] = {"dedupe_key": dedupe_key or run_id, "steps": list(pipeline.order())}
        change.record("pipeline.submitted", f"pipeline:{pipeline.name}@{run_id}", body)
        return Submission(run_id, is_new=True)

    def get(self, run_id: str) -> PipelineRun:
        """Return a run.

        Raises
        ------
        NoSuchPipelineRun
            If there is none of this id.
        """
        with self._ledger.read() as connection:
            row = connection.execute(select(tables.runs).where(tables.runs.c.id == run_id)).one_or_none()
        if row is None:
            raise NoSuchPipelineRun(f"there is no pipeline run {run_id[:40]!r}", cure="see `undrift run list`")
        return _run(row)

    def find(self, dedupe_key: str) -> PipelineRun | None:
        """Return the run that was submitted with a key, if there is one."""
        with self._ledger.read() as connection:
            found = self._by_key(connection, dedupe_key)
        return self.get(found) if found else None

    def steps(self, run_id: str) -> dict[str, StepRecord]:
        """Return the steps of a run by name, in the order of running."""
        query = select(tables.steps).where(tables.steps.c.run == run_id).order_by(tables.steps.c.position)
        with self._ledger.read() as connection:
            return {row.name: _step(row) for row in connection.execute(query)}

    def pending(self, pipeline: str | None = None) -> list[PipelineRun]:
        """Return the runs that are not finished, oldest first."""
        query = select(tables.runs).where(tables.runs.c.state.in_(UNFINISHED)).order_by(tables.runs.c.id)
        if pipeline is not None:
            query = query.where(tables.runs.c.pipeline == pipeline)
        with self._ledger.read() as connection:
            return [_run(row) for row in connection.execute(query)]

    def begin(self, change: Change, run: PipelineRun) -> None:
        """Mark a submitted run as running; a second runner that comes at the same moment changes nothing."""
        begun = update(tables.runs).where(tables.runs.c.id == run.id, tables.runs.c.state == "submitted")
        if change.connection.execute(begun.values(state="running")).rowcount:
            change.record("pipeline.started", run.ref)

    def end(self, change: Change, run: PipelineRun, state: RunState, *, reason: str = "", code: str = "") -> bool:
        """Bring an unfinished run into its last state, with its event; say whether it was still unfinished.

        A failed or cancelled run's reason may quote data, so the event carries the code only.

        Parameters
        ----------
        change : Change
            The open change.
        run : PipelineRun
            The run.
        state : RunState
            Its last state.
        reason : str
            Why, for a person; it stays in the journal.
        code : str
            Stable code of the error, kept in the event.
        """
        values = {"state": state, "ended_us": to_us(change.at), "error": reason or None, "error_code": code or None}
        statement = update(tables.runs).where(tables.runs.c.id == run.id, tables.runs.c.state.in_(UNFINISHED))
        if change.connection.execute(statement.values(**values)).rowcount != 1:
            return False
        body: dict[str, JSON] = {"code": code} if code else {}
        change.record(f"pipeline.{state}", run.ref, body)
        return True

    def is_last_step(self, change: Change, run: PipelineRun, step: str) -> bool:
        """Say whether every other step is finished; steps that finish at the same moment queue here."""
        locked = select(tables.runs.c.id).where(tables.runs.c.id == run.id).with_for_update()
        change.connection.execute(locked)
        steps = tables.steps
        others = select(steps.c.name).where(steps.c.run == run.id, steps.c.name != step, steps.c.state != "finished")
        return change.connection.execute(others.limit(1)).first() is None

    def reopen(self, change: Change, run: PipelineRun) -> None:
        """Give a failed or cancelled run another go; its finished steps stay finished."""
        steps = tables.steps
        change.connection.execute(
            update(tables.runs).where(tables.runs.c.id == run.id).values(state="running", ended_us=None, error=None)
        )
        change.connection.execute(
            update(steps)
            .where(steps.c.run == run.id, steps.c.state.in_(("failed", "cancelled")))
            .values(state="pending", attempt=0, not_before_us=0, owner=None)
        )
        change.record("pipeline.resumed", run.ref)

    def _by_key(self, connection: Connection, dedupe_key: str) -> str | None:
        query = select(tables.runs.c.id).where(tables.runs.c.dedupe_key == dedupe_key)
        return cast("str | None", connection.scalar(query))


def _step_rows(run_id: str, pipeline: Pipeline[Any]) -> list[dict[str, object]]:
    blank = {"state": "pending", "attempt": 0, "fence": 0, "lease_until_us": 0, "not_before_us": 0}
    return [{"run": run_id, "name": name, "position": at, **blank} for at, name in enumerate(pipeline.order())]


def _run(row: Row[Any]) -> PipelineRun:
    return PipelineRun(
        id=row.id,
        pipeline=row.pipeline,
        params=_mapping(row.params),
        dedupe_key=row.dedupe_key,
        state=row.state,
        actor=Actor.parse(row.actor),
        submitted_at=from_us(row.submitted_us),
        reason=row.error or "",
    )


def _step(row: Row[Any]) -> StepRecord:
    return StepRecord(
        run=row.run,
        name=row.name,
        state=row.state,
        attempt=row.attempt,
        owner=row.owner,
        fence=row.fence,
        lease_until_us=row.lease_until_us,
        not_before_us=row.not_before_us,
        outputs=_mapping(row.outputs),
        key_parts=_mapping(row.key_parts),
        reused_from=row.reused_from,
        reason=row.error or "",
    )


def _mapping(text: str | None) -> Mapping[str, JSON]:
    return cast("Mapping[str, JSON]", canonical.loads(text)) if text else {}
