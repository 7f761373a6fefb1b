"""The ledger's contract, on SQLite and on Postgres."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import BigInteger, Column, Table, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from undrift.core.clock import SimulatedClock
from undrift.core.errors import Conflict, NotFound
from undrift.ledger import tables
from undrift.ledger.actor import Actor
from undrift.ledger.errors import BadEvent, LedgerUnavailable, NestedChange, NotErasable, StoreTooNew, Unrecorded
from undrift.ledger.ledger import Ledger

ADA = Actor("os-user", "ada")


@pytest.fixture(params=["sqlite", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of an empty database of each kind."""
    if request.param == "sqlite":
        return str(tmp_path / "store" / "ledger.db")
    return cast(str, request.getfixturevalue("postgres_url"))


@pytest.fixture
def ledger(target: str, tmp_path: Path) -> Iterator[Ledger]:
    """Give an open ledger."""
    ledger = Ledger.open(target, checkpoint=tmp_path / "ledger.head")
    yield ledger
    ledger.close()


def record(ledger: Ledger, count: int = 1) -> list[str]:
    """Record so many events, one change each, and return their ids."""
    ids = []
    for number in range(count):
        with ledger.change(ADA) as change:
            ids.append(change.record("model.registered", f"model:delay@{number + 1}", {"secret": f"word-{number}"}))
    return ids


def forge(ledger: Ledger, *statements: str) -> None:
    """Edit the database behind the ledger's back, as its owner can."""
    with ledger.bookkeeping() as connection:
        on = " ON ledger_events" if connection.dialect.name == "postgresql" else ""
        for trigger in ("ledger_events_stay", "ledger_events_hold"):
            connection.execute(text(f"DROP TRIGGER {trigger}{on}"))
        for statement in statements:
            connection.execute(text(statement))


def test_a_new_ledger_begins_with_the_event_of_its_creation(target: str, tmp_path: Path) -> None:
    """A simulated clock is said in the first event."""
    clock = SimulatedClock(tmp_path / "clock.json", datetime(2013, 1, 1, tzinfo=UTC))
    (first,) = Ledger.open(target, clock=clock).events()
    assert (first.seq, first.kind, first.body["clock"]) == (1, "ledger.created", "simulated")
    assert first.at == datetime(2013, 1, 1, tzinfo=UTC)


def test_opening_again_changes_nothing(ledger: Ledger, target: str) -> None:
    """An up-to-date store is left alone."""
    before = ledger.head()
    assert Ledger.open(target).head() == before


def test_rows_and_events_are_committed_together(ledger: Ledger) -> None:
    """The events of one change follow each other, with one instant and one actor."""
    with ledger.change(ADA) as change:
        change.connection.execute(insert(tables.leases).values(name="n", owner="o", fence=1, expires_us=0))
        change.record("a.made", "run:1", {"n": 1})
        change.record("b.made", "run:1", {"n": 2})
    one, two = ledger.events(after=1)
    assert (one.seq, two.seq, two.previous_hash, one.at, one.actor) == (2, 3, one.hash, two.at, two.actor)
    with ledger.read() as connection:
        assert connection.scalar(select(tables.leases.c.owner)) == "o"


def test_a_change_that_raises_leaves_nothing(ledger: Ledger) -> None:
    """Neither rows nor events remain."""
    before = ledger.head()
    with contextlib.suppress(KeyError), ledger.change(ADA) as change:
        change.connection.execute(insert(tables.leases).values(name="n", owner="o", fence=1, expires_us=0))
        change.record("a.made", "run:1")
        raise KeyError
    assert ledger.head() == before
    with ledger.read() as connection:
        assert connection.scalar(select(tables.leases.c.owner)) is None


def test_rows_without_an_event_are_refused(ledger: Ledger) -> None:
    """No event, no change."""
    with pytest.raises(Unrecorded), ledger.change(ADA) as change:
        change.connection.execute(insert(tables.leases).values(name="n", owner="o", fence=1, expires_us=0))


