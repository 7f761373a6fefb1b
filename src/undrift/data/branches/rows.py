"""Merging rows that a key names: a cell that one side changed counts, one that both changed differently is a conflict.

The order is stated: the rows of our side in its order, then those that only their side brings, in its order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import polars as pl

from undrift.data.branches.columns import ColumnMerge, merge_columns
from undrift.data.branches.conflicts import MOST_TOLD, Conflict, Conflicts, Side
from undrift.data.branches.files import BOTH_CHANGED, DELETED_HERE, DELETED_THERE
from undrift.data.conform import conform
from undrift.data.diff import BadKey
from undrift.data.schema import Column, Schema, SchemaMismatch

Tell = Callable[[str, object], str | None]
"""Returns the cell of a column as a person may see it."""

_BASE, _OURS, _THEIRS = "b", "o", "t"


@dataclass(frozen=True, slots=True)
class Rule:
    """How sides are merged.

    Attributes
    ----------
    key : tuple of str
        Columns that name a row; without them files are merged as wholes.
    take : {"ours", "theirs"} or None
        Whose file, column, row or cell counts where both changed it.
    tell : callable or None
        Gives the cells of conflicts as a person may see them; by default none is told.
    """

    key: tuple[str, ...] = ()
    take: Side | None = None
    tell: Tell | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows and what their columns are."""

    frame: pl.DataFrame
    schema: Schema


@dataclass(frozen=True, slots=True)
class RowMerge:
    """The rows of a merge.

    Attributes
    ----------
    frame : polars.DataFrame
        They; where there is a conflict that nobody resolved, as our side has them.
    columns : tuple of Column
        What its columns are.
    conflicts : Conflicts
        What both sides changed in different ways, whether resolved or not.
    added, removed, changed : int
        How many rows there are more, fewer and with other cells than on our side.
    """

    frame: pl.DataFrame
    columns: tuple[Column, ...]
    conflicts: Conflicts
    added: int
    removed: int
    changed: int


def merge_rows(base: Rows, ours: Rows, theirs: Rows, rule: Rule) -> RowMerge:
    """Return the rows that two sides with a common base make up.

    Parameters
    ----------
    base, ours, theirs : Rows
        The three.
    rule : Rule
        How; missing values in the key are values.

    Raises
    ------
    BadKey
        If a key column is missing, or names several rows of one side.
    SchemaMismatch
        If a column was retyped on one side and the other side's cells are no values of the new type.

    Notes
    -----
    Of a row that both sides added, cells that are not equal are conflicts. A row that one side deleted and the other
    changed is one. A column that one side added has no values in rows that only the other side has.
    """
    key = list(rule.key)
    plan = merge_columns(base.schema, ours.schema, theirs.schema, key, rule.take)
    sides = {
        _BASE: _aligned(base.frame, plan.columns, is_exact=False),
        _OURS: _aligned(ours.frame, plan.columns),
        _THEIRS: _aligned(theirs.frame, plan.columns),
    }
    for frame in sides.values():
        if frame.select(pl.struct(key).is_duplicated().any()).item():
            raise BadKey(f"{', '.join(key)} names several rows", cure="name more columns, or merge without --key")
    return _Merge(sides, plan, rule).done()


def _aligned(frame: pl.DataFrame, columns: Sequence[Column], *, is_exact: bool = True) -> pl.DataFrame:
    """Return the columns of one side in the types that they get; those of the base stay as they are where they must."""
    return pl.DataFrame(
        [_as_typed(frame.get_column(one.name), one, is_exact=is_exact) for one in columns if one.name in frame.columns]
    )


def _as_typed(values: pl.Series, column: Column, *, is_exact: bool) -> pl.Series:
    try:
        return conform(values.to_frame(), Schema((column,))).get_column(column.name)
    except SchemaMismatch:
        if column.type == "string" and values.dtype != pl.Binary:
            return values.cast(pl.String)
        if is_exact:
            raise
        return values


def _untold(_: str, __: object) -> str | None:
    return None


def _of(side: str, name: str) -> str:
    return f"\x1f{side}{name}"


def _is_in(side: str) -> pl.Expr:
    return pl.col(_of(side, "\x1fat")).is_not_null()


