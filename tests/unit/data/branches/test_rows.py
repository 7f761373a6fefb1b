"""Rows of two sides are merged by their key, as a slow reader of the rules would."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from undrift.data.branches.rows import RowMerge, Rows, Rule, merge_rows
from undrift.data.conform import conform
from undrift.data.diff import BadKey
from undrift.data.schema import Schema, SchemaMismatch, freeze

BY_K = Rule(("k",))
COLUMNS = ("a", "b", "c")
Table = tuple[tuple[str, ...], dict[int | None, dict[str, int | None]]]
_KEYS = st.one_of(st.none(), st.integers(0, 4))
_CELLS = st.one_of(st.none(), st.integers(0, 2))


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Give a small table: its columns, and its rows by key, in an order."""
    names = tuple(draw(st.permutations(COLUMNS)))[: draw(st.integers(1, 3))]
    keys = draw(st.lists(_KEYS, unique=True, max_size=5))
    return names, {key: {name: draw(_CELLS) for name in names} for key in keys}


def rows_of(table: Table) -> Rows:
    names, rows = table
    schema = Schema.of({"k": "int", **dict.fromkeys(names, "int")})
    frame = pl.DataFrame([{"k": key, **cells} for key, cells in rows.items()], schema=schema.dtypes)
    return Rows(frame, schema)


class Oracle:
    """The rules, one row and one cell after the other."""

    def __init__(self, base: Table, ours: Table, theirs: Table, take: str | None) -> None:
        self.base, self.ours, self.theirs, self.take = base, ours, theirs, take
        self.conflicts = 0
        self.dropped: dict[str, str] = {}
        self.names = [name for name in dict.fromkeys((*ours[0], *theirs[0])) if self._stays(name)]

    def _stays(self, name: str) -> bool:
        sides = {"ours": self.ours, "theirs": self.theirs}
        droppers = [side for side, (names, _) in sides.items() if name not in names]
        if not droppers or name not in self.base[0]:
            return True
        (other,) = [rows for side, (_, rows) in sides.items() if side not in droppers]
        changed = [key for key in other if key in self.base[1] and other[key][name] != self.base[1][key][name]]
        self.conflicts += bool(changed)
        return bool(changed) and self.take not in (None, droppers[0])

    def merged(self) -> list[tuple[int | None, ...]]:
        """Return the rows that come out, in their order."""
        order = dict.fromkeys((*self.ours[1], *self.theirs[1]))
        made = [(key, self._row(key)) for key in order]
        return [(key, *(row[name] for name in self.names)) for key, row in made if row is not None]

    def _row(self, key: int | None) -> dict[str, int | None] | None:
        old, mine, other = (table[1].get(key) for table in (self.base, self.ours, self.theirs))
        if mine is None or other is None:
            left, is_ours = (mine, True) if mine is not None else (other, False)
            assert left is not None
            if old is not None:
                if not any(left[name] != old[name] for name in left if name in old):
                    return None
                self.conflicts += 1
                if (self.take == "theirs") == is_ours:
                    return None
            return {name: left.get(name) for name in self.names}
        return (
            {name: self._cell(name, old, mine, other) for name in self.names} if self._count(old, mine, other) else {}
        )

    def _count(self, old: Any, mine: Any, other: Any) -> bool:
        both = [name for name in mine if name in other]
        self.conflicts += sum(self._is_conflict(name, old, mine, other) for name in both)
        return True

    def _is_conflict(self, name: str, old: Any, mine: Any, other: Any) -> bool:
        if mine[name] == other[name]:
            return False
        return old is None or (mine[name] != old.get(name) and other[name] != old.get(name))

    def _cell(self, name: str, old: Any, mine: Any, other: Any) -> int | None:
        if name not in mine or name not in other:
            found: int | None = mine.get(name) if name in mine else other.get(name)
            return found
        if self._is_conflict(name, old, mine, other):
            chosen: int | None = (other if self.take == "theirs" else mine)[name]
            return chosen
        kept: int | None = other[name] if old is not None and mine[name] == old.get(name) else mine[name]
        return kept


@given(base=tables(), ours=tables(), theirs=tables(), take=st.sampled_from([None, "ours", "theirs"]))
def test_rows_columns_order_and_conflicts_are_those_of_the_rules(
    base: Table, ours: Table, theirs: Table, take: Any
) -> None:
    """Rows and columns that come, go, change; missing keys and cells; whatever is taken."""
    found = merge_rows(rows_of(base), rows_of(ours), rows_of(theirs), Rule(("k",), take))
    oracle = Oracle(base, ours, theirs, take)
    expected = oracle.merged()
    assert found.conflicts.total == oracle.conflicts
    if take is not None or not oracle.conflicts:
        assert found.frame.columns == ["k", *oracle.names]
        assert found.frame.rows() == expected
        inside = ours[1]
        assert found.added == sum(row[0] not in inside for row in expected)
        assert found.removed == len(inside) - sum(row[0] in inside for row in expected)


@given(base=tables(), ours=tables(), theirs=tables())
def test_a_side_that_changed_nothing_gives_the_other_one(base: Table, ours: Table, theirs: Table) -> None:
    """Row by row, without conflicts; and equal sides are themselves."""
    same = merge_rows(rows_of(base), rows_of(ours), rows_of(ours), BY_K)
    mine = merge_rows(rows_of(base), rows_of(ours), rows_of(base), BY_K)
    other = merge_rows(rows_of(base), rows_of(base), rows_of(theirs), BY_K)
    assert (same.conflicts.total, mine.conflicts.total, other.conflicts.total) == (0, 0, 0)
    assert same.frame.equals(rows_of(ours).frame)
    assert mine.frame.equals(rows_of(ours).frame)
    assert (
        other.frame.sort("k")
        .select(sorted(other.frame.columns))
        .equals(rows_of(theirs).frame.sort("k").select(sorted(other.frame.columns)))
    )
    assert (same.added, same.removed, same.changed, mine.changed) == (0, 0, 0, 0)


