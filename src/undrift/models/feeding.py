"""Finding the form in which a model takes its rows, by comparing answers with those to its owner's own table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from undrift.core.errors import BadInput
from undrift.models.engines.base import NotScorable, Scores
from undrift.models.engines.sklearn import SklearnEngine, first_step, fitted_names, on_one_thread
from undrift.models.formats.boosters import kind_of, members
from undrift.models.formats.feed import Feed, feed_of
from undrift.models.infer import columns_of
from undrift.models.parity import TOLERANCE
from undrift.models.signature import InputColumn

MOST_ROWS = 10_000


class OtherAnswers(BadInput):
    """A model answers the rows of a request otherwise than the table that its owner gives it."""

    code = "other-answers"


@dataclass(frozen=True, slots=True)
class Example:
    """The table that a model's owner asks it with.

    Attributes
    ----------
    given : frame
        As it was handed over: polars or pandas.
    frame : DataFrame
        The same rows in polars.
    inputs : tuple of InputColumn
        The columns that the model will be asked with.
    """

    given: Any  # Any: pandas is not a dependency
    frame: pl.DataFrame
    inputs: tuple[InputColumn, ...]


def find_feed(model: Any, example: Example) -> Feed | None:  # Any: scikit-learn is not typed
    """Return the form in which requests get the same answers as the owner's table.

    To the last bit; only where none does, and the model is scikit-learn's alone, within 1e-12.

    Parameters
    ----------
    model : object
        Fitted.
    example : Example
        The owner's table, up to 10,000 rows of which are asked.

    Returns
    -------
    Feed or None
        None for what most models take: a polars frame, or a matrix when no names were seen.

    Raises
    ------
    OtherAnswers
        If no form gives the same answers, or the model refuses its owner's own table.
    """
    step = max(1, example.frame.height // MOST_ROWS)
    frame = example.frame[::step]
    rows = example.given.iloc[::step] if is_pandas(example.given) else frame
    close: list[Feed | None] = []
    with on_one_thread(model):
        wanted = _asked(model, rows)
        first = ""
        for feed in _candidates(model, rows):
            try:
                engine = SklearnEngine(model, example.inputs, feed)
                found = engine.score(columns_of(frame, example.inputs), frame.height)
            except NotScorable as error:
                first = first or error.message
                continue
            except (AttributeError, LookupError, pl.exceptions.PolarsError) as error:
                first = first or str(error)[:300]  # a step that expects another kind of frame
                continue
            if np.array_equal(found, wanted, equal_nan=True):
                return feed
            if not members(model) and np.allclose(found, wanted, rtol=TOLERANCE, atol=TOLERANCE):
                close.append(feed)  # linear algebra rounds the last bits by how a matrix lies in memory
            first = first or f"{int((found != wanted).any(axis=1).sum())} of {len(found)} answers differ"
    if close:
        return close[0]
    raise OtherAnswers(
        f"the model answers rows of a request otherwise than its example: {first}",
        cure="give as example the frame that it was fitted with; fill missing values, and turn columns into "
        "numbers or texts, inside the Pipeline",
    )


def _asked(model: Any, rows: Any) -> Scores:
    """Return what a model answers to its owner's table."""
    names = fitted_names(model)
    try:
        asked = rows.to_numpy() if names is None else rows[names]
        with np.errstate(over="ignore", invalid="ignore"):
            scores = model.predict_proba(asked) if hasattr(model, "predict_proba") else model.predict(asked)
    except Exception as error:
        raise OtherAnswers(
            f"the model refuses its example: {type(error).__name__}: {str(error)[:300]}",
            cure="give as example a frame with the columns, and of the types, that it was fitted with",
        ) from error
    return np.asarray(scores, dtype=np.float64).reshape(len(rows), -1)


def _candidates(model: Any, rows: Any) -> Iterator[Feed | None]:
    if kind_of(first_step(model)) is None:
        yield None
    yield Feed("numpy")
    if is_pandas(rows) and (laid := feed_of(rows)) is not None:
        yield laid


def is_pandas(table: Any) -> bool:
    """Say whether a table is a pandas frame, without importing pandas."""
    return type(table).__module__.partition(".")[0] == "pandas"
