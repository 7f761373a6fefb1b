"""Merging schemas: what one side did to the columns counts, what both did in different ways is a conflict. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from undrift.data.branches.conflicts import Conflict, Side
from undrift.data.diff import BadKey
from undrift.data.schema import Column, CsvFile, Schema, difference

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class SchemaMerge:
    """The schema of merged files.

    Attributes
    ----------
    schema : Schema or None
        The schema; None where the files are no table. Where there is a conflict that nobody resolved, ours.
    conflicts : tuple of Conflict
        What both sides did in different ways.
    """

    schema: Schema | None
    conflicts: tuple[Conflict, ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnMerge:
    """The columns of merged rows.

    Attributes
    ----------
    columns : tuple of Column
        Those that stay: of our side in its order, then those that only their side has.
    dropped : dict of str to Side
        Columns that one side let go of, and which side did; it is a conflict if the other changed a cell there.
    conflicts : tuple of Conflict
        Columns that both retyped in different ways.
    """

    columns: tuple[Column, ...]
    dropped: dict[str, Side] = field(default_factory=dict)
    conflicts: tuple[Conflict, ...] = ()


def merge_schemas(base: Schema | None, ours: Schema | None, theirs: Schema | None, take: Side | None) -> SchemaMerge:
    """Return the schema under which files of both sides are read.

    Parameters
    ----------
    base, ours, theirs : Schema or None
        The three; None where files have none.
    take : {"ours", "theirs"}, optional
        Whose schema counts where both changed it.
    """
    whole = _merged(base, ours, theirs)
    if whole is not None:
        return SchemaMerge(whole[0])
    if ours is not None and theirs is not None and _types(ours) == _types(theirs):
        csv = _merged_csv(base.csv if base else CsvFile(), ours.csv, theirs.csv)
        if csv is not None:
            return SchemaMerge(Schema(ours.columns, csv))
    told = "how their files are written is not the same on both sides"
    if ours is not None and theirs is not None:
        told = difference(ours, theirs.types) or told
    return SchemaMerge(theirs if take == "theirs" else ours, (Conflict("column", told, column="columns"),))


def merge_columns(
    base: Schema, ours: Schema, theirs: Schema, key: Sequence[str], take: Side | None = None
) -> ColumnMerge:
    """Return the columns that rows of both sides have when they are merged.

    Parameters
    ----------
    base, ours, theirs : Schema
        The three.
    key : sequence of str
        Columns that name a row.
    take : {"ours", "theirs"}, optional
        Whose type counts where both changed it.

    Raises
    ------
    BadKey
        If a key column is not on both sides and in the base with one type.
    """
    was, here, there = ({column.name: column for column in schema.columns} for schema in (base, ours, theirs))
    for name in key:
        if name not in was or not _alike(was[name], here.get(name)) or not _alike(was[name], there.get(name)):
            both = ", ".join(one for one in here if one in there and one in was)
            raise BadKey(f"no column {name!r} is on both sides and in the base with one type", cure=f"columns: {both}")
    columns: list[Column] = []
    dropped: dict[str, Side] = {}
    conflicts: list[Conflict] = []
    for name in dict.fromkeys((*here, *there)):
        old, mine, other = was.get(name), here.get(name), there.get(name)
        if mine is None or other is None:
            if old is not None:
                dropped[name] = "ours" if mine is None else "theirs"
            columns += [one for one in (mine, other) if one is not None]
        elif _alike(mine, other) or _alike(old, other):
            columns.append(mine)
        elif _alike(old, mine):
            columns.append(other)
        else:
            conflicts.append(Conflict("column", f"{mine.type} here and {other.type} there", column=name))
            columns.append(other if take == "theirs" else mine)
    return ColumnMerge(tuple(columns), dropped, tuple(conflicts))


def _alike(one: Column | None, other: Column | None) -> bool:
    return one is not None and other is not None and (one.type, one.scale) == (other.type, other.scale)


def _types(schema: Schema) -> list[tuple[str, str, int, str]]:
    return [(column.name, column.type, column.scale, column.spelt) for column in schema.columns]


def _merged(base: _T, ours: _T, theirs: _T) -> tuple[_T] | None:
    """Return what counts of one thing on both sides, in a tuple; None when both changed it in different ways."""
    if theirs in (ours, base):
        return (ours,)
    return (theirs,) if base == ours else None


def _merged_csv(base: CsvFile, ours: CsvFile, theirs: CsvFile) -> CsvFile | None:
    found = [
        _merged(base.delimiter, ours.delimiter, theirs.delimiter),
        _merged(base.encoding, ours.encoding, theirs.encoding),
        _merged(base.fallback, ours.fallback, theirs.fallback),
    ]
    kept = [one[0] for one in found if one is not None]
    return CsvFile(*kept) if len(kept) == len(found) else None
