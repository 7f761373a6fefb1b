"""The original object as an engine: always right, and the reference for every other engine."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import polars as pl

from undrift.models.engines.base import NotScorable, Scores, finite
from undrift.models.formats import model_file
from undrift.models.formats.feed import Feed, pandas_frame
from undrift.models.formats.trees import reachable
from undrift.models.signature import ColumnType, InputColumn, Value

# Any, here and below: scikit-learn is not typed
_DTYPES: dict[ColumnType, Any] = {  # Any: polars' types are classes and instances
    "float": pl.Float64(),
    "int": pl.Int64(),
    "bool": pl.Boolean(),
    "string": pl.String(),
    "date": pl.Date(),
    "datetime": pl.Datetime("us"),
}


class SklearnEngine:
    """Scores with a fitted scikit-learn estimator or Pipeline, fed by column name from a frame.

    Parameters
    ----------
    model : object
        The fitted object.
    inputs : sequence of InputColumn
        The columns that it is asked with.
    feed : Feed, optional
        In which form it takes rows; a polars frame, or a matrix when it saw no names, if not given.
    """

    name = "sklearn"

    def __init__(self, model: Any, inputs: Sequence[InputColumn], feed: Feed | None = None) -> None:
        self.model = model
        self._feed = feed
        self._schema = {column.name: _DTYPES[column.type] for column in inputs}
        self._names = fitted_names(model)
        self._answer = self.model.predict_proba if hasattr(model, "predict_proba") else self.model.predict

    def score(self, columns: Mapping[str, Sequence[Value]], rows: int) -> Scores:
        """Return the scores of decoded rows, as the original gives them.

        Raises
        ------
        NotScorable
            If the model refuses the values.
        """
        try:
            asked = self._laid(columns)
            with np.errstate(over="ignore", invalid="ignore"), self._quietly():
                scores = self._answer(asked)  # what overflows is refused by the model itself
        except _refusals() as error:
            raise NotScorable(f"the model refuses these values: {str(error)[:300]}") from error
        return finite(np.asarray(scores, dtype=np.float64).reshape(rows, -1))

    def _quietly(self) -> AbstractContextManager[object]:
        """Keep a model that knows names from warning that a matrix has none: its columns stand in their order."""
        if self._names is None or self._feed is None or self._feed.form != "numpy":
            return nullcontext()
        return warnings.catch_warnings(action="ignore", category=UserWarning)

    def _laid(self, columns: Mapping[str, Sequence[Value]]) -> Any:
        """Return rows in the form that the model takes."""
        if self._feed is not None and self._feed.form == "pandas":
            laid = pandas_frame(self._feed, columns)
            return laid if self._names is None else laid[self._names]
        table = frame(columns, self._schema)
        chosen = table if self._names is None else table.select(self._names)
        as_matrix = self._names is None or (self._feed is not None and self._feed.form == "numpy")
        return chosen.to_numpy() if as_matrix else chosen


def load(data: bytes, inputs: Sequence[InputColumn]) -> SklearnEngine:
    """Return the engine of a skops file, with every ``n_jobs`` set to 1 so that sums have one order.

    Raises
    ------
    UntrustedModel
        If the file may not be loaded.
    """
    with warnings.catch_warnings():
        # the package's manifest states the version of training, and the golden rows judge
        warnings.filterwarnings("ignore", message="Trying to unpickle estimator")
        return SklearnEngine(one_threaded(model_file.load(data)), inputs, model_file.feed(data))


def frame(columns: Mapping[str, Sequence[Value]], schema: Mapping[str, Any]) -> pl.DataFrame:
    """Return decoded rows as a frame of the model's types."""
    return pl.DataFrame([pl.Series(name, columns[name], dtype=dtype) for name, dtype in schema.items()])


def frame_of(columns: Mapping[str, Sequence[Value]], inputs: Sequence[InputColumn]) -> pl.DataFrame:
    """Return decoded rows as the frame that a model with these inputs is fed with."""
    return frame(columns, {column.name: _DTYPES[column.type] for column in inputs})


def one_threaded(model: Any) -> Any:
    """Return the estimator with every ``n_jobs`` set to 1: threads would add in any order."""
    for item, _ in _threaded(model):
        item.n_jobs = 1
    return model


@contextmanager
def on_one_thread(model: Any) -> Iterator[None]:
    """Let a model use one thread for a while; what it was told before stands again afterwards."""
    before = list(_threaded(model))
    try:
        yield one_threaded(model)
    finally:
        for item, jobs in before:
            item.n_jobs = jobs


def _threaded(model: Any) -> Iterator[tuple[Any, Any]]:
    """Yield what has ``n_jobs`` inside a model, fitted copies within other estimators too, with its value."""
    for _, item in reachable(model):
        jobs = getattr(item, "__dict__", {})
        if "n_jobs" in jobs:
            yield item, jobs["n_jobs"]


def fitted_names(model: Any) -> list[str] | None:
    """Return the columns that an estimator was fitted with, in order; None when it saw no names."""
    found = getattr(model, "feature_names_in_", None)
    if found is None or getattr(first_step(model), "_fitted_with_feature_names", True) is False:
        return None  # LightGBM makes up names when it saw none
    return [str(name) for name in found]


def _refusals() -> tuple[type[Exception], ...]:
    """Return what a model raises when it refuses values; LightGBM's own error is none of Python's."""
    library = sys.modules.get("lightgbm")
    plain = (ValueError, TypeError, OverflowError)
    return plain if library is None else (*plain, library.basic.LightGBMError)


def first_step(model: Any) -> Any:
    """Return what meets the rows first: the model, or a Pipeline's first step."""
    steps: Sequence[Any] = getattr(model, "steps", ())
    return steps[0][1] if steps else model
