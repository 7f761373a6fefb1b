"""How many different values there are, from a bounded memory.

Values are hashed, and the smallest hashes kept (k minimum values; Bar-Yossef et al. 2002, Beyer et al. 2007): the
k-th smallest of n uniform numbers lies near k/n. Exact as long as there are fewer than k different values, whatever
the number of rows; beyond, the relative standard error is 1/sqrt(k - 2). Two columns' sketches merge exactly.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import polars as pl

KEPT = 16_384
STANDARD_ERROR = 1.0 / math.sqrt(KEPT - 2)
"""0.78 %; measured in ``tests/unit/data/test_distinct.py``."""

_SEED = 20_130_101
_ALL = 2**64
_PENDING = 8 * KEPT


class Distinct:
    """Counts different values of a stream."""

    def __init__(self) -> None:
        self._kept: npt.NDArray[np.uint64] = np.empty(0, dtype=np.uint64)
        self._pending: list[npt.NDArray[np.uint64]] = []
        self._waiting = 0

    @property
    def below(self) -> int:
        """Hashes at or above this one tell nothing new; filter by it before :meth:`add`."""
        return int(self._kept[-1]) if len(self._kept) == KEPT else _ALL

    def add(self, hashes: pl.Series) -> None:
        """Count hashes of values, equal ones once."""
        self._pending.append(hashes.to_numpy())
        self._waiting += len(hashes)
        if self._waiting > _PENDING:
            self._merge()

    def count(self) -> tuple[int, float]:
        """Return how many different values there were, and the relative standard error: 0 when it is exact."""
        self._merge()
        if len(self._kept) < KEPT:
            return len(self._kept), 0.0
        return round((KEPT - 1) * (_ALL / (float(self._kept[-1]) + 1.0))), STANDARD_ERROR

    def _merge(self) -> None:
        together = np.unique(np.concatenate([self._kept, *self._pending]))
        self._kept = together[:KEPT]
        self._pending, self._waiting = [], 0


def hashed(value: pl.Expr) -> pl.Expr:
    """Return the hash of each value, spread evenly; nulls are left out."""
    return value.drop_nulls().hash(_SEED)
