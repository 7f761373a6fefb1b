"""Translating preprocessing: numbers by the known arithmetic of each step, categories by asking the fitted object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)

from undrift.core.errors import BadInput
from undrift.estimators.prepare import DateParts, HashedWords, Missing
from undrift.models.engines.plan import (
    Block,
    Categories,
    Category,
    Cell,
    DateColumn,
    Dates,
    Floats,
    Gaps,
    Key,
    Numbers,
    Operation,
    Words,
    array,
)
from undrift.models.engines.sklearn import frame_of
from undrift.models.signature import InputColumn, Value

MOST_CATEGORIES = 5_000
_NUMBER_TYPES = frozenset({"float", "int", "bool"})
_UNKNOWN_TEXT = "\x00 not a category \x00"


class NotTranslatable(BadInput):
    """A pipeline has a part that the compiled engine does not know; the original serves instead."""

    code = "not-translatable"


@dataclass(slots=True)
class NumberSteps:
    """The steps over a block of numbers, as they are found.

    Attributes
    ----------
    operations : list of Operation
        The steps so far.
    indicators : list of int
        Columns for which 1 or 0 is appended, null or not.
    """

    operations: list[Operation] = field(default_factory=list)
    indicators: list[int] = field(default_factory=list)

    def add(self, step: Any, width: int) -> None:  # Any: scikit-learn is not typed
        """Translate one fitted step.

        Raises
        ------
        NotTranslatable
            If it is of an unknown kind.
        """
        if self.indicators:
            raise NotTranslatable("a step after an imputer's indicators")
        if isinstance(step, SimpleImputer):
            self._impute(step, width)
        elif type(step) in _SCALERS:
            self.operations.extend(_SCALERS[type(step)](step))
        elif not _is_identity(step):
            raise NotTranslatable(f"the step {type(step).__name__}")

    def _impute(self, step: Any, width: int) -> None:
        try:
            filling = np.asarray(step.statistics_, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise NotTranslatable("an imputer that fills in texts") from error
        if filling.shape != (width,) or bool(np.isnan(filling).any()):
            raise NotTranslatable("an imputer that drops columns")
        if isinstance(step.missing_values, float) and np.isnan(step.missing_values):
            self.operations.append(Operation("fill", array(filling)))
        else:
            raise NotTranslatable("an imputer that looks for something other than nulls")
        if step.add_indicator:
            self.indicators = [int(index) for index in step.indicator_.features_]


@dataclass(frozen=True, slots=True)
class Branch:
    """One fitted branch of a ColumnTransformer with the inputs it is fed with."""

    transformer: Any  # Any: scikit-learn is not typed
    inputs: tuple[InputColumn, ...]

    def block(self) -> Block:
        """Return the branch as a block of a plan.

        Raises
        ------
        NotTranslatable
            If it holds a part that the compiled engine does not know.
        """
        steps = list(_steps(self.transformer))
        if steps and isinstance(steps[0], DateParts | HashedWords | Missing):
            return self._own(steps)
        if any(isinstance(step, OneHotEncoder | OrdinalEncoder) for step in steps):
            return self._categories(steps)
        strange = [column.name for column in self.inputs if column.type not in _NUMBER_TYPES]
        if strange:
            raise NotTranslatable(f"the column {strange[0]!r}, which is not a number,")
        found = NumberSteps()
        for step in steps:
            found.add(step, len(self.inputs))
        return Numbers(tuple(c.name for c in self.inputs), tuple(found.operations), tuple(found.indicators))

    def _own(self, steps: Sequence[Any]) -> Block:
        """Return a branch that begins with a transformer of ours."""
        first, *others = steps
        names = tuple(column.name for column in self.inputs)
        if isinstance(first, DateParts):
            columns = tuple(DateColumn(name, tuple(parts)) for name, parts in zip(names, first.parts_, strict=True))
            return Dates(columns, self._steps_over(others, sum(len(column.parts) for column in columns)))
        if others:
            raise NotTranslatable(f"a step after {type(first).__name__}")
        return Words(names, first.places) if isinstance(first, HashedWords) else Gaps(names)

    def _steps_over(self, steps: Sequence[Any], width: int) -> tuple[Operation, ...]:
        found = NumberSteps()
        for step in steps:
            found.add(step, width)
        if found.indicators:
            raise NotTranslatable("an imputer with indicators behind dates")
        return tuple(found.operations)

    def _categories(self, steps: Sequence[Any]) -> Categories:
        if not isinstance(steps[-1], OneHotEncoder | OrdinalEncoder):
            raise NotTranslatable("a step after an encoder")
        if not all(isinstance(step, SimpleImputer | OneHotEncoder | OrdinalEncoder) for step in steps):
            raise NotTranslatable("a step before an encoder that is not an imputer")
        known = [_known(values) for values in steps[-1].categories_]
        if len(known) != len(self.inputs) or any(len(keys) > MOST_CATEGORIES for keys in known):
            raise NotTranslatable(f"an encoder with more than {MOST_CATEGORIES} categories")
        table = _Tabulation(self.transformer, self.inputs, tuple(keys[0] for keys in known))
        columns = tuple(table.column(index, keys) for index, keys in enumerate(known))
        return Categories(columns, table.width)


class _Tabulation:
    """Asks a fitted branch what it makes of each category, one column at a time.

    Parameters
    ----------
    transformer : object
        The fitted branch.
    inputs : sequence of InputColumn
        Its columns.
    ground : sequence
        One known category per column, which stands in the columns not asked about.
    """

    def __init__(self, transformer: Any, inputs: Sequence[InputColumn], ground: Sequence[Value]) -> None:
        self._transformer = transformer
        self._inputs = inputs
        self._ground = ground
        self._base = self._ask({})[0]
        self.width = len(self._base)

    def column(self, index: int, keys: Sequence[Key]) -> Category:
        """Return one column's cells."""
        places = self._places(index)
        asked = self._ask({index: list(keys)})
        cells = tuple(_cell(row, places) for row in asked)
        column = self._inputs[index]
        missing = self._single(index, None, places) if column.nullable else None
        return Category(column.name, tuple(keys), cells, missing, self._unknown(index, keys, places))

    def _unknown(self, index: int, keys: Sequence[Key], places: NDArray[np.intp]) -> Cell | None:
        stranger = _stranger(self._inputs[index], keys)
        return None if stranger is None else self._single(index, stranger, places)

    def _single(self, index: int, value: Value, places: NDArray[np.intp]) -> Cell | None:
        try:
            return _cell(self._ask({index: [value]})[0], places)
        except ValueError:
            return None  # the original refuses it, and so will the engine

    def _places(self, index: int) -> NDArray[np.intp]:
        """Return which output columns belong to an input column: those before it have fewer."""
        widths = [self._width_of(position) for position in range(len(self._inputs))]
        if sum(widths) != self.width:
            raise NotTranslatable("an encoder whose outputs cannot be told apart")
        start = sum(widths[:index])
        return np.arange(start, start + widths[index])

    def _width_of(self, index: int) -> int:
        encoder = list(_steps(self._transformer))[-1]
        if isinstance(encoder, OrdinalEncoder):
            return 1
        return int(encoder._n_features_outs[index])  # noqa: SLF001 - no public name tells it

    def _ask(self, changed: dict[int, list[Value]]) -> Floats:
        rows = max((len(values) for values in changed.values()), default=1)
        columns = {
            column.name: changed.get(index, [self._ground[index]] * rows) for index, column in enumerate(self._inputs)
        }
        answer = self._transformer.transform(frame_of(columns, self._inputs))
        dense = answer.toarray() if hasattr(answer, "toarray") else answer
        return np.asarray(dense, dtype=np.float64)


