"""Which metric decides a model's trainings, when its settings do not say."""

from __future__ import annotations

import numpy as np
import polars as pl

from undrift.core.errors import BadInput
from undrift.core.inferred import decided
from undrift.core.json import JSON
from undrift.evaluation.metrics import RARE, chosen_metric, metric_for
from undrift.evaluation.target import Target
from undrift.loop.training.champion import champion_of
from undrift.loop.training.rooms import Spec, TrainingRooms


def decided_metric(rooms: TrainingRooms, spec: Spec, target: Target, fit_frame: pl.DataFrame) -> tuple[str, str]:
    """Return the name of the metric that decides a training, and why.

    Parameters
    ----------
    rooms : TrainingRooms
        Where the champion is.
    spec : Spec
        The settings come first.
    target : Target
        What is predicted.
    fit_frame : DataFrame
        The rows learnt from: no row of the holdout has a say in how it is judged.

    Notes
    -----
    What `undrift up` writes into the settings names a metric; this is for settings by hand that do
    not. A default that looks at the share of the rarer class alone would flip when that share crosses
    20 % from one data version to the next: the champion would have been chosen by one metric and
    be challenged by another, and its promise to the monitor would have changed under it. So a
    later training compares on the metric of the champion's own gate.
    """
    if spec.settings.metric is not None:
        name = spec.settings.metric
        return chosen_metric(name, target.task).name, decided(spec.settings.inferred, "metric", name)
    champion = champion_of(rooms, spec.model)
    before = _metric_of(champion.gate, target) if champion is not None and champion.gate else None
    if champion is not None and before is not None:
        return before, f"the metric by which {champion.ref} was judged"
    if target.task == "binary":
        counts = np.bincount(target.codes(fit_frame).astype(np.int64), minlength=2)
        if counts.min() < RARE * counts.sum():
            fitting = metric_for(target.task, counts)
            return fitting.name, fitting.reason
    return chosen_metric(None, target.task).name, "the default of the task"


def _metric_of(gate: JSON, target: Target) -> str | None:
    """Return the metric of a gate's report, None where it judges another task than today's."""
    name = gate.get("metric") if isinstance(gate, dict) else None
    if not isinstance(name, str):
        return None
    try:
        return chosen_metric(name, target.task).name
    except BadInput:
        return None
