"""The gate for models that were not made by the train pipeline: notebooks' models are judged like any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from undrift.core.json import JSON
from undrift.data.schema import freeze
from undrift.data.table_digest import table_digest
from undrift.evaluation.gate import Arm, GateReport, Holdout, gate
from undrift.evaluation.metrics import chosen_metric
from undrift.evaluation.rows import instants, row_ids, span_of
from undrift.evaluation.splits import split
from undrift.loop.training.champion import in_order, scored
from undrift.loop.training.deciding import decided_metric
from undrift.loop.training.judging import gate_rule, reference_arm
from undrift.loop.training.reading import plan_of
from undrift.loop.training.rooms import Spec, TrainingRooms
from undrift.loop.training.rows import Chosen, features_of, read_rows
from undrift.models.package import Package

_UNKNOWN = "which rows it was fitted on is not known, so they may be among those it was judged on"


def judge_logged(
    rooms: TrainingRooms, spec: Spec, package: Package, fitted_on: pl.DataFrame | None
) -> tuple[Mapping[str, JSON], str]:
    """Return the gate's report on a package, and the data version on whose newest rows it was judged.

    Parameters
    ----------
    rooms : TrainingRooms
        Where data and champion are.
    spec : Spec
        The model's settings and the moment of the decision.
    package : Package
        What is judged: the bytes that would be served.
    fitted_on : DataFrame, optional
        The rows that it was fitted on, with the key column. Without them the gate can fail the
        model, but not pass it.

    Raises
    ------
    LeakyGate
        If one of those rows is among the newest, which are the holdout.
    """
    version = rooms.data.get(spec.dataset_version)
    rows = read_rows(rooms.data.read(version.ref), spec, np.array([], dtype=np.int64))
    made = split(rows.facts, plan_of(spec))
    times = instants(rows.frame, spec.settings.time) if spec.settings.time else None
    features = features_of(rows.frame[made.fit], spec.settings, rows.target)
    name, _ = decided_metric(rooms, spec, rows.target, rows.frame[made.fit])
    metric = chosen_metric(name, rows.target.task)
    chosen = Chosen(rows.frame, made.fit, made.holdout, rows.facts.units, times, rows.target, features, metric)
    frame = chosen.holdout_frame
    holdout = Holdout(
        y=rows.target.codes(frame),
        ids=rows.facts.ids[made.holdout],
        units=rows.facts.units[made.holdout],
        unit_name=spec.unit,
        digest=table_digest(frame, freeze(dict(frame.schema))),
        span=made.holdout_span,
    )
    scores = rows.target.scores(in_order(scored(package, frame), package.manifest, rows.target))
    challenger = _challenger(spec, package, scores, fitted_on)
    report = gate(challenger, reference_arm(rooms, spec, chosen, metric), holdout, gate_rule(spec, chosen, metric))
    return _told(report, knows_rows=fitted_on is not None).as_json(), version.ref


def _challenger(spec: Spec, package: Package, scores: Any, fitted_on: pl.DataFrame | None) -> Arm:  # Any: scores
    if fitted_on is None:
        return Arm(name="challenger", scores=scores, package=package.digest)
    time = spec.settings.time
    span = span_of(instants(fitted_on, time)) if time and time in fitted_on.columns else None
    ids = np.sort(row_ids(fitted_on, spec.settings.key))
    return Arm(name="challenger", scores=scores, package=package.digest, fit_ids=ids, fit_span=span)


def _told(report: GateReport, *, knows_rows: bool) -> GateReport:
    """Return the report; a pass that may rest on rows the model has seen becomes cannot tell."""
    if knows_rows or report.outcome != "pass":
        return report
    decision = replace(report.decision, outcome="cannot_tell", reason=f"{report.decision.reason}; {_UNKNOWN}")
    return GateReport(decision, report.body)
