"""SQLite files for those who only read, also where nothing can be written: a read-only disk, a backup, a full disk.

SQLite reads a database in WAL mode only if it may write beside it, unless it is told that nobody writes, and then it
does not look at the log. So what is in the log is looked for first; a state that is older than the log is never read.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from undrift.core.errors import Conflict
from undrift.core.files import DiskFull, full_disk_told, temporary_folder

_LOGS = ("-wal", "-journal")
CANNOT_WRITE = frozenset(
    {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_PERM}
)
"""Codes of the errors that may only say that nothing can be written beside the file."""
_ATTEMPTS = 5
_BLOCK_BYTES = 64 * 1024  # less than this is no room: a database grows by pages, its shared memory by 32 KiB


class WrittenMeanwhile(Conflict):
    """A file that cannot be locked from here was written while it was read."""

    code = "written-meanwhile"


class Reader(sqlite3.Connection):
    """A connection that only reads; made by :func:`open_to_read`."""

    path: Path = Path()
    _seen: tuple[tuple[int, ...], ...] | None = None
    _copy: TemporaryDirectory[str] | None = None

    @property
    def is_apart(self) -> bool:
        """Whether writers are not kept from the file while it is read, so that it must be opened anew for news."""
        return self._seen is not None

    def stand_apart(self, path: Path, seen: tuple[tuple[int, ...], ...], copy: TemporaryDirectory[str] | None) -> None:
        """Remember which state of which file is read, and the copy that goes with the connection."""
        self.path, self._seen, self._copy = path, seen, copy

    def refuse_changed(self) -> None:
        """Refuse what was read if it may be a mixture of two states.

        Raises
        ------
        WrittenMeanwhile
            If the file was written since it was opened, and no lock kept the writer out.
        """
        if self._seen is not None and self._copy is None and _state(self.path)[0] != self._seen[0]:
            raise _written(self.path)

    def close(self) -> None:
        """Close it, and delete the copy that it read."""
        super().close()
        if self._copy is not None:
            self._copy.cleanup()
            self._copy = None


def open_to_read(path: Path, **options: Any) -> Reader:  # Any: what sqlite3.connect takes
    """Return an open connection to a database that is there, also where nothing can be written.

    Parameters
    ----------
    path : Path
        The database.
    **options
        For ``sqlite3.connect``.

    Raises
    ------
    WrittenMeanwhile
        If it cannot be locked from here and others write it all the time.
    DiskFull
        If it must be copied to be read and the temporary folder has no room.
    sqlite3.Error
        If it is no database, or cannot be read.

    Notes
    -----
    Where SQLite may not write beside the file: a log with something in it is read with the shared memory that lies
    beside it, or the file and its log are copied to a private temporary folder and read there. Without a log the file
    is read as it lies; :meth:`Reader.refuse_changed` then says whether somebody wrote it meanwhile.
    """
    try:
        return _probed(path, "mode=rw", options)
    except sqlite3.OperationalError as error:
        if error_code(error) not in CANNOT_WRITE or not path.exists():
            raise
    seen = _state(path)
    if not any(size for _, size, _ in seen[1:]):
        found = _probed(path, "mode=ro&immutable=1", options)
        found.stand_apart(path, seen, None)
        return found
    if path.with_name(f"{path.name}-shm").exists():
        try:
            return _probed(path, "mode=ro&readonly_shm=1", options)
        except sqlite3.OperationalError as error:
            if error_code(error) not in CANNOT_WRITE:
                raise
    return _copied(path, options)


def is_writable(path: Path) -> bool:
    """Say whether this account may write a file of SQLite's and beside it; whether there is room is not looked at."""
    return os.access(path.parent, os.W_OK) and (not path.exists() or os.access(path, os.W_OK))


def error_code(error: BaseException | None) -> int:
    """Return the primary code of one of SQLite's errors, 0 where it has none."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def full_disk(error: BaseException | None, path: Path) -> DiskFull | None:
    """Return the error about a full disk if that is what one of SQLite's errors is about.

    Parameters
    ----------
    error : BaseException or None
        SQLite's error.
    path : Path
        The database.

    Notes
    -----
    SQLite calls it an I/O error when there is no room for its shared memory; then the disk is asked.
    """
    code = error_code(error)
    is_full = code == sqlite3.SQLITE_FULL
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and path.parent.exists():
        disk = os.statvfs(path.parent)
        is_full = disk.f_bavail * disk.f_frsize < _BLOCK_BYTES
    if not is_full:
        return None
    return DiskFull(f"there is no room left for {path}", cure="make room on that disk, then try again")


def _probed(path: Path, how: str, options: dict[str, Any]) -> Reader:
    """Return a connection that was seen to read."""
    found = sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True, factory=Reader, **options)
    with ExitStack() as undone:
        undone.callback(found.close)
        found.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        found.execute("PRAGMA query_only = ON")
        undone.pop_all()
    return found


def _copied(path: Path, options: dict[str, Any]) -> Reader:
    """Return a connection to a copy of the file and its log, both of one moment."""
    for _ in range(_ATTEMPTS):
        seen = _state(path)
        folder = temporary_folder()
        with ExitStack() as undone:
            undone.callback(folder.cleanup)
            copy = Path(folder.name) / path.name
            with full_disk_told(copy):
                for ending in ("", *_LOGS):
                    one = path.with_name(path.name + ending)
                    if one.exists():
                        shutil.copyfile(one, copy.with_name(copy.name + ending))
            if _state(path) == seen:
                with closing(sqlite3.connect(copy)) as mending:  # takes the log in, or back
                    mending.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
                found = _probed(copy, "mode=rw", options)
                found.stand_apart(path, seen, folder)
                undone.pop_all()
                return found
    raise _written(path)


def _state(path: Path) -> tuple[tuple[int, ...], ...]:
    """Return what tells a database and its logs from what they were."""
    found = []
    for ending in ("", *_LOGS):
        try:
            status = path.with_name(path.name + ending).stat()
        except FileNotFoundError:
            found.append((0, 0, 0))
        else:
            found.append((status.st_ino, status.st_size, status.st_mtime_ns))
    return tuple(found)


def _written(path: Path) -> WrittenMeanwhile:
    return WrittenMeanwhile(
        f"{path} was written while it was read, and cannot be locked without writing beside it",
        cure="try again; or copy the folder while nothing writes it, and read the copy",
    )
