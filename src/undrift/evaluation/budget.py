"""What comparing and fitting take, estimated before they start, and how many rows a budget pays for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import log2, sqrt

from undrift.core.json import JSON
from undrift.evaluation.features import MOST_CATEGORIES, MOST_ENCODED, Features, word_places
from undrift.evaluation.target import Task

FEWEST_ROWS = 10_000
MOST_JUDGED = 250_000
"""Under a budget so many rows at most are judged on: more make no interval narrower that matters."""

_PER_CELL: Mapping[str, float] = {"linear": 1.0e-6, "gradient_boosting": 8.0e-7, "lightgbm": 5.0e-7}
_PER_OUTPUT = 0.2
_FOREST = 6.5e-6
_READING = 4.0e-8
_READS = 14
_FEW_ROWS = 5_000
_LIBRARIES_BYTES = 700_000_000
_DATE_PARTS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is to be done.

    Attributes
    ----------
    table_rows, table_columns : int
        The whole table, which is read.
    rows : int
        Rows to learn from.
    width : int
        Columns of the matrix that models see; :func:`encoded_width` bounds it.
    task : str
        Kind of prediction.
    outputs : int
        Classes, or 1 for two classes and for numbers.
    candidates : tuple of str
        What competes.
    folds : int
        Folds of the comparison.
    """

    table_rows: int
    table_columns: int
    rows: int
    width: int
    task: Task
    outputs: int
    candidates: tuple[str, ...]
    folds: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """What it takes.

    Attributes
    ----------
    seconds : float
        Of wall-clock time.
    memory_bytes, disk_bytes : int
        At the peak, and in the store.
    """

    seconds: float
    memory_bytes: int
    disk_bytes: int

    def as_json(self) -> dict[str, JSON]:
        """Return the estimate as a step's output keeps it."""
        return {
            "seconds": round(self.seconds, 1),
            "memory_bytes": self.memory_bytes,
            "disk_bytes": self.disk_bytes,
            "error": "constants measured on two cores; expect up to three times as much or as little",
        }


def encoded_width(features: Features) -> int:
    """Return how many columns a model sees at most."""
    categories = len(features.of_kind("category"))
    texts = len(features.of_kind("text"))
    encoded = min(categories * MOST_CATEGORIES, max(MOST_ENCODED, 2 * categories))
    dates = _DATE_PARTS * len(features.of_kind("date", "datetime"))
    gaps = sum(feature.tells_missing for feature in features.used)
    plain = len(features.of_kind("number")) + 2 * len(features.of_kind("bool"))
    return plain + encoded + dates + gaps + (texts * word_places(texts) if texts else 0)


def estimate(work: Work) -> Estimate:
    """Return what a training takes, before it starts.

    Parameters
    ----------
    work : Work
        What is to be done.

    Notes
    -----
    Seconds are constants times rows, columns and outputs, measured on two cores of a server with
    made-up tables of 5,000 to 80,000 rows and 20 to 100 columns. A machine that is busy or much
    slower takes longer. The dearest candidate is taken to be the one that is chosen.
    """
    fits = {kind: _fit_seconds(kind, work, work.rows) for kind in work.candidates}
    compared = sum(fits.values()) * (work.folds - 1) if len(fits) > 1 else 0.0
    again = 5.0 if work.rows <= _FEW_ROWS else 2.0
    reading = _READING * _READS * work.table_rows * work.table_columns
    table = 8 * work.table_rows * work.table_columns
    matrix = 8 * work.rows * work.width
    arrays = 8 * 6 * work.table_rows
    return Estimate(
        reading + compared + again * max(fits.values(), default=0.0),
        int(_LIBRARIES_BYTES + 2.5 * table + 4 * matrix + 2 * arrays),
        int(arrays + 8 * work.rows * len(fits) * work.outputs + 2**27),
    )


def affordable_rows(work: Work, budget_s: float) -> int:
    """Return how many rows can be learnt from within a budget: all of them, or fewer, at least 10,000.

    Parameters
    ----------
    work : Work
        What is to be done, with all rows.
    budget_s : float
        Seconds.
    """
    if estimate(work).seconds <= budget_s:
        return work.rows
    low, high = min(FEWEST_ROWS, work.rows), work.rows
    while high - low > 1 + low // 100:
        middle = (low + high) // 2
        fits = estimate(replace(work, rows=middle)).seconds <= budget_s
        low, high = (middle, high) if fits else (low, middle)
    return low


def affordable_candidates(work: Work, budget_s: float) -> tuple[str, ...]:
    """Return what may compete within a budget on the fewest rows: the dearest are left out, the cheapest never is.

    Parameters
    ----------
    work : Work
        What is to be done, with all rows and all candidates.
    budget_s : float
        Seconds.
    """
    rows = min(FEWEST_ROWS, work.rows)
    left = work.candidates
    while len(left) > 1 and estimate(replace(work, rows=rows, candidates=left)).seconds > budget_s:
        dearest = max(left, key=lambda kind: _fit_seconds(kind, work, rows))
        left = tuple(kind for kind in left if kind != dearest)
    return left


def _fit_seconds(kind: str, work: Work, rows: int) -> float:
    if kind == "random_forest":
        looked = work.width / 3 if work.task == "regression" else sqrt(work.width)
        return _FOREST * rows * log2(max(2, rows)) * looked / (os.cpu_count() or 1)
    if kind == "linear":
        return _PER_CELL[kind] * rows * work.width * (1 + work.outputs / 10)
    return work.outputs * (_PER_OUTPUT + _PER_CELL[kind] * rows * work.width)
