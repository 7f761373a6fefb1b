"""Where a model's trees split, in the units of its inputs: the rows on which translations go wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from undrift.estimators.booster_text import splits_of, stripped
from undrift.models.engines.plan import Floats, Numbers, Operation, Plan
from undrift.models.formats import boosters
from undrift.models.formats.boosters import kind_of
from undrift.models.translation.heads import FORESTS, GRADIENT, HISTOGRAM, LIGHTGBM, recalibration


def splits(model: Any, plan: Plan) -> dict[str, Floats]:  # Any: scikit-learn is not typed
    """Return for each numeric input column the values at which the model's trees split it.

    Parameters
    ----------
    model : object
        The fitted pipeline or estimator.
    plan : Plan
        Its translation, whose steps are undone.

    Returns
    -------
    dict of str to ndarray
        Distinct finite values; empty for models without trees.
    """
    estimator, _ = recalibration(model.steps[-1][1] if isinstance(model, Pipeline) else model)
    found = _thresholds(estimator)
    columns: dict[str, Floats] = {}
    start = 0
    for block in plan.blocks:
        if not isinstance(block, Numbers):
            start += block.width
            continue
        for index, name in enumerate(block.columns):
            values = _undone(found.get(start + index, np.empty(0)), plan.operations, start + index)
            raw = _undone(values, block.operations, index)
            known = columns.get(name, np.empty(0))
            columns[name] = np.unique(np.concatenate([known, raw[np.isfinite(raw)]]))
        start += block.width
    return {name: values for name, values in columns.items() if values.size}


def _thresholds(estimator: Any) -> dict[int, Floats]:
    pairs = list(_nodes(estimator))
    if not pairs:
        return {}
    features = np.concatenate([pair[0] for pair in pairs])
    values = np.concatenate([pair[1] for pair in pairs])
    return {int(feature): np.unique(values[features == feature]) for feature in np.unique(features)}


def _nodes(estimator: Any) -> Iterator[tuple[NDArray[np.intp], Floats]]:
    """Yield the features and thresholds of each tree's inner nodes."""
    if isinstance(estimator, (*FORESTS, *GRADIENT)):
        for one in np.ravel(estimator.estimators_):
            tree = one.tree_
            inner = tree.children_left != -1
            yield tree.feature[inner], tree.threshold[inner]
    elif isinstance(estimator, LIGHTGBM):
        yield from splits_of(estimator.text_)
    elif kind_of(estimator) in boosters.LIGHTGBM:
        yield from splits_of(stripped(estimator.booster_.model_to_string()))
    elif isinstance(estimator, HISTOGRAM):
        for predictor in _flat(estimator._predictors):  # noqa: SLF001 - no public name gives the trees
            nodes = predictor.nodes
            inner = (nodes["is_leaf"] == 0) & (nodes["is_categorical"] == 0)
            yield nodes["feature_idx"][inner].astype(np.intp), nodes["num_threshold"][inner]


def _flat(nested: Iterable[Iterable[Any]]) -> Iterator[Any]:
    for row in nested:
        yield from row


def _undone(values: Floats, operations: Sequence[Operation], column: int) -> Floats:
    """Return which inputs of some steps give these outputs, up to rounding."""
    for operation in reversed(operations):
        by = operation.values.read()[..., column] if operation.kind != "clip" else np.zeros(())
        match operation.kind:
            case "fill" | "clip":
                continue
            case "add":
                values = values - by
            case "subtract":
                values = values + by
            case "multiply":
                values = values / by
            case "divide":
                values = values * by
            case _:
                assert_never(operation.kind)
    return values
