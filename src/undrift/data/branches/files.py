"""Merging lists of files: what one side changed counts, what both changed in different ways is a conflict. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from undrift.data.branches.conflicts import Conflict, Side
from undrift.data.manifest import Manifest, Part

BOTH_CHANGED = "changed on both sides in different ways"
BOTH_ADDED = "added on both sides with different content"
DELETED_HERE = "deleted here and changed there"
DELETED_THERE = "changed here and deleted there"
_MOST_LISTED = 5


@dataclass(frozen=True, slots=True)
class FileMerge:
    """The files of a merge.

    Attributes
    ----------
    parts : tuple of Part
        Those that stay: the files of our side in its order, then those that only their side has, in its order.
        Where there is a conflict that nobody resolved, ours.
    conflicts : tuple of Conflict
        What both sides changed in different ways, whether resolved or not.
    """

    parts: tuple[Part, ...]
    conflicts: tuple[Conflict, ...]


def merge_files(base: Manifest, ours: Manifest, theirs: Manifest, *, take: Side | None, is_table: bool) -> FileMerge:
    """Return the files that two lists with a common base make up.

    Parameters
    ----------
    base, ours, theirs : Manifest
        The three lists.
    take : {"ours", "theirs"}, optional
        Whose file counts where both changed it.
    is_table : bool
        Whether the files are parts of one table. Then a file that each side replaced by another one is a conflict:
        both would hold its rows.
    """
    was, here, there = (_by_path(manifest) for manifest in (base, ours, theirs))
    chosen: dict[str, Part] = {}
    conflicts: list[Conflict] = []
    for path in dict.fromkeys((*here, *there, *was)):
        old, mine, other = was.get(path), here.get(path), there.get(path)
        if _same(mine, other) or _same(old, other):
            kept = mine
        elif _same(old, mine):
            kept = other
        else:
            conflicts.append(Conflict("file", _why(old, mine, other), path=path))
            kept = other if take == "theirs" else mine
        if kept is not None:
            chosen[path] = kept
    if is_table and (found := _replaced(was, here, there)) is not None:
        conflicts.append(found.conflict)
        for path in found.here if take == "theirs" else found.there:
            chosen.pop(path, None)
    return FileMerge(tuple(chosen.values()), tuple(conflicts))


@dataclass(frozen=True, slots=True)
class _Replaced:
    """Files that each side replaced by other ones."""

    conflict: Conflict
    here: tuple[str, ...]
    there: tuple[str, ...]


def _replaced(was: Mapping[str, Part], here: Mapping[str, Part], there: Mapping[str, Part]) -> _Replaced | None:
    gone = [path for path in was if path not in here and path not in there]
    mine = tuple(path for path in here if path not in was and path not in there)
    others = tuple(path for path in there if path not in was and path not in here)
    if not (gone and mine and others):
        return None
    why = f"replaced here by {_listed(mine)} and there by {_listed(others)}"
    return _Replaced(Conflict("file", why, path=_listed(gone)), mine, others)


def _listed(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _MOST_LISTED:,} more" if len(paths) > _MOST_LISTED else ""
    return ", ".join(paths[:_MOST_LISTED]) + more


def _why(old: Part | None, mine: Part | None, other: Part | None) -> str:
    if mine is None:
        return DELETED_HERE
    if other is None:
        return DELETED_THERE
    return BOTH_ADDED if old is None else BOTH_CHANGED


def _by_path(manifest: Manifest) -> dict[str, Part]:
    return {part.path: part for part in manifest.parts}


def _same(one: Part | None, other: Part | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.contents.digest == other.contents.digest
