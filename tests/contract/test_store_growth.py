"""How much a second version costs."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from undrift.blobs.store import BlobStore
from undrift.blobs.storing import store_files

ROWS = 1_100_000  # about 100 MB
CHANGED = ROWS // 100


def lines(count: int, seed: int) -> list[str]:
    deal = random.Random(seed)
    return [
        f"{number},{deal.random():.6f},{deal.random():.6f},{deal.randrange(10**9)},{deal.random():.9f},"
        f"{deal.randrange(10**6)},place {deal.randrange(1000)},{deal.random():.12f}\n"
        for number in range(count)
    ]


def with_new(rows: list[str], places: list[int]) -> list[str]:
    """Change one column of some rows."""
    changed = list(rows)
    for place in places:
        changed[place] = changed[place].replace(",", ",9", 1)
    return changed


def clustered(rows: list[str]) -> list[str]:
    """Half a megabyte each, as 20 clusters of a file of 1 GB are."""
    starts = random.Random(3).sample(range(0, ROWS - CHANGED, CHANGED), 2)
    return with_new(rows, [start + at for start in starts for at in range(CHANGED // 2)])


def one_block(rows: list[str]) -> list[str]:
    return with_new(rows, list(range(ROWS // 2, ROWS // 2 + CHANGED)))


def inserted(rows: list[str]) -> list[str]:
    return [*rows[: ROWS // 3], *lines(CHANGED, 9), *rows[ROWS // 3 :]]


def appended(rows: list[str]) -> list[str]:
    return [*rows, *lines(CHANGED, 9)]


def scattered(rows: list[str]) -> list[str]:
    return with_new(rows, random.Random(4).sample(range(ROWS), CHANGED))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edit", "most"), [(clustered, 0.015), (one_block, 0.015), (inserted, 0.015), (appended, 0.015), (scattered, 1.0)]
)
def test_an_edit_of_one_percent_stores_about_that(
    tmp_path: Path, edit: Callable[[list[str]], list[str]], most: float
) -> None:
    """But not when it is scattered over all rows of a CSV: every chunk then changes, and Parquet is the cure."""
    rows, path = lines(ROWS, 1), tmp_path / "t.csv"
    path.write_text("".join(rows))
    store = BlobStore(tmp_path / "blobs")
    store_files(store, [path])
    path.write_text("".join(edit(rows)))
    grown = store_files(store, [path]).added_bytes / path.stat().st_size
    assert 0.005 < grown <= most, f"{edit.__name__}: {100 * grown:.2f} %"
