"""Where a table is cut into row groups, so that versions which differ in few rows share most groups byte by byte.

A cut stands where the hash of one cell says so, not after so many rows: a row that is inserted moves no later cut,
as content-defined chunks do for bytes. The cell is of the column that looks most like a key, because a change of
any other cell then moves no cut at all. Readers never ask where the cuts are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import polars as pl

MEAN_ROWS = 1 << 17
_FEWEST_ROWS, _MOST_ROWS = MEAN_ROWS // 2, MEAN_ROWS * 4
_ONE_IN = np.uint64(MEAN_ROWS - _FEWEST_ROWS)
_HEAD_ROWS = 1 << 16
_SEED = 1


def row_groups(batches: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Give the rows of batches, in order, in groups that are cut by content.

    Parameters
    ----------
    batches : iterable of polars.DataFrame
        The rows; how they are batched changes no cut.

    Notes
    -----
    Holds at most one group and one batch. The hash is polars': another version of it may cut elsewhere, which costs
    sharing with older versions once, and nothing else.
    """
    waiting: list[pl.DataFrame] = []
    rows, key = 0, ""
    for batch in batches:
        waiting.append(batch)
        rows += batch.height
        if rows < _MOST_ROWS:
            continue
        held = pl.concat(waiting)
        key = key or _key_of(held)
        while held.height >= _MOST_ROWS:
            end = _cut(held, key)
            yield held.head(end)
            held = held.slice(end)
        waiting, rows = [held], held.height
    if rows:
        held = pl.concat(waiting)
        key = key or _key_of(held)
        while held.height:
            end = _cut(held, key)
            yield held.head(end)
            held = held.slice(end)


def _cut(held: pl.DataFrame, key: str) -> int:
    """Return after how many rows the first group ends."""
    window = held.get_column(key).slice(_FEWEST_ROWS, _MOST_ROWS - _FEWEST_ROWS)
    hits = np.flatnonzero(window.hash(seed=_SEED).to_numpy() % _ONE_IN == 0)
    return _FEWEST_ROWS + int(hits[0]) + 1 if len(hits) else min(held.height, _MOST_ROWS)


def _key_of(held: pl.DataFrame) -> str:
    """Return the column with the most distinct cells among the first rows; of several the first."""
    head = held.head(_HEAD_ROWS)
    return max(held.columns, key=lambda name: head.get_column(name).n_unique())