def test_a_change_that_finds_nothing_to_do_is_fine(ledger: Ledger) -> None:
    """Reading inside a change, and writing no row, needs no event."""
    before = ledger.head()
    with ledger.change(ADA) as change:
        change.connection.execute(select(tables.leases)).all()
        change.connection.execute(update(tables.leases).where(tables.leases.c.name == "?").values(owner="x"))
    assert ledger.head() == before


def test_a_change_inside_a_change_is_told_at_once(ledger: Ledger) -> None:
    """It would wait for itself."""
    with ledger.change(ADA), pytest.raises(NestedChange), ledger.change(ADA):
        pass
    record(ledger)


def test_reading_inside_a_change_sees_what_was_before(ledger: Ledger) -> None:
    """Readers are never kept waiting, nor shown what is not committed."""
    with ledger.change(ADA) as change:
        change.connection.execute(insert(tables.leases).values(name="n", owner="o", fence=1, expires_us=0))
        change.record("a.made", "run:1")
        with ledger.read() as connection:
            assert connection.scalar(select(tables.leases.c.owner)) is None


def test_a_reader_cannot_write(ledger: Ledger) -> None:
    """The read door is read-only in the database, not by convention."""
    with pytest.raises((DBAPIError, LedgerUnavailable)), ledger.read() as connection:
        connection.execute(insert(tables.leases).values(name="n", owner="o", fence=1, expires_us=0))


def test_events_are_found_by_subject_kind_and_place(ledger: Ledger) -> None:
    """Consumers filter, and resume with the last place they saw."""
    record(ledger, 5)
    assert [e.seq for e in ledger.events("model:delay@3")] == [4]
    assert [e.seq for e in ledger.events(kinds=["model.registered"], after=3)] == [4, 5, 6]
    assert [e.seq for e in ledger.events(newest_first=True, limit=2)] == [6, 5]
    assert ledger.events(kinds=[]) == []


@pytest.mark.parametrize(
    ("kind", "subject"),
    [("registered", "run:1"), ("Model.made", "run:1"), ("a.b", ""), ("a.b", "x\n"), ("a.b", "x" * 201)],
)
def test_an_event_follows_the_grammar(ledger: Ledger, kind: str, subject: str) -> None:
    """Kinds are noun.verb, subjects short and printable."""
    with ledger.change(ADA) as change, pytest.raises(BadEvent):
        change.record(kind, subject)


