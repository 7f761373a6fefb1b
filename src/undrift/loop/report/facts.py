"""Everything that is recorded of a model version, as one JSON value: what the page shows and ``--json`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from undrift.core.config import ModelSettings
from undrift.core.json import JSON
from undrift.evaluation.handling import column_handling
from undrift.evaluation.metrics import DEFAULTS
from undrift.evaluation.target import Task, label_text
from undrift.ledger.actor import Actor
from undrift.ledger.chain import Event
from undrift.loop.report.limits import limits_of
from undrift.loop.training.arrays import get_json
from undrift.loop.training.rows import features_from
from undrift.models.cards import FIELDS
from undrift.models.package import Manifest
from undrift.models.version import ModelVersion
from undrift.project import Project
from undrift.tracking.facts import RunRecord

FORMAT = "undrift.report/1"
Stored = Mapping[str, Any]  # Any: JSON that steps and registries wrote

_PARTS = {
    "comparison": "candidates compared",
    "diagnosis": "curves, errors, importance and slices",
    "split": "how its rows were split",
}
_BY_A_TRAINING = "this version was not made by `undrift train`, and nothing of this kind was recorded with it"


@dataclass(frozen=True, slots=True)
class _Made:
    """What is recorded of how a version was made; empty where nothing is.

    Attributes
    ----------
    record : RunRecord or None
        Its run.
    steps : mapping
        Outputs of the steps of its training by name.
    settings : ModelSettings or None
        As they were at training, or as they are now for a version that no training made.
    as_of : str
        The training's moment.
    """

    record: RunRecord | None
    steps: Mapping[str, Stored]
    settings: ModelSettings | None
    as_of: str = ""

    def step(self, name: str) -> Stored:
        """Return a step's outputs; empty when there is none."""
        return self.steps.get(name, {})


def report_facts(project: Project, version: ModelVersion) -> dict[str, JSON]:
    """Return everything that is recorded of a version.

    Parameters
    ----------
    project : Project
        The project.
    version : ModelVersion
        Which.

    Notes
    -----
    Nothing is computed anew: every number is the recorded one. What is not recorded is named under ``missing``
    with the reason, and its part is null.
    """
    manifest = project.registry.open(version).manifest
    made = _made(project, version)
    parts = {name: _artifact(project, made, name) for name in _PARTS}
    fields = stated(project, version)
    return {
        "format": FORMAT,
        "version": _version(version),
        "asked": _asked(manifest, made),
        "data": _data(project, version, made, parts["split"]),
        "columns": _columns(manifest, made),
        "split": parts["split"],
        "comparison": _comparison(made, parts["comparison"]),
        "gate": version.gate,
        "metrics": _metrics(made),
        "calibration": made.step("fit").get("calibration"),
        "diagnosis": parts["diagnosis"],
        "stated": {**fields},
        "not_stated": [name for name, text in fields.items() if not text],
        "overrides": _overrides(version, made),
        "warnings": [{"code": one.code, "text": one.text} for one in made.record.facts.warnings] if made.record else [],
        "decisions": [_decision(event) for event in _decisions(project, version)],
        "limits": _limits(project, version, made, parts["split"]),
        "lineage": _lineage(project, version, manifest, made),
        "missing": _missing(version, made, parts),
    }


def stated(project: Project, version: ModelVersion) -> dict[str, str]:
    """Return what people state of a model for its card, by name of the field; empty where nobody has.

    It is what was stated when the version was trained, else what ``undrift.toml`` says now.
    """
    then = _made(project, version).settings
    now = project.settings.models.get(version.model)
    return {name: getattr(then, key, "") or getattr(now, key, "") for key, name in FIELDS.items()}


