"""Weighted sums of which no row depends on the rows beside it.

A matrix product adds in another order for one row than for two hundred, and in yet another by how the matrix lies in
memory: the last bits of an answer would depend on who asked at the same moment. Here the order of the additions
depends on nothing but the number of features, so that an answer can be reproduced from its row alone.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_NUMBERS_AT_ONCE = 1 << 20


def weighted_sums(matrix: npt.ArrayLike, weights: Floats, intercept: Floats) -> Floats:
    """Return ``matrix @ weights.T + intercept``, shape (rows, outputs), each row added by itself.

    Parameters
    ----------
    matrix : array of shape (rows, features)
        Finite numbers.
    weights : array of shape (outputs, features)
        One row for each output.
    intercept : array of shape (outputs,)
        Added last.
    """
    numbers = np.ascontiguousarray(matrix, dtype=np.float64)
    sums = np.empty((len(numbers), len(weights)))
    step = max(1, _NUMBERS_AT_ONCE // max(1, numbers.shape[1]))
    for start in range(0, len(numbers), step):
        some = numbers[start : start + step]
        for place, row in enumerate(weights):
            np.sum(some * row, axis=1, out=sums[start : start + step, place])
    return sums + intercept
