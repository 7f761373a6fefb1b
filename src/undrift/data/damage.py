"""Whose bytes are damaged: errors of the store, told with the dataset and the file they belong to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from undrift.blobs.errors import BlobCorrupt, BlobMissing


def _nobody() -> str | None:
    return None


@contextmanager
def told_of(what: str, pull: Callable[[], str | None] = _nobody) -> Iterator[None]:
    """Name what missing or damaged bytes belong to in the error about them, once.

    Parameters
    ----------
    what : str
        A version's reference, or the path of a file in it.
    pull : callable
        Gives the command that brings missing bytes back, None when nobody is known to have them.

    Raises
    ------
    BlobCorrupt, BlobMissing
        The same error, which says what it is about.
    """
    try:
        yield
    except (BlobCorrupt, BlobMissing) as error:
        message = error.message if error.message.startswith(f"{what}:") else f"{what}: {error.message}"
        command = pull() if isinstance(error, BlobMissing) else None
        raise type(error)(message, cure=command or error.cure, **error.fields) from error