def _made(project: Project, version: ModelVersion) -> _Made:
    now = project.settings.models.get(version.model)
    if not version.run:
        return _Made(None, {}, now)
    record = project.runs.get(version.run)
    if not record.run.pipeline:
        return _Made(record, {}, now)
    run = project.journal.get(record.run.pipeline)
    steps = {name: step.outputs for name, step in project.journal.steps(run.id).items()}
    try:
        settings = msgspec.convert(run.params["settings"], ModelSettings)
    except msgspec.ValidationError:  # another version of undrift, with other keys: its facts stand without them
        settings = None
    return _Made(record, steps, settings, str(run.params.get("as_of", "")))


def _artifact(project: Project, made: _Made, name: str) -> Stored | None:
    found = made.record.facts.artifacts.get(name) if made.record else None
    return get_json(project.blobs, found.digest) if found else None


def _version(version: ModelVersion) -> JSON:
    return {
        "ref": version.ref,
        "model": version.model,
        "number": version.number,
        "state": version.state,
        "aliases": list(version.aliases),
        "registered_by": _who(version.registered_by),
        "registered_at": version.created_at.isoformat(),
    }


def _asked(manifest: Manifest, made: _Made) -> JSON:
    target: Stored = made.step("split").get("target") or {}
    settings = made.settings
    threshold: Stored = made.step("fit").get("threshold") or {}
    return {
        "dataset": settings.dataset if settings else None,
        "target": target.get("column") or (settings.target if settings else None),
        "task": manifest.task,
        "task_reason": target.get("reason"),
        "classes": [label_text(label) for label in manifest.classes],
        "positive": None if manifest.positive is None else label_text(manifest.classes[manifest.positive]),
        "metric": _metric(manifest.task, made),
        "threshold": manifest.threshold,
        "threshold_basis": threshold.get("basis"),
        "alpha": settings.alpha if settings else None,
        "margin": settings.margin if settings else None,
        "unit": (settings.unit or ("day" if settings.time else "row")) if settings else None,
        "as_of": made.as_of or None,
        "seed": settings.seed if settings else None,
    }


def _metric(task: Task, made: _Made) -> JSON:
    evaluated = made.step("evaluate")
    name = evaluated.get("metric")
    if name is None:
        return None
    told = evaluated.get("metric_reason")
    if told is None:
        asked = made.settings.metric if made.settings else None
        told = "as the settings say" if asked else f"the default for {task} models"
        told = told if asked or name == DEFAULTS[task] else "chosen at training"
    return {"name": name, "reason": told}


def _data(project: Project, version: ModelVersion, made: _Made, split: Stored | None) -> JSON:
    checked = made.step("check")
    found = project.data.get(version.data) if version.data else None
    return {
        "ref": version.data or None,
        "version_id": found.version_id if found else None,
        "rows": found.rows if found else None,
        "columns": len(found.schema.columns) if found and found.schema else None,
        "added_at": found.created_at.isoformat() if found else None,
        "check": {"verdict": checked.get("verdict"), "bad": checked.get("bad", 0)} if checked else None,
        "left_out": dict(split["left_out"]) if split else None,
    }


def _columns(manifest: Manifest, made: _Made) -> JSON:
    """Return every column: those learnt from with type and handling, those left out with the reason."""
    features: Stored = made.step("split").get("features") or {}
    kind = str(made.step("fit").get("kind") or "")
    handling = column_handling(features_from(features), kind) if features else {}
    used: list[JSON] = [
        {
            "column": column.name,
            "role": column.role,
            "type": column.type,
            "nullable": column.nullable,
            "handling": handling.get(column.name),
        }
        for column in manifest.inputs
    ]
    dropped: list[JSON] = [{"column": name, "reason": reason} for name, reason in features.get("dropped", {}).items()]
    return {"used": used, "dropped": dropped if features else None}


def _comparison(made: _Made, stored: Stored | None) -> JSON:
    if stored is None:
        return None
    return {**stored, "kind": made.step("fit").get("kind"), "params": made.step("fit").get("params")}


def _metrics(made: _Made) -> JSON:
    """Return what the run measured, for versions that have no gate report."""
    if made.record is None:
        return None
    return {
        name: {"estimate": one.value, "low": one.low, "high": one.high, "method": one.method, "units": one.units}
        for name, one in made.record.facts.metrics.items()
    }


