"""The rows of runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

from sqlalchemy import Connection, Row, Table, delete, insert, select, update

from undrift.core import canonical
from undrift.core.clock import from_us
from undrift.core.json import JSON
from undrift.ledger.actor import Actor
from undrift.tracking import tables
from undrift.tracking.code import CodeState
from undrift.tracking.facts import Artifact, Facts, Input, MetricValue, Run, RunRecord, Status, Warned


class RunRows:
    """Reads and writes the tables of runs on a connection of the caller's."""

    def add(self, connection: Connection, row: Mapping[str, object]) -> None:
        """Write a new run."""
        connection.execute(insert(tables.runs).values(**row))

    def close(
        self, connection: Connection, run_id: str, status: Status, at_us: int, error: str, *, among: Sequence[Status]
    ) -> bool:
        """Bring a run from one of some states into its last one, and say whether it was in one of them.

        Parameters
        ----------
        connection : Connection
            The open transaction.
        run_id : str
            Which run.
        status : Status
            Its last state.
        at_us : int
            When it ended.
        error : str
            What went wrong, empty when nothing did.
        among : sequence of Status
            The states it may be in now.
        """
        runs = tables.runs
        statement = update(runs).where(runs.c.id == run_id, runs.c.status.in_(among))
        values = {"status": status, "ended_us": at_us, "error": error or None}
        return connection.execute(statement.values(**values)).rowcount == 1

    def revive(self, connection: Connection, run_id: str, process: str, now_us: int) -> None:
        """Let a run go on in another process."""
        values = {"status": "running", "ended_us": None, "error": None, "process": process, "heartbeat_us": now_us}
        connection.execute(update(tables.runs).where(tables.runs.c.id == run_id).values(**values))

    def beat(self, connection: Connection, run_id: str, now_us: int) -> None:
        """Write down a sign of life."""
        connection.execute(update(tables.runs).where(tables.runs.c.id == run_id).values(heartbeat_us=now_us))

    def find(self, connection: Connection, prefix: str) -> list[Run]:
        """Return the runs whose ids begin so, at most three."""
        ids = tables.runs.c.id
        end = prefix + "\x7f"  # ids are ASCII: a range uses the primary key, LIKE would not
        query = select(tables.runs).where(ids >= prefix, ids < end).order_by(ids).limit(3)
        return [_run(row) for row in connection.execute(query)]

    def of_pipeline(self, connection: Connection, pipeline: str) -> Run | None:
        """Return the run that belongs to a pipeline run, None when it has not come so far."""
        row = connection.execute(select(tables.runs).where(tables.runs.c.pipeline == pipeline)).one_or_none()
        return None if row is None else _run(row)

    def all(self, connection: Connection, *, name: str | None, status: Status | None, limit: int | None) -> list[Run]:
        """Return runs, newest first."""
        query = select(tables.runs).order_by(tables.runs.c.id.desc()).limit(limit)
        if name is not None:
            query = query.where(tables.runs.c.name == name)
        if status is not None:
            query = query.where(tables.runs.c.status == status)
        return [_run(row) for row in connection.execute(query)]

    def facts(self, connection: Connection, run_id: str) -> Facts:
        """Return everything that was recorded of a run."""
        params = list(_of(connection, tables.params, run_id))
        return Facts(
            declared={row.name: canonical.loads(row.value) for row in params if row.source == "declared"},
            fitted={row.name: canonical.loads(row.value) for row in params if row.source == "fitted"},
            metrics={row.name: _metric(row) for row in _of(connection, tables.metrics, run_id)},
            artifacts={row.name: Artifact(row.digest, row.bytes) for row in _of(connection, tables.artifacts, run_id)},
            inputs={row.role: Input(row.ref, row.digest) for row in _of(connection, tables.inputs, run_id)},
            warnings=[Warned(row.code, row.text) for row in _of(connection, tables.warnings, run_id)],
        )

    def inputs(self, connection: Connection) -> frozenset[str]:
        """Return the references of all data that any run read."""
        return frozenset(connection.scalars(select(tables.inputs.c.ref).distinct()))

    def record(self, connection: Connection, run: Run) -> RunRecord:
        """Return a run with its facts."""
        return RunRecord(run, self.facts(connection, run.id))

    def write(self, connection: Connection, run_id: str, facts: Facts) -> None:
        """Add facts to a run; of the same name the newest stands."""
        declared = [_param(run_id, "declared", name, value) for name, value in facts.declared.items()]
        fitted = [_param(run_id, "fitted", name, value) for name, value in facts.fitted.items()]
        metrics = [{"run": run_id, "name": name, **asdict(value)} for name, value in facts.metrics.items()]
        made = [{"run": run_id, "name": name, **asdict(value)} for name, value in facts.artifacts.items()]
        read = [{"run": run_id, "role": role, **asdict(value)} for role, value in facts.inputs.items()]
        _put(connection, tables.params, [*declared, *fitted])
        _put(connection, tables.metrics, metrics)
        _put(connection, tables.artifacts, made)
        _put(connection, tables.inputs, read)
        self._warn(connection, run_id, facts.warnings)

    def _warn(self, connection: Connection, run_id: str, warned: Sequence[Warned]) -> None:
        known = {(row.code, row.text) for row in _of(connection, tables.warnings, run_id)}
        new = [item for item in dict.fromkeys(warned) if (item.code, item.text) not in known]
        rows = [
            {"run": run_id, "position": len(known) + at, "code": item.code, "text": item.text}
            for at, item in enumerate(new)
        ]
        _put(connection, tables.warnings, rows)


def _put(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows in the place of those with the same keys."""
    if not rows:
        return
    for row in rows:
        same = [column == row[column.name] for column in table.primary_key]
        connection.execute(delete(table).where(*same))
    connection.execute(insert(table), [dict(row) for row in rows])


def _of(connection: Connection, table: Table, run_id: str) -> Iterable[Row[Any]]:
    return connection.execute(select(table).where(table.c.run == run_id).order_by(*table.primary_key))


def _param(run_id: str, source: str, name: str, value: JSON) -> dict[str, object]:
    return {"run": run_id, "source": source, "name": name, "value": canonical.text(value)}


def _metric(row: Row[Any]) -> MetricValue:
    return MetricValue(row.value, row.low, row.high, row.alpha, row.method, row.n, row.units, row.unit)


def _run(row: Row[Any]) -> Run:
    code = cast("dict[str, Any]", canonical.loads(row.code))
    return Run(
        id=row.id,
        name=row.name,
        status=row.status,
        actor=Actor.parse(row.actor),
        started_at=from_us(row.started_us),
        ended_at=None if row.ended_us is None else from_us(row.ended_us),
        process=row.process,
        heartbeat_us=row.heartbeat_us,
        pipeline=row.pipeline or "",
        seed=row.seed,
        environment=row.environment,
        code=CodeState(code["commit"], code["diff"], tuple(code["untracked"]), code["problem"]),
        error=row.error or "",
    )
