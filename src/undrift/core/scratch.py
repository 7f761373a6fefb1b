"""Private folders for work in progress: gone with the work, also when the process was killed."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from undrift.core.files import FileLock, make_private


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """Give a new private folder below another one, deleted at the end; those of dead processes are deleted first.

    Parameters
    ----------
    folder : Path
        Where it is made; made itself when it is missing.

    Notes
    -----
    A lock beside each folder is held by who works in it. The system frees it when that process dies.
    """
    make_private(folder)
    _sweep(folder)
    name, lock = _claim(folder)
    made = make_private(folder / name)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
        (folder / f"{name}.lock").unlink(missing_ok=True)
        lock.release()


def _claim(folder: Path) -> tuple[str, FileLock]:
    while True:
        name = secrets.token_hex(8)
        path = folder / f"{name}.lock"
        lock = FileLock(path)
        if lock.try_acquire() and path.exists():  # else a sweep took it before it was locked
            return name, lock
        lock.release()


def _sweep(folder: Path) -> None:
    for path in folder.glob("*.lock"):
        lock = FileLock(path)
        if not lock.try_acquire():
            continue
        shutil.rmtree(path.with_suffix(""), ignore_errors=True)
        path.unlink(missing_ok=True)
        lock.release()
