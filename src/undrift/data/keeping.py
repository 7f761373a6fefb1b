"""Looking after what datasets keep: comparing, checking, letting go."""

from __future__ import annotations

from collections.abc import Sequence

from undrift.blobs.checking import ChunkSource
from undrift.blobs.progress import Seen, SeenPacks, nobody
from undrift.data import diff, fsck, gc
from undrift.data.stored import StoredVersions
from undrift.data.versions import DatasetVersion
from undrift.ledger.actor import Actor


class Keeping:
    """Compares, checks, repairs and lets go.

    Parameters
    ----------
    stored : StoredVersions
        The versions.
    """

    def __init__(self, stored: StoredVersions) -> None:
        self._stored = stored

    def fsck(self, sources: Sequence[ChunkSource] = (), *, is_repair: bool = False, seen: Seen = nobody) -> fsck.Report:
        """Read everything that datasets keep, and return what is wrong with it, and what of it was repaired.

        Parameters
        ----------
        sources : sequence of ChunkSource
            Where else the bytes may be, such as remotes; asked only when repairing.
        is_repair : bool
            Whether to put right what can be.
        seen : callable
            Told of progress in bytes.

        Raises
        ------
        StoreInUse
            If others use the store for too long.
        """
        return fsck.fsck(self._stored, sources, is_repair=is_repair, seen=seen)

    def diff(
        self, before: DatasetVersion, after: DatasetVersion, *, has_rows: bool = False, key: Sequence[str] = ()
    ) -> diff.Diff:
        """Return what lies between two versions.

        Parameters
        ----------
        before, after : DatasetVersion
            The two, which may be of different datasets.
        has_rows : bool
            Whether to compare rows, too; a key asks for that.
        key : sequence of str
            Columns that name a row.

        Raises
        ------
        NotATable, BadKey
            If there are no rows, or the key does not name them.
        """
        return diff.diff(self._stored, before, after, has_rows=has_rows or bool(key), key=key)

    def gc(self, keep: gc.Keep, actor: Actor, *, is_plan: bool = False, seen: SeenPacks = nobody) -> gc.Swept:
        """Let go of the bytes of versions that are not kept, and of what nothing refers to; put small packs together.

        Parameters
        ----------
        keep : Keep
            Which versions keep their bytes, beside the newest of each dataset.
        actor : Actor
            Who asks for it.
        is_plan : bool
            Whether to change nothing.
        seen : callable
            Told of bytes that were written anew, and of packs that are done.

        Raises
        ------
        StoreInUse, BlobMissing, BlobCorrupt
            If the store is in use, or nobody can tell what a version needs; nothing is then deleted.
        """
        return gc.gc(self._stored, keep, actor, is_plan=is_plan, seen=seen)