def test_threads_share_a_ledger(ledger: Ledger) -> None:
    """Eight threads lose no event and break no link."""
    threads = [threading.Thread(target=record, args=(ledger, 15)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = ledger.verify()
    assert (found.ok, found.events, found.head.seq) == (True, 121, 121)


def test_the_database_itself_guards_events(ledger: Ledger) -> None:
    """A stray statement of ours can neither change nor delete an event."""
    record(ledger, 2)
    for statement in (delete(tables.events), update(tables.events).values(actor="os-user:eve")):
        with pytest.raises(DBAPIError), ledger.bookkeeping() as connection:
            connection.execute(statement)
    assert ledger.verify().ok


@pytest.mark.parametrize(
    ("statement", "problem", "seq"),
    [
        ("UPDATE ledger_events SET actor = 'os-user:eve' WHERE seq = 4", "altered", 4),
        ("UPDATE ledger_events SET body = '{}' WHERE seq = 2", "altered", 2),
        ("DELETE FROM ledger_events WHERE seq = 3", "deleted", 3),
        ("DELETE FROM ledger_events WHERE seq >= 5", "deleted", 5),
        ("UPDATE ledger_events SET seq = seq + 100 WHERE seq = 4", "reordered", 4),
        ("UPDATE ledger_events SET salt = NULL, body = NULL WHERE seq = 3", "altered", 3),
        ("UPDATE ledger_head SET seq = 4", "inserted", 5),
    ],
)
def test_an_edit_behind_the_ledgers_back_is_named(ledger: Ledger, statement: str, problem: str, seq: int) -> None:
    """The first event concerned is found."""
    record(ledger, 5)
    forge(ledger, statement)
    found = ledger.verify().findings[0]
    assert (found.problem, found.seq) == (problem, seq)


def test_a_cut_tail_shows_against_checkpoint_and_expected_head(ledger: Ledger, tmp_path: Path) -> None:
    """Who mends the head row forgets the checkpoint; who edits both forgets your copy."""
    record(ledger, 5)
    kept = ledger.head().hash
    last = ledger.events(after=3, limit=1)[0]
    forge(
        ledger,
        "DELETE FROM ledger_events WHERE seq > 4",
        f"UPDATE ledger_head SET seq = 4, hash = '{last.hash}'",
    )
    assert [(f.problem, f.seq) for f in ledger.verify().findings] == [("deleted", 5)]
    (tmp_path / "ledger.head").unlink()
    assert ledger.verify().ok
    assert [f.problem for f in ledger.verify(expected_head=kept).findings] == ["rewritten"]
    assert ledger.verify(expected_head=last.hash).ok


def test_a_body_can_be_erased_and_the_chain_still_holds(ledger: Ledger) -> None:
    """The words are gone, an event says who erased them and why."""
    ids = record(ledger, 3)
    ledger.erase_body(ids[1], actor=ADA, reason="asked by the customer")
    assert ledger.verify().ok
    gone, told = ledger.events(after=2, limit=1)[0], ledger.events(newest_first=True, limit=1)[0]
    assert (gone.erased, gone.body, told.kind, told.subject) == (True, {}, "event.body-erased", gone.subject)
    assert told.body["event"] == ids[1]


def test_what_has_no_body_cannot_be_erased(ledger: Ledger) -> None:
    """Erasing twice, erasing an erasure and erasing nothing are errors."""
    (made,) = record(ledger)
    ledger.erase_body(made, actor=ADA, reason="asked")
    for event_id in (made, ledger.events(newest_first=True, limit=1)[0].id):
        with pytest.raises(NotErasable):
            ledger.erase_body(event_id, actor=ADA, reason="asked")
    with pytest.raises(NotFound):
        ledger.erase_body("nothing", actor=ADA, reason="asked")


def test_a_store_of_a_newer_version_is_refused(ledger: Ledger, target: str) -> None:
    """An old program does not write into a schema it does not know."""
    with ledger.bookkeeping() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreTooNew):
        Ledger.open(target)


def test_a_database_that_does_not_answer_is_told_in_our_words() -> None:
    """No error of a library below leaks from opening."""
    with pytest.raises(LedgerUnavailable) as caught:
        Ledger.open("postgresql://nobody:secret@127.0.0.1:1/none")
    assert "secret" not in str(caught.value)


def test_a_connection_lost_in_a_change_is_told_and_the_next_change_works(postgres_url: str) -> None:
    """The server went away: nothing was committed, our own error says so."""
    ledger = Ledger.open(postgres_url)
    lose = text("SELECT pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(LedgerUnavailable), ledger.change(ADA) as change:
        change.connection.execute(lose)
    assert len(record(ledger)) == ledger.verify().events - 1


def test_a_deadlock_is_a_lost_race(postgres_url: str) -> None:
    """Of two changes that lock the same rows crosswise one commits, the other is told to try again."""
    ledger = Ledger.open(postgres_url)
    with ledger.bookkeeping() as connection:
        for name in ("a", "b"):
            connection.execute(insert(tables.leases).values(name=name, owner="o", fence=1, expires_us=0))
    barrier, ends = threading.Barrier(2), []

    def cross(first: str, second: str) -> None:
        try:
            with ledger.change(ADA) as change:
                for name in (first, second):
                    change.connection.execute(update(tables.leases).where(tables.leases.c.name == name).values(fence=2))
                    if name == first:
                        barrier.wait()
                change.record("a.made", "run:1")
        except Conflict as error:
            ends.append(error)

    threads = [threading.Thread(target=cross, args=pair) for pair in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(ends), ledger.head().seq) == (1, 2)


def test_every_instant_fits_its_column() -> None:
    """Microseconds need 64 bits on every database."""
    for table in tables.metadata.tables.values():
        for column in instants(table):
            assert isinstance(column.type, BigInteger), f"{table.name}.{column.name}"


def instants(table: Table) -> list[Column[object]]:
    """Return the columns of a table that hold instants."""
    return [column for column in table.columns if column.name.endswith("_us")]
