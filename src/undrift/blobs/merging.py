"""Putting many small packs together into full ones: additions of little data leave one small pack each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from undrift.blobs.packs.files import Filled
from undrift.blobs.packs.toc import FULL_BYTES, FULL_CHUNKS
from undrift.blobs.progress import SeenPacks, nobody
from undrift.blobs.sharing import StoreInUse
from undrift.blobs.store import BlobStore

MOST_SMALL = 16
"""So many small packs are left as they are: every read of the store stands them, and their bytes need not move."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What was put together, or would be.

    Attributes
    ----------
    packs : int
        How many small packs.
    into : int
        How many packs took their place.
    damaged : tuple of str
        Names of small packs that stay as they are because a chunk in them is damaged.
    is_complete : bool
        Whether all was done; else others wanted the store, and the next time goes on.
    """

    packs: int = 0
    into: int = 0
    damaged: tuple[str, ...] = ()
    is_complete: bool = True


def groups(store: BlobStore, packs: Iterable[Filled]) -> list[list[str]]:
    """Return the names of packs that are to be put together; none when it is not worth it.

    Parameters
    ----------
    store : BlobStore
        The store, from which nobody takes meanwhile.
    packs : iterable of Filled
        All of its packs, or what will be left of them.

    Notes
    -----
    A pack is small that is less than a quarter full, by bytes and by chunks. Small packs are put together when there
    are more than ``MOST_SMALL``; at most one is then left. They are taken in the order in which they were written,
    in which what belongs together lies together.
    """
    small = {one.name: one for one in packs if one.size_bytes < FULL_BYTES // 4 and one.chunks < FULL_CHUNKS // 4}
    if len(small) <= MOST_SMALL:
        return []
    found: list[list[str]] = [[]]
    size_bytes = chunks = 0
    for name in store.packs.files.by_age(small):
        found[-1].append(name)
        size_bytes += small[name].size_bytes
        chunks += small[name].chunks
        if size_bytes >= FULL_BYTES or chunks >= FULL_CHUNKS:
            found.append([])
            size_bytes = chunks = 0
    return [group for group in found if len(group) > 1]


def planned(together: Sequence[Sequence[str]]) -> Merged:
    """Return what merging groups of packs would do."""
    return Merged(sum(map(len, together)), len(together))


def merge(store: BlobStore, together: Iterable[Sequence[str]], seen: SeenPacks = nobody) -> Merged:
    """Put each group of packs together into one, and return what was done.

    Parameters
    ----------
    store : BlobStore
        The store; who calls this does not hold its lock.
    together : iterable of sequence of str
        Names of packs. Those that are no more are left out.
    seen : callable
        Told of bytes that were written anew, and of packs that are done.

    Raises
    ------
    DiskFull
        If there is no room for another pack; what was done stays done.

    Notes
    -----
    The lock is held for one group at a time, so that additions come in between. May be killed at any point and
    repeated: the new pack is durable and in the index before the old ones go.
    """
    packs, into, damaged = 0, 0, list[str]()
    for group in together:
        try:
            with store.lock.alone():
                found = store.packs.merge(group, seen)
        except StoreInUse:
            return Merged(packs, into, tuple(damaged), is_complete=False)
        packs += len(found.names)
        into += found.pack is not None
        damaged += found.damaged
    return Merged(packs, into, tuple(damaged))
