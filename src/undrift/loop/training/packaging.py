"""From a judged model to the parts of its package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from undrift.core.config import ModelSettings
from undrift.core.json import JSON
from undrift.evaluation.features import fed
from undrift.loop.report.limits import limits_of
from undrift.loop.training.arrays import get_array
from undrift.loop.training.rooms import Spec, TrainingRooms
from undrift.loop.training.rows import Chosen, chosen_rows
from undrift.models.build import PackageParts
from undrift.models.cards import CardFacts, CardMetric
from undrift.models.formats import model_file
from undrift.models.infer import columns_of, infer_inputs
from undrift.models.signature import InputColumn, Role
from undrift.monitoring.traffic import PREDICTION
from undrift.pipelines.graph import StepContext
from undrift.stats.sketch import ReferenceSketch, UnitKind, Values

MOST_REPLAYED = 20_000
Stored = Mapping[str, Any]  # Any: JSON that earlier steps wrote


def package_parts(context: StepContext, rooms: TrainingRooms, spec: Spec) -> PackageParts:
    """Return what the package is built from: the stored model that was judged, and facts of the rows learnt from."""
    steps = context.inputs
    chosen = chosen_rows(rooms, spec, steps["split"])
    table = fed(chosen.fit_frame, chosen.features)
    # a date moves on by itself: that it has moved is no reason for an alarm
    dates = chosen.features.of_kind("date", "datetime")
    roles: dict[str, Role] = dict.fromkeys((*dates, *spec.settings.calendar), "calendar")
    personal = rooms.data.masks.columns(spec.settings.dataset, chosen.frame)
    inputs = infer_inputs(table, {**roles, **dict.fromkeys(personal, "personal")})
    target, threshold = chosen.target, _stored(steps["fit"]["threshold"])
    run = str(steps["load"]["run"])
    step = max(1, len(table) // MOST_REPLAYED)
    return PackageParts(
        name=spec.model,
        model=model_file.load(rooms.blobs.read_bytes(str(steps["fit"]["model"]))),
        task=target.task,
        inputs=inputs,
        sketch=reference(chosen, inputs, spec, _answers(rooms, steps)),
        replay=columns_of(table[::step], inputs),
        created_at=spec.as_of,
        positive=None if target.positive is None else target.classes[target.positive],
        threshold=_inside(threshold["value"]) if threshold else None,
        run=f"run:{run}",
        data=str(steps["load"]["data"]),
        code=str(steps["load"]["code"]),
        lock=rooms.runs.lock(rooms.runs.get(run).run),
        card=card(steps, spec.settings),
        seed=spec.settings.seed,
    )


def reference(
    chosen: Chosen, inputs: tuple[InputColumn, ...], spec: Spec, answers: np.ndarray[Any, Any]
) -> ReferenceSketch:
    """Return what the rows learnt from and judged on looked like, and how the model answers rows of that kind.

    The holdout belongs to it: it is the newest of what was known, and where days are the units
    a short training has too few without.

    Parameters
    ----------
    chosen : Chosen
        The rows.
    inputs : tuple of InputColumn
        The columns that the model is asked with.
    spec : Spec
        Says what one unit is.
    answers : array
        Scores of the rows learnt from, then of those judged on, each by a model that has not
        seen the row; empty when there are none.
    """
    known = np.concatenate([chosen.fit, chosen.holdout])
    table = fed(chosen.frame[known], chosen.features)
    columns: dict[str, Values] = {
        column.name: table[column.name].to_numpy() if column.type in ("float", "int") else table[column.name].to_list()
        for column in inputs
    }
    types: dict[str, str] = {column.name: column.type for column in inputs}
    if len(answers):
        is_class = chosen.target.task == "multiclass"
        columns[PREDICTION] = (
            [str(chosen.target.classes[index]) for index in answers.argmax(axis=1)] if is_class else answers
        )
        types[PREDICTION] = "string" if is_class else "float"
    kind: UnitKind = {"day": "day", "row": "row"}.get(spec.unit, "key")  # type: ignore[assignment]  # three words
    units = None if kind == "row" else chosen.units[known]
    personal = {column.name for column in inputs if column.role == "personal"}
    return ReferenceSketch.fit(columns, types, units, unit_kind=kind, pooled=personal)


def _answers(rooms: TrainingRooms, steps: Mapping[str, Stored]) -> np.ndarray[Any, Any]:
    """Return answers to the rows learnt from and judged on, each by a model that has not seen the row."""
    fitted = get_array(rooms.blobs, steps["fit"]["answers"])
    if not len(fitted):
        return fitted
    return np.concatenate([fitted, get_array(rooms.blobs, steps["evaluate"]["scores"])])


def card(steps: Mapping[str, Stored], settings: ModelSettings) -> CardFacts:
    """Return what the card says; every number comes from the run.

    Parameters
    ----------
    steps : mapping
        Outputs of split, fit and gate.
    settings : ModelSettings
        What people state, and the columns that they keep.
    """
    split, fit, gate = steps["split"], steps["fit"], steps["gate"]
    facts, arm = split["split"], gate["report"]["challenger"]
    span, threshold, calibration = facts["fit_span"], fit["threshold"], fit.get("calibration")
    evidence = split.get("kept") or {}
    judged = f"Judged on {facts['holdout_rows']} rows: {facts['reason']}."
    return CardFacts(
        intended_use=settings.intended_use,
        excluded_use=settings.excluded_use,
        owner=settings.owner,
        limits=[judged, *limits_of(settings, facts)],
        exclusions=[f"{count} rows: {reason}" for reason, count in facts["left_out"].items()]
        + [f"column {name}: {reason}" for name, reason in split["features"]["dropped"].items()],
        period=f"{span['first']} to {span['last']}" if span else "",
        rows=facts["fit_rows"],
        threshold_basis=threshold["basis"] if threshold else "",
        calibration=calibration["reason"] if calibration else "",
        kept={name: str(evidence.get(name, "")) for name in settings.keep},
        metrics=[_card_metric(name, found) for name, found in arm["metrics"].items()],
        gate=gate["report"]["decision"],
    )


def _card_metric(name: str, found: Stored) -> CardMetric:
    return CardMetric(
        name=name,
        value=found["estimate"],
        low=found["low"],
        high=found["high"],
        method=found["method"],
        units=found["units"],
        unit=found["unit"],
    )


def _stored(value: JSON) -> Stored | None:
    return value if isinstance(value, Mapping) else None


def _inside(threshold: float) -> float:
    """Return a threshold that lies inside (0, 1): a class of one kind only gives a rate of 0 or 1."""
    return min(max(threshold, 1e-6), 1 - 1e-6)
