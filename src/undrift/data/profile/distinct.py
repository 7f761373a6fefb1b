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
_MIX = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
_LAST_SHIFT = 31


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


def hashed(value: pl.Expr, below: int = _ALL) -> pl.Expr:
    """Return the hashes of values that are below a limit, spread evenly; nulls are left out."""
    return value.drop_nulls().hash(_SEED).map_batches(lambda hashes: evened(hashes, below), return_dtype=pl.UInt64())


def evened(hashes: pl.Series, below: int = _ALL) -> pl.Series:
    """Return those of polars' hashes that are below a limit once they are spread evenly.

    Polars' are good for tables of them and no more: those of rows whose last column is a text of few different values
    crowd in some parts of the range, and what is estimated from the smallest is then off by ten times its error. The
    finalizer of splitmix64 (Steele, Lea and Flood 2014) spreads them, and maps no two to one.
    """
    mixed = hashes.to_numpy().copy()
    for shift, factor in _MIX:
        mixed ^= mixed >> np.uint64(shift)
        mixed *= np.uint64(factor)
    mixed ^= mixed >> np.uint64(_LAST_SHIFT)
    kept = mixed if below == _ALL else mixed[mixed < np.uint64(below)]
    return pl.Series(hashes.name, kept, dtype=pl.UInt64)
