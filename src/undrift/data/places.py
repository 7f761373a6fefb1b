"""Where versions are in the workspace: which file or folder was added as which version, or checked out.

A small database beside the ledger, ``places.db``. It is no part of the project's history: it is about
this machine, and what it forgets is only looked at again.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from undrift.core.clock import RealClock, to_us
from undrift.core.digest import blake3_file
from undrift.core.errors import Fault
from undrift.core.files import DiskFull
from undrift.core.sqlite_files import CANNOT_WRITE, error_code, full_disk, is_writable, open_to_read
from undrift.data.workspace import Fingerprint, fingerprints

FILE_NAME = "places.db"
_VERSION = 1
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS places (
    place TEXT PRIMARY KEY, dataset TEXT NOT NULL, number INTEGER NOT NULL, said TEXT NOT NULL,
    taken_ns INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS files (
    place TEXT NOT NULL, path TEXT NOT NULL, digest TEXT NOT NULL, size_bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, inode INTEGER NOT NULL, PRIMARY KEY (place, path)
) WITHOUT ROWID;
PRAGMA user_version = {_VERSION};
"""


class PlacesUnusable(Fault):
    """The record of places cannot be used now."""

    code = "places-unusable"


@dataclass(frozen=True, slots=True)
class Known:
    """A file as it was when it was added or checked out."""

    digest: str
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder of the workspace that is, or was, a version.

    Attributes
    ----------
    path : Path
        Where it is.
    dataset : str
        The dataset.
    number : int
        The version.
    said : str
        How it was added, as far as that decides what the version is; empty after a checkout.
    taken_ns : int
        When its files were looked at.
    files : mapping of str to Known
        Them, by their paths in it.
    """

    path: Path
    dataset: str
    number: int
    said: str
    taken_ns: int
    files: Mapping[str, Known]


@dataclass(frozen=True, slots=True)
class Look:
    """Files as they are, looked at before they are read or after they were written.

    Attributes
    ----------
    path : Path
        The file or folder.
    taken_ns : int
        When.
    files : mapping of str to Fingerprint
        What was seen.
    """

    path: Path
    taken_ns: int
    files: Mapping[str, Fingerprint]

    @classmethod
    def at(cls, path: Path) -> Look:
        """Look at a file or folder.

        Raises
        ------
        SourceNotFound, EmptySource, UnsafePath
            If there is nothing, or something that is no plain file.
        """
        return cls(path, now_ns(), fingerprints(path))

    def place(self, version: tuple[str, int], said: str, digests: Mapping[str, str]) -> Place:
        """Return these files as a version.

        Parameters
        ----------
        version : tuple of (str, int)
            Dataset and number.
        said : str
            How they were added; empty when they were checked out.
        digests : mapping of str to str
            What the files hold, by path.
        """
        known = {path: Known(digests[path], found) for path, found in self.files.items() if path in digests}
        return Place(self.path, *version, said, self.taken_ns, known)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of a place.

    Attributes
    ----------
    place : Place
        The place, with what is known of its files now.
    changed, missing, new : tuple of str
        Paths of files, sorted; all empty when it is as it was.
    """

    place: Place
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    new: tuple[str, ...] = ()

    @property
    def is_unchanged(self) -> bool:
        """Whether it is as it was."""
        return not (self.changed or self.missing or self.new)


def said_of(kind: str, reading: object) -> str:
    """Return how files were added, as far as it decides what the version is.

    Parameters
    ----------
    kind : str
        Empty when types were found in the files, ``later`` when they were not read, else the schema's digest.
    reading : object
        What was said of how they are written.
    """
    return f"{kind} {reading!r}".strip()


def now_ns() -> int:
    """Return the machine's time: files are stamped by it, whatever a project's clock says."""
    return to_us(RealClock().now()) * 1000


def compare(place: Place, now_ns: int) -> Comparison:
    """Return what became of a place; files whose fingerprints leave doubt are read.

    Parameters
    ----------
    place : Place
        As it was.
    now_ns : int
        The time, by which the next comparison knows what it may trust.

    Raises
    ------
    UnsafePath
        If something in a folder is a link or no plain file.
    """
    there = fingerprints(place.path) if place.path.exists() else {}
    changed: list[str] = []
    known = dict(place.files)
    for path, found in there.items():
        before = place.files.get(path)
        if before is None or (found == before.fingerprint and not found.is_fresh(place.taken_ns)):
            continue
        if found.size_bytes == before.fingerprint.size_bytes and before.digest == blake3_file(_file(place, path)):
            known[path] = Known(before.digest, found)
        else:
            changed.append(path)
    missing = place.files.keys() - there.keys()
    new = there.keys() - place.files.keys()
    # A changed file keeps its old fingerprint, so it stays changed.
    taken_ns = place.taken_ns if known == place.files and not _any_fresh(place) else now_ns
    now = Place(place.path, place.dataset, place.number, place.said, taken_ns, known)
    return Comparison(now, tuple(sorted(changed)), tuple(sorted(missing)), tuple(sorted(new)))


