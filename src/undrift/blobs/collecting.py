"""Deleting what nothing refers to: packs are rewritten without it, one after the other."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from undrift.blobs.contents import Contents, forget, remembered
from undrift.blobs.packs.files import Filled
from undrift.blobs.packs.packs import text_of
from undrift.blobs.progress import SeenPacks, nobody
from undrift.blobs.store import BlobStore


@dataclass(frozen=True, slots=True)
class Collected:
    """What was deleted, or would be.

    Attributes
    ----------
    chunks : int
        How many chunks went.
    freed_bytes : int
        Their bytes.
    packs : int
        How many packs were rewritten or deleted.
    left : tuple of Filled
        What packs hold now, or would.
    """

    chunks: int = 0
    freed_bytes: int = 0
    packs: int = 0
    left: tuple[Filled, ...] = field(default=(), compare=False, repr=False)


@dataclass(slots=True)
class References:
    """What is referred to.

    Attributes
    ----------
    files : set of str
        Digests of whole files that readers may ask for.
    chunks : set of str
        Their chunks.
    erased_chunks : set of str
        Chunks of files that were erased, whether others need them or not.
    """

    files: set[str] = field(default_factory=set)
    chunks: set[str] = field(default_factory=set)
    erased_chunks: set[str] = field(default_factory=set)

    def count(self, store: BlobStore, contents: Contents) -> None:
        """Enter a file: as one that is needed, or as one that was erased."""
        digests = {chunk.digest for chunk in contents.chunks}
        if store.tombstones.has(contents.digest):
            self.erased_chunks |= digests
        else:
            self.files.add(contents.digest)
            self.chunks |= digests


def collect(store: BlobStore, references: References, *, is_plan: bool = False, seen: SeenPacks = nobody) -> Collected:
    """Delete all packed chunks that nothing refers to, and return what was deleted.

    Parameters
    ----------
    store : BlobStore
        The store, whose lock the caller holds alone since before the references were counted.
    references : References
        What versions refer to; recipes are counted here.
    is_plan : bool
        Whether to delete nothing.
    seen : callable
        Told of bytes that were written anew, and of packs that are done.

    Returns
    -------
    Collected
        What went.

    Raises
    ------
    BlobCorrupt
        If a recipe is damaged; nothing is then deleted.
    DiskFull
        If there is no room to rewrite a pack; what was done stays done.

    Notes
    -----
    May be killed at any point and repeated. A chunk of an erased file that nobody else needs gets a
    tombstone first, so that it does not come in again with a pack from elsewhere.
    """
    recipes = list(remembered(store))
    for contents in recipes:
        references.count(store, contents)
    held = store.packs.digests()
    doomed = held.keys() - references.chunks
    if not is_plan:
        _let_go(store, references, doomed)
    packs = 0
    left: list[Filled] = []
    for name in store.packs.files.names():
        lying = {text_of(place.digest): place.length for place in store.packs.contents(name)}
        kept = lying.keys() & references.chunks
        filled = Filled(name, sum(lying[digest] for digest in kept), len(kept))
        written = 0
        if len(kept) < len(lying):
            packs += 1
            rest = None if is_plan else store.packs.replace(name, kept)
            if rest is not None:
                filled, written = Filled(rest.name, rest.data_bytes, len(rest.chunks)), rest.data_bytes
        left += [filled] if kept else []
        seen(written, 1)
    for contents in recipes:
        if not is_plan and store.tombstones.has(contents.digest):
            forget(store, contents.digest)
    return Collected(len(doomed), sum(held[digest] for digest in doomed), packs, tuple(left))


def _let_go(store: BlobStore, references: References, doomed: AbstractSet[str]) -> None:
    """Keep chunks of erased files from coming in again, and drop whole files that nobody may ask for."""
    for digest in doomed & references.erased_chunks:
        if not store.tombstones.has(digest):
            store.tombstones.write(digest, None)
    for digest in set(store.whole.digests()) - references.files:
        store.whole.drop(digest)
