"""A model judged on rows that its owner held out: metrics with intervals, and how it behaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from undrift.core.errors import BadInput
from undrift.core.json import JSON
from undrift.data.tabular.frames import Table, as_frame
from undrift.evaluation.diagnosis.diagnosis import diagnose
from undrift.evaluation.diagnosis.judged import Judged
from undrift.evaluation.metrics import chosen_metric, reported
from undrift.models.cards import CardMetric
from undrift.models.engines.sklearn import SklearnEngine, on_one_thread
from undrift.models.feeding import Example, find_feed, is_pandas
from undrift.models.infer import columns_of, infer_inputs
from undrift.models.package import Task
from undrift.stats.intervals import Interval
from undrift.tracking.facts import MetricValue

DIAGNOSIS = "diagnosis.json"
"""The artifact of a run that holds how its model behaves."""
_BINARY = 2


class BadTest(BadInput):
    """Rows and labels cannot judge a model."""

    code = "bad-test"


@dataclass(frozen=True, slots=True)
class Test:
    """Rows that a model has not seen, with what came true.

    Attributes
    ----------
    table : frame or list of dict
        The columns that the model takes.
    y : sequence
        What came true, one per row, spelt as the model was fitted with.
    groups : sequence, optional
        What belongs together, one per row (a customer, a day): intervals are over groups.
    """

    table: Table
    y: Any  # Any: a column of any library
    groups: Any = None


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What came out.

    Attributes
    ----------
    metrics : mapping of str to Interval
        Values with 95 % intervals.
    diagnosis : mapping
        Curves, confusion, calibration, importance and weak slices, as JSON.
    positive : str or None
        Of two classes the one whose probability is meant.
    """

    metrics: Mapping[str, Interval]
    diagnosis: Mapping[str, JSON] = field(repr=False)
    positive: str | None = None

    def __repr__(self) -> str:
        """Return the metrics with their intervals, one on a line."""
        lines = [
            f"  {name}: {found.estimate:.4g}" + (f" ({found.low:.4g} to {found.high:.4g})" if found.level else "")
            for name, found in self.metrics.items()
        ]
        return "\n".join([f"<Evaluated on {self.diagnosis['rows']:,} rows>", *lines])

    def values(self) -> dict[str, MetricValue]:
        """Return the metrics as a run keeps them."""
        return {name: _value(found) for name, found in self.metrics.items()}

    def on_card(self) -> tuple[CardMetric, ...]:
        """Return the metrics as a card shows them."""
        return tuple(
            CardMetric(
                name=name,
                value=found.estimate,
                low=found.low if found.level else None,
                high=found.high if found.level else None,
                method=found.method,
                units=found.units,
                unit=found.unit,
            )
            for name, found in self.metrics.items()
        )

    def _repr_html_(self) -> str:
        """Return the results as a notebook shows them."""
        from undrift.loop.notebook.shown import evaluated

        return evaluated(self)


def task_of(model: Any) -> Task:  # Any: a scikit-learn estimator
    """Return what a fitted estimator answers."""
    classes = getattr(model, "classes_", None)
    if classes is None:
        return "regression"
    return "binary" if len(classes) == _BINARY else "multiclass"


def evaluate(
    model: Any,  # Any: a scikit-learn estimator
    test: Test,
    *,
    positive: bool | int | str | None = None,
    threshold: float | None = None,
) -> Evaluated:
    """Return how a fitted model does on rows that it has not seen.

    Parameters
    ----------
    model : scikit-learn estimator or Pipeline
        Fitted.
    test : Test
        Rows, labels, and what belongs together.
    positive : class label, optional
        Of two classes the one whose probability is meant; the second when not given.
    threshold : float, optional
        From which probability on it is answered; 0.5 when not given.

    Raises
    ------
    BadTest
        If rows and labels do not fit together, or a label is none of the model's classes.
    OtherAnswers
        If the model answers rows of a request otherwise than this table.
    """
    frame = as_frame(test.table, keep_index=False)
    task = task_of(model)
    if task != "regression" and not hasattr(model, "predict_proba"):
        raise BadTest(f"a {type(model).__name__} gives no probabilities", cure="use a classifier with predict_proba")
    classes = [] if task == "regression" else np.asarray(model.classes_).tolist()
    place = _place(classes, positive) if task == "binary" else None
    y = _labels(test.y, classes, place, frame.height)
    inputs = infer_inputs(frame)
    given = test.table if is_pandas(test.table) else frame
    engine = SklearnEngine(model, inputs, find_feed(model, Example(given, frame, inputs)))

    def score(rows: pl.DataFrame) -> npt.NDArray[np.float64]:
        found = engine.score(columns_of(rows, inputs), rows.height)
        return found if task == "multiclass" else found[:, 0 if place is None else place]

    units, unit = _units(test.groups, frame.height)
    with on_one_thread(model):
        scores = score(frame)
        judged = Judged(
            task=task,
            classes=tuple(str(label) for label in classes),
            positive=place,
            y=y,
            scores=scores,
            units=units,
            unit_name=unit,
            metric=chosen_metric(None, task),
            threshold=(0.5 if threshold is None else threshold) if task == "binary" else None,
        )
        diagnosis = diagnose(frame, frame.columns, judged, score)
    meant = None if place is None else str(classes[place])
    return Evaluated(reported(task, y, scores, units, unit), diagnosis, meant)


def _place(classes: list[Any], positive: bool | int | str | None) -> int:
    if positive is None:
        return 1
    if positive not in classes:
        raise BadTest(f"{positive!r} is not a class of the model", cure=f"choose one of {classes}")
    return classes.index(positive)


def _labels(y: Any, classes: list[Any], place: int | None, rows: int) -> npt.NDArray[Any]:
    """Return labels as metrics take them: 0 and 1, numbers of classes, or numbers."""
    found = np.asarray(y).ravel().tolist()
    if len(found) != rows or not rows:
        raise BadTest(f"there are {rows} rows and {len(found)} labels", cure="give one label per row")
    if not classes:
        try:
            numbers = np.array(found, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise BadTest(f"a label is not a number: {error}", cure="give numbers") from error
        if not np.isfinite(numbers).all():
            raise BadTest("a label is missing or infinite", cure="leave out rows without a label")
        return numbers
    places = {label: index for index, label in enumerate(classes)}
    if strange := [row for row, label in enumerate(found) if label not in places]:
        raise BadTest(
            f"the label of row {strange[0]} is not a class of the model",
            cure=f"its classes are {classes}; leave out other rows",
        )
    codes = np.array([places[label] for label in found])
    return codes if place is None else (codes == place).astype(np.int64)


def _units(groups: Any, rows: int) -> tuple[npt.NDArray[np.int64], str]:
    if groups is None:
        return np.arange(rows), "row"
    keys = [str(key) for key in np.asarray(groups).ravel().tolist()]
    if len(keys) != rows:
        raise BadTest(f"there are {rows} rows and {len(keys)} groups", cure="give one group per row")
    return np.unique(keys, return_inverse=True)[1].astype(np.int64), "group"


def _value(found: Interval) -> MetricValue:
    if not found.level:
        return MetricValue(found.estimate, method=found.method, n=found.n, units=found.units, unit=found.unit)
    alpha = round(1 - found.level, 6)
    return MetricValue(found.estimate, found.low, found.high, alpha, found.method, found.n, found.units, found.unit)
