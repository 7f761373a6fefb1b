"""Files of a workspace, told apart by what the file system says of them.

Light on purpose: what was added is compared with what is there before anything heavy is loaded.
"""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from undrift.core.errors import BadInput, NotFound
from undrift.data.paths import UnsafePath

_COARSEST_CLOCK_NS = 20_000_000
"""File systems stamp files by a clock that moves in steps of some milliseconds."""


class SourceNotFound(NotFound):
    """The file or folder to add does not exist."""

    code = "source-not-found"


class EmptySource(BadInput):
    """A folder to add holds no file."""

    code = "empty-source"


class NoPlainFile(BadInput):
    """Something to add is neither a file nor a folder."""

    code = "no-plain-file"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells a file from what it was, without reading it.

    Attributes
    ----------
    size_bytes, mtime_ns, ctime_ns, inode : int
        As the file system says.
    """

    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, found: os.stat_result) -> Fingerprint:
        """Return the fingerprint of a file."""
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)

    def is_fresh(self, taken_ns: int) -> bool:
        """Say whether the file was changed so shortly before it was looked at that it may have been changed since.

        A change within one step of the file system's clock leaves no other trace (git's "racy" rule).
        """
        return max(self.mtime_ns, self.ctime_ns) + _COARSEST_CLOCK_NS >= taken_ns


def missing(source: Path) -> SourceNotFound | NoPlainFile:
    """Return the error about what is no file and no folder; a cure names what is called most like it beside it."""
    if source.is_symlink() and not source.exists():
        return SourceNotFound(
            f"{source} is a link to {source.readlink()}, and there is nothing", cure="mend the link, or name the file"
        )
    if source.exists():
        return NoPlainFile(
            f"{source} is {_kind(source)}, no plain file", cure="write what it gives to a file, name that"
        )
    folder = source.parent
    beside = sorted(one.name for one in folder.iterdir()) if folder.is_dir() else []
    close = difflib.get_close_matches(source.name, beside, n=1)
    nearest = f"; did you mean {folder / close[0]}?" if close else ""
    return SourceNotFound(f"there is no file or folder {source}", cure=f"check the path{nearest}")


def table_file(path: Path) -> Path:
    """Return the path of a table file that is there.

    Raises
    ------
    SourceNotFound
        If there is nothing; the cure names what is called most like it.
    BadInput
        If it is a folder.
    """
    if path.is_dir():
        raise BadInput(f"{path} is a folder", cure="name one table file in it")
    if not path.exists():
        raise missing(path)
    return path


def _kind(path: Path) -> str:
    kinds = {stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(path.stat().st_mode), "a device")


def fingerprints(source: Path) -> dict[str, Fingerprint]:
    """Return the files of a source by their paths in a version, in the order of their paths.

    Raises
    ------
    SourceNotFound, EmptySource
        If there is none.
    UnsafePath
        If something in a folder is a link or no plain file.
    """
    if source.is_file():
        return {source.name: Fingerprint.of(source.stat())}
    if not source.is_dir():
        raise missing(source)
    found = dict(_walk(str(source), ""))
    if not found:
        raise EmptySource(f"the folder {source} holds no file", cure="add a folder with files in it")
    return dict(sorted(found.items(), key=lambda item: item[0].encode()))


def _walk(folder: str, above: str) -> Iterator[tuple[str, Fingerprint]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            found = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                yield from _walk(entry.path, f"{above}{entry.name}/")
            elif stat.S_ISREG(found.st_mode):
                yield f"{above}{entry.name}", Fingerprint.of(found)
            else:
                raise UnsafePath(f"{entry.path} is a link or no plain file", cure="put the file itself in the folder")
