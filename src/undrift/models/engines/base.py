"""What every engine promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from undrift.core.errors import BadInput, Fault
from undrift.models.signature import Value

Scores: TypeAlias = NDArray[np.float64]
"""Shape (rows, classes) of probabilities in the order of the manifest; (rows, 1) for a number."""


class NotScorable(BadInput):
    """The model cannot give an answer to these values, for instance because they overflow."""

    code = "not-scorable"


class EngineUnavailable(Fault):
    """An engine cannot run on this installation; the package's next one is used."""

    code = "engine-unavailable"


def finite(scores: Scores) -> Scores:
    """Return scores if all of them are finite.

    Raises
    ------
    NotScorable
        If one is not: an infinite answer is none.
    """
    if not np.isfinite(scores).all():
        raise NotScorable("the model has no finite answer to these values")
    return scores


class Engine(Protocol):
    """Computes scores from decoded rows.

    An engine is loaded once and then only read, so that several threads may score at once.
    It gives one row the same answer in any batch, up to the last bits that linear algebra
    may round differently with the shape of a batch.
    """

    name: str

    def score(self, columns: Mapping[str, Sequence[Value]], rows: int) -> Scores:
        """Return the scores of decoded rows.

        Parameters
        ----------
        columns : mapping of str to sequence
            What :func:`undrift.models.signature.decode_rows` returns.
        rows : int
            The number of rows.

        Returns
        -------
        ndarray of float64, shape (rows, k)
            Probabilities by class in the manifest's order, or one number (k = 1).

        Raises
        ------
        NotScorable
            If the model refuses these values.
        """
        ...
