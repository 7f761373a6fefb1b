"""The two databases a ledger lives in: SQLite (one machine) and Postgres (a team).

Both give the same three things: a write transaction that one writer at a time can finish, a
read transaction on one snapshot, and the head of the chain, read for writing.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import URL, Connection, Engine, Select, create_engine, event, func, make_url, select, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from undrift.core.clock import Clock
from undrift.core.errors import Conflict, MissingExtra, UndriftError
from undrift.core.files import (
    PRIVATE_FILE,
    FileLock,
    full_disk_told,
    is_network_filesystem,
    make_where_possible,
    read_only,
    read_only_told,
)
from undrift.core.sqlite_files import error_code, full_disk, is_writable, open_to_read
from undrift.ledger.chain import Head
from undrift.ledger.errors import LedgerUnavailable, NestedChange, NetworkFilesystem
from undrift.ledger.tables import head

_BUSY_MS = 60_000
_LOCK_TIMEOUT_S = 120.0
_MIGRATION_LOCK = 0x756E6472  # "undr": the advisory lock of migrations on Postgres
_LOST_RACES = frozenset({"40001", "40P01"})  # serialization failure, deadlock
_WRITTEN = "rows_written"
_WRITES = frozenset({"INSERT", "UPDATE", "DELETE"})
_HEAD: Select[int, str] = select(head.c.seq, head.c.hash).where(head.c.row == 1)


class Database(Protocol):
    """Where a ledger lives.

    ``exclusive`` surrounds a write from before its transaction until after what follows the
    commit; ``begin`` commits at its end and rolls back on an error; ``read`` sees one
    snapshot and cannot write; ``locked_head`` may be called once, as the last thing that reads.
    """

    def exclusive(self) -> AbstractContextManager[None]:
        """Hold what keeps other writers out."""
        ...

    def begin(self) -> AbstractContextManager[Connection]:
        """Give a write transaction."""
        ...

    def read(self) -> AbstractContextManager[Connection]:
        """Give a read-only snapshot."""
        ...

    def migration_lock(self, connection: Connection) -> None:
        """Keep other migrations out until the transaction ends."""
        ...

    def locked_head(self, connection: Connection) -> Head:
        """Return the head, which no other writer can move until the commit."""
        ...

    def mark(self, connection: Connection) -> int:
        """Return a number which grows when this transaction writes rows."""
        ...

    def scrub(self) -> None:
        """Take out of the database's files what was erased from its rows."""
        ...

    def close(self) -> None:
        """Close the pooled connections."""
        ...


class SqliteDatabase:
    """A file in WAL mode, every write under a file lock; read also where nothing can be written.

    SQLite's own busy handler starves writers, so they queue on a lock beside the file.

    Parameters
    ----------
    path : Path
        The database file; its folder is made, with mode 0700.
    clock : Clock
        Real clock, which measures the waiting for the lock.

    Raises
    ------
    NetworkFilesystem
        If the folder is on a network file system.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        make_where_possible(path.parent)
        if is_network_filesystem(path.parent):
            raise NetworkFilesystem(
                f"{path.parent} is on a network file system, where SQLite loses data",
                cure="keep the project on a local disk, or name a Postgres database by URL",
            )
        if not path.exists():
            with full_disk_told(path), read_only_told(path):
                path.touch(mode=PRIVATE_FILE)  # the log files beside it take its mode
        self._path = path
        self._lock_path = path.with_suffix(".lock")
        self._clock = clock
        self._held = threading.local()
        url = URL.create("sqlite", database=str(path))
        self._writer = _sqlite_engine(url, "BEGIN IMMEDIATE")
        self._reader = _sqlite_engine(url, "BEGIN", to_read=path)
        _forget_after_fork(self._writer, self._reader)

    def exists(self) -> bool:
        """Say whether there is a database file with anything in it."""
        return self._path.exists() and self._path.stat().st_size > 0

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the file lock; a thread that already holds it is told so at once.

        Raises
        ------
        ProjectReadOnly
            If this account may not write the database.
        """
        _refuse_nesting(self._held)
        if not is_writable(self._path):
            raise read_only(self._path)
        with FileLock(self._lock_path, timeout_s=_LOCK_TIMEOUT_S, clock=self._clock):
            self._held.now = True
            try:
                yield
            finally:
                self._held.now = False

    def begin(self) -> AbstractContextManager[Connection]:
        """Give a write transaction."""
        return _begin(self._writer)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a read-only snapshot, also where nothing can be written; of a state that is no mixture."""
        with _told(self._reader), self._reader.connect() as connection:
            driver: Any = connection.connection.dbapi_connection  # Any: SQLAlchemy's type has no driver methods
            try:
                with connection.begin():
                    yield connection
                driver.refuse_changed()
            finally:
                if driver.is_apart:
                    connection.invalidate()  # the next snapshot is taken anew: no lock tells of writers

    def migration_lock(self, connection: Connection) -> None:
        """Do nothing: the file lock is held already."""

    def locked_head(self, connection: Connection) -> Head:
        """Return the head: BEGIN IMMEDIATE already keeps other writers out."""
        return Head(*connection.execute(_HEAD).one())

    def mark(self, connection: Connection) -> int:
        """Return how many rows this connection has written."""
        driver: Any = connection.connection.dbapi_connection  # Any: SQLAlchemy's type has no driver methods
        return int(driver.total_changes)

    def scrub(self) -> None:
        """Fold the write-ahead log into the file, where erased cells are zeros, and cut the log."""
        with self.exclusive(), self._reader.connect() as connection:
            driver: Any = connection.connection.dbapi_connection  # Any: SQLAlchemy's type has no driver methods
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close the pooled connections."""
        self._writer.dispose()
        self._reader.dispose()