def _overrides(version: ModelVersion, made: _Made) -> JSON:
    kept = made.settings.keep if made.settings else ()
    evidence: Stored = made.step("split").get("kept") or {}
    return {
        "forced": [{**one.as_json(), "actor": _who(one.actor)} for one in version.overrides],
        "kept": [{"column": name, "evidence": evidence.get(name)} for name in kept],
    }


def _who(actor: str) -> JSON:
    """Return an actor in words: a rule is no person, and an account of the system was verified by nobody here."""
    known = Actor.parse(actor)
    if known.is_policy:
        return {"actor": actor, "words": f"policy {known.name}"}
    return {"actor": actor, "words": f"{known.name} ({known.kind}, unverified)" if known.kind == "os-user" else actor}


def _decisions(project: Project, version: ModelVersion) -> list[Event]:
    """Return what was decided about a version: its moves in the registry and at endpoints, oldest first."""
    own = project.ledger.events(version.ref)
    at_endpoints = [
        event
        for state in project.endpoints.all()
        for event in project.ledger.events(state.ref)
        if _is_about(event, version)
    ]
    return sorted([*own, *at_endpoints], key=lambda event: event.seq)


def _is_about(event: Event, version: ModelVersion) -> bool:
    if event.kind not in ("rollout.started", "rollout.promoted", "endpoint.rolled-back", "endpoint.created"):
        return False
    state: Stored = event.body.get("endpoint") or {}  # type: ignore[assignment]  # stored JSON
    part = state.get("canary" if event.kind == "rollout.started" else "stable") or {}
    return bool(part.get("model") == version.model and part.get("number") == version.number)


def _decision(event: Event) -> JSON:
    return {
        "seq": event.seq,
        "kind": event.kind,
        "subject": event.subject,
        "at": event.at.isoformat(),
        "by": _who(str(event.actor)),
        "by_policy": event.actor.is_policy,
        "reason": event.body.get("reason"),
    }


def _limits(project: Project, version: ModelVersion, made: _Made, split: Stored | None) -> list[JSON]:
    if made.settings is None:
        return ["No settings describe this model, so nothing is known of what it was judged on."]
    return [*limits_of(made.settings, split or {}, project.settings.monitoring(version.model))]


def _lineage(project: Project, version: ModelVersion, manifest: Manifest, made: _Made) -> JSON:
    run = made.record.run if made.record else None
    return {
        "package": version.package,
        "run": version.run or None,
        "run_by": _who(str(run.actor)) if run else None,
        "run_started_at": run.started_at.isoformat() if run else None,
        "pipeline": run.pipeline or None if run else None,
        "code": version.code or None,
        "code_problem": (run.code.problem or None) if run else None,
        "data": version.data or None,
        "environment": run.environment if run else None,
        "engines": [engine.name for engine in manifest.engines],
        "parity_rows": manifest.engines[0].parity.rows if manifest.engines[0].parity else None,
        "python": manifest.python,
        "libraries": dict(manifest.versions),
        "ledger_head": project.ledger.head().hash,
    }


def _missing(version: ModelVersion, made: _Made, parts: Mapping[str, Stored | None]) -> list[JSON]:
    """Return what is not recorded, and why."""
    missing: list[JSON] = [
        {"part": words, "why": _BY_A_TRAINING if not made.steps else "it was trained by an earlier version of undrift"}
        for name, words in _PARTS.items()
        if parts[name] is None
    ]
    if version.gate is None:
        missing.append({"part": "the gate's report", "why": "no gate has judged it"})
    if not version.data:
        missing.append({"part": "the data", "why": "no data version is named with it"})
    if made.steps and made.settings is None:
        why = "it was trained by a version of undrift whose settings had other keys"
        missing.append({"part": "the settings it was trained with", "why": why})
    return missing
