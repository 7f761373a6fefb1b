"""Reading whole segments."""

from __future__ import annotations

from pathlib import Path

from undrift.segments.folder import OPEN, SEALED, listing, path_of
from undrift.segments.frames import MAGIC, scan
from undrift.segments.seal import SegmentCorrupt


def payloads_of(folder: Path, name: str) -> list[bytes]:
    """Return the payloads of one segment, open or sealed, in order.

    Raises
    ------
    FileNotFoundError
        If it is not there, or not any more.
    SegmentCorrupt
        If a sealed file holds something that is not a frame.
    """
    data, sealed = _bytes_of(folder, name)
    found, end = scan(data, len(MAGIC)) if data.startswith(MAGIC) else ([], 0)
    if sealed and end != len(data):
        raise SegmentCorrupt(f"segment {name} holds no frame at byte {end}", cure="restore it from a copy")
    return [payload for _, payload in found]


def payloads_in(folder: Path) -> list[bytes]:
    """Return the payloads of all segments of a folder, by the segments' names."""
    return [payload for file in listing(folder) for payload in payloads_of(folder, file.name)]


def _bytes_of(folder: Path, name: str) -> tuple[bytes, bool]:
    """Return the bytes of a segment and whether it was sealed when they were read."""
    try:
        return path_of(folder, name, SEALED).read_bytes(), True
    except FileNotFoundError:
        pass
    try:
        return path_of(folder, name, OPEN).read_bytes(), False
    except FileNotFoundError:  # sealed between the two looks
        return path_of(folder, name, SEALED).read_bytes(), True