class PostgresDatabase:
    """A Postgres database, 15 or newer; writers queue on the row of the head, taken last.

    Parameters
    ----------
    url : URL
        ``postgresql://...``; the driver is psycopg 3.

    Raises
    ------
    MissingExtra
        If psycopg is not installed.
    """

    def __init__(self, url: URL) -> None:
        try:
            self._engine = create_engine(url.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
        except ModuleNotFoundError as error:
            raise MissingExtra("postgres", "a ledger on Postgres") from error
        event.listen(self._engine, "after_cursor_execute", _count_written)
        self._held = threading.local()
        self._reader = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        _forget_after_fork(self._engine)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Refuse a change inside a change: it would wait for itself on the head."""
        _refuse_nesting(self._held)
        self._held.now = True
        try:
            yield
        finally:
            self._held.now = False

    def begin(self) -> AbstractContextManager[Connection]:
        """Give a write transaction."""
        return _begin(self._engine)

    def read(self) -> AbstractContextManager[Connection]:
        """Give a read-only snapshot."""
        return _begin(self._reader)

    def migration_lock(self, connection: Connection) -> None:
        """Hold an advisory lock until the transaction ends."""
        connection.execute(select(func.pg_advisory_xact_lock(_MIGRATION_LOCK)))

    def locked_head(self, connection: Connection) -> Head:
        """Return the head and lock its row until the commit."""
        return Head(*connection.execute(_HEAD.with_for_update()).one())

    def mark(self, connection: Connection) -> int:
        """Return how many rows this connection has written."""
        return int(connection.info.get(_WRITTEN, 0))

    def scrub(self) -> None:
        """Vacuum the table, so that no dead row keeps the words."""
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ledger_events"))

    def close(self) -> None:
        """Close the pooled connections."""
        self._engine.dispose()


def connect(target: str | Path, clock: Clock) -> Database:
    """Return the database that a path or a URL names; nothing is written to it yet.

    Parameters
    ----------
    target : str or Path
        A database file, a folder (its ``ledger.db`` is meant), or ``sqlite:///...`` or ``postgresql://...``.
    clock : Clock
        Real clock.
    """
    url = make_url(target) if isinstance(target, str) and "://" in target else None
    if url is not None and url.get_backend_name() == "postgresql":
        return PostgresDatabase(url)
    return SqliteDatabase(sqlite_path(target), clock)


def sqlite_path(target: str | Path) -> Path:
    """Return the database file that a path, a folder or a ``sqlite:///`` URL names."""
    if isinstance(target, str) and target.startswith("sqlite"):
        target = make_url(target).database or ""
    path = Path(target)
    return path / "ledger.db" if path.is_dir() or not path.suffix else path


@contextmanager
def _begin(engine: Engine) -> Iterator[Connection]:
    with _told(engine), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def _told(engine: Engine) -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise _in_our_words(engine, error) from error


def _in_our_words(engine: Engine, error: DBAPIError) -> UndriftError:
    """Return our error for a lower one; what a room's own statement did wrong is not among these."""
    if getattr(error.orig, "sqlstate", None) in _LOST_RACES:
        return Conflict("somebody else changed the same rows at the same moment", cure="try again")
    path = Path(engine.url.database or "")
    if error_code(error.orig) == sqlite3.SQLITE_READONLY and not is_writable(path):
        return read_only(path)
    return full_disk(error.orig, path) or LedgerUnavailable(
        f"the ledger's database {engine.url.render_as_string()} failed: {error.orig}",
        cure="check that the database runs, its address, and that the disk has space",
    )


def _sqlite_engine(url: URL, begin: str, *, to_read: Path | None = None) -> Engine:
    options: dict[str, Any] = {"timeout": _BUSY_MS / 1000, "check_same_thread": False}  # Any: as SQLite takes them
    if to_read is None:
        engine = create_engine(url, connect_args=options)
    else:
        engine = create_engine(url, creator=lambda: open_to_read(to_read, **options))

    def prepare(driver: sqlite3.Connection, _: object) -> None:
        driver.isolation_level = None  # transactions are begun below, not guessed by the driver
        if to_read is None:
            driver.execute("PRAGMA journal_mode=WAL")
            driver.execute("PRAGMA synchronous=FULL")
            driver.execute("PRAGMA secure_delete=ON")  # an erased body leaves zeros, not words
        driver.execute("PRAGMA foreign_keys=ON")

    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", start)
    return engine


def _count_written(connection: Connection, cursor: Any, statement: str, *_: object) -> None:  # Any: the driver's
    if cursor.rowcount > 0 and statement.lstrip()[:6].upper() in _WRITES:
        connection.info[_WRITTEN] = connection.info.get(_WRITTEN, 0) + cursor.rowcount


def _refuse_nesting(held: threading.local) -> None:
    if getattr(held, "now", False):
        raise NestedChange(
            "a change was opened while this thread still holds one",
            cure="pass the open change to the method that needs it",
        )


def _forget_after_fork(*engines: Engine) -> None:
    """Let a forked child open its own connections: an inherited one would corrupt its parent's."""
    for engine in engines:
        weak = weakref.ref(engine)
        os.register_at_fork(after_in_child=lambda weak=weak: _drop(weak()))


def _drop(engine: Engine | None) -> None:
    if engine is not None:
        engine.dispose(close=False)
