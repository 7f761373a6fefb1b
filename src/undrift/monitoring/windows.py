"""The repository of closed windows: each is closed once, in order, whatever the number of processes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from undrift.core import canonical
from undrift.core.clock import from_us, to_us
from undrift.core.errors import Conflict
from undrift.core.ids import IdSource
from undrift.core.json import JSON
from undrift.ledger.ledger import Change, Ledger
from undrift.monitoring import tables
from undrift.monitoring.performance import Performance
from undrift.monitoring.report import WindowReport
from undrift.monitoring.spans import Span
from undrift.monitoring.watched import Watched

_COLUMNS = tables.windows.c


class WindowTaken(Conflict):
    """Another process closed or judged the window first."""

    code = "window-taken"


@dataclass(frozen=True, slots=True)
class ClosedWindow:
    """A window that was closed.

    Attributes
    ----------
    id : str
        Its id.
    endpoint, model_version : str
        What was watched.
    span : Span
        Number, start and end.
    rows : int
        Requests that were counted when it was closed.
    closed_at : datetime
        Business time.
    report : mapping
        What was found then.
    performance : mapping or None
        What the labels said; None while there are too few.
    """

    id: str
    endpoint: str
    model_version: str
    span: Span
    rows: int
    closed_at: datetime
    report: Mapping[str, Any]  # Any: stored JSON
    performance: Mapping[str, Any] | None  # Any: stored JSON


class Windows:
    """Stores closed windows.

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

    def all(self, endpoint: str, version: str | None = None) -> list[ClosedWindow]:
        """Return the closed windows of an endpoint, or of one version behind it, in order."""
        query = select(tables.windows).where(_COLUMNS.endpoint == endpoint)
        if version is not None:
            query = query.where(_COLUMNS.model_version == version)
        query = query.order_by(_COLUMNS.window_end_us, _COLUMNS.number, _COLUMNS.id)
        with self._ledger.read() as connection:
            return [_window(row) for row in connection.execute(query)]

    def close(self, change: Change, watched: Watched, report: WindowReport) -> str:
        """Store a window with its event and return its id.

        Raises
        ------
        WindowTaken
            If this window, or a later one, is closed already, or the one before is not.
        """
        mine = (_COLUMNS.endpoint == watched.endpoint) & (_COLUMNS.model_version == watched.version.ref)
        newest = select(_COLUMNS.number).where(mine).order_by(_COLUMNS.number.desc()).limit(1)
        if (change.connection.scalar(newest) or 0) != report.span.number - 1:
            raise _taken(report.span)
        identifier = self._ids.next()
        try:
            change.connection.execute(insert(tables.windows).values(**_values(identifier, watched, report, change)))
        except IntegrityError as error:
            raise _taken(report.span) from error
        change.record("window.closed", watched.endpoint_ref, {"window": identifier, **report.summary()})
        return identifier

    def score(self, change: Change, watched: Watched, window: ClosedWindow, performance: Performance) -> None:
        """Store the performance of a window that was closed before its labels came.

        Raises
        ------
        WindowTaken
            If another process did.
        """
        values = {"performance": canonical.text(performance.as_json()), "scored_us": to_us(change.at)}
        unscored = (_COLUMNS.id == window.id) & _COLUMNS.performance.is_(None)
        if change.connection.execute(update(tables.windows).where(unscored).values(**values)).rowcount != 1:
            raise _taken(window.span)
        body: dict[str, JSON] = {
            "window": window.id,
            "model": watched.version.ref,
            "performance": performance.as_json(),
        }
        change.record("window.scored", watched.endpoint_ref, body)


def _values(identifier: str, watched: Watched, report: WindowReport, change: Change) -> dict[str, object]:
    scored = report.performance.is_final
    return {
        "id": identifier,
        "endpoint": watched.endpoint,
        "model_version": watched.version.ref,
        "number": report.span.number,
        "window_start_us": to_us(report.span.start),
        "window_end_us": to_us(report.span.end),
        "rows": report.requests,
        "closed_us": to_us(change.at),
        "report": canonical.text(report.as_json()),
        "scored_us": to_us(change.at) if scored else None,
        "performance": canonical.text(report.performance.as_json()) if scored else None,
    }


def _taken(span: Span) -> WindowTaken:
    return WindowTaken(
        f"window {span.number} was handled by another process", cure="nothing: the next pass goes on from there"
    )


def _window(row: Row[tuple[object, ...]]) -> ClosedWindow:
    return ClosedWindow(
        id=row.id,
        endpoint=row.endpoint,
        model_version=row.model_version,
        span=Span(row.number, from_us(row.window_start_us), from_us(row.window_end_us)),
        rows=row.rows,
        closed_at=from_us(row.closed_us),
        report=json.loads(row.report),
        performance=None if row.performance is None else json.loads(row.performance),
    )
