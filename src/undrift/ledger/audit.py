"""Verification of a stored ledger, on one snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import Connection, select

from undrift.ledger.chain import Entry, Event, Head, event_of
from undrift.ledger.checkpoint import Checkpoint
from undrift.ledger.tables import events, head
from undrift.ledger.verify import (
    Finding,
    Projection,
    Verification,
    Walk,
    end_findings,
    expected_finding,
    projection_findings,
    remembered_finding,
    walk,
)

_BATCH = 1000


def audit(
    connection: Connection, checkpoint: Path | None, projections: Sequence[Projection], expected_head: str | None
) -> Verification:
    """Return the verification of a ledger.

    Parameters
    ----------
    connection : Connection
        A snapshot of the database.
    checkpoint : Path or None
        The file that keeps a copy of the head. It is read before the snapshot's rows are, so
        a change committed meanwhile cannot make it look ahead.
    projections : sequence of Projection
        Stored states to compare with the events.
    expected_head : str or None
        A hash that was kept elsewhere.
    """
    remembered, unreadable = _remembered(checkpoint)
    stored = Head(*connection.execute(select(head.c.seq, head.c.hash).where(head.c.row == 1)).one())
    seen = walk(_entries(connection), lambda: list(_entries(connection)))
    findings = list(_chain_findings(seen, stored, remembered, expected_head)) + unreadable
    if not findings:
        for projection in projections:
            folded = projection.fold(_events(connection))
            findings += projection_findings(projection, folded, projection.stored(connection))
    return Verification(seen.count, stored, tuple(findings))


def _chain_findings(seen: Walk, stored: Head, remembered: Head | None, expected: str | None) -> Iterator[Finding]:
    """Give what is wrong with the chain; behind a break nothing more can be said."""
    if seen.finding is not None:
        yield seen.finding
        return
    yield from end_findings(seen, stored)
    later = [
        remembered_finding(seen, remembered, "the checkpoint file") if remembered else None,
        expected_finding(seen, expected) if expected else None,
    ]
    yield from (finding for finding in later if finding is not None)


def _remembered(checkpoint: Path | None) -> tuple[Head | None, list[Finding]]:
    if checkpoint is None:
        return None, []
    try:
        return Checkpoint(checkpoint).read(), []
    except (ValueError, KeyError):
        return None, [Finding("altered", None, f"the checkpoint file {checkpoint.name} is damaged")]


def _entries(connection: Connection) -> Iterator[Entry]:
    query = select(events).order_by(events.c.seq)
    for row in connection.execute(query, execution_options={"yield_per": _BATCH}):
        yield Entry(*row)


def _events(connection: Connection) -> Iterator[Event]:
    return map(event_of, _entries(connection))
