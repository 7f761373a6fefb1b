"""Golden rows: made-up rows which travel in the package with the answers they must get.

Each column is drawn by itself from the reference sketch, between the edges of its cells, so that
no golden row is a row of the training data, nor is one of its numbers copied from a cell of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import TypeAlias

import numpy as np

from undrift.models.engines.base import Engine, NotScorable
from undrift.models.package import Golden
from undrift.models.signature import InputColumn, RowDecoder
from undrift.stats.sketch import OTHER, ColumnSketch, ReferenceSketch

Plain: TypeAlias = bool | int | float | str | None
ROWS = 32
_TRIES = 8
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INT64 = 2**63


@dataclass(frozen=True, slots=True)
class GoldenMaker:
    """Draws golden rows.

    Attributes
    ----------
    inputs : sequence of InputColumn
        What the model is asked.
    sketch : ReferenceSketch
        What training looked like; has every input column.
    seed : int
        The same seed draws the same rows.
    """

    inputs: Sequence[InputColumn]
    sketch: ReferenceSketch
    seed: int = 0

    def make(self, engine: Engine, rows: int = ROWS) -> Golden:
        """Return golden rows with the scores that an engine gives them.

        Rows that the model refuses (an unknown category, say) are drawn again.

        Raises
        ------
        NotScorable
            If it refuses all of them.
        """
        decoder = RowDecoder(self.inputs)
        drawn = self._drawn(rows * _TRIES)
        kept = list(islice(drawn, rows))
        try:
            scores = engine.score(decoder.decode(kept), len(kept))
        except NotScorable:
            kept = list(islice((row for row in chain(kept, drawn) if _accepted(engine, decoder, row)), rows))
            if not kept:
                raise
            scores = engine.score(decoder.decode(kept), len(kept))
        return Golden(tuple(kept), tuple(tuple(row) for row in scores.tolist()))

    def _drawn(self, rows: int) -> Iterator[dict[str, Plain]]:
        rng = np.random.default_rng(self.seed)
        for _ in range(rows):
            yield {column.name: self._cell(column, self.sketch.columns[column.name], rng) for column in self.inputs}

    def _cell(self, column: InputColumn, sketch: ColumnSketch, rng: np.random.Generator) -> Plain:
        counts = np.array(sketch.counts, dtype=np.float64)
        if not column.nullable:
            counts[-1] = 0
        cell = int(rng.choice(len(counts), p=counts / counts.sum())) if counts.sum() else 0
        if cell == sketch.cells and column.nullable:
            return None
        return _number(column, sketch, cell, rng) if sketch.is_numeric else _category(column, sketch, cell)


def _accepted(engine: Engine, decoder: RowDecoder, row: dict[str, Plain]) -> bool:
    try:
        engine.score(decoder.decode_one(row), 1)
    except NotScorable:
        return False
    return True


def _number(column: InputColumn, sketch: ColumnSketch, cell: int, rng: np.random.Generator) -> Plain:
    value = _between(sketch, cell, rng.random())
    match column.type:
        case "int":
            return int(min(max(np.ceil(value), -_INT64), _INT64 - 1024))
        case "date":
            return (_EPOCH + timedelta(seconds=value)).date().isoformat()
        case "datetime":
            return (_EPOCH + timedelta(seconds=round(value))).isoformat().replace("+00:00", "Z")
        case _:
            return float(f"{value:.6g}")


def _between(sketch: ColumnSketch, cell: int, share: float) -> float:
    """Return a number inside a cell; the open cells at both ends reach half a standard deviation out."""
    edges = sketch.edges
    if not edges:
        return sketch.mean + (share - 0.5) * sketch.sd
    reach = sketch.sd / 2
    low = edges[cell - 1] if cell > 0 else edges[0] - reach
    high = edges[cell] if cell < len(edges) else edges[-1] + reach
    return low + share * (high - low)


def _category(column: InputColumn, sketch: ColumnSketch, cell: int) -> Plain:
    name = sketch.categories[min(cell, len(sketch.categories) - 1)]
    if column.type == "bool":
        return name == "true"
    return "other" if name == OTHER else name
