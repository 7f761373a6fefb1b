"""Letting go of the bytes of old versions, and of whatever nothing refers to."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from undrift.blobs import merging
from undrift.blobs.collecting import Collected, collect
from undrift.blobs.merging import Merged
from undrift.blobs.progress import SeenPacks, nobody
from undrift.core.json import JSON
from undrift.data import repository
from undrift.data.branches import ties
from undrift.data.references import references
from undrift.data.stored import StoredVersions
from undrift.data.versions import DatasetVersion
from undrift.ledger.actor import Actor


@dataclass(frozen=True, slots=True)
class Keep:
    """Which versions keep their bytes, beside the newest one of each dataset.

    Attributes
    ----------
    is_everything : bool
        Whether all do: then only what no version refers to goes.
    has_tags : bool
        Whether those that have a tag do.
    used : collection of str
        References of versions that do because something was made from them.
    last : int
        How many of the newest of each dataset do.
    agreed : collection of str or None
        References of the only versions that may let go, because somebody saw and agreed to these; None: any.
    reason : str
        Why the others go; it stays in the ledger.
    """

    is_everything: bool = True
    has_tags: bool = False
    used: Collection[str] = field(default_factory=frozenset)
    last: int = 1
    agreed: Collection[str] | None = None
    reason: str = ""

    def holds(self, version: DatasetVersion, place: int) -> bool:
        """Say whether a version keeps its bytes; its place is 0 for the newest of its dataset."""
        is_wanted = (self.has_tags and bool(version.tags)) or version.ref in self.used
        is_wanted = is_wanted or (self.agreed is not None and version.ref not in self.agreed)
        return self.is_everything or place < max(1, self.last) or is_wanted


@dataclass(frozen=True, slots=True)
class Swept:
    """What was let go of, or would be.

    Attributes
    ----------
    versions : tuple of str
        References of versions whose bytes went.
    version_bytes : int
        How large their files are; less is freed where other versions share chunks with them.
    collected : Collected
        What was deleted.
    merged : Merged
        Which small packs were put together.
    is_plan : bool
        Whether nothing was changed.
    """

    versions: tuple[str, ...]
    version_bytes: int
    collected: Collected
    merged: Merged
    is_plan: bool

    def as_json(self) -> dict[str, JSON]:
        """Return it for machines."""
        return {
            "plan": self.is_plan,
            "versions": list(self.versions),
            "version_bytes": self.version_bytes,
            "chunks": self.collected.chunks,
            "freed_bytes": self.collected.freed_bytes,
            "packs": self.collected.packs,
            "merged": {
                "packs": self.merged.packs,
                "into": self.merged.into,
                "damaged": list(self.merged.damaged),
                "complete": self.merged.is_complete,
            },
        }


def gc(stored: StoredVersions, keep: Keep, actor: Actor, *, is_plan: bool = False, seen: SeenPacks = nobody) -> Swept:
    """Let go of the bytes of versions that are not kept, and of what nothing refers to; put small packs together.

    Parameters
    ----------
    stored : StoredVersions
        The versions.
    keep : Keep
        Which versions keep their bytes.
    actor : Actor
        Who asks for it.
    is_plan : bool
        Whether to change nothing.
    seen : callable
        Told of bytes that were written anew, and of packs that are done.

    Raises
    ------
    StoreInUse
        If others add to the store for too long.
    BlobMissing, BlobCorrupt
        If the list of files of a version that is kept cannot be read; nothing is then deleted.

    Notes
    -----
    A version whose bytes went stays in the log, with its list of files, and is recorded as such before
    anything is deleted. May be killed at any point and repeated.
    """
    with stored.blobs.lock.alone():
        going = _going(stored, keep)
        needed = references(stored, leaving={version.version_id for version in going})
        if not is_plan and going:
            with stored.ledger.change(actor) as change:
                for version in going:
                    repository.set_gone(change.connection, version, is_gone=True)
                    change.record(
                        repository.BYTES_DROPPED,
                        version.ref,
                        {"version_id": version.version_id, "bytes": version.bytes, "reason": keep.reason},
                    )
        collected = collect(stored.blobs, needed, is_plan=is_plan, seen=seen)
        together = merging.groups(stored.blobs, collected.left)
    merged = merging.planned(together) if is_plan else merging.merge(stored.blobs, together, seen)
    size_bytes = sum({version.version_id: version.bytes for version in going}.values())
    return Swept(tuple(version.ref for version in going), size_bytes, collected, merged, is_plan)


def _going(stored: StoredVersions, keep: Keep) -> list[DatasetVersion]:
    """Return the versions whose bytes go: none that has the files of a version that is kept."""
    with stored.ledger.read() as connection:
        histories = [repository.history(connection, name) for name in repository.names(connection)]
        needed = ties.bases(connection)  # without them a branch could not be brought back
    ranked = [(version, place) for history in histories for place, version in enumerate(history)]
    kept = {
        version.version_id
        for version, place in ranked
        if (keep.holds(version, place) or version.version_id in needed) and not version.is_gone
    }
    return [version for version, _ in ranked if version.version_id not in kept and not version.is_gone]
