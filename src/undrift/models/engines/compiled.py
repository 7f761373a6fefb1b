"""The compiled engine: the same answers with numpy and treelite alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, assert_never

import numpy as np

from undrift.estimators.recalibration import problem_of, recalibrated
from undrift.estimators.sums import weighted_sums
from undrift.models.engines.base import NotScorable, Scores, finite
from undrift.models.engines.gtil import Trees
from undrift.models.engines.plan import (
    Averaged,
    Boosted,
    Constant,
    Floats,
    Head,
    Linear,
    Link,
    Plan,
    PlanBroken,
    Recalibration,
    decode,
)
from undrift.models.engines.prepare import Preparation
from undrift.models.signature import Value

Model: TypeAlias = Callable[[Floats], Floats]
_ROWS_AT_ONCE = 2048


class CompiledEngine:
    """Scores with a plan.

    Parameters
    ----------
    plan : Plan
        What to compute.
    """

    name = "compiled"

    def __init__(self, plan: Plan) -> None:
        self._preparation = Preparation(plan)
        self._model = _repaired(_model(plan.head), plan.recalibration)

    def score(self, columns: Mapping[str, Sequence[Value]], rows: int) -> Scores:
        """Return the scores of decoded rows."""
        with np.errstate(over="ignore", invalid="ignore"):  # infinities are looked for and refused
            return finite(self._model(self._preparation.matrix(columns, rows)))


def load(data: bytes) -> CompiledEngine:
    """Return the engine of a file.

    Raises
    ------
    PlanBroken
        If the bytes are not a plan.
    EngineUnavailable
        If this installation cannot run it.
    """
    return CompiledEngine(decode(data))


def _model(head: Head) -> Model:
    match head:
        case Linear():
            return _linear(head)
        case Averaged():
            return _averaged(head)
        case Boosted():
            return _boosted(head)
        case Constant():
            values = head.values.read()
            return lambda matrix: np.tile(values, (matrix.shape[0], 1))
        case _:
            assert_never(head)


def _repaired(model: Model, recalibration: Recalibration | None) -> Model:
    if recalibration is None:
        return model
    method, numbers = recalibration.method, recalibration.numbers.read()
    if problem := problem_of(method, numbers):
        raise PlanBroken(f"the repair of a compiled engine {problem}")
    return lambda matrix: recalibrated(method, numbers, model(matrix))


def _linear(head: Linear) -> Model:
    weights, intercept = head.coefficients.read(), head.intercept.read()
    link = _link(head.link)

    def model(matrix: Floats) -> Floats:
        if not np.isfinite(matrix).all():
            raise NotScorable("a value is too large for the model, or missing where it needs one")
        sums = weighted_sums(matrix, weights, intercept) if head.rowwise else matrix @ weights.T + intercept
        return link(sums)

    return model


def _averaged(head: Averaged) -> Model:
    trees = Trees(head.trees, per_tree=False)

    def model(matrix: Floats) -> Floats:
        seen = _seen(matrix, head.takes_missing, float32=True)
        return trees.predict(seen).reshape(matrix.shape[0], head.outputs)

    return model


def _boosted(head: Boosted) -> Model:
    trees = Trees(head.trees, per_tree=True)
    start = head.start.read()
    link = _link(head.link)

    def some(matrix: Floats) -> Floats:
        seen = _seen(matrix, head.takes_missing, float32=head.sees_float32)
        steps = trees.predict(seen).reshape(matrix.shape[0], -1, start.size)
        first = np.broadcast_to(start, (matrix.shape[0], 1, start.size))
        # a running sum adds in the order of boosting, as the original does; numpy's sum would not
        return link(np.cumsum(np.concatenate([first, steps], axis=1), axis=1)[:, -1])

    def model(matrix: Floats) -> Floats:
        if matrix.shape[0] <= _ROWS_AT_ONCE:
            return some(matrix)
        parts = range(0, matrix.shape[0], _ROWS_AT_ONCE)
        return np.concatenate([some(matrix[part : part + _ROWS_AT_ONCE]) for part in parts])

    return model


def _seen(matrix: Floats, takes_missing: bool, *, float32: bool) -> Floats:
    """Return the numbers as the trees see them: forests round to float32 and refuse infinities."""
    if float32:
        matrix = matrix.astype(np.float32).astype(np.float64)
        if np.isinf(matrix).any():
            raise NotScorable("a value is too large for the model")
    if not takes_missing and np.isnan(matrix).any():
        raise NotScorable("the model takes no missing values here")
    return np.ascontiguousarray(matrix)


def _link(name: Link) -> Model:
    match name:
        case "identity":
            return lambda raw: raw
        case "expit":
            return _expit
        case "softmax":
            return _softmax
        case "exp":
            return np.exp
        case _:
            assert_never(name)


def _expit(raw: Floats) -> Floats:
    """Return (1 - p, p) with p = 1 / (1 + exp(-raw)), by the C library's exp as scipy's expit is."""
    positive = np.array([_logistic(value) for value in raw[:, 0].tolist()])
    return np.column_stack((1.0 - positive, positive))


def _logistic(value: float) -> float:
    try:
        return 1.0 / (1.0 + math.exp(-value))
    except OverflowError:
        return 0.0


def _softmax(raw: Floats) -> Floats:
    shifted = np.exp(raw - raw.max(axis=1, keepdims=True))
    scaled: Floats = shifted / shifted.sum(axis=1, keepdims=True)
    return scaled
