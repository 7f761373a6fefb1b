"""The files of one folder of segments and how they are named.

``<id>.<owner>.open`` is being written by a living process which holds its lock, or was left
by a dead one; ``<id>.<owner>.seg`` is finished and never changes; ``<id>.<owner>.seal`` beside it
says its digest. The part without the last ending is the segment's *name*; it stays the same
when the file is sealed, and names sort by the time the file was begun.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

OPEN = ".open"
SEALED = ".seg"
SEAL = ".seal"
TORN = ".torn"


@dataclass(frozen=True, slots=True)
class SegmentFile:
    """One file in a listing.

    Attributes
    ----------
    name : str
        The segment's name.
    path : Path
        Where it lay when the folder was listed.
    sealed : bool
        Whether it was finished then.
    size : int
        Its bytes then.
    changed_us : int
        Its last change, microseconds since 1970 UTC.
    """

    name: str
    path: Path
    sealed: bool
    size: int
    changed_us: int


def path_of(folder: Path, name: str, ending: str) -> Path:
    """Return the path of a segment's file with one of the endings."""
    return folder / f"{name}{ending}"


def listing(folder: Path) -> list[SegmentFile]:
    """Return the segments of a folder by name, each once; a missing folder has none."""
    found: dict[str, SegmentFile] = {}
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return []
    for entry in entries:
        file = _segment_file(entry)
        if file is not None and (file.sealed or file.name not in found):
            found[file.name] = file
    return [found[name] for name in sorted(found)]


def exists(folder: Path, name: str) -> bool:
    """Say whether a segment is there, open or sealed."""
    return any(path_of(folder, name, ending).exists() for ending in (OPEN, SEALED, SEALED))


def _segment_file(entry: os.DirEntry[str]) -> SegmentFile | None:
    name, dot, ending = entry.name.rpartition(".")
    ending = dot + ending
    if ending not in (OPEN, SEALED) or name.startswith("."):
        return None
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:  # sealed or dropped since the folder was listed
        return None
    return SegmentFile(name, Path(entry.path), ending == SEALED, status.st_size, status.st_mtime_ns // 1000)
