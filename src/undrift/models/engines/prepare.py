"""The preprocessing of a compiled engine: decoded columns in, one matrix of numbers out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias, assert_never, cast

import numpy as np

from undrift.estimators.calendar import part_of
from undrift.estimators.words import hashed
from undrift.models.engines.base import NotScorable
from undrift.models.engines.plan import (
    Block,
    Categories,
    Category,
    Cell,
    Dates,
    Floats,
    Gaps,
    Numbers,
    Operation,
    Plan,
    Words,
)
from undrift.models.signature import Value

Step: TypeAlias = Callable[[Floats], Floats]
_FEW_ROWS = 8
_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class NumbersReader:
    """Reads columns of numbers and takes the steps over them."""

    names: tuple[str, ...]
    steps: tuple[Step, ...]
    indicators: tuple[int, ...]

    @property
    def width(self) -> int:
        """Columns that come out."""
        return len(self.names) + len(self.indicators)

    def write(self, columns: Mapping[str, Sequence[Value]], out: Floats) -> None:
        """Fill this block's part of the matrix.

        Raises
        ------
        NotScorable
            If a value is not a number.
        """
        count = len(self.names)
        try:
            block: Floats = np.array([columns[name] for name in self.names], dtype=np.float64).T
        except (OverflowError, TypeError, ValueError) as error:
            raise NotScorable(f"a value is not a number: {error}") from error
        if self.indicators:
            out[:, count:] = np.isnan(block[:, list(self.indicators)])
        for step in self.steps:
            block = step(block)
        out[:, :count] = block


@dataclass(frozen=True, slots=True)
class CategoryReader:
    """Writes the cells of one categorical column."""

    name: str
    cells: Mapping[Any, Cell]  # Any: keys are of the column's type; None stands for null
    unknown: Cell | None

    def write(self, values: Sequence[Value], out: Floats) -> None:
        """Write one column's cells into the zeroed block."""
        cells = [self._cell(value) for value in values]
        if len(cells) <= _FEW_ROWS:
            for row, (place, value) in enumerate(cells):
                if place >= 0:
                    out[row, place] = value
            return
        places = np.array([cell[0] for cell in cells])
        hit = np.flatnonzero(places >= 0)
        out[hit, places[hit]] = np.array([cell[1] for cell in cells])[hit]

    def _cell(self, value: Value) -> Cell:
        found = self.cells.get(value, self.unknown)
        if found is None or (value is None and None not in self.cells):
            raise NotScorable(f"the model refuses {'a null' if value is None else 'an unknown value'} in {self.name!r}")
        return found


@dataclass(frozen=True, slots=True)
class CategoriesReader:
    """Reads the categorical columns that share one block."""

    readers: tuple[CategoryReader, ...]
    width: int

    def write(self, columns: Mapping[str, Sequence[Value]], out: Floats) -> None:
        """Fill this block's part of the matrix."""
        out[:] = 0.0
        for reader in self.readers:
            reader.write(columns[reader.name], out)


@dataclass(frozen=True, slots=True)
class DatesReader:
    """Reads columns of dates or instants and takes the steps over their parts."""

    columns: tuple[tuple[str, tuple[Callable[[date], float], ...]], ...]
    steps: tuple[Step, ...]
    width: int

    def write(self, columns: Mapping[str, Sequence[Value]], out: Floats) -> None:
        """Fill this block's part of the matrix.

        Raises
        ------
        NotScorable
            If a value is neither a date nor null.
        """
        parts: list[list[float]] = []
        for name, reads in self.columns:
            values = columns[name]
            if not all(value is None or isinstance(value, date) for value in values):
                raise NotScorable(f"a value of {name!r} is not a date")
            dates = cast("Sequence[date | None]", values)
            parts.extend([_NAN if value is None else read(value) for value in dates] for read in reads)
        block: Floats = np.array(parts, dtype=np.float64).T
        for step in self.steps:
            block = step(block)
        out[:] = block


@dataclass(frozen=True, slots=True)
class WordsReader:
    """Reads columns of texts as hashed words."""

    names: tuple[str, ...]
    places: int

    @property
    def width(self) -> int:
        """Columns that come out."""
        return len(self.names) * self.places

    def write(self, columns: Mapping[str, Sequence[Value]], out: Floats) -> None:
        """Fill this block's part of the matrix."""
        out[:] = 0.0
        for index, name in enumerate(self.names):
            start = index * self.places
            for row, text in enumerate(columns[name]):
                if isinstance(text, str):
                    for place, value in hashed(text, self.places).items():
                        out[row, start + place] = value


@dataclass(frozen=True, slots=True)
class GapsReader:
    """Says of columns where they are null."""

    names: tuple[str, ...]

    @property
    def width(self) -> int:
        """Columns that come out."""
        return len(self.names)

    def write(self, columns: Mapping[str, Sequence[Value]], out: Floats) -> None:
        """Fill this block's part of the matrix."""
        for index, name in enumerate(self.names):
            out[:, index] = [float(value is None) for value in columns[name]]


Reader: TypeAlias = NumbersReader | CategoriesReader | DatesReader | WordsReader | GapsReader


class Preparation:
    """The preprocessing of a plan."""

    def __init__(self, plan: Plan) -> None:
        self._readers = tuple(_reader(block) for block in plan.blocks)
        self._steps = tuple(_step(operation) for operation in plan.operations)
        self._width = sum(reader.width for reader in self._readers)

    def matrix(self, columns: Mapping[str, Sequence[Value]], rows: int) -> Floats:
        """Return rows as the model's numbers, shape (rows, features), C order."""
        out = np.empty((rows, self._width))
        start = 0
        for reader in self._readers:
            reader.write(columns, out[:, start : start + reader.width])
            start += reader.width
        for step in self._steps:
            out = step(out)
        return out


def _reader(block: Block) -> Reader:
    match block:
        case Dates():
            columns = tuple((one.column, tuple(part_of(part) for part in one.parts)) for one in block.columns)
            return DatesReader(columns, tuple(_step(operation) for operation in block.operations), block.width)
        case Words():
            return WordsReader(block.columns, block.places)
        case Gaps():
            return GapsReader(block.columns)
        case Numbers():
            steps = tuple(_step(operation) for operation in block.operations)
            return NumbersReader(block.columns, steps, block.indicators)
        case Categories():
            return CategoriesReader(tuple(_category_reader(column) for column in block.columns), block.width)
        case _:
            assert_never(block)


def _category_reader(column: Category) -> CategoryReader:
    cells: dict[Any, Cell] = dict(zip(column.keys, column.cells, strict=True))
    if column.missing is not None:
        cells[None] = column.missing
    return CategoryReader(column.column, cells, column.unknown)


def _step(operation: Operation) -> Step:
    """Return an operation as a function; the order of arithmetic is scikit-learn's own."""
    values = operation.values.read()
    match operation.kind:
        case "fill":
            return lambda block: np.where(np.isnan(block), values, block)
        case "add":
            return lambda block: block + values
        case "subtract":
            return lambda block: block - values
        case "multiply":
            return lambda block: block * values
        case "divide":
            return lambda block: block / values
        case "clip":
            low, high = values
            return lambda block: np.clip(block, low, high)
        case _:
            assert_never(operation.kind)
