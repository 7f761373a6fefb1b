"""Which pack holds which chunk: a database that can be made again from the packs at any time."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from undrift.blobs.packs.toc import Toc
from undrift.core.errors import Fault
from undrift.core.files import DiskFull, FileLock

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
        The database, made when it is missing.

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
        with self._threads, self._lock:
            self.close()
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
            self._connection = None

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[Any]:  # Any: rows as the query asks
        with self._threads, _told(self._path):
            return self._opened().execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._threads, _told(self._path):
            connection = self._opened()
            # SQLite's own waiting starves writers, so they queue at a file of ours.
            with self._lock, connection:
                connection.execute("BEGIN IMMEDIATE")
                yield connection

    def _opened(self) -> sqlite3.Connection:
        """Return the open database, made when it is missing."""
        if self._connection is not None and self._pid == os.getpid():
            return self._connection
        if self._connection is not None:  # of the process before a fork: neither used nor closed here
            self._inherited.append(self._connection)
        if not self._path.exists():
            with self._lock:
                return self._created()
        self._connection, self._pid = _connected(self._path), os.getpid()
        return self._connection

    def _created(self) -> sqlite3.Connection:
        """Return the database, made if nobody was faster; the lock is held."""
        connection = _connected(self._path, is_new=True)
        self._connection, self._pid = connection, os.getpid()
        return connection


def _connected(path: Path, *, is_new: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
    # A power cut may take the last transactions: the packs are there, and are indexed again.
    connection.execute("PRAGMA synchronous = NORMAL")
    if is_new:
        path.chmod(0o600)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(_SCHEMA)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != _VERSION:
        connection.close()
        raise IndexDamaged
    return connection


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
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in _DAMAGE:
            raise IndexDamaged from error
        if code == sqlite3.SQLITE_FULL:
            raise DiskFull(
                f"there is no room left for {path}", cure="make room on that disk, then try again"
            ) from error
        raise IndexUnusable(
            f"the index {path} cannot be used: {error}", cure="look at the folder's owner and disk, then try again"
        ) from error
