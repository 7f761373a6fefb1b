"""Translating a whole fitted pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from undrift.models.engines.plan import FIRST_FORMAT, FORMAT, Categories, Linear, Numbers, Plan
from undrift.models.signature import InputColumn
from undrift.models.translation.blocks import Branch, NotTranslatable, NumberSteps, branches
from undrift.models.translation.heads import head, recalibration


def translate(model: Any, inputs: Sequence[InputColumn]) -> Plan:  # Any: scikit-learn is not typed
    """Return a fitted Pipeline, or a bare estimator, as the plan of a compiled engine.

    Parameters
    ----------
    model : object
        Fitted: an optional ColumnTransformer first, numeric steps, then an estimator.
    inputs : sequence of InputColumn
        What it is asked with.

    Raises
    ------
    NotTranslatable
        If it holds a part that the engine does not know.
    """
    *steps, last = [step for _, step in model.steps] if isinstance(model, Pipeline) else [model]
    estimator, repair = recalibration(last)
    if steps and isinstance(steps[0], ColumnTransformer):
        blocks = tuple(branch.block() for branch in branches(steps[0], inputs))
        steps = steps[1:]
    else:
        blocks = (Branch("passthrough", _named(model, inputs)).block(),)
    after = NumberSteps()
    width = sum(block.width for block in blocks)
    for step in steps:
        after.add(step, width)
    if after.indicators:
        raise NotTranslatable("an imputer with indicators after the columns are joined")
    answer = head(estimator)
    is_old = repair is None and all(isinstance(block, Numbers | Categories) for block in blocks)
    is_old = is_old and not (isinstance(answer, Linear) and answer.rowwise)
    return Plan(FIRST_FORMAT if is_old else FORMAT, blocks, tuple(after.operations), answer, repair)


def _named(model: Any, inputs: Sequence[InputColumn]) -> tuple[InputColumn, ...]:
    by_name = {column.name: column for column in inputs}
    names = getattr(model, "feature_names_in_", None)
    return tuple(inputs) if names is None else tuple(by_name[str(name)] for name in names)
