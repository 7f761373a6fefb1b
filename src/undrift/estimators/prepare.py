"""Transformers of raw columns: dates as numbers, texts as hashed words, what is missing.

They are fed by column name from a polars frame, inside a ColumnTransformer. What they learn is
plain data, checked when it is loaded: a stored one names no code, and no cell of a row.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.base import BaseEstimator, TransformerMixin

from undrift.estimators.calendar import DAY_US, PARTS, Part
from undrift.estimators.errors import BadTransformer
from undrift.estimators.words import MOST_PLACES, hashed

Floats = npt.NDArray[np.float64]
Frame = Any  # Any: scikit-learn hands over what it was given


class _ByName(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is not typed
    """What all of them are: they remember the columns' names."""

    def fit(self, table: Frame, y: object = None) -> Any:
        """Return itself, having learnt from a table."""
        del y
        self.feature_names_in_ = np.array(table.columns, dtype=object)
        self.n_features_in_ = len(table.columns)
        self._learn(table)
        return self

    def _learn(self, table: pl.DataFrame) -> None:
        """Learn from a table; most have nothing to learn."""

    def __sklearn_is_fitted__(self) -> bool:
        """Say whether it was fitted."""
        return hasattr(self, "n_features_in_")

    def _refuse(self, problem: str) -> None:
        raise BadTransformer(f"a stored {type(self).__name__} {problem}", cure="train the model again")


class DateParts(_ByName):
    """Dates and instants in UTC as those of :data:`PARTS` that vary in the rows learnt from; null gives NaN.

    Attributes
    ----------
    parts_ : list of list of str
        By column.
    """

    parts_: list[list[Part]]

    def transform(self, table: Frame) -> Floats:
        """Return the parts side by side, shape (rows, parts)."""
        pairs = zip(table.columns, self.parts_, strict=True)
        return np.column_stack([_part(table[name], part) for name, parts in pairs for part in parts])

    def _learn(self, table: pl.DataFrame) -> None:
        self.parts_ = [_varying(table[name]) for name in table.columns]

    def check(self) -> None:
        """Check that it holds what :meth:`fit` leaves; a pipeline also holds the unfitted one."""
        if not self.__sklearn_is_fitted__():
            return
        parts = getattr(self, "parts_", None)
        if not isinstance(parts, list) or not all(isinstance(one, list) and one for one in parts):
            self._refuse("has no list of parts")
        if any(part not in PARTS for one in parts for part in one):  # type: ignore[union-attr]  # asked above
            self._refuse("names a part that does not exist")


class HashedWords(_ByName):
    """Texts as hashed words, so many places each; null is a text without words.

    Parameters
    ----------
    places : int
        Places of one column.
    """

    def __init__(self, places: int = 64) -> None:
        self.places = places

    def transform(self, table: Frame) -> Floats:
        """Return the words' values, shape (rows, columns x places)."""
        out = np.zeros((table.height, len(table.columns) * self.places))
        for index, name in enumerate(table.columns):
            for row, text in enumerate(table[name]):
                for place, value in hashed(text, self.places).items() if text else ():
                    out[row, index * self.places + place] = value
        return out

    def check(self) -> None:
        """Check that it holds what :meth:`fit` leaves."""
        places = getattr(self, "places", None)
        if type(places) is not int or not 0 < places <= MOST_PLACES:
            self._refuse(f"has a number of places outside 1 to {MOST_PLACES}")


class Missing(_ByName):
    """1 where a cell is missing, else 0."""

    def transform(self, table: Frame) -> Floats:
        """Return what is missing, shape (rows, columns)."""
        return np.column_stack([_gaps(table[name]) for name in table.columns])

    def check(self) -> None:
        """There is nothing in it to check."""


def _varying(values: pl.Series) -> list[Part]:
    """Return the parts that tell rows apart; the days when none does."""
    some = values.drop_nulls().head(1_000_000)
    found = [part for part in PARTS if len(some) and np.ptp(_part(some, part)) > 0]
    return found or ["days"]


def _part(values: pl.Series, part: str) -> Floats:
    is_date = values.dtype == pl.Date
    match part:
        case "year":
            found = values.dt.year()
        case "month":
            found = values.dt.month()
        case "day":
            found = values.dt.day()
        case "weekday":
            found = values.dt.weekday()
        case "hour":
            found = values.to_physical() * 0 if is_date else values.dt.hour()
        case _:
            days = values.to_physical().cast(pl.Float64).to_numpy()
            return days if is_date else days / DAY_US  # numpy rounds as Python does; polars multiplies by 1 / DAY_US
    return found.cast(pl.Float64).to_numpy()


def _gaps(values: pl.Series) -> Floats:
    gaps = values.is_null()
    if values.dtype.is_float():
        gaps = gaps | values.is_nan().fill_null(value=True)
    return gaps.cast(pl.Float64).to_numpy()
