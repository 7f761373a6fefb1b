"""What is predicted: the task, its classes, and labels as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from undrift.evaluation.errors import BadTarget

Task: TypeAlias = Literal["binary", "multiclass", "regression"]
ClassLabel: TypeAlias = "bool | int | str"
Labels: TypeAlias = npt.NDArray[Any]  # Any: bool, int, str or float64, by task

MOST_INTEGER_CLASSES = 20
MOST_CLASSES = 200
_POSITIVE_WORDS = ("true", "yes", "y", "1", "positive", "bad", "fraud", "churned", "late")


@dataclass(frozen=True, slots=True)
class Target:
    """A target column and how it is read.

    Attributes
    ----------
    column : str
        Its name.
    task : {"binary", "multiclass", "regression"}
        Kind of prediction.
    classes : tuple
        Class labels in sorted order, which is the order of a model's scores; empty for numbers.
    positive : int or None
        Index of the class a binary model's threshold is about.
    reason : str
        Why it is read so.
    """

    column: str
    task: Task
    classes: tuple[ClassLabel, ...]
    positive: int | None
    reason: str

    def labels(self, frame: pl.DataFrame) -> Labels:
        """Return the target as an estimator is fitted with it."""
        values = frame[self.column]
        if self.task == "regression":
            return values.cast(pl.Float64).to_numpy()
        if values.dtype.is_integer() or values.dtype == pl.Boolean:
            return values.to_numpy()
        if values.dtype.is_float():
            return values.cast(pl.Int64).to_numpy()
        spelt = {_folded(pl.Series([label]))[0]: str(label) for label in self.classes}
        return np.asarray(
            _folded(values).replace_strict(spelt, default=values.cast(pl.String)).to_list(), dtype=np.str_
        )

    def classes_in(self, frame: pl.DataFrame) -> int:
        """Return how many classes occur in some rows."""
        return len(np.unique(self.labels(frame)))

    def codes(self, frame: pl.DataFrame) -> npt.NDArray[np.float64]:
        """Return the target as metrics take it: 1 for the positive class, the class's index, or the number."""
        labels = self.labels(frame)
        if self.task == "regression":
            return labels
        index = np.searchsorted(np.asarray(self.classes), labels)
        codes = index == self.positive if self.task == "binary" else index
        return np.asarray(codes, dtype=np.float64)

    def scores(self, probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return a model's (rows, k) answer as metrics take it."""
        if self.task == "regression":
            return probabilities[:, 0]
        return probabilities[:, self.positive] if self.task == "binary" else probabilities

    def probabilities(self, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return what :meth:`scores` made, as shape (rows, classes) again."""
        if self.task != "binary":
            return scores
        flat = scores.reshape(len(scores), -1)[:, 0]
        return np.column_stack((1.0 - flat, flat) if self.positive else (flat, 1.0 - flat))


def label_text(label: ClassLabel) -> str:
    """Return a class as people read it: ``true`` where Python writes ``True``."""
    return str(label).lower() if isinstance(label, bool) else str(label)


def usable(frame: pl.DataFrame, column: str) -> pl.Series:
    """Return for each row whether its target is there (not null, NaN, infinite or blank)."""
    values = frame[column]
    present = values.is_not_null()
    if values.dtype.is_float():
        return present & values.is_finite().fill_null(value=False)
    return present & (_folded(values) != "").fill_null(value=False) if _is_text(values) else present


def read_target(frame: pl.DataFrame, column: str, *, task: str = "auto", positive: object = None) -> Target:
    """Return how a target column is read.

    Parameters
    ----------
    frame : DataFrame
        Rows whose target is usable.
    column : str
        The target.
    task : {"auto", "binary", "multiclass", "regression"}
        What the settings say.
    positive : str, int, bool, optional
        The positive class that the settings say.

    Raises
    ------
    BadTarget
        If the column is missing, constant, or does not fit the task.

    Notes
    -----
    Texts that differ in case or in space around them only are one class, in its most frequent
    spelling.
    """
    if column not in frame.columns:
        raise BadTarget(f"there is no column {column!r} to predict", cure=f"columns are {', '.join(frame.columns)}")
    values = spelt_alike(frame[column])
    if frame.is_empty():
        raise BadTarget(f"no row has a {column!r} yet: there is nothing to learn from", cure="add rows with labels")
    if values.n_unique() < 2:  # noqa: PLR2004 - one value teaches nothing
        raise BadTarget(
            f"every row has the same {column!r}: there is nothing to learn",
            cure="choose another target, or add rows in which it came out otherwise",
        )
    known, reason = (_task_of(values), "") if task == "auto" else (_checked(task, values), "as the settings say")
    if known == "regression":
        return Target(column, known, (), None, reason or "a number with many values")
    classes = _classes(values)
    index = _positive(values, classes, positive) if known == "binary" else None
    return Target(column, known, classes, index, reason or f"{len(classes)} different values")


def _task_of(values: pl.Series) -> Task:
    distinct = values.n_unique()
    if values.dtype.is_float() and not _whole(values):
        return "regression"
    if values.dtype.is_numeric() and distinct > MOST_INTEGER_CLASSES:
        return "regression"
    if distinct > MOST_CLASSES:
        raise BadTarget(
            f"{values.name!r} has {distinct} different texts: too many classes",
            cure="choose another target, or group its values",
        )
    if not values.dtype.is_numeric() and 2 < distinct > len(values) / 2:  # noqa: PLR2004 - two are always classes
        raise BadTarget(
            f"{values.name!r} has {distinct} different texts in {len(values)} rows: names, not classes",
            cure="choose another target, or group its values",
        )
    return "binary" if distinct == 2 else "multiclass"  # noqa: PLR2004 - that is what binary means


def _checked(task: str, values: pl.Series) -> Task:
    distinct = values.n_unique()
    if task == "regression":
        if not values.dtype.is_numeric():
            raise BadTarget(f"{values.name!r} holds no numbers", cure='set task = "multiclass"')
        return "regression"
    if values.dtype.is_float() and not _whole(values):
        raise BadTarget(f"{values.name!r} holds fractions, which are no classes", cure='set task = "regression"')
    if task == "binary" and distinct != 2:  # noqa: PLR2004 - that is what binary means
        raise BadTarget(f"{values.name!r} has {distinct} different values, not two", cure='set task = "multiclass"')
    return "binary" if task == "binary" else "multiclass"


def _is_text(values: pl.Series) -> bool:
    return values.dtype in (pl.String, pl.Categorical, pl.Enum)


def _folded(values: pl.Series) -> pl.Series:
    """Return texts in the form in which labels are compared: in lower case, single spaces, none around."""
    return values.cast(pl.String).str.strip_chars().str.replace_all(r"\s+", " ").str.to_lowercase()


def spelt_alike(values: pl.Series) -> pl.Series:
    """Return texts with one spelling for each class, the most frequent; other values as they are."""
    if not _is_text(values):
        return values
    spelling = values.cast(pl.String).str.strip_chars().str.replace_all(r"\s+", " ")
    counts = pl.DataFrame({"text": spelling, "folded": _folded(values)}).group_by("folded", "text").len()
    chosen = counts.sort("len", "text", descending=[True, False]).unique("folded", keep="first", maintain_order=True)
    return _folded(values).replace_strict(chosen["folded"], chosen["text"]).alias(values.name)


def _whole(values: pl.Series) -> bool:
    return bool((values == values.round()).all())


def _classes(values: pl.Series) -> tuple[ClassLabel, ...]:
    kept = values if values.dtype.is_integer() or values.dtype == pl.Boolean else None
    if kept is None:
        kept = values.cast(pl.Int64) if values.dtype.is_float() else values.cast(pl.String)
    return tuple(sorted(kept.unique().to_list()))


def _positive(values: pl.Series, classes: tuple[ClassLabel, ...], wanted: object) -> int:
    if wanted is not None:
        for index, label in enumerate(classes):
            if type(label) is type(wanted) and label == wanted:
                return index
        shown = ", ".join(repr(label) for label in classes)
        raise BadTarget(f"{values.name!r} has no class {wanted!r}", cure=f"set positive to one of {shown}")
    if classes in ((False, True), (0, 1)):
        return 1
    words = [str(label).strip().lower() for label in classes]
    for index, word in enumerate(words):
        if word in _POSITIVE_WORDS:
            return index
    counts = [int((values.cast(pl.String) == str(label)).sum()) for label in classes]
    return int(np.argmin(counts))
