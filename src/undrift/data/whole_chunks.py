"""Files that were put together for readers, as somewhere that damaged chunks can be had from again."""

from __future__ import annotations

from functools import cached_property

from undrift.blobs.errors import BlobCorrupt, BlobMissing
from undrift.data.stored import StoredVersions


class WholeChunks:
    """The chunks of whole files in the store's own cache: a :class:`undrift.blobs.checking.ChunkSource`.

    Parameters
    ----------
    stored : StoredVersions
        The versions, whose lists of files tell where in a file a chunk lies.
    """

    def __init__(self, stored: StoredVersions) -> None:
        self._stored = stored

    def fetch(self, digest: str) -> bytes | None:
        """Return the bytes that lie where a chunk should, None when no whole file has it; who asks compares them."""
        place = self._places.get(digest)
        return self._stored.blobs.whole.piece(*place) if place is not None else None

    @cached_property
    def _places(self) -> dict[str, tuple[str, int, int]]:
        """File, offset and length of each chunk; lists of files that are damaged themselves are passed over."""
        blobs = self._stored.blobs
        there = set(blobs.whole.digests())
        places: dict[str, tuple[str, int, int]] = {}
        for version in self._stored.every() if there else ():
            try:
                parts = () if version.is_gone else self._stored.manifest(version).parts
            except (BlobMissing, BlobCorrupt):
                continue
            for contents in (part.contents for part in parts if part.contents.digest in there):
                offset = 0
                for chunk in contents.chunks:
                    places.setdefault(chunk.digest, (contents.digest, offset, chunk.size_bytes))
                    offset += chunk.size_bytes
        return places
