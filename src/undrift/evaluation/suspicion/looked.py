"""The rows that are looked at, and their columns as numbers and as categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from undrift.evaluation.duplicates import contents, mixed
from undrift.evaluation.rows import Units, units_of
from undrift.evaluation.target import Target, usable
from undrift.stats.metrics import mid_ranks

Floats: TypeAlias = npt.NDArray[np.float64]
Codes: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]

MOST_ROWS = 50_000
FEWEST_OF_A_CLASS = 1000
FOLDS = 5
_FIRST_ROWS = 5000
MOST_VALUES = 200
_FREQUENT = 5
_PARSED = 0.95
_NUMBER = r"([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)"


@dataclass(frozen=True, slots=True)
class Looked:
    """The rows that are looked at: all that have a label, or a stated sample of them.

    Attributes
    ----------
    frame : DataFrame
        The rows.
    target : Target
        How the target is read.
    y : float64 array
        Class index, or the number.
    units : int64 array
        What is independent of what.
    fold : int64 array
        In which fold a row is scored by what the others say; units are whole.
    rows : int
        How many rows had a label.
    ranks : float64 array
        Share of rows with a smaller target.
    some : int64 array
        At most 5,000 of the rows, of each class alike: a rare class must not get lost in a first look.
    """

    frame: pl.DataFrame
    target: Target
    y: Floats
    units: Units
    fold: Codes
    rows: int
    ranks: Floats
    some: Codes

    @property
    def classes(self) -> int:
        """Number of classes; 0 for numbers."""
        return len(self.target.classes)

    @property
    def sample(self) -> str:
        """Words that follow a count of rows, when not all were looked at."""
        return f" (a sample of {self.rows:,})" if len(self.frame) < self.rows else ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column as it is looked at.

    Attributes
    ----------
    name : str
        Its name.
    missing : bool array
        Where it is null or not a number.
    numbers : float64 array or None
        Its cells as numbers, also those of texts that are numbers; NaN where missing.
    codes : int64 array or None
        Its cells as categories, the commonest first; -1 where missing. None when there are too
        many different ones.
    distinct : int
        How many different cells there are.
    text : bool
        Whether its cells are texts.
    """

    name: str
    missing: Mask
    numbers: Floats | None
    codes: Codes | None
    distinct: int
    text: bool

    @property
    def frequent(self) -> Codes | None:
        """The categories, with those of fewer than five rows as one."""
        if self.codes is None:
            return None
        counts = np.bincount(self.codes[self.codes >= 0], minlength=1)
        kept = int((counts >= _FREQUENT).sum())
        return np.where(self.codes >= kept, kept, self.codes)


def look(frame: pl.DataFrame, target: Target, columns: Sequence[str], unit: str | None, seed: int) -> Looked:
    """Return the rows to look at.

    Parameters
    ----------
    frame : DataFrame
        The table.
    target : Target
        How its target is read.
    columns : sequence of str
        The columns that are looked at: rows equal in all of them stay in one fold.
    unit : str or None
        Column whose equal values belong together.
    seed : int
        Of sample and folds.

    Notes
    -----
    Above 50,000 rows a sample is taken, in equal shares of each class but at least 1,000 rows of
    it where there are so many.
    """
    labelled = _labelled(frame, target)
    rows = len(labelled)
    y = _codes(labelled, target)
    if rows > MOST_ROWS:
        kept = _sample(y, target, seed)
        labelled, y = labelled[kept], y[kept]
    same = contents(labelled, columns)
    units = same.view(np.int64) if unit is None else units_of(labelled, unit, None, same)
    salt = np.uint64(seed % 2**32) * np.uint64(0x9E3779B97F4A7C15)
    fold = (mixed(units.astype(np.uint64) + salt) % np.uint64(FOLDS)).astype(np.int64)
    return Looked(labelled, target, y, units, fold, rows, mid_ranks(y) / max(1, len(y)), _some(y, target, seed))


def _labelled(frame: pl.DataFrame, target: Target) -> pl.DataFrame:
    """Return the rows with a label that the target knows; one of another class may have come later."""
    labelled = frame.filter(usable(frame, target.column))
    if target.task == "regression":
        return labelled
    return labelled.filter(pl.Series(np.isin(target.labels(labelled), np.asarray(target.classes))))


def _codes(frame: pl.DataFrame, target: Target) -> Floats:
    labels = target.labels(frame)
    if target.task == "regression":
        return labels.astype(np.float64)
    return np.searchsorted(np.asarray(target.classes), labels).astype(np.float64)


def _sample(y: Floats, target: Target, seed: int) -> Codes:
    rng = np.random.default_rng(seed)
    if target.task == "regression":
        return np.sort(rng.choice(len(y), MOST_ROWS, replace=False))
    parts = []
    for label in np.unique(y):
        places = np.flatnonzero(y == label)
        share = round(MOST_ROWS * len(places) / len(y))
        parts.append(rng.choice(places, min(len(places), max(share, FEWEST_OF_A_CLASS)), replace=False))
    return np.sort(np.concatenate(parts))


def _some(y: Floats, target: Target, seed: int) -> Codes:
    if len(y) <= _FIRST_ROWS:
        return np.arange(len(y))
    rng = np.random.default_rng(seed)
    if target.task == "regression":
        return np.sort(rng.choice(len(y), _FIRST_ROWS, replace=False))
    each = _FIRST_ROWS // len(target.classes)
    places = (np.flatnonzero(y == label) for label in np.unique(y))
    return np.sort(np.concatenate([rng.choice(found, min(len(found), each), replace=False) for found in places]))


def column_of(values: pl.Series) -> Column | None:
    """Return a column as it is looked at, None when it holds lists or the like."""
    text = values.dtype in (pl.String, pl.Categorical, pl.Enum)
    if text:
        values = values.cast(pl.String).str.strip_chars().replace("", None)
        numbers = _parsed(values)
    elif values.dtype.is_numeric() or values.dtype == pl.Boolean:
        numbers = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
    elif values.dtype.is_temporal():
        numbers = values.to_physical().cast(pl.Float64).fill_null(np.nan).to_numpy()
    else:
        return None
    missing = values.is_null().to_numpy()
    if numbers is not None and not text:
        missing = ~np.isfinite(numbers)
        numbers = np.where(missing, np.nan, numbers)
        values = pl.Series(values.name, numbers).fill_nan(None)
    distinct = values.drop_nulls().n_unique()
    codes = _categories(values) if distinct <= MOST_VALUES else None
    return Column(values.name, missing, numbers, codes, distinct, text)


def _parsed(values: pl.Series) -> Floats | None:
    """Return the numbers that texts begin with, None when they are not numbers."""
    numbers = values.str.extract(f"^{_NUMBER}").cast(pl.Float64, strict=False)
    known = len(values) - values.null_count()
    if not known or len(values) - numbers.null_count() < _PARSED * known:
        return None
    return numbers.fill_null(np.nan).to_numpy()


def _categories(values: pl.Series) -> Codes:
    counts = values.drop_nulls().alias("value").value_counts().sort(["count", "value"], descending=[True, False])
    if not len(counts):
        return np.full(len(values), -1)
    places = pl.Series(np.arange(len(counts)), dtype=pl.Int64)
    return values.replace_strict(counts["value"], places, default=-1, return_dtype=pl.Int64).to_numpy()


def percent(share: float) -> str:
    """Return a share for people, never rounded up to all of it."""
    if share in (0.0, 1.0):
        return f"{share:.0%}"
    return f"{min(max(share, 0.0001), 0.9999):.2%}"
