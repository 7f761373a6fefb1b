"""Random bytes for ids, asked from the system in large pieces: a system call per id costs more than the id."""

from __future__ import annotations

import os

_PIECE = 4096


class RandomPool:
    """Gives random bytes, each of them once. Not safe for threads, nor shared over ``fork``."""

    def __init__(self) -> None:
        self._bytes = b""
        self._used = 0

    def __call__(self, size: int, /) -> bytes:
        """Return so many random bytes, at most 4,096."""
        if self._used + size > len(self._bytes):
            self._bytes, self._used = os.urandom(_PIECE), 0
        start, self._used = self._used, self._used + size
        return self._bytes[start : self._used]
