"""What nobody expected: told in one line, with the way to see all of it; what is wrong with a path, as that."""

from __future__ import annotations

import errno
import os
import traceback
from pathlib import Path

import click

from undrift.core import config
from undrift.core.errors import BadInput, Fault, UndriftError
from undrift.core.files import NO_ROOM, NOT_ALLOWED, DiskFull, read_only
from undrift.core.process import UNWATCHED

SHOW = "UNDRIFT_TRACEBACK"
_PART = ".part"
_BAD = frozenset(
    {errno.EISDIR, errno.ENOTDIR, errno.ENOENT, errno.ELOOP, errno.ENAMETOOLONG, errno.EEXIST, errno.ENXIO}
)


class InternalFault(Fault):
    """Something broke that no error of ours names."""

    code = "internal-fault"


class NotAllowed(BadInput):
    """A path may not be read or written by this account."""

    code = "not-allowed"


class BadPath(BadInput):
    """A path does not lead to what is needed."""

    code = "bad-path"


def as_fault(error: Exception) -> UndriftError:
    """Return an unexpected exception as an error of ours; with ``UNDRIFT_TRACEBACK=1`` its traceback is printed.

    Parameters
    ----------
    error : Exception
        What was raised.

    Notes
    -----
    The traceback goes to standard error, so that ``--json`` still prints one document.
    """
    if os.environ.get(SHOW, "") not in ("", "0"):
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    if isinstance(error, OSError) and (told := _of_a_path(error)) is not None:
        return told
    if os.environ.get(UNWATCHED) and os.environ.get(SHOW, "") in ("", "0"):
        return InternalFault(
            f"internal fault: {type(error).__name__}, whose words may quote a cell and are not kept",
            cure="undrift pipeline resume ID shows them on a terminal",
        )
    first = next(iter(str(error).splitlines()), "")
    return InternalFault(
        f"internal fault: {type(error).__name__}: {first}" if first else f"internal fault: {type(error).__name__}",
        cure=f"this is a mistake in undrift; {SHOW}=1 shows where",
        exception=type(error).__name__,
        traceback=traceback.format_exception(error),
    )


def _of_a_path(error: OSError) -> UndriftError | None:
    """Return what the system says of a path as an error about that path; None when it may be a mistake of ours."""
    if error.filename is None or isinstance(error.filename, int):
        return None
    path = Path(os.fsdecode(error.filename))
    if path.name.endswith(_PART):  # a name of ours for what is being written: its folder is what the caller knows
        path = path.absolute().parent
    is_ours = config.STORE in path.parts
    said = (error.strerror or type(error).__name__).lower()
    if error.errno in NOT_ALLOWED:
        if is_ours:
            return read_only(path)
        return NotAllowed(f"{path}: {said}", cure=_cure(path), path=str(path))
    if error.errno in NO_ROOM:
        return DiskFull(f"there is no room left for {path}", cure="make room on that disk, then try again")
    if error.errno in _BAD and not is_ours:
        return BadPath(f"{path}: {said}", cure="name another path", path=str(path))
    return None


def _cure(path: Path) -> str:
    """Return what lets this account use a path."""
    is_folder = os.path.isdir(path)  # noqa: PTH112  (within a folder that is shut pathlib raises)
    right = "u+rwx" if is_folder else "u+rw"
    return f"give this account the right (chmod {right} {path}, if it is yours), or name another file or folder"
