"""The ledger's door: the one way to change state, and the ways to read what happened."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Row, insert, select, update

from undrift.core import canonical
from undrift.core.clock import Clock, RealClock, SimulatedClock, from_us
from undrift.core.ids import IdSource
from undrift.core.json import JSON
from undrift.ledger import schema, tables
from undrift.ledger.actor import Actor
from undrift.ledger.chain import Draft, Event, Head, link
from undrift.ledger.checkpoint import Checkpoint
from undrift.ledger.database import Database, SqliteDatabase, connect, sqlite_path
from undrift.ledger.errors import BadEvent, Unrecorded

_KIND = re.compile(r"[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+\Z")
_LONGEST_KIND = 80
_LONGEST_SUBJECT = 200
_SALT_BYTES = 16
_THIS_PROGRAM = Actor("service", "ledger")


class Change:
    """One open change: a write transaction and the events that will be chained at its end.

    It belongs to one thread, is short, and never spans user code, file transfer or HTTP.

    Attributes
    ----------
    connection : Connection
        Where the domain rows are written.
    actor : Actor
        Who makes the change.
    at : datetime
        Business time of the change, the same for all its events.
    """

    def __init__(self, connection: Connection, actor: Actor, at: datetime, ids: IdSource) -> None:
        self.connection = connection
        self.actor = actor
        self.at = at
        self._ids = ids
        self.drafts: list[Draft] = []

    def record(self, kind: str, subject: str, body: Mapping[str, JSON] | None = None) -> str:
        """Add an event to the change and return its id; it is chained just before the commit.

        Parameters
        ----------
        kind : str
            ``noun.verb-in-past``, for instance ``model.registered``.
        subject : str
            Reference of the thing that changed.
        body : mapping, optional
            References, digests, numbers, decisions; never a user's row or cell.

        Raises
        ------
        BadEvent
            If kind or subject does not follow the grammar.
        """
        if len(kind) > _LONGEST_KIND or not _KIND.match(kind):
            raise BadEvent(f"{kind[:80]!r} is not a kind of event", cure="write noun.verb-in-past")
        if not (0 < len(subject) <= _LONGEST_SUBJECT and subject.isprintable()):
            raise BadEvent(f"{subject[:80]!r} cannot be the subject of an event", cure="name it by a reference")
        draft = Draft(self._ids.next(), self.at, self.actor, kind, subject, body or {}, os.urandom(_SALT_BYTES))
        self.drafts.append(draft)
        return draft.id


class Ledger:
    """An open ledger; safe to share between threads, and between processes that open it each.

    Use :meth:`open`.
    """

    def __init__(self, database: Database, clock: Clock, checkpoint: Checkpoint | None) -> None:
        self._database = database
        self._clock = clock
        self._checkpoint = checkpoint
        self._ids = IdSource(clock)

    @classmethod
    def open(
        cls,
        target: str | Path,
        *,
        clock: Clock | None = None,
        real: Clock | None = None,
        checkpoint: Path | None = None,
    ) -> Ledger:
        """Return the ledger in a file or at a URL, created or migrated when need be.

        Parameters
        ----------
        target : str or Path
            A database file, a folder (its ``ledger.db`` is meant), or a ``postgresql://`` URL.
        clock : Clock, optional
            Business clock, from which events take their instant.
        real : Clock, optional
            Real clock, which measures waiting.
        checkpoint : Path, optional
            The file that keeps a copy of the head; beside an SQLite file it is ``ledger.head``.

        Raises
        ------
        LedgerUnavailable
            If the database does not answer.
        StoreTooNew
            If a newer undrift wrote it.
        NetworkFilesystem
            If an SQLite file would lie on a network file system.
        """
        database = connect(target, real or RealClock())
        if checkpoint is None and isinstance(database, SqliteDatabase):
            checkpoint = sqlite_path(target).with_suffix(".head")
        ledger = cls(database, clock or RealClock(), Checkpoint(checkpoint) if checkpoint else None)
        ledger._bring_up_to_date()
        return ledger

    @contextmanager
    def change(self, actor: Actor) -> Iterator[Change]:
        """Open the only kind of transaction that changes state.

        Rows written on the change's connection and the events it records are committed
        together when the block ends, or not at all when it raises.

        Parameters
        ----------
        actor : Actor
            Who makes the change.

        Yields
        ------
        Change
            The open change.

        Raises
        ------
        Unrecorded
            If rows were written and no event was recorded.
        NestedChange
            If this thread already holds a change.
        """
        with self._database.exclusive():
            with self._database.begin() as connection:
                before = self._database.mark(connection)
                change = Change(connection, actor, self._clock.now(), self._ids)
                yield change
                self._refuse_unrecorded(change, before)
                head = self._append(change)
            if head and self._checkpoint:
                self._checkpoint.advance(head)

    @contextmanager
    def bookkeeping(self) -> Iterator[Connection]:
        """Open a write transaction for what is not a fact: leases, heartbeats, watermarks.

        Nothing that a person would ask "who did that, and why?" about is written here.
        """
        with self._database.exclusive(), self._database.begin() as connection:
            yield connection

    def read(self) -> AbstractContextManager[Connection]:
        """Open a read-only transaction that sees one snapshot."""
        return self._database.read()

    def events(
        self,
        subject: str | None = None,
        kinds: Sequence[str] | None = None,
        *,
        after: int = 0,
        limit: int | None = None,
        newest_first: bool = False,
    ) -> list[Event]:
        """Return events in commit order.

        Parameters
        ----------
        subject : str, optional
            Only events about this reference.
        kinds : sequence of str, optional
            Only events of these kinds.
        after : int
            Only events with a greater ``seq``: consumers resume with the last they saw.
        limit : int, optional
            At most so many.
        newest_first : bool
            The reverse order.
        """
        columns = tables.events.c
        query = select(tables.events).where(columns.seq > after)
        if subject is not None:
            query = query.where(columns.subject == subject)
        if kinds is not None:
            query = query.where(columns.kind.in_(kinds))
        query = query.order_by(columns.seq.desc() if newest_first else columns.seq).limit(limit)
        with self.read() as connection:
            return [_event(row) for row in connection.execute(query)]

    def head(self) -> Head:
        """Return the end of the chain."""
        with self.read() as connection:
            return Head(*connection.execute(select(tables.head.c.seq, tables.head.c.hash)).one())

    def close(self) -> None:
        """Close the connections; the ledger can still be used and opens new ones."""
        self._database.close()

    def _append(self, change: Change) -> Head | None:
        if not change.drafts:
            return None
        head = self._database.locked_head(change.connection)
        entries = []
        for draft in change.drafts:
            entry = link(head, draft)
            entries.append(asdict(entry))
            head = Head(entry.seq, entry.hash)
        change.connection.execute(insert(tables.events), entries)
        change.connection.execute(update(tables.head).values(seq=head.seq, hash=head.hash))
        return head

    def _refuse_unrecorded(self, change: Change, before: int) -> None:
        if not change.drafts and self._database.mark(change.connection) != before:
            raise Unrecorded(
                "a change wrote rows and recorded no event", cure="call change.record(...) before the change ends"
            )

    def _bring_up_to_date(self) -> None:
        if self._is_current():
            return
        with self._database.exclusive():
            with self._database.begin() as connection:
                self._database.migration_lock(connection)
                if schema.is_current(connection):
                    return
                before = schema.stored_revision(connection)
                schema.migrate(connection)
                change = Change(connection, _THIS_PROGRAM, self._clock.now(), self._ids)
                _record_migration(change, before, self._clock)
                head = self._append(change)
            if head and self._checkpoint:
                self._checkpoint.advance(head)

    def _is_current(self) -> bool:
        if isinstance(self._database, SqliteDatabase) and not self._database.exists():
            return False
        with self.read() as connection:
            return schema.is_current(connection)


def _record_migration(change: Change, before: str | None, clock: Clock) -> None:
    newest = schema.revisions()[-1]
    if before is not None:
        change.record("ledger.migrated", "ledger", {"from": before, "to": newest})
        return
    kind = "simulated" if isinstance(clock, SimulatedClock) else "real"
    change.record("ledger.created", "ledger", {"schema": newest, "clock": kind})


def _event(row: Row[tuple[object, ...]]) -> Event:
    body = canonical.loads(row.body) if row.body is not None else {}
    return Event(
        seq=row.seq,
        id=row.id,
        at=from_us(row.at_us),
        actor=Actor.parse(row.actor),
        kind=row.kind,
        subject=row.subject,
        body=body,  # type: ignore[arg-type]  # record() takes mappings only
        previous_hash=row.previous_hash,
        hash=row.hash,
        erased=row.body is None,
    )
