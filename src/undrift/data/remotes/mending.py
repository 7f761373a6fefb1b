"""A remote as somewhere that damaged and missing bytes can be had from again."""

from __future__ import annotations

from undrift.blobs.errors import BlobMissing
from undrift.blobs.remote_packs import RemoteCorrupt
from undrift.data.remotes.remote import Remote


class RemoteChunks:
    """What a remote holds, by digest: a :class:`undrift.blobs.checking.ChunkSource`.

    Parameters
    ----------
    remote : Remote
        The remote.
    """

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def fetch(self, digest: str) -> bytes | None:
        """Return the bytes of a chunk or of a manifest; None when the remote has none that are right.

        Raises
        ------
        BucketUnreachable
            If it does not answer.
        """
        try:
            return self._remote.packs.read_chunk(digest)
        except (BlobMissing, RemoteCorrupt):
            return self._remote.object(digest)
