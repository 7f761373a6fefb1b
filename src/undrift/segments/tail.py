"""Following a folder of segments: each frame once, in order within its file, from any position on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from undrift.segments.folder import OPEN, SEALED, SegmentFile, exists, listing, path_of
from undrift.segments.frames import MAGIC, scan, wanted_bytes
from undrift.segments.seal import SegmentCorrupt

_CHUNK = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame and where it stands.

    Attributes
    ----------
    segment : str
        Name of its segment; the same before and after sealing.
    offset : int
        Where it begins in the file; ``(segment, offset)`` names the frame for ever.
    payload : bytes
        What it holds.
    """

    segment: str
    offset: int
    payload: bytes


class SegmentTail:
    """Reads what was added to a folder since the last time, from open and sealed files alike.

    Parameters
    ----------
    folder : Path
        The folder; it may be missing yet.
    position : mapping of str to int, optional
        Where an earlier tail stood (:attr:`position`); everything is new without it.
    since_us : int, optional
        Sealed files which did not change after this instant are passed over.

    Notes
    -----
    Frames of one file come in order; files are read in the order in which they were begun, so
    that frames of several writers come interleaved only from one poll to the next. A half-written
    end is not returned and not passed. Not safe for threads.
    """

    def __init__(self, folder: Path, position: Mapping[str, int] | None = None, since_us: int | None = None) -> None:
        self._folder = folder
        self._offsets = dict(position or {})
        self._since_us = since_us

    @property
    def position(self) -> dict[str, int]:
        """Offset behind the last returned frame, by segment: store it to go on from here later."""
        return dict(self._offsets)

    def poll(self, most: int | None = None) -> list[Frame]:
        """Return the frames that are new.

        Parameters
        ----------
        most : int, optional
            Stop after the chunk that reaches so many frames; the rest comes with the next poll.

        Raises
        ------
        SegmentCorrupt
            If a sealed file holds something that is not a frame.
        """
        files = listing(self._folder)
        found: list[Frame] = []
        for file in files:
            while (most is None or len(found) < most) and self._read(file, found):
                pass
        self._forget({file.name for file in files})
        return found

    def _read(self, file: SegmentFile, found: list[Frame]) -> bool:
        """Add the frames of the file's next chunk and say whether there may be more."""
        start = self._offsets.get(file.name, 0)
        if start >= file.size or self._is_old(file, start):
            return False
        data = self._chunk(file, start or len(MAGIC))
        frames, end = scan(data)
        base = start or len(MAGIC)
        found.extend(Frame(file.name, base + offset, payload) for offset, payload in frames)
        if frames:
            self._offsets[file.name] = base + end
        elif file.sealed and data:
            raise SegmentCorrupt(f"segment {file.name} holds no frame at byte {base}", cure="restore it from a copy")
        return bool(frames)

    def _is_old(self, file: SegmentFile, start: int) -> bool:
        return file.sealed and start == 0 and self._since_us is not None and file.changed_us < self._since_us

    def _chunk(self, file: SegmentFile, offset: int) -> bytes:
        """Return bytes from an offset on: a chunk, or one whole frame where that is larger."""
        descriptor = _open(self._folder, file)
        if descriptor is None:
            return b""
        try:
            data = os.pread(descriptor, _CHUNK, offset)
            wanted = wanted_bytes(data)
            return data if wanted <= len(data) else os.pread(descriptor, wanted, offset)
        finally:
            os.close(descriptor)

    def _forget(self, present: set[str]) -> None:
        for name in self._offsets.keys() - present:
            if not exists(self._folder, name):  # a file may hide from a listing while it is renamed
                del self._offsets[name]


def _open(folder: Path, file: SegmentFile) -> int | None:
    """Open a segment which may have been sealed, or dropped, since it was listed."""
    for path in (file.path, path_of(folder, file.name, SEALED), path_of(folder, file.name, OPEN)):
        try:
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
    return None
