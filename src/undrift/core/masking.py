"""Masking: a personal text is replaced by its keyed hash, which joins but does not tell.

The key is 32 random bytes in the private store. Whoever has the key can test a guess; whoever has
not cannot. Without the key no hash can be linked to a person, or to a new hash of the same
text, again: deleting it ends all links.
"""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from blake3 import blake3

from undrift.core.errors import Corrupt
from undrift.core.files import (
    PRIVATE_FILE,
    DiskFull,
    ProjectReadOnly,
    fsync_folder,
    full_disk_told,
    make_private,
    read_only_told,
)

PREFIX = "masked:"
FILE = "private/masking.key"
"""Where the key lies in a project's store."""

_KEY_BYTES = 32
_DIGITS = 32
_MASKED = re.compile(rf"{PREFIX}[0-9a-f]{{{_DIGITS}}}\Z")


class BadMaskingKey(Corrupt):
    """The key of the masks is not 32 bytes."""

    code = "bad-masking-key"


@dataclass(frozen=True, slots=True)
class Mask:
    """Replaces texts by hashes under one key.

    Attributes
    ----------
    key : bytes
        32 bytes; never shown.
    """

    key: bytes = field(repr=False)

    def text(self, text: str) -> str:
        """Return ``masked:`` and 32 hexadecimal digits; a text that is such already stays as it is.

        So a key that somebody took out of the log, masked, still joins.
        """
        if _MASKED.match(text):
            return text
        return PREFIX + blake3(text.encode("utf-8", "surrogatepass"), key=self.key).hexdigest()[:_DIGITS]


def open_mask(store: Path) -> Mask:
    """Return the mask of a project, whose key is made when there is none yet.

    Parameters
    ----------
    store : Path
        The project's private folder.

    Raises
    ------
    BadMaskingKey
        If the key's file holds anything but 32 bytes.
    """
    path = store / FILE
    if not path.exists():
        _make(path)
    return read_mask(path)


def mask_to_show(store: Path) -> Mask:
    """Return the mask of a project for what is shown; one that is forgotten where there is no key and none can be kept.

    Parameters
    ----------
    store : Path
        The project's private folder.

    Raises
    ------
    BadMaskingKey
        If the key's file holds anything but 32 bytes.
    """
    try:
        return open_mask(store)
    except (ProjectReadOnly, DiskFull):
        return _forgotten()


@cache
def _forgotten() -> Mask:
    """Return the mask of this process, under a key that nobody keeps."""
    return Mask(secrets.token_bytes(_KEY_BYTES))


def known_mask(store: Path) -> Mask | None:
    """Return the mask of a project, None when nothing has been masked there yet; for those who join what is masked."""
    path = store / FILE
    return read_mask(path) if path.exists() else None


def read_mask(path: Path) -> Mask:
    """Return the mask whose key lies in a file.

    Raises
    ------
    BadMaskingKey
        If it is not there, or does not hold 32 bytes.
    """
    try:
        key = path.read_bytes()
    except OSError as error:
        raise BadMaskingKey(f"the key of the masks cannot be read: {error.strerror}", cure=_CURE) from error
    if len(key) != _KEY_BYTES:
        raise BadMaskingKey("the key of the masks is damaged", cure=_CURE)
    return Mask(key)


_CURE = "restore .undrift/private/masking.key from a copy; or delete it: new masks then join to none of the old"


def _make(path: Path) -> None:
    """Write a new key; of several writers at once the first one's stands."""
    make_private(path.parent)
    part = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    with full_disk_told(path), read_only_told(path):
        descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        with full_disk_told(path), os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(part, path)
        fsync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)
