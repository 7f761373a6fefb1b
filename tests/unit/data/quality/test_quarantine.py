"""Quarantine."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from undrift.data.quality.quarantine import quarantine

TABLE = pl.DataFrame({"x": [0, 1, 2, 3], "y": ["a", "b", "c", "d"]})


def test_bad_rows_leave_with_their_reasons_and_the_rest_goes_on(tmp_path: Path) -> None:
    """In order, nothing lost, nothing twice."""
    good, record = quarantine(TABLE, {3: ["late"], 1: ["cold", "wet"]}, tmp_path / "q/batch.parquet")
    assert good.equals(TABLE[[0, 2]])
    assert record is not None
    assert pl.read_parquet(record.path).rows() == [(1, 1, "b", "cold; wet"), (3, 3, "d", "late")]
    assert (record.rows, record.whole) == (2, False)


def test_a_whole_batch_is_kept_with_the_reasons_that_its_rows_have(tmp_path: Path) -> None:
    """Rows without a fault of their own too."""
    good, record = quarantine(TABLE, {1: ["cold"]}, tmp_path / "q/batch.parquet", whole=True)
    assert good.is_empty()
    assert record is not None
    assert pl.read_parquet(record.path)["_undrift_reasons"].to_list() == [None, "cold", None, None]


def test_nothing_is_written_when_nothing_is_bad(tmp_path: Path) -> None:
    """The table goes on as it is."""
    assert quarantine(TABLE, {}, tmp_path / "q/batch.parquet") == (TABLE, None)
    assert not (tmp_path / "q").exists()


def test_held_rows_are_private(tmp_path: Path) -> None:
    """They are the user's rows."""
    _, record = quarantine(TABLE, {0: ["x"]}, tmp_path / "q/batch.parquet")
    assert record is not None
    assert record.path.stat().st_mode & 0o077 == 0
    assert record.path.parent.stat().st_mode & 0o077 == 0
