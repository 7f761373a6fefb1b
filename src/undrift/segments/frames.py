"""Frames: how records lie in a segment file, so that a torn end is seen and nothing else is lost.

A file starts with 16 bytes of magic. Each frame is the payload's length and its CRC-32, both
unsigned 32-bit little-endian, then the payload. No frame is empty: a run of zero bytes, which
a power cut can leave behind, is never taken for frames.
"""

from __future__ import annotations

from struct import Struct
from zlib import crc32

from undrift.core.errors import BadInput

MAGIC = b"undrift-segment\x01"
LARGEST_PAYLOAD = 64 * 1024 * 1024
_HEAD = Struct("<II")
HEAD_BYTES = _HEAD.size


class BadPayload(BadInput):
    """A payload is empty or too large for a frame."""

    code = "bad-payload"


def frame(payload: bytes) -> bytes:
    """Return a payload as a frame.

    Raises
    ------
    BadPayload
        If it is empty or larger than 64 MiB.
    """
    size = len(payload)
    if not 0 < size <= LARGEST_PAYLOAD:
        raise BadPayload(f"a frame holds 1 to {LARGEST_PAYLOAD} bytes, not {size}", cure="split the record")
    return _HEAD.pack(size, crc32(payload)) + payload


def scan(data: bytes, start: int = 0) -> tuple[list[tuple[int, bytes]], int]:
    """Return the whole frames in some bytes.

    Parameters
    ----------
    data : bytes
        Part of a file that begins at a frame.
    start : int
        Where in ``data`` to begin.

    Returns
    -------
    frames : list of (int, bytes)
        Offset in ``data`` and payload of each whole and sound frame.
    end : int
        Where the first frame begins that is not; ``len(data)`` when all are.
    """
    found = []
    here, total = start, len(data)
    while here + HEAD_BYTES <= total:
        size, check = _HEAD.unpack_from(data, here)
        stop = here + HEAD_BYTES + size
        if not 0 < size <= LARGEST_PAYLOAD or stop > total:
            break
        payload = data[here + HEAD_BYTES : stop]
        if crc32(payload) != check:
            break
        found.append((here, payload))
        here = stop
    return found, here


def wanted_bytes(data: bytes) -> int:
    """Return how many bytes the frame at the start of ``data`` takes, going by its head."""
    if len(data) < HEAD_BYTES:
        return HEAD_BYTES
    size, _ = _HEAD.unpack_from(data)
    return HEAD_BYTES + int(min(size, LARGEST_PAYLOAD))
