"""Telling of progress in bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Seen: TypeAlias = Callable[[int], None]
"""Told how many bytes, or other pieces of work, were done since it was told before."""


SeenPacks: TypeAlias = Callable[[int, int], None]
"""Told how many bytes were written, and how many packs are done, since it was told before."""


def nobody(size_bytes: int, packs: int = 0) -> None:
    """Hear of progress when nobody wants to know."""