def branches(prepare: ColumnTransformer, inputs: Sequence[InputColumn]) -> Iterator[Branch]:
    """Yield the branches of a fitted ColumnTransformer in the order of their outputs.

    Raises
    ------
    NotTranslatable
        If a branch chooses its columns in a way that cannot be followed.
    """
    by_name = {column.name: column for column in inputs}
    names = list(getattr(prepare, "feature_names_in_", by_name))
    for name, transformer, _ in prepare.transformers_:
        if isinstance(transformer, str) and transformer == "drop":
            continue
        indices = prepare._transformer_to_input_indices[name]  # noqa: SLF001 - no public name tells it
        chosen = tuple(by_name[names[index]] for index in indices)
        if chosen:
            yield Branch(transformer, chosen)


def _steps(transformer: Any) -> Iterator[Any]:
    """Yield the steps inside a branch, pipelines unrolled."""
    if isinstance(transformer, Pipeline):
        for _, step in transformer.steps:
            yield from _steps(step)
    elif not _is_identity(transformer):
        yield transformer


def _is_identity(step: Any) -> bool:
    if step is None or (isinstance(step, str) and step == "passthrough"):
        return True
    return isinstance(step, FunctionTransformer) and step.func is None


def _known(values: NDArray[Any]) -> list[Key]:
    """Return an encoder's categories without the missing one."""
    return [value for value in values.tolist() if value is not None and value == value]  # noqa: PLR0124 - not NaN


def _stranger(column: InputColumn, keys: Sequence[Key]) -> Value:
    """Return a value that is no category, or None when there can be none."""
    match column.type:
        case "bool":
            return next((value for value in (False, True) if value not in keys), None)
        case "int":
            return next(number for number in range(len(keys) + 1) if number not in keys)
        case "float":
            return next(number + 0.5 for number in range(len(keys) + 1) if number + 0.5 not in keys)
        case "string":
            return _UNKNOWN_TEXT
        case _:
            raise NotTranslatable(f"the column {column.name!r}, which holds dates,")


def _cell(row: Floats, places: NDArray[np.intp]) -> Cell:
    """Return the one value that a category writes among its column's outputs."""
    written = np.flatnonzero(row[places] != 0.0)  # NaN counts as written
    if len(written) > 1:
        raise NotTranslatable("an encoder that writes several values for one category")
    if len(written) == 0:
        return (-1, 0.0)
    place = int(places[written[0]])
    return (place, float(row[place]))


def _standard(step: Any) -> Iterator[Operation]:
    if step.with_mean:
        yield Operation("subtract", array(step.mean_))
    if step.with_std:
        yield Operation("divide", array(step.scale_))


def _min_max(step: Any) -> Iterator[Operation]:
    yield Operation("multiply", array(step.scale_))
    yield Operation("add", array(step.min_))
    if step.clip:
        yield Operation("clip", array([[step.feature_range[0]], [step.feature_range[1]]]))


def _robust(step: Any) -> Iterator[Operation]:
    if step.with_centering:
        yield Operation("subtract", array(step.center_))
    if step.with_scaling:
        yield Operation("divide", array(step.scale_))


def _max_abs(step: Any) -> Iterator[Operation]:
    yield Operation("divide", array(step.scale_))


_SCALERS: dict[type, Any] = {
    StandardScaler: _standard,
    MinMaxScaler: _min_max,
    RobustScaler: _robust,
    MaxAbsScaler: _max_abs,
}