class _Merge:
    """One merge of rows: the three sides joined by the key, and what is asked of each column."""

    def __init__(self, sides: dict[str, pl.DataFrame], plan: ColumnMerge, rule: Rule) -> None:
        self._names = {side: set(frame.columns) for side, frame in sides.items()}
        self._types = {side: dict(frame.schema) for side, frame in sides.items()}
        key = list(rule.key)
        self._plan, self._key, self._take, self._tell = plan, key, rule.take, rule.tell or _untold
        base, ours, theirs = (_placed(frame, key, side) for side, frame in sides.items())
        both = ours.join(theirs, on=key, how="full", coalesce=True, nulls_equal=True)
        joined = both.join(base, on=key, how="left", coalesce=True, nulls_equal=True)
        self._joined = joined.sort(_of(_OURS, "\x1fat"), _of(_THEIRS, "\x1fat"), nulls_last=True)

    def done(self) -> RowMerge:
        """Return the merged rows and the conflicts."""
        conflicts = Conflicts.of(self._plan.conflicts) + self._dropped() + self._lost() + self._differing()
        columns = tuple(one for one in self._plan.columns if self._stays(one.name))
        kept = self._joined.filter(self._kept())
        merged = kept.select(
            pl.col(one.name) if one.name in self._key else self._cell(one.name).alias(one.name) for one in columns
        )
        inside = kept.select(_is_in(_OURS)).to_series()
        others = [one.name for one in columns if one.name not in self._key]
        differ = [self._cell(name).ne_missing(pl.col(_of(_OURS, name))) for name in others if name in self._names["o"]]
        changed = kept.select((pl.any_horizontal(differ) & _is_in(_OURS)).sum()).item() if differ else 0
        stayed = int(inside.sum())
        ours = int(self._joined.select(_is_in(_OURS).sum()).item())
        return RowMerge(merged, columns, conflicts, kept.height - stayed, ours - stayed, int(changed))

    def _cell(self, name: str) -> pl.Expr:
        """Return what stands in a column of a row that stays."""
        ours, theirs = pl.col(_of(_OURS, name)), pl.col(_of(_THEIRS, name))
        if name not in self._names[_THEIRS]:
            return ours
        if name not in self._names[_OURS]:
            return theirs
        return (
            pl.when(~_is_in(_THEIRS) | (_is_in(_OURS) & (self._is_equal(name) | self._is_old(_THEIRS, name))))
            .then(ours)
            .when(~_is_in(_OURS) | self._is_old(_OURS, name))
            .then(theirs)
            .otherwise(theirs if self._take == "theirs" else ours)
        )

    def _is_equal(self, name: str) -> pl.Expr:
        return pl.col(_of(_OURS, name)).eq_missing(pl.col(_of(_THEIRS, name)))

    def _is_old(self, side: str, name: str) -> pl.Expr:
        """Say whether a cell is as it was; a column that was not there had no values."""
        cell = pl.col(_of(side, name))
        if name not in self._names[_BASE]:
            return _is_in(_BASE) & cell.is_null()
        old = pl.col(_of(_BASE, name))
        if self._types[_BASE][name] != self._types[side][name]:  # it was retyped, and its old cells are no new values
            cell, old = cell.cast(pl.String, strict=False), old.cast(pl.String, strict=False)
        return _is_in(_BASE) & cell.eq_missing(old)

    def _is_changed(self, side: str) -> pl.Expr:
        """Say whether a side changed any cell of a row that was there."""
        shared = [name for name in self._names[side] & self._names[_BASE] if name not in self._key]
        return _is_in(_BASE) & pl.any_horizontal([pl.lit(value=False), *(~self._is_old(side, one) for one in shared)])

    def _kept(self) -> pl.Expr:
        """Say whether a row stays."""
        only_ours, only_theirs = _is_in(_OURS) & ~_is_in(_THEIRS), _is_in(_THEIRS) & ~_is_in(_OURS)
        mine = ~_is_in(_BASE) | (self._is_changed(_OURS) & (self._take != "theirs"))
        other = ~_is_in(_BASE) | (self._is_changed(_THEIRS) & (self._take == "theirs"))
        return (_is_in(_OURS) & _is_in(_THEIRS)) | (only_ours & mine) | (only_theirs & other)

    def _stays(self, name: str) -> bool:
        """Say whether a column stays: one that a side dropped does where the other changed it and is taken."""
        dropper = self._plan.dropped.get(name)
        if dropper is None:
            return True
        return self._take is not None and self._take != dropper and self._changed_in(name, dropper) > 0

    def _changed_in(self, name: str, dropper: Side) -> int:
        """Return how many cells of a column that one side dropped the other changed."""
        side = _THEIRS if dropper == "ours" else _OURS
        return int(self._joined.select((_is_in(side) & _is_in(_BASE) & ~self._is_old(side, name)).sum()).item())

    def _dropped(self) -> Conflicts:
        found = []
        for name, dropper in self._plan.dropped.items():
            cells = self._changed_in(name, dropper)
            if cells:
                one, other = ("here", "there") if dropper == "ours" else ("there", "here")
                found.append(Conflict("column", f"dropped {one}, {cells:,} cells changed {other}", column=name))
        return Conflicts.of(found)

    def _lost(self) -> Conflicts:
        """Return the rows that one side deleted and the other changed."""
        found = Conflicts()
        for side, other, why in ((_OURS, _THEIRS, DELETED_THERE), (_THEIRS, _OURS, DELETED_HERE)):
            rows = self._joined.filter(_is_in(side) & ~_is_in(other) & self._is_changed(side))
            told = [Conflict("row", why, key=self._key_of(row)) for row in rows.head(MOST_TOLD).iter_rows(named=True)]
            found += Conflicts(rows.height, tuple(told))
        return found

    def _differing(self) -> Conflicts:
        """Return the cells that both sides changed in different ways."""
        found = Conflicts()
        for column in self._plan.columns:
            name = column.name
            if name in self._key or not {name} <= self._names[_OURS] & self._names[_THEIRS]:
                continue
            settled = self._is_equal(name) | self._is_old(_OURS, name) | self._is_old(_THEIRS, name)
            rows = self._joined.filter(_is_in(_OURS) & _is_in(_THEIRS) & ~settled)
            told = tuple(self._cell_of(name, row) for row in rows.head(MOST_TOLD).iter_rows(named=True))
            found += Conflicts(rows.height, told)
        return found

    def _cell_of(self, name: str, row: dict[str, object]) -> Conflict:
        base, ours, theirs = (self._tell(name, row.get(_of(side, name))) for side in (_BASE, _OURS, _THEIRS))
        return Conflict("cell", BOTH_CHANGED, column=name, key=self._key_of(row), base=base, ours=ours, theirs=theirs)

    def _key_of(self, row: dict[str, object]) -> dict[str, str | None]:
        return {name: self._tell(name, row[name]) for name in self._key}


def _placed(frame: pl.DataFrame, key: Collection[str], side: str) -> pl.DataFrame:
    """Return a side with its row numbers, and with names that tell the sides apart."""
    renamed = frame.rename({name: _of(side, name) for name in frame.columns if name not in key})
    return renamed.with_row_index(_of(side, "\x1fat"))
