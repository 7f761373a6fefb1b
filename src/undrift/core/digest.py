"""Digests: BLAKE3 names bytes, SHA-256 chains events.

A digest is written ``b3:`` and 64 hexadecimal digits.
"""

from __future__ import annotations

import re
from pathlib import Path

from blake3 import blake3

from undrift.core.errors import BadInput

_DIGEST = re.compile(r"b3:[0-9a-f]{64}\Z")


class BadDigest(BadInput):
    """A text is not a digest."""

    code = "bad-digest"


def blake3_bytes(data: bytes | memoryview) -> str:
    """Return the digest of some bytes."""
    return f"b3:{blake3(data).hexdigest()}"


def blake3_file(path: Path) -> str:
    """Return the digest of a file's bytes, read through a memory map.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    try:
        return f"b3:{blake3().update_mmap(path).hexdigest()}"
    except OSError:
        path.open("rb").close()  # raises the same with the file's name, which the library does not tell
        raise


def check_digest(text: str) -> str:
    """Return the text if it is a digest.

    Raises
    ------
    BadDigest
        If it is anything else. Only checked digests become parts of paths.
    """
    if not _DIGEST.match(text):
        raise BadDigest(f"{text[:80]!r} is not a digest", cure="digests look like b3: and 64 hex digits")
    return text


def hex_of(digest: str) -> str:
    """Return the 64 hexadecimal digits of a digest."""
    return check_digest(digest)[3:]
