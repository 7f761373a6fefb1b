"""Whose bytes are damaged: errors of the store, told with the dataset and the file they belong to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from undrift.blobs.errors import BlobCorrupt, BlobMissing


@contextmanager
def told_of(what: str) -> Iterator[None]:
    """Name what missing or damaged bytes belong to in the error about them.

    Parameters
    ----------
    what : str
        A version's reference, or the path of a file in it.

    Raises
    ------
    BlobCorrupt, BlobMissing
        The same error, which says what it is about.
    """
    try:
        yield
    except (BlobCorrupt, BlobMissing) as error:
        raise type(error)(f"{what}: {error.message}", cure=error.cure, **error.fields) from error
