"""Which pack holds which chunk: a database that can be made again from the packs at any time."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from undrift.blobs.packs.toc import Toc
from undrift.core.errors import Fault
from undrift.core.files import FileLock
from undrift.core.sqlite_files import CANNOT_WRITE, Reader, error_code, full_disk, is_writable, open_to_read

_VERSION = 1
_AT_ONCE = 500  # digests of one query
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS packs (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, chunks INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS chunks (
    digest BLOB NOT NULL, pack INTEGER NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL,
    is_damaged INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (digest, pack)
) WITHOUT ROWID;
PRAGMA user_version = {_VERSION};
"""
_HOW: dict[str, Any] = {"timeout": 60, "isolation_level": None, "check_same_thread": False}  # Any: as SQLite takes them
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_FORMAT})


class IndexDamaged(Exception):
    """The index cannot be read. It never leaves the room: who sees it makes the index anew from the packs."""


class IndexUnusable(Fault):
    """The index cannot be used now, and making it anew would not help."""

    code = "index-unusable"


@dataclass(frozen=True, slots=True)
class Held:
    """A chunk in a pack.

    Attributes
    ----------
    pack : str
        The pack's name.
    offset, length : int
        Where it lies.
    is_damaged : bool
        Whether its bytes were found to be wrong.
    """

    pack: str
    offset: int
    length: int
    is_damaged: bool = False


