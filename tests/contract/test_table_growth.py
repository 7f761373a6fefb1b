"""What a second version of a million rows costs as CSV and as a table; docs/sources.md has the figures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from undrift.data.intake import Asked
from undrift.ledger.actor import Actor
from undrift.project import Project

ADA = Actor("os-user", "ada")
ROWS = 1_000_000
_EDITED = ROWS // 100


def _table(rows: int = ROWS, seed: int = 1) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    floats = {f"f{number}": draw.normal(size=rows) for number in range(4)}
    return pl.DataFrame(
        {
            "id": np.arange(rows),
            **floats,
            "amount": np.round(draw.gamma(2, 50, rows), 2),
            "k": draw.integers(0, 1000, rows),
            "colour": draw.choice(["red", "green", "blue", "black"], rows),
            "country": draw.choice(["DE", "FR", "US", "IT", "ES"], rows),
            "day": draw.integers(0, 3650, rows),
        }
    )


def _changed(table: pl.DataFrame, at: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pl.DataFrame:
    amounts = table["amount"].to_numpy().copy()
    amounts[at] = np.round(amounts[at] + 1.23, 2)
    return table.with_columns(amount=amounts)


def _scattered(table: pl.DataFrame) -> pl.DataFrame:
    return _changed(table, np.random.default_rng(7).choice(ROWS, _EDITED, replace=False))


def _clustered(table: pl.DataFrame) -> pl.DataFrame:
    starts = np.random.default_rng(7).choice(ROWS - _EDITED, 20, replace=False)
    return _changed(table, np.concatenate([np.arange(start, start + _EDITED // 20) for start in starts]))


def _one_block(table: pl.DataFrame) -> pl.DataFrame:
    return _changed(table, np.arange(ROWS // 2, ROWS // 2 + _EDITED))


def _inserted(table: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([table[: ROWS // 3], _table(_EDITED + 1011, 99), table[ROWS // 3 :]])


def _appended(table: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([table, _table(_EDITED, 98)])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edit", "csv_percent", "table_percent"),
    [
        (_scattered, 100.0, 11.8),
        (_clustered, 4.0, 9.7),
        (_one_block, 1.6, 2.0),
        (_inserted, 1.5, 11.4),
        (_appended, 1.4, 5.0),
    ],
    ids=["scattered", "clustered", "one block", "inserted", "appended"],
)
def test_a_table_shares_what_did_not_change(
    tmp_path: Path, edit: Callable[[pl.DataFrame], pl.DataFrame], csv_percent: float, table_percent: float
) -> None:
    """New bytes in percent of the version, at most a quarter above what was measured; the rows are exactly those."""
    pytest.importorskip("pyarrow")
    before = _table()
    after = edit(before)
    with Project.create(tmp_path / "project") as project:
        for name, as_table, limit in (("csv", False, csv_percent), ("table", True, table_percent)):
            for frame in (before, after):
                frame.write_csv(tmp_path / f"{name}.csv")
                asked = Asked(name, as_table=as_table)
                version = project.data.intake.add(str(tmp_path / f"{name}.csv"), asked, ADA).version
            event = project.ledger.events(version.ref, ["data.added"])[0]
            stored = event.body["stored_bytes"]
            assert isinstance(stored, int)
            assert 0 < 100 * stored / version.bytes <= limit
        assert project.data.read("table").equals(after)
        assert project.data.table_digest("table", actor=ADA) == project.data.table_digest("csv", actor=ADA)
