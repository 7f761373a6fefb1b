"""The file of a compiled engine: a fitted pipeline as plain numbers.

``undrift.compiled/2`` is MessagePack of :class:`Plan`. Arrays are little-endian float64 in C
order. Nothing in it names code. Format 1 had no blocks for dates, words and gaps and no
recalibration; a plan without them is still written as format 1.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from undrift.core.errors import Corrupt
from undrift.estimators.calendar import Part
from undrift.estimators.recalibration import Method
from undrift.estimators.words import MOST_PLACES

FORMAT = "undrift.compiled/2"
FIRST_FORMAT = "undrift.compiled/1"
Floats: TypeAlias = NDArray[np.float64]
Key: TypeAlias = bool | int | float | str
Cell: TypeAlias = tuple[int, float]
"""Where a category is written and what: (place in the block, value); place -1 writes nothing."""


class PlanBroken(Corrupt):
    """The bytes are not a compiled engine."""

    code = "plan-broken"


class _Struct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What all parts of a plan are."""


class Array(_Struct, frozen=True):
    """An array of float64."""

    shape: tuple[int, ...]
    data: bytes

    def read(self) -> Floats:
        """Return the numbers, read-only.

        Raises
        ------
        PlanBroken
            If shape and bytes do not agree.
        """
        if len(self.data) != 8 * math.prod(self.shape):
            raise PlanBroken("an array of a compiled engine has another size than it says")
        return np.frombuffer(self.data, dtype="<f8").reshape(self.shape)


class Operation(_Struct, frozen=True):
    """One step over a block of numbers, column by column.

    ``fill`` puts a value where there is NaN; ``clip`` has two rows, low and high.
    """

    kind: Literal["fill", "add", "subtract", "multiply", "divide", "clip"]
    values: Array


class Numbers(_Struct, frozen=True, tag="numbers"):
    """Columns that are numbers, with the steps over them; nulls come in as NaN.

    ``indicators`` lists columns for which 1 or 0 is appended, null or not, after the steps
    that came before it; -1 where there are none.
    """

    columns: tuple[str, ...]
    operations: tuple[Operation, ...]
    indicators: tuple[int, ...] = ()

    @property
    def width(self) -> int:
        """Columns that come out."""
        return len(self.columns) + len(self.indicators)


class Category(_Struct, frozen=True):
    """One categorical column; ``missing`` or ``unknown`` without a cell is refused."""

    column: str
    keys: tuple[Key, ...]
    cells: tuple[Cell, ...]
    missing: Cell | None
    unknown: Cell | None


class Categories(_Struct, frozen=True, tag="categories"):
    """Categorical columns that share one block of the given width."""

    columns: tuple[Category, ...]
    width: int


class DateColumn(_Struct, frozen=True):
    """One column of dates or instants, and the parts it is turned into."""

    column: str
    parts: tuple[Part, ...]


class Dates(_Struct, frozen=True, tag="dates"):
    """Dates and instants as numbers, with the steps over them; nulls come in as NaN."""

    columns: tuple[DateColumn, ...]
    operations: tuple[Operation, ...]

    @property
    def width(self) -> int:
        """Columns that come out."""
        return sum(len(column.parts) for column in self.columns)


class Words(_Struct, frozen=True, tag="words"):
    """Texts as hashed words, so many places by column."""

    columns: tuple[str, ...]
    places: Annotated[int, msgspec.Meta(ge=1, le=MOST_PLACES)]

    @property
    def width(self) -> int:
        """Columns that come out."""
        return len(self.columns) * self.places


class Gaps(_Struct, frozen=True, tag="gaps"):
    """1 where a column is null, else 0."""

    columns: tuple[str, ...]

    @property
    def width(self) -> int:
        """Columns that come out."""
        return len(self.columns)


Block: TypeAlias = Numbers | Categories | Dates | Words | Gaps
Link: TypeAlias = Literal["identity", "expit", "softmax", "exp"]


class Linear(_Struct, frozen=True, tag="linear", omit_defaults=True):
    """``link(x @ coefficients.T + intercept)``; coefficients (k, features).

    Rowwise models add as :func:`undrift.estimators.sums.weighted_sums` does, others as a matrix product does.
    """

    coefficients: Array
    intercept: Array
    link: Link
    rowwise: bool = False


class Averaged(_Struct, frozen=True, tag="averaged"):
    """A forest: the mean of its trees, which see float32 values."""

    trees: bytes
    outputs: int
    takes_missing: bool


class Boosted(_Struct, frozen=True, tag="boosted"):
    """``link(start + tree 1 + tree 2 + ...)``, added in this order; tree i belongs to output i mod k."""

    trees: bytes
    start: Array
    link: Link
    sees_float32: bool
    takes_missing: bool


class Constant(_Struct, frozen=True, tag="constant"):
    """The same scores for every row."""

    values: Array


Head: TypeAlias = Linear | Averaged | Boosted | Constant


class Recalibration(_Struct, frozen=True):
    """How probabilities are repaired: :func:`undrift.estimators.recalibration.recalibrated`'s words."""

    method: Method
    numbers: Array


class Plan(_Struct, frozen=True, omit_defaults=True):
    """A compiled pipeline: blocks side by side, steps over all of them, the model, then the repair of its answers."""

    format: str
    blocks: tuple[Block, ...]
    operations: tuple[Operation, ...]
    head: Head
    recalibration: Recalibration | None = None


def array(values: object) -> Array:
    """Return numbers as they are stored."""
    numbers = np.ascontiguousarray(values, dtype="<f8")
    return Array(numbers.shape, numbers.tobytes())


def encode(plan: Plan) -> bytes:
    """Return a plan's bytes."""
    return msgspec.msgpack.encode(plan)


def decode(data: bytes) -> Plan:
    """Return the plan of some bytes.

    Raises
    ------
    PlanBroken
        If they are not one.
    """
    try:
        plan = msgspec.msgpack.decode(data, type=Plan)
    except msgspec.DecodeError as error:
        raise PlanBroken(f"this is not a compiled engine: {error}") from error
    if plan.format not in (FORMAT, FIRST_FORMAT):
        raise PlanBroken(f"compiled engine of format {plan.format!r}", cure="upgrade undrift")
    return plan
