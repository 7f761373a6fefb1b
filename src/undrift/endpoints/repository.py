"""Where endpoints and rollouts are stored: one class for each."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from undrift.core import canonical
from undrift.core.clock import to_us
from undrift.core.ids import RolloutId
from undrift.endpoints import tables
from undrift.endpoints.errors import EndpointChanged, EndpointExists, RolloutEnded, UnknownEndpoint
from undrift.endpoints.plan import RolloutPlan
from undrift.endpoints.rollout import Rollout
from undrift.endpoints.state import EndpointState, Listen, VersionRef
from undrift.ledger.ledger import Change

_Row = Row[tuple[Any, ...]]  # Any: columns of several types


class EndpointTable:
    """Reads and writes the row of an endpoint; every write is a compare-and-set on its generation."""

    def find(self, connection: Connection, name: str) -> EndpointState | None:
        """Return an endpoint, or None."""
        row = connection.execute(select(tables.endpoints).where(tables.endpoints.c.name == name)).one_or_none()
        return _endpoint(row) if row else None

    def get(self, connection: Connection, name: str) -> EndpointState:
        """Return an endpoint.

        Raises
        ------
        UnknownEndpoint
            If there is none of this name.
        """
        found = self.find(connection, name)
        if found is None:
            raise UnknownEndpoint(
                f"there is no endpoint {name!r}", cure="undrift status lists them; undrift deploy makes one"
            )
        return found

    def all(self, connection: Connection) -> list[EndpointState]:
        """Return all endpoints by name."""
        return [
            _endpoint(row) for row in connection.execute(select(tables.endpoints).order_by(tables.endpoints.c.name))
        ]

    def add(self, change: Change, state: EndpointState) -> None:
        """Store a new endpoint.

        Raises
        ------
        EndpointExists
            If there is one of this name.
        """
        at = to_us(change.at)
        values = {"name": state.name, "created_us": at, "updated_us": at, **_endpoint_values(state)}
        try:
            change.connection.execute(insert(tables.endpoints).values(**values))
        except IntegrityError as error:
            raise EndpointExists(f"endpoint {state.name!r} exists already", cure="deploy to it instead") from error

    def replace(self, change: Change, before: EndpointState, state: EndpointState) -> None:
        """Store the next state of an endpoint.

        Raises
        ------
        EndpointChanged
            If the stored generation is no longer the one of ``before``.
        """
        row = tables.endpoints.c
        statement = update(tables.endpoints).where(row.name == before.name, row.generation == before.generation)
        values = {"updated_us": to_us(change.at), **_endpoint_values(state)}
        if change.connection.execute(statement.values(**values)).rowcount != 1:
            raise EndpointChanged(
                f"endpoint {before.name!r} is no longer at generation {before.generation}", cure="look again and repeat"
            )


class RolloutTable:
    """Reads and writes rollouts."""

    def find(self, connection: Connection, identifier: RolloutId) -> Rollout | None:
        """Return a rollout, or None."""
        row = connection.execute(select(tables.rollouts).where(tables.rollouts.c.id == identifier)).one_or_none()
        return _rollout(row) if row else None

    def of(self, connection: Connection, endpoint: str | None = None) -> list[Rollout]:
        """Return the rollouts of one endpoint or of all, newest first."""
        query = select(tables.rollouts).order_by(tables.rollouts.c.id.desc())
        if endpoint is not None:
            query = query.where(tables.rollouts.c.endpoint == endpoint)
        return [_rollout(row) for row in connection.execute(query)]

    def add(self, change: Change, rollout: Rollout) -> None:
        """Store a new rollout."""
        values = {
            "id": rollout.id,
            "endpoint": rollout.endpoint,
            "baseline": canonical.text(rollout.baseline.as_json()),
            "candidate": canonical.text(rollout.candidate.as_json()),
            "plan": canonical.text(rollout.plan.as_json()),
            "first_generation": rollout.first_generation,
            "since_us": rollout.since_us,
            "started_us": rollout.started_us,
            **_rollout_values(rollout),
        }
        change.connection.execute(insert(tables.rollouts).values(**values))

    def replace(self, change: Change, before: Rollout, rollout: Rollout) -> None:
        """Store the next state of a rollout.

        Raises
        ------
        RolloutEnded
            If the stored state is no longer that of ``before``.
        """
        row = tables.rollouts.c
        statement = update(tables.rollouts).where(
            row.id == before.id, row.state == before.state, row.step == before.step
        )
        if change.connection.execute(statement.values(**_rollout_values(rollout))).rowcount != 1:
            raise RolloutEnded(f"{before.ref} has moved since it was read", cure="look again and repeat")


def _endpoint_values(state: EndpointState) -> dict[str, Any]:  # Any: columns of several types
    return {
        "generation": state.generation,
        "salt": state.salt,
        "stable": canonical.text(state.stable.as_json()),
        "canary": canonical.text(state.canary.as_json()) if state.canary else None,
        "previous": canonical.text(state.previous.as_json()) if state.previous else None,
        "share_bp": state.share_bp,
        "rollout": state.rollout,
        "host": state.listen.host,
        "port": state.listen.port,
        "status": state.status,
    }


def _rollout_values(rollout: Rollout) -> dict[str, Any]:  # Any: columns of several types
    return {
        "state": rollout.state,
        "step": rollout.step,
        "step_generation": rollout.step_generation,
        "ended_us": rollout.ended_us,
        "reason": rollout.reason,
        "decided_by": rollout.decided_by,
        "decision": canonical.text(rollout.decision) if rollout.decision is not None else None,
    }


def _endpoint(row: _Row) -> EndpointState:
    return EndpointState(
        name=row.name,
        generation=row.generation,
        salt=row.salt,
        stable=_version(row.stable),
        canary=_version(row.canary) if row.canary else None,
        previous=_version(row.previous) if row.previous else None,
        share_bp=row.share_bp,
        rollout=RolloutId(row.rollout) if row.rollout else None,
        listen=Listen(row.host, row.port),
        status=row.status,
    )


def _rollout(row: _Row) -> Rollout:
    return Rollout(
        id=RolloutId(row.id),
        endpoint=row.endpoint,
        baseline=_version(row.baseline),
        candidate=_version(row.candidate),
        plan=RolloutPlan.from_json(_json(row.plan)),
        state=row.state,
        step=row.step,
        first_generation=row.first_generation,
        step_generation=row.step_generation,
        since_us=row.since_us,
        started_us=row.started_us,
        ended_us=row.ended_us,
        reason=row.reason,
        decided_by=row.decided_by,
        decision=_json(row.decision) if row.decision else None,
    )


def _version(stored: str) -> VersionRef:
    return VersionRef.from_json(_json(stored))


def _json(stored: str) -> Any:  # Any: JSON that this room wrote
    return canonical.loads(stored)