class PackIndex:
    """The index; safe to share between threads and processes, also over a fork.

    Parameters
    ----------
    path : Path
        The database, made when it is missing. Where it cannot be written it is read all the same, and what is
        found out meanwhile is kept in memory.

    Raises
    ------
    IndexDamaged
        By every method, if the database cannot be read as an index.
    DiskFull, IndexUnusable
        By every method, if the machine gets in the way.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(path.with_suffix(".lock"))
        self._threads = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._is_in_memory = False
        self._pid = 0
        self._inherited: list[sqlite3.Connection] = []

    def find(self, digests: Iterable[bytes]) -> dict[bytes, list[Held]]:
        """Return where chunks lie, good copies first; those that are nowhere are not in it."""
        wanted = list(dict.fromkeys(digests))
        found: dict[bytes, list[Held]] = {}
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            marks = ",".join("?" * len(some))
            query = (
                "SELECT digest, name, offset, length, is_damaged FROM chunks JOIN packs ON packs.id = pack "  # noqa: S608
                f"WHERE digest IN ({marks}) ORDER BY is_damaged, pack"
            )
            for digest, name, offset, length, is_damaged in self._rows(query, some):
                found.setdefault(digest, []).append(Held(name, offset, length, bool(is_damaged)))
        return found

    def packs(self) -> dict[str, int]:
        """Return the names of the packs that are known, and how many chunks each holds."""
        return dict(self._rows("SELECT name, chunks FROM packs"))

    def chunks_of(self, pack: str) -> dict[bytes, Held]:
        """Return what is known of a pack's chunks, in the order in which they lie."""
        query = (
            "SELECT digest, name, offset, length, is_damaged FROM packs JOIN chunks ON packs.id = pack "
            "WHERE name = ? ORDER BY offset"
        )
        return {digest: Held(*rest) for digest, *rest in self._rows(query, [pack])}

    def digests(self) -> Iterator[tuple[bytes, int]]:
        """Give every chunk with its length; one that lies in several packs several times."""
        yield from self._rows("SELECT digest, length FROM chunks")

    def has_damage(self) -> bool:
        """Say whether a chunk was found damaged and not replaced yet."""
        return bool(self._rows("SELECT 1 FROM chunks WHERE is_damaged LIMIT 1"))

    def change(self, add: Mapping[str, Toc] | None = None, drop: Sequence[str] = ()) -> None:
        """Write in one transaction that there are new packs, and that others are no more."""
        with self._transaction() as connection:
            for name in drop:
                connection.execute("DELETE FROM chunks WHERE pack IN (SELECT id FROM packs WHERE name = ?)", [name])
                connection.execute("DELETE FROM packs WHERE name = ?", [name])
            for name, toc in (add or {}).items():
                _insert(connection, name, toc)

    def mark(self, damaged: Iterable[tuple[bytes, str]]) -> None:
        """Write down that a pack's copy of a chunk is damaged."""
        with self._transaction() as connection:
            connection.executemany(
                "UPDATE chunks SET is_damaged = 1 WHERE digest = ? AND pack = (SELECT id FROM packs WHERE name = ?)",
                damaged,
            )

    def start_anew(self, tocs: Mapping[str, Toc]) -> None:
        """Put other rows in the place of all rows; a database that cannot be read is deleted first."""
        try:
            with self._transaction() as connection:
                connection.execute("DELETE FROM chunks")
                connection.execute("DELETE FROM packs")
                for name, toc in tocs.items():
                    _insert(connection, name, toc)
        except IndexDamaged:
            self._start_over(tocs)

    def _start_over(self, tocs: Mapping[str, Toc]) -> None:
        with self._threads:
            self.close()
            if is_writable(self._path):
                self._delete_and_create(tocs)
                return
            with self._in_memory() as connection:
                for name, toc in tocs.items():
                    _insert(connection, name, toc)

    def _delete_and_create(self, tocs: Mapping[str, Toc]) -> None:
        with self._lock:
            for ending in ("", "-wal", "-shm"):
                self._path.with_name(self._path.name + ending).unlink(missing_ok=True)
            with _told(self._path), self._created() as connection:
                connection.execute("BEGIN IMMEDIATE")
                for name, toc in tocs.items():
                    _insert(connection, name, toc)

    def close(self) -> None:
        """Close the database; it is opened again when it is needed."""
        with self._threads:
            if self._connection is not None and self._pid == os.getpid():
                self._connection.close()
            self._connection, self._is_in_memory = None, False

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[Any]:  # Any: rows as the query asks
        with self._threads, _told(self._path):
            return self._opened().execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._threads, _told(self._path):
            connection = self._to_write(self._opened())
            # SQLite's own waiting starves writers, so they queue at a file of ours.
            with nullcontext() if self._is_in_memory else self._lock, connection:
                connection.execute("BEGIN IMMEDIATE")
                yield connection

    def _opened(self) -> sqlite3.Connection:
        """Return the open database, made when it is missing."""
        if self._connection is not None and self._pid == os.getpid():
            return self._connection
        if self._connection is not None:  # of the process before a fork: neither used nor closed here
            self._inherited.append(self._connection)
            self._is_in_memory = False
        if not self._path.exists():
            if not is_writable(self._path):
                return self._in_memory()
            with self._lock:
                return self._created()
        self._connection, self._pid = _connected(self._path), os.getpid()
        return self._connection

    def _to_write(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        """Return what is written in the place of an open database: itself, or where it cannot be, a copy in memory.

        Nothing is lost with the copy: what it knows more than the file is found in the packs again.
        """
        if self._is_in_memory or (is_writable(self._path) and not isinstance(connection, Reader)):
            return connection
        return self._in_memory(connection)

    def _in_memory(self, of: sqlite3.Connection | None = None) -> sqlite3.Connection:
        """Return a database in memory, a copy of another or empty, which is used from now on."""
        made = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        if of is None:
            made.executescript(_SCHEMA)
        else:
            of.backup(made)
            self.close()
        self._connection, self._pid, self._is_in_memory = made, os.getpid(), True
        return made

    def _created(self) -> sqlite3.Connection:
        """Return the database, made if nobody was faster; the lock is held."""
        connection = _connected(self._path, is_new=True)
        self._connection, self._pid = connection, os.getpid()
        return connection


def _connected(path: Path, *, is_new: bool = False) -> sqlite3.Connection:
    connection: sqlite3.Connection = sqlite3.connect(path, **_HOW)
    try:
        # A power cut may take the last transactions: the packs are there, and are indexed again.
        connection.execute("PRAGMA synchronous = NORMAL")
        if is_new:
            path.chmod(0o600)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_SCHEMA)
        version = _version(connection)
    except sqlite3.OperationalError as error:
        connection.close()
        if is_new or error_code(error) not in CANNOT_WRITE:
            raise
        connection = open_to_read(path, **_HOW)
        version = _version(connection)
    if version != _VERSION:
        connection.close()
        raise IndexDamaged
    return connection


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _insert(connection: sqlite3.Connection, name: str, toc: Toc) -> None:
    connection.execute("INSERT OR IGNORE INTO packs (name, chunks) VALUES (?, ?)", [name, len(toc.chunks)])
    (pack,) = connection.execute("SELECT id FROM packs WHERE name = ?", [name]).fetchone()
    rows = ((place.digest, pack, place.offset, place.length) for place in toc.places)
    connection.executemany("INSERT OR REPLACE INTO chunks (digest, pack, offset, length) VALUES (?, ?, ?, ?)", rows)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn the database's errors into ours."""
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in _DAMAGE:
            raise IndexDamaged from error
        if (full := full_disk(error, path)) is not None:
            raise full from error
        raise IndexUnusable(
            f"the index {path} cannot be used: {error}", cure="look at the folder's owner and disk, then try again"
        ) from error
