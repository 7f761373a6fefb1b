"""The parity gate: a compiled engine serves only when it was shown to answer as the original does.

Up to 10,000 rows of training, 10,000 rows on the model's own split values and one or two units
in the last place beside, and rows with nulls, unknown categories and extremes go through both.
The gate holds when no answer differs, both refuse the same rows, and no score differs by more
than 1e-12 (relative for numbers above 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from undrift.models.answer import answer
from undrift.models.engines.base import Engine, NotScorable, Scores
from undrift.models.engines.plan import Floats
from undrift.models.package import Manifest, Parity
from undrift.models.signature import Columns
from undrift.models.translation.rows import RowMaker, number_of_rows, one_row

TOLERANCE = 1e-12
REPLAYED = 10_000
AT_SPLITS = 10_000
STRANGE = 2_000
ONE_BY_ONE = 16
"""How many rows are compared one at a time: extremes, and a batch that the original refuses."""


@dataclass(frozen=True, slots=True)
class Duel:
    """Two engines that should agree.

    Attributes
    ----------
    manifest : Manifest
        Turns scores into answers.
    original, candidate : Engine
        The reference and the translation.
    """

    manifest: Manifest
    original: Engine
    candidate: Engine

    def on(self, columns: Columns) -> Parity:
        """Return how the engines agree on some rows; a batch that one refuses is taken row by row."""
        rows = number_of_rows(columns)
        mine, other = _scored(self.original, columns, rows), _scored(self.candidate, columns, rows)
        if mine is not None and other is not None:
            return self._compared(mine, other)
        if rows == 1:
            both = mine is None and other is None
            return _parity(rows=1, refused=int(both), label_flips=int(not both))
        parts = [self.on(one_row(columns, index)) for index in range(min(rows, ONE_BY_ONE))]
        return total(parts)

    def one_by_one(self, columns: Columns) -> Parity:
        """Return how the engines agree on rows asked one at a time."""
        return total([self.on(one_row(columns, index)) for index in range(number_of_rows(columns))])

    def _compared(self, mine: Scores, other: Scores) -> Parity:
        if mine.shape != other.shape:
            return _parity(rows=len(mine), label_flips=len(mine))
        equal = (mine == other) | (np.isnan(mine) & np.isnan(other))
        difference = np.where(equal, 0.0, np.abs(mine - other) / np.maximum(1.0, np.abs(mine)))
        flips = 0
        if self.manifest.task != "regression":
            pairs = zip(answer(self.manifest, mine), answer(self.manifest, other), strict=True)
            flips = sum(a != b for a, b in pairs)
        return _parity(
            rows=len(mine),
            label_flips=flips,
            bit_equal=int(equal.all(axis=1).sum()),
            largest_difference=float(np.nan_to_num(difference, nan=np.inf, posinf=1e308).max(initial=0.0)),
        )


def prove(duel: Duel, maker: RowMaker, splits: dict[str, Floats]) -> Parity:
    """Return the evidence on all kinds of rows.

    Parameters
    ----------
    duel : Duel
        The engines.
    maker : RowMaker
        Makes the rows from rows of training.
    splits : dict of str to ndarray
        Split values by column; empty for models without trees.
    """
    replayed = duel.on(maker.evenly(REPLAYED))
    at_splits = duel.on(maker.at_splits(splits, AT_SPLITS)) if splits else _parity(rows=0)
    synthetic = total(
        [
            duel.on(maker.strange(STRANGE)),
            duel.one_by_one(maker.strange(ONE_BY_ONE, extreme=True)),
        ]
    )
    whole = total([replayed, at_splits, synthetic])
    return Parity(
        rows=whole.rows,
        replayed=replayed.rows,
        at_splits=at_splits.rows,
        synthetic=synthetic.rows,
        refused=whole.refused,
        label_flips=whole.label_flips,
        bit_equal=whole.bit_equal,
        largest_difference=whole.largest_difference,
    )


def holds(parity: Parity) -> bool:
    """Say whether the evidence is enough to serve with the translation under the policy ``exact``."""
    return parity.rows > parity.refused and parity.label_flips == 0 and parity.largest_difference <= TOLERANCE


def total(parts: list[Parity]) -> Parity:
    """Return the evidence of several sets of rows together."""
    return _parity(
        rows=sum(part.rows for part in parts),
        refused=sum(part.refused for part in parts),
        label_flips=sum(part.label_flips for part in parts),
        bit_equal=sum(part.bit_equal for part in parts),
        largest_difference=max((part.largest_difference for part in parts), default=0.0),
    )


def _parity(
    *, rows: int, refused: int = 0, label_flips: int = 0, bit_equal: int = 0, largest_difference: float = 0.0
) -> Parity:
    return Parity(rows, 0, 0, 0, refused, label_flips, bit_equal, largest_difference)


def _scored(engine: Engine, columns: Columns, rows: int) -> Scores | None:
    try:
        return engine.score(columns, rows)
    except NotScorable:
        return None
