"""Tables are cut into row groups by content."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from undrift.data import row_groups
from undrift.data.row_groups import row_groups as cut
from undrift.data.schema import freeze
from undrift.data.table_digest import TableHasher
from undrift.data.table_writer import write_shareable


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make groups small, so that a small table has many."""
    monkeypatch.setattr(row_groups, "_FEWEST_ROWS", 500)
    monkeypatch.setattr(row_groups, "_MOST_ROWS", 4000)
    monkeypatch.setattr(row_groups, "_ONE_IN", np.uint64(500))
    monkeypatch.setattr(row_groups, "_HEAD_ROWS", 1000)


def _table(rows: int = 20_000) -> pl.DataFrame:
    draw = np.random.default_rng(3)
    return pl.DataFrame({"kind": draw.integers(0, 3, rows), "key": draw.integers(0, 2**60, rows)})


@pytest.mark.parametrize("size", [1, 7, 999, 4001, 20_000])
def test_cuts_do_not_depend_on_batches(size: int) -> None:
    """And all rows come out, in order."""
    table = _table()
    groups = list(cut(table.slice(start, size) for start in range(0, table.height, size)))
    assert pl.concat(groups).equals(table)
    assert [group.height for group in groups] == [group.height for group in cut([table])]
    assert all(group.height <= 4000 for group in groups)


def test_a_file_has_the_same_bytes_however_its_rows_came(tmp_path: Path) -> None:
    """Batches leave no trace, so the same rows are the same chunks."""
    pytest.importorskip("pyarrow")
    table = _table()
    written = set()
    for size in (700, 20_000):
        file = tmp_path / f"{size}.parquet"
        batches = (table.slice(start, size) for start in range(0, table.height, size))
        write_shareable(batches, file, TableHasher(freeze(table.schema)))
        written.add(file.read_bytes())
    assert len(written) == 1


def test_after_inserted_rows_the_groups_are_the_same_again() -> None:
    """All but a few of those behind the place."""
    table = _table()
    longer = pl.concat([table[:5000], _table(37), table[5000:]])
    before = {group.hash_rows().sum() for group in cut([table])}
    after = [group.hash_rows().sum() for group in cut([longer])]
    assert sum(one not in before for one in after) <= 3
    assert len(after) > 12


def test_a_change_of_other_cells_moves_no_cut() -> None:
    """Only the column that looks like a key decides."""
    table = _table()
    other = table.with_columns(kind=pl.lit(1))
    assert [group.height for group in cut([other])] == [group.height for group in cut([table])]


def test_a_table_without_rows_has_no_group() -> None:
    """The file then holds its columns only."""
    assert list(cut([])) == list(cut([pl.DataFrame({"a": []})])) == []
