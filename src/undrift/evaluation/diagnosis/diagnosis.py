"""Everything that is looked at beside the gate, as one JSON value."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from undrift.core.json import JSON
from undrift.evaluation.diagnosis.calibration import calibration, residuals
from undrift.evaluation.diagnosis.confusion import confusion
from undrift.evaluation.diagnosis.curves import curves
from undrift.evaluation.diagnosis.importance import Effort, Scorer, importance
from undrift.evaluation.diagnosis.judged import Judged
from undrift.evaluation.diagnosis.slices import slices
from undrift.stats.clusters import units_of

FORMAT = "undrift.diagnosis/1"


def diagnose(
    frame: pl.DataFrame, columns: Sequence[str], judged: Judged, score: Scorer, *, seed: int = 0
) -> dict[str, JSON]:
    """Return how a model behaves on its holdout; none of it decides anything.

    Parameters
    ----------
    frame : DataFrame
        The holdout as it came in.
    columns : sequence of str
        The columns that the model learnt from.
    judged : Judged
        Labels, answers, units.
    score : callable
        The stored model, from rows to scores as metrics take them.
    seed : int
        Of samples and permutations: the same inputs give the same JSON.
    """
    return {
        "format": FORMAT,
        "task": judged.task,
        "metric": judged.metric.name,
        "greater_is_better": judged.metric.greater_is_better,
        "rows": judged.rows,
        "units": units_of(judged.units, judged.rows)[1],
        "unit": judged.unit_name,
        "curves": curves(judged),
        "confusion": confusion(judged),
        "calibration": calibration(judged),
        "residuals": residuals(judged),
        "importance": importance(frame, columns, judged, score, Effort(seed=seed)),
        "slices": slices(frame, columns, judged, seed=seed),
    }
