"""The original object as an engine: always right, and the reference for every other engine."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from undrift.models.engines.base import NotScorable, Scores, finite
from undrift.models.formats import model_file
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
    """

    name = "sklearn"

    def __init__(self, model: Any, inputs: Sequence[InputColumn]) -> None:
        self.model = model
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
        table = frame(columns, self._schema)
        asked = table.to_numpy() if self._names is None else table.select(self._names)
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused by the model itself
                scores = self._answer(asked)
        except (ValueError, TypeError, OverflowError) as error:
            raise NotScorable(f"the model refuses these values: {str(error)[:300]}") from error
        return finite(np.asarray(scores, dtype=np.float64).reshape(rows, -1))


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
        return SklearnEngine(one_threaded(model_file.load(data)), inputs)


def frame(columns: Mapping[str, Sequence[Value]], schema: Mapping[str, Any]) -> pl.DataFrame:
    """Return decoded rows as a frame of the model's types."""
    return pl.DataFrame([pl.Series(name, columns[name], dtype=dtype) for name, dtype in schema.items()])


def frame_of(columns: Mapping[str, Sequence[Value]], inputs: Sequence[InputColumn]) -> pl.DataFrame:
    """Return decoded rows as the frame that a model with these inputs is fed with."""
    return frame(columns, {column.name: _DTYPES[column.type] for column in inputs})


def one_threaded(model: Any) -> Any:
    """Return the estimator with every ``n_jobs`` set to 1: threads would add in any order."""
    jobs = {name: 1 for name in model.get_params(deep=True) if name.rpartition("__")[2] == "n_jobs"}
    return model.set_params(**jobs) if jobs else model


def fitted_names(model: Any) -> list[str] | None:
    """Return the columns that an estimator was fitted with, in order; None when it saw no names."""
    found = getattr(model, "feature_names_in_", None)
    return None if found is None else [str(name) for name in found]
