"""The ledger's door: the one way to change state, and the ways to read what happened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from pathlib import Path

from sqlalchemy import Connection, insert, select, update

from undrift.core.clock import Clock, RealClock, SimulatedClock
from undrift.core.ids import IdSource
from undrift.ledger import schema, tables
from undrift.ledger.actor import Actor
from undrift.ledger.audit import audit
from undrift.ledger.chain import Entry, Event, Head, event_of, link
from undrift.ledger.change import Change
from undrift.ledger.checkpoint import Checkpoint
from undrift.ledger.database import Database, SqliteDatabase, connect, sqlite_path
from undrift.ledger.erasure import erase
from undrift.ledger.errors import Unrecorded
from undrift.ledger.verify import Projection, Verification

__all__ = ["Change", "Ledger"]

_THIS_PROGRAM = Actor("service", "ledger")


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
        versions_too: bool = False,
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
        versions_too : bool
            Also events about ``subject@...``: the versions of the named thing.
        """
        columns = tables.events.c
        query = select(tables.events).where(columns.seq > after)
        if subject is not None:
            itself = columns.subject == subject
            versions = columns.subject.startswith(f"{subject}@", autoescape=True)
            query = query.where(itself | versions if versions_too else itself)
        if kinds is not None:
            query = query.where(columns.kind.in_(kinds))
        query = query.order_by(columns.seq.desc() if newest_first else columns.seq).limit(limit)
        with self.read() as connection:
            return [event_of(Entry(*row)) for row in connection.execute(query)]

    def head(self) -> Head:
        """Return the end of the chain."""
        with self.read() as connection:
            return Head(*connection.execute(select(tables.head.c.seq, tables.head.c.hash)).one())

    def verify(self, projections: Sequence[Projection] = (), *, expected_head: str | None = None) -> Verification:
        """Check the whole chain, the checkpoint file and the stored states, on one snapshot.

        Parameters
        ----------
        projections : sequence of Projection
            Stored states to compare with what the events say.
        expected_head : str, optional
            Hash of a head that was kept elsewhere; some event must have it.

        Returns
        -------
        Verification
            The head to keep elsewhere, and the first thing wrong with the chain.
        """
        remembered = self._checkpoint.path if self._checkpoint else None
        with self.read() as connection:
            return audit(connection, remembered, projections, expected_head)

    def erase_body(self, event_id: str, *, actor: Actor, reason: str) -> None:
        """Erase the body of an event for ever; the chain still verifies.

        Copies made before (backups, bundles) keep it.

        Parameters
        ----------
        event_id : str
            Which event.
        actor : Actor
            Who erases.
        reason : str
            Why; kept in an event for ever.

        Raises
        ------
        NotFound
            If there is no such event.
        NotErasable
            If it records an erasure itself or has no body any more.
        """
        with self.change(actor) as change:
            erase(change, event_id, reason)
        self._database.scrub()

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