def merge(base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any], *key: str, **asked: Any) -> RowMerge:
    """Merge tables that are written as columns."""
    sides = []
    for table in (base, ours, theirs):
        schema = freeze(pl.DataFrame(table).schema)
        sides.append(Rows(conform(pl.DataFrame(table), schema), schema))
    return merge_rows(*sides, Rule(key, **asked))


def test_a_conflict_tells_key_column_and_cells_as_they_may_be_seen() -> None:
    """Whoever asks says how cells are shown."""
    found = merge(
        {"id": [1, 2], "who": ["ann", "bob"]},
        {"id": [1, 2], "who": ["Ann", "bob"]},
        {"id": [1], "who": ["ANN"]},
        "id",
        tell=lambda column, cell: f"<{column} {cell}>",
    )
    [cell] = found.conflicts.told
    assert cell.told() == "id=<id 1>: who is <who Ann> here and <who ANN> there"
    assert cell.as_json()["base"] == "<who ann>"
    assert found.frame["id"].to_list() == [1]


def test_what_a_terminal_would_obey_is_not_told() -> None:
    """Cells are strangers' texts; programs get them as they are."""
    found = merge(
        {"id": [1], "x": ["a"]},
        {"id": [1], "x": ["\x1b[2Jb"]},
        {"id": [1], "x": ["c"]},
        "id",
        tell=lambda _, cell: str(cell),
    )
    [cell] = found.conflicts.told
    assert cell.told() == "id=1: x is  [2Jb here and c there"
    assert cell.as_json()["ours"] == "\x1b[2Jb"


def test_many_conflicts_are_counted_and_the_first_ones_told() -> None:
    """A hundred of them."""
    keys = list(range(1000))
    found = merge({"id": keys, "x": [0] * 1000}, {"id": keys, "x": [1] * 1000}, {"id": keys, "x": [2] * 1000}, "id")
    assert (found.conflicts.total, len(found.conflicts.told)) == (1000, 100)
    assert found.conflicts.told[0].ours is None


def test_several_columns_can_be_the_key() -> None:
    """They name a row together."""
    table = {"d": ["mon", "mon"], "n": [1, 2], "x": [1.0, 2.0]}
    found = merge(table, {**table, "x": [1.5, 2.0]}, {**table, "x": [1.0, 2.5]}, "d", "n")
    assert (found.frame["x"].to_list(), found.conflicts.total, found.changed) == ([1.5, 2.5], 0, 1)


@pytest.mark.parametrize("key", ["none", "x", "y"])
def test_a_key_that_names_nothing_or_several_rows_is_refused(key: str) -> None:
    """Of any side; also one that is retyped on a side."""
    table = {"id": [1, 2], "x": [1, 1], "y": [1, 2]}
    with pytest.raises(BadKey):
        merge(table, table, {**table, "y": ["1", "2"]}, key)


def test_a_column_that_one_side_retyped_gets_its_type() -> None:
    """Where the other side's cells are values of it; whole numbers become numbers, anything becomes text."""
    base = {"id": [1, 2], "x": [1, 2], "y": [1, 2]}
    ours = {"id": [1, 2], "x": [1.5, 2.0], "y": ["1", "two"]}
    found = merge(base, ours, {"id": [1, 2], "x": [1, 7], "y": [5, 2]}, "id")
    assert found.frame.to_dict(as_series=False) == {"id": [1, 2], "x": [1.5, 7.0], "y": ["5", "two"]}
    assert found.conflicts.total == 0
    assert merge(base, {**base, "y": ["1", "2"]}, {"id": [1], "x": [1], "y": [1]}, "id").frame["id"].to_list() == [1]


def test_cells_that_are_no_values_of_a_new_type_are_refused() -> None:
    """Nothing is rounded."""
    base = {"id": [1], "x": ["1"]}
    with pytest.raises(SchemaMismatch):
        merge(base, {"id": [1], "x": [1]}, {"id": [1], "x": ["one"]}, "id")


def test_a_column_that_both_retyped_differently_is_a_conflict() -> None:
    """It is taken from one of them where the other's cells can be held."""
    base, ours, theirs = ({"id": [1], "x": [cell]} for cell in (1, 1.0, "1"))
    [conflict] = merge(base, theirs, ours, "id").conflicts.told
    assert (conflict.what, conflict.told()) == ("column", "column x: string here and float64 there")
    assert merge(base, theirs, ours, "id", take="ours").frame.schema["x"] == pl.String


def test_nan_is_a_value_and_signs_of_zero_are_none() -> None:
    """A cell that is not a number on both sides is the same one."""
    nan = float("nan")
    base = {"id": [1, 2], "x": [nan, 0.0]}
    found = merge(base, base, {"id": [1, 2], "x": [nan, -0.0]}, "id")
    assert (found.conflicts.total, found.changed) == (0, 0)
    assert merge(base, {"id": [1, 2], "x": [3.0, 0.0]}, base, "id").frame["x"].to_list() == [3.0, 0.0]
