"""Telling of progress in bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Seen: TypeAlias = Callable[[int], None]
"""Told how many bytes, or other pieces of work, were done since it was told before."""


def nobody(size_bytes: int) -> None:
    """Hear of progress when nobody wants to know."""
