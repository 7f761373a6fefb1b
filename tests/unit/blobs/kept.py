"""What tests look at and break in a store."""

from __future__ import annotations

import random
from pathlib import Path

from undrift.blobs.store import BlobStore


def noise(size_bytes: int, seed: int = 1) -> bytes:
    """Return bytes that repeat nothing, the same ones for a seed."""
    return random.Random(seed).randbytes(size_bytes)


def pack_files(store: BlobStore) -> list[Path]:
    """Return the pack files of a store."""
    return [store.packs.files.path(name) for name in store.packs.files.names()]


def damage_chunk(store: BlobStore, digest: str, copy: int = 0) -> str:
    """Flip a byte of a chunk where it lies, and return the pack's name."""
    held = store.packs.find([digest])[digest][copy]
    flip(store.packs.files.path(held.pack), held.offset + held.length // 2)
    return held.pack


def flip(path: Path, at: int) -> None:
    """Flip one bit of a file."""
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    path.chmod(0o400)
