"""Erasing the body of an event: the words go, the chain stays, and an event says who did it and why."""

from __future__ import annotations

from sqlalchemy import select, update

from undrift.core import canonical
from undrift.core.errors import NotFound
from undrift.ledger.chain import Entry
from undrift.ledger.change import Change
from undrift.ledger.errors import NotErasable
from undrift.ledger.tables import events

ERASED = "event.body-erased"


def erase(change: Change, event_id: str, reason: str) -> None:
    """Erase salt and body of an event and record it.

    Parameters
    ----------
    change : Change
        The open change.
    event_id : str
        Which event.
    reason : str
        Why, in words that may stay for ever.

    Raises
    ------
    NotFound
        If there is no such event.
    NotErasable
        If the event itself records an erasure, or has no body any more.
    """
    row = change.connection.execute(select(events).where(events.c.id == event_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no event {event_id[:40]!r}", cure="undrift history --json shows the ids")
    if row.kind == ERASED or row.body is None:
        raise NotErasable(f"event {row.seq} ({row.kind}) has no body that can be erased")
    change.connection.execute(update(events).where(events.c.seq == row.seq).values(salt=None, body=None))
    change.record(ERASED, row.subject, {"event": row.id, "seq": row.seq, "kind": row.kind, "reason": reason})


def erased_seq(entry: Entry) -> int | None:
    """Return the place of the event whose erasure an entry records, None for other entries."""
    if entry.kind != ERASED or entry.body is None:
        return None
    body = canonical.loads(entry.body)
    seq = body.get("seq") if isinstance(body, dict) else None
    return seq if isinstance(seq, int) else None