class Places:
    """The record of a project's places; safe to share between threads and processes.

    Parameters
    ----------
    store : Path
        The project's store, which holds the database; the project's folder is the one above it.
    """

    def __init__(self, store: Path) -> None:
        self._path = store / FILE_NAME
        self._root = store.resolve().parent

    def record(self, place: Place) -> None:
        """Write down what a file or folder is; what was known of it before is replaced.

        Where that is not possible (this account may only read, the disk is full) nothing is written down and nobody
        told: the version is there, the file is there, and a lost record costs a look at the files.
        """
        key = self._key(place.path)
        rows = [
            (key, path, one.digest, one.fingerprint.size_bytes, one.fingerprint.mtime_ns, one.fingerprint.ctime_ns,
             one.fingerprint.inode)
            for path, one in place.files.items()
        ]  # fmt: skip
        if not is_writable(self._path):
            return
        with suppress(DiskFull, PlacesUnusable), self._opened() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("DELETE FROM files WHERE place = ?", [key])
            connection.execute(
                "INSERT OR REPLACE INTO places VALUES (?, ?, ?, ?, ?)",
                [key, place.dataset, place.number, place.said, place.taken_ns],
            )
            connection.executemany("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def find(self, path: Path) -> Place | None:
        """Return what is known of a file or folder, None when nothing is."""
        found = self._load("WHERE place = ?", [self._key(path)])
        return found[0] if found else None

    def below(self, path: Path) -> list[Place]:
        """Return what is known at a path or below it, in the order of the paths."""
        folder = path.resolve()
        return [place for place in self._load("", []) if folder == place.path or folder in place.path.parents]

    def elsewhere(self) -> list[Place]:
        """Return what is known outside the project's folder."""
        return self._load("WHERE place LIKE '/%'", [])  # what lies in the project is kept relative to it

    def _load(self, where: str, values: list[str]) -> list[Place]:
        if not self._path.exists():
            return []
        with self._opened(to_read=True) as connection:
            places = connection.execute(f"SELECT * FROM places {where} ORDER BY place", values).fetchall()  # noqa: S608
            return [
                Place(self._root / key, dataset, number, said, taken_ns, self._files(connection, key))
                for key, dataset, number, said, taken_ns in places
            ]

    @staticmethod
    def _files(connection: sqlite3.Connection, key: str) -> dict[str, Known]:
        query = "SELECT path, digest, size_bytes, mtime_ns, ctime_ns, inode FROM files WHERE place = ?"
        return {path: Known(digest, Fingerprint(*rest)) for path, digest, *rest in connection.execute(query, [key])}

    def _key(self, path: Path) -> str:
        """Return a path relative to the project where it lies in it, so that a project may be moved."""
        whole = path.resolve()
        return os.path.relpath(whole, self._root) if whole.is_relative_to(self._root) else str(whole)

    @contextmanager
    def _opened(self, *, to_read: bool = False) -> Iterator[sqlite3.Connection]:
        try:
            with closing(self._sound(to_read=to_read)) as connection, connection:
                yield connection
        except sqlite3.Error as error:
            if (full := full_disk(error, self._path)) is not None:
                raise full from error
            raise PlacesUnusable(
                f"the record of places {self._path} cannot be used: {error}", cure="delete it: it is made again"
            ) from error

    def _sound(self, *, to_read: bool) -> sqlite3.Connection:
        """Return the open database; a damaged one, or one of another version, is begun again."""
        try:
            return self._connected()
        except sqlite3.OperationalError as error:  # somebody holds it too long, or nothing can be written
            if not to_read or error_code(error) not in CANNOT_WRITE:
                raise
            return open_to_read(self._path)
        except sqlite3.DatabaseError:
            self._path.unlink(missing_ok=True)
            return self._connected()

    def _connected(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=60, isolation_level=None)
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            connection.executescript(_SCHEMA)
            self._path.chmod(0o600)
        elif version != _VERSION:
            connection.close()
            raise sqlite3.DatabaseError(f"a record of places of version {version}")
        # A lost record costs a look at the files, nothing more.
        connection.execute("PRAGMA synchronous = OFF")
        return connection


def _file(place: Place, path: str) -> Path:
    return place.path / path if place.path.is_dir() else place.path


def _any_fresh(place: Place) -> bool:
    return any(one.fingerprint.is_fresh(place.taken_ns) for one in place.files.values())


def compared(places: Places, place: Place) -> Comparison:
    """Return what became of a place; what was found out by reading files is remembered."""
    found = compare(place, now_ns())
    if found.place != place:
        places.record(found.place)
    return found
