"""The rows that are kept while a table streams by: all of the first million, then a random part of all."""

from __future__ import annotations

import numpy as np
import polars as pl

MOST_ROWS = 1_000_000
MOST_CELLS = 50_000_000
_SEED = 7
_KEY = "\x1fkey"


class Sample:
    """Keeps each row with the same probability, whatever the table's length turns out to be.

    Every row draws a number; rows whose number is below a limit are kept, and when too many are, the limit is halved.
    So between half of the most and the most are kept of a longer table, the same ones each time.

    Parameters
    ----------
    columns : int
        Of the table: of a very wide one fewer rows are kept.
    """

    def __init__(self, columns: int) -> None:
        self._most = min(MOST_ROWS, max(MOST_CELLS // max(columns, 1), MOST_ROWS // 20))
        self._numbers = np.random.default_rng(_SEED)
        self._limit = 1.0
        self._kept: list[pl.DataFrame] = []
        self._held = 0
        self.rows = 0

    @property
    def is_whole(self) -> bool:
        """Whether every row so far is kept."""
        return self._limit == 1.0

    def add(self, chunk: pl.DataFrame) -> None:
        """Keep rows of the next chunk."""
        self.rows += chunk.height
        keyed = chunk.with_columns(pl.Series(_KEY, self._numbers.random(chunk.height)))
        self._keep(keyed if self.is_whole else keyed.filter(pl.col(_KEY) < self._limit))
        while self._held > self._most:
            self._limit /= 2
            kept, self._kept, self._held = self._kept, [], 0
            for one in kept:
                self._keep(one.filter(pl.col(_KEY) < self._limit))

    def frame(self, empty: pl.DataFrame) -> pl.DataFrame:
        """Return the rows kept, in their order; ``empty`` when there are none."""
        return pl.concat(self._kept).drop(_KEY).rechunk() if self._kept else empty

    def _keep(self, chunk: pl.DataFrame) -> None:
        if chunk.height:
            self._kept.append(chunk)
            self._held += chunk.height
