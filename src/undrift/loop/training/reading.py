"""The first steps of a training: load, check, split."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from undrift.core.errors import CheckFailed
from undrift.core.json import JSON
from undrift.data import suites
from undrift.data.quality.check import CheckReport, check
from undrift.data.schema import freeze
from undrift.data.table_digest import table_digest
from undrift.evaluation.errors import TooLittleData
from undrift.evaluation.splits import SplitPlan
from undrift.evaluation.splits import split as split_rows
from undrift.evaluation.target import Target
from undrift.ledger.ledger import Change
from undrift.loop.training.arrays import get_array, put_array
from undrift.loop.training.champion import champion_of, seen_by
from undrift.loop.training.deciding import decided_metric
from undrift.loop.training.kept import against
from undrift.loop.training.rooms import Spec, TrainingRooms, spec_of
from undrift.loop.training.rows import features_json, ids_at, read_rows, target_json
from undrift.loop.training.sampling import sampled
from undrift.pipelines.graph import Outputs, StepContext, StepResult
from undrift.tracking.facts import Facts, Input


class BadTrainingData(CheckFailed):
    """The data version breaks its dataset's suite, so nothing is learnt from it."""

    code = "bad-training-data"


def load(context: StepContext, rooms: TrainingRooms) -> StepResult:
    """Fix the data version, capture code and environment, and start the recorded run."""
    spec = spec_of(context)
    version = rooms.data.get(spec.dataset_version)
    capture = rooms.runs.capture(rooms.root)
    declared: dict[str, JSON] = {"as_of": spec.as_of.isoformat(), "candidate": spec.candidate or "compared"}

    def effect(change: Change) -> Outputs:
        run = rooms.runs.start(change, spec.model, capture, seed=spec.settings.seed, pipeline=context.run_id)
        facts = Facts(declared=declared, inputs={"data": Input(version.ref, version.version_id)})
        rooms.runs.record(change, run, facts)
        return {"run": run}

    outputs: Outputs = {"data": version.ref, "version_id": version.version_id, "code": capture.code.ref}
    return StepResult(outputs, effect)


def check_data(context: StepContext, rooms: TrainingRooms) -> StepResult:
    """Check the data version against its dataset's suite, if one is frozen; bad rows are not learnt from."""
    ref = str(context.inputs["load"]["data"])
    suite = rooms.data.suite(spec_of(context).settings.dataset)
    if suite is None:
        nothing = put_array(rooms.blobs, np.array([], dtype=np.int64))
        return StepResult({"verdict": "no suite is frozen", "bad_rows": nothing, "bad": 0})
    report = check(rooms.data.scan(ref), suite)
    digest = suites.store_report(rooms.blobs, report)
    if report.stop_reasons:
        _refuse(rooms, ref, report, digest)
    outputs: Outputs = {
        "verdict": report.verdict,
        "bad_rows": put_array(rooms.blobs, report.bad_rows.astype(np.int64)),
        "bad": len(report.bad_rows),
        "report": digest,
    }

    def effect(change: Change) -> Outputs:
        suites.record_check(change, ref, report, digest)
        return {}

    return StepResult(outputs, effect)


def _refuse(rooms: TrainingRooms, ref: str, report: CheckReport, digest: str) -> None:
    raise BadTrainingData(
        f"{ref} is not learnt from: {'; '.join(report.stop_reasons)}",
        cure=f"look at it with `undrift data check {ref}`, mend the data or the suite, and train again",
        report=digest,
        size=rooms.blobs.size(digest),
    )


def split(context: StepContext, rooms: TrainingRooms) -> StepResult:
    """Choose the rows to learn from and to judge on."""
    spec = spec_of(context)
    ref = str(context.inputs["load"]["data"])
    bad = get_array(rooms.blobs, context.inputs["check"]["bad_rows"])
    rows = read_rows(rooms.data.read(ref), spec, bad)
    champion = champion_of(rooms, spec.model) if spec.settings.time is None else None
    made = split_rows(rows.facts, plan_of(spec), seen_by(rooms, champion).fit_ids if champion else None)
    if len(bad):
        made = replace(made, left_out={**made.left_out, "held back by the suite": len(bad)})
    personal = rooms.data.masks.columns(spec.settings.dataset, rows.frame)
    made, features, budget = sampled(made, rows, spec, personal)
    _need_all_classes(rows.target, rows.frame[made.fit])
    holdout = rows.frame[made.holdout]
    metric, why = decided_metric(rooms, spec, rows.target, rows.frame[made.fit])
    outputs: Outputs = {
        "data": ref,
        "version_id": context.inputs["load"]["version_id"],
        "fit": put_array(rooms.blobs, made.fit),
        "holdout": put_array(rooms.blobs, made.holdout),
        "units": put_array(rooms.blobs, rows.facts.units),
        "fit_ids": put_array(rooms.blobs, ids_at(rows.facts.ids, made.fit)),
        "holdout_ids": put_array(rooms.blobs, rows.facts.ids[made.holdout]),
        "holdout_digest": table_digest(holdout, freeze(dict(holdout.schema))),
        "split": made.as_json(),
        "metric": {"name": metric, "reason": why},
        "target": target_json(rows.target),
        "features": features_json(features),
        "budget": budget,
        "kept": {**against(rows.frame[made.fit], rows.target, spec.settings, personal)},
    }
    return StepResult(outputs)


def plan_of(spec: Spec) -> SplitPlan:
    """Return how a table is split, by the model's settings."""
    settings = spec.settings
    return SplitPlan(
        as_of=spec.as_of,
        holdout_days=settings.holdout_days,
        holdout_share=settings.holdout_share,
        train_days=settings.train_days,
        unit=spec.unit,
        seed=settings.seed,
    )


def _need_all_classes(target: Target, fit_frame: pl.DataFrame) -> None:
    if target.task == "regression":
        return
    known = target.classes_in(fit_frame)
    if known < len(target.classes):
        raise TooLittleData(
            f"the rows to learn from hold {known} of {len(target.classes)} classes of {target.column!r}",
            cure="add rows of the rare classes, or leave them out",
        )
