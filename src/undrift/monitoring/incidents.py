"""The repository of incidents: each move is a compare-and-set with its event."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Row, insert, select, update

from undrift.core import canonical
from undrift.core.clock import from_us, to_us
from undrift.core.decision import Decision
from undrift.core.errors import Conflict, NotFound
from undrift.core.ids import IdSource, IncidentId
from undrift.core.json import JSON
from undrift.ledger.ledger import Change, Ledger
from undrift.monitoring import tables
from undrift.monitoring.incident import Finding, Incident, Step, steps

_COLUMNS = tables.incidents.c


class IncidentMoved(Conflict):
    """Another process moved the incident first."""

    code = "incident-moved"


class NoIncident(NotFound):
    """There is no such incident."""

    code = "no-incident"


class Incidents:
    """Stores incidents and moves them.

    Parameters
    ----------
    ledger : Ledger
        Where they are kept.
    ids : IdSource
        Names new ones.
    """

    def __init__(self, ledger: Ledger, ids: IdSource) -> None:
        self._ledger = ledger
        self._ids = ids

    def get(self, identifier: str) -> Incident:
        """Return an incident by id.

        Raises
        ------
        NoIncident
            If there is none.
        """
        with self._ledger.read() as connection:
            row = connection.execute(select(tables.incidents).where(_COLUMNS.id == identifier)).one_or_none()
        if row is None:
            raise NoIncident(f"there is no incident {identifier[:40]!r}", cure="see them with undrift status")
        return _incident(row)

    def all(self, endpoint: str | None = None, *, only_open: bool = False) -> list[Incident]:
        """Return incidents, the oldest first, of one endpoint or of all."""
        query = select(tables.incidents).order_by(_COLUMNS.opened_us, _COLUMNS.id)
        if endpoint is not None:
            query = query.where(_COLUMNS.endpoint == endpoint)
        if only_open:
            query = query.where(_COLUMNS.open_cause.is_not(None))
        with self._ledger.read() as connection:
            return [_incident(row) for row in connection.execute(query)]

    def apply(self, change: Change, endpoint: str, version: str, findings: Sequence[Finding]) -> list[Incident]:
        """Open, update or close the incidents of one endpoint and version; return those that moved.

        Raises
        ------
        IncidentMoved
            If another process moved one first; the whole change is then undone.
        """
        known = [one for one in _open(change.connection, endpoint) if one.model_version == version]
        return [self._move(change, (endpoint, version), step) for step in steps(known, findings)]

    def close_replaced(self, change: Change, endpoint: str, live: str) -> list[Incident]:
        """Close the open incidents of versions which are not live any more; return them."""
        old = [one for one in _open(change.connection, endpoint) if one.model_version != live]
        return [self._close(change, one, f"{one.model_version} was replaced by {live}", None) for one in old]

    def _move(self, change: Change, where: tuple[str, str], step: Step) -> Incident:
        if step.incident is None:
            return self._open_new(change, where, step.finding)
        if step.move == "close":
            reason = step.finding.decision.reason or "the rule is kept again"
            return self._close(change, step.incident, reason, step.finding.decision)
        return self._update(change, step.incident, step.finding.decision)

    def _open_new(self, change: Change, where: tuple[str, str], finding: Finding) -> Incident:
        endpoint, version = where
        now = to_us(change.at)
        identifier = self._ids.next()
        values = {
            "id": identifier,
            "endpoint": endpoint,
            "model_version": version,
            "kind": finding.kind,
            "open_cause": f"{endpoint} {version} {finding.kind}",
            "opened_us": now,
            "updated_us": now,
            "times": 1,
            "decision": canonical.text(finding.decision.as_json()),
            "closed_because": "",
        }
        change.connection.execute(insert(tables.incidents).values(**values))
        opened = _read(change.connection, identifier)
        change.record("incident.opened", opened.ref, _body(opened, finding.decision))
        return opened

    def _update(self, change: Change, incident: Incident, decision: Decision) -> Incident:
        values = {
            "updated_us": to_us(change.at),
            "times": incident.times + 1,
            "decision": canonical.text(decision.as_json()),
        }
        return self._set(change, incident, values, ("incident.updated", decision))

    def _close(self, change: Change, incident: Incident, reason: str, decision: Decision | None) -> Incident:
        now = to_us(change.at)
        values = {"open_cause": None, "updated_us": now, "closed_us": now, "closed_because": reason}
        return self._set(change, incident, values, ("incident.closed", decision))

    def _set(
        self, change: Change, incident: Incident, values: Mapping[str, object], event: tuple[str, Decision | None]
    ) -> Incident:
        same = (_COLUMNS.id == incident.id) & (_COLUMNS.times == incident.times) & _COLUMNS.open_cause.is_not(None)
        if change.connection.execute(update(tables.incidents).where(same).values(**values)).rowcount != 1:
            raise IncidentMoved(
                f"{incident.ref} was moved by another process", cure="nothing: the next pass looks again"
            )
        moved = _read(change.connection, incident.id)
        kind, decision = event
        change.record(kind, moved.ref, _body(moved, decision))
        return moved


def _open(connection: Connection, endpoint: str) -> list[Incident]:
    mine = (_COLUMNS.endpoint == endpoint) & _COLUMNS.open_cause.is_not(None)
    return [_incident(row) for row in connection.execute(select(tables.incidents).where(mine).order_by(_COLUMNS.id))]


def _read(connection: Connection, identifier: str) -> Incident:
    return _incident(connection.execute(select(tables.incidents).where(_COLUMNS.id == identifier)).one())


def _body(incident: Incident, decision: Decision | None) -> dict[str, JSON]:
    body: dict[str, JSON] = {
        "endpoint": f"endpoint:{incident.endpoint}",
        "model": incident.model_version,
        "kind": incident.kind,
        "times": incident.times,
        "decision": decision.as_json() if decision else None,
    }
    return {**body, "reason": incident.closed_because} if incident.closed_because else body


def _incident(row: Row[tuple[object, ...]]) -> Incident:
    return Incident(
        id=IncidentId(row.id),
        endpoint=row.endpoint,
        model_version=row.model_version,
        kind=row.kind,
        opened_at=from_us(row.opened_us),
        updated_at=from_us(row.updated_us),
        closed_at=None if row.closed_us is None else from_us(row.closed_us),
        times=row.times,
        decision=json.loads(row.decision),
        closed_because=row.closed_because,
    )
