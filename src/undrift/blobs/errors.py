"""What can be wrong with stored bytes."""

from __future__ import annotations

from undrift.core.errors import Corrupt, NotFound


class BlobMissing(NotFound):
    """No object of this digest is in the store."""

    code = "blob-missing"


class BlobCorrupt(Corrupt):
    """The bytes of an object are not those its digest names."""

    code = "blob-corrupt"


class PackCorrupt(Corrupt):
    """A pack file is not what its name says: it was cut off, changed, or never was one."""

    code = "pack-corrupt"


def missing(digest: str) -> BlobMissing:
    """Return the error that says that bytes are not there."""
    return BlobMissing(
        f"the store has no object {digest}", cure="add the data again, or restore the store", digest=digest
    )


def corrupt(digest: str, where: str = "") -> BlobCorrupt:
    """Return the error that says that bytes are damaged.

    Parameters
    ----------
    digest : str
        Their name.
    where : str
        The pack that holds them, as a phrase that ends in a space; empty for a file of their own.
    """
    return BlobCorrupt(
        f"the object {digest} {where}is damaged: its bytes have another digest",
        cure="undrift data fsck --repair; without a second copy, add the original data again: good bytes replace it",
        digest=digest,
    )
