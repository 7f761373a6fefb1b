"""The last steps of a training: gate and register."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from undrift.core.errors import Fault
from undrift.core.json import JSON
from undrift.evaluation.baselines import baseline_name, baseline_scores
from undrift.evaluation.gate import Arm, GateRule, Holdout, gate
from undrift.evaluation.rows import Span
from undrift.ledger.ledger import Change
from undrift.loop.training.arrays import get_array, put_json
from undrift.loop.training.champion import FIT_ROWS, HOLDOUT_ROWS, SPLIT, champion_arm, champion_of
from undrift.loop.training.packaging import package_parts
from undrift.loop.training.rooms import Spec, TrainingRooms, spec_of
from undrift.loop.training.rows import Chosen, chosen_rows
from undrift.models.build import build_package
from undrift.models.package import MODEL_FILE, open_package
from undrift.models.registry import Evidence
from undrift.pipelines.graph import Outputs, StepContext, StepResult
from undrift.stats.metrics import Metric
from undrift.tracking.facts import Artifact, Facts, MetricValue

DIAGNOSIS = "diagnosis"
"""The run's artifact with curves, errors, importance and slices."""
Stored = Mapping[str, Any]  # Any: JSON that earlier steps wrote


class ArtifactChanged(Fault):
    """The packaged model is not the one that was judged."""

    code = "artifact-changed"


def judge(context: StepContext, rooms: TrainingRooms) -> StepResult:
    """Put the challenger through the gate, against the champion or, without one, a baseline."""
    spec = spec_of(context)
    split: Stored = context.inputs["split"]
    chosen = chosen_rows(rooms, spec, split)
    metric = chosen.metric
    holdout = Holdout(
        y=chosen.target.codes(chosen.holdout_frame),
        ids=get_array(rooms.blobs, split["holdout_ids"]),
        units=chosen.units[chosen.holdout],
        unit_name=spec.unit,
        digest=split["holdout_digest"],
        span=_span(split["split"]["holdout_span"]),
    )
    challenger = Arm(
        name="challenger",
        scores=get_array(rooms.blobs, context.inputs["evaluate"]["scores"]),
        fit_ids=get_array(rooms.blobs, split["fit_ids"]),
        fit_span=_span(split["split"]["fit_span"]),
        package=str(context.inputs["fit"]["model"]),
    )
    report = gate(challenger, reference_arm(rooms, spec, chosen, metric), holdout, gate_rule(spec, chosen, metric))
    body = report.as_json()
    return StepResult({"outcome": report.outcome, "report": body, "digest": put_json(rooms.blobs, body)})


def reference_arm(rooms: TrainingRooms, spec: Spec, chosen: Chosen, metric: Metric) -> Arm:
    """Return what a challenger must beat: the champion, or a baseline when there is none.

    Parameters
    ----------
    rooms : TrainingRooms
        Where the champion is.
    spec : Spec
        Which model.
    chosen : Chosen
        The rows; a baseline knows the labels of those learnt from, both answer the holdout.
    metric : Metric
        What decides.
    """
    champion = champion_of(rooms, spec.model)
    if champion is not None:
        return champion_arm(rooms, champion, chosen.holdout_frame, chosen.target)
    target = chosen.target
    codes = target.codes(chosen.fit_frame)
    scores = baseline_scores(target.task, metric, codes, len(chosen.holdout), len(target.classes))
    return Arm(name=f"baseline: {baseline_name(target.task, metric)}", scores=scores)


def gate_rule(spec: Spec, chosen: Chosen, metric: Metric) -> GateRule:
    """Return what the gate asks, by the model's settings."""
    settings = spec.settings
    return GateRule(
        metric=metric, task=chosen.target.task, alpha=settings.alpha, margin=settings.margin, seed=settings.seed
    )


def register(context: StepContext, rooms: TrainingRooms) -> StepResult:
    """Build the package from the judged model, and register it with the gate's report, whatever that says.

    A version whose gate did not pass is registered as proposed too: it cannot be approved
    unless somebody forces it with a reason, and its evidence is kept.

    Raises
    ------
    ArtifactChanged
        If the package would hold another model than the one that was judged.
    """
    spec = spec_of(context)
    steps = context.inputs
    built = build_package(package_parts(context, rooms, spec), rooms.packages)
    judged = str(steps["fit"]["model"])
    packaged = {file.path: file.digest for file in open_package(built.path, built.digest).manifest.files}
    if packaged[MODEL_FILE] != judged:
        raise ArtifactChanged(f"the package of {spec.model} holds {packaged[MODEL_FILE]}, {judged} was judged")
    run, report = str(steps["load"]["run"]), steps["gate"]["report"]
    assert isinstance(report, Mapping)
    evidence = Evidence(gate=report, data=str(steps["load"]["data"]), code=str(steps["load"]["code"]))
    facts = _facts(rooms, steps)

    def effect(change: Change) -> Outputs:
        rooms.runs.finish(change, run, facts)
        version = rooms.registry.register(change, spec.model, built.digest, f"run:{run}", evidence)
        return {"version": version.ref}

    return StepResult({"package": built.digest, "outcome": steps["gate"]["outcome"], "run": run}, effect)


def _facts(rooms: TrainingRooms, steps: Mapping[str, Outputs]) -> Facts:
    """Return what the run keeps: true parameters, results with intervals, and every artifact by digest."""
    split, fit, evaluated, judged = (steps[name] for name in ("split", "fit", "evaluate", "gate"))
    made = {
        "model": str(fit["model"]),
        FIT_ROWS: str(split["fit_ids"]),
        HOLDOUT_ROWS: str(split["holdout_ids"]),
        "holdout-scores": str(evaluated["scores"]),
        "gate-report": str(judged["digest"]),
        SPLIT: put_json(rooms.blobs, split["split"]),
        "comparison": put_json(rooms.blobs, steps["compare"]),
        DIAGNOSIS: str(evaluated["diagnosis"]),
    }
    return Facts(
        fitted=_mapping(fit["params"]),
        metrics=_metrics(_mapping(evaluated["metrics"]), _mapping(steps["compare"])),
        artifacts={name: Artifact(digest, rooms.blobs.size(digest)) for name, digest in made.items()},
    )


def _metrics(measured: Stored, compared: Stored) -> dict[str, MetricValue]:
    found = {
        name: MetricValue(
            one["estimate"],
            one["low"],
            one["high"],
            1 - one["level"],
            one["method"],
            one["n"],
            one["units"],
            one["unit"],
        )
        for name, one in measured.items()
    }
    for result in compared.get("comparison", {}).get("results", ()):
        found[f"cv.{result['kind']}"] = MetricValue(result["mean"])
    return found


def _span(value: Any) -> Span | None:  # Any: what Span.as_json wrote
    return Span.of_json(value) if value else None


def _mapping(value: JSON) -> Stored:
    return value if isinstance(value, Mapping) else {}
