"""What the versions of all datasets need of the store."""

from __future__ import annotations

from undrift.blobs.collecting import References
from undrift.data import repository
from undrift.data.stored import StoredVersions


def references(stored: StoredVersions) -> References:
    """Return the files and chunks that versions refer to.

    Parameters
    ----------
    stored : StoredVersions
        The versions.

    Raises
    ------
    BlobMissing, BlobCorrupt
        If the manifest of a version cannot be read: then nobody knows what it needs.
    """
    found = References()
    with stored.ledger.read() as connection:
        versions = [one for name in repository.names(connection) for one in repository.history(connection, name)]
    for version in {one.version_id: one for one in versions}.values():
        for part in stored.manifest(version).parts:
            found.count(stored.blobs, part.contents)
    return found
