"""What the versions of all datasets need of the store."""

from __future__ import annotations

from collections.abc import Collection

from undrift.blobs.collecting import References
from undrift.data.stored import StoredVersions


def references(stored: StoredVersions, leaving: Collection[str] = frozenset()) -> References:
    """Return the files and chunks that versions refer to.

    Parameters
    ----------
    stored : StoredVersions
        The versions; those whose bytes went need nothing.
    leaving : collection of str
        Ids of versions that are to be left out.

    Raises
    ------
    BlobMissing, BlobCorrupt
        If the manifest of a version cannot be read: then nobody knows what it needs.
    """
    found = References()
    for version in {one.version_id: one for one in stored.every() if not one.is_gone}.values():
        if version.version_id in leaving:
            continue
        for part in stored.manifest(version).parts:
            found.count(stored.blobs, part.contents)
    return found
