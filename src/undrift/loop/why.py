"""From one answer back to the rows, the code and the decision it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from undrift.core.clock import from_us
from undrift.core.errors import NotFound
from undrift.core.json import JSON
from undrift.core.masking import known_mask
from undrift.core.refs import Ref
from undrift.endpoints.state import EndpointState
from undrift.ledger.actor import Actor
from undrift.ledger.chain import Event
from undrift.loop.naming import resolve
from undrift.loop.telling import gate_lines
from undrift.models.version import ModelVersion
from undrift.project import Project
from undrift.segments.parquet import read_feedback, read_predictions

_CHANGES = (
    "endpoint.created",
    "endpoint.deployed",
    "endpoint.rolled-back",
    "rollout.started",
    "rollout.promoted",
)


class NoSuchPrediction(NotFound):
    """No endpoint's log holds this prediction."""

    code = "no-such-prediction"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What stands behind a thing.

    Attributes
    ----------
    subject : str
        Its reference.
    parts : tuple of (str, tuple of str)
        Headings with their lines, from the answer back to the data.
    data : mapping
        The same for machines.
    """

    subject: str
    parts: tuple[tuple[str, tuple[str, ...]], ...]
    data: Mapping[str, JSON]


def explain(project: Project, text: str) -> Explanation:
    """Return what stands behind a prediction id, a model version or an endpoint.

    Parameters
    ----------
    project : Project
        The project.
    text : str
        A prediction's id, ``prediction:ID``, ``model:NAME@V``, ``endpoint:NAME``, or a bare name.

    Raises
    ------
    NoSuchPrediction
        If no log holds the prediction.
    """
    ref = _meant(project, text)
    if ref.kind == "prediction":
        return _of_prediction(project, ref.name)
    if ref.kind == "endpoint":
        return _of_version(project, project.registry.get(project.endpoints.get(ref.name).stable.ref))
    return _of_version(project, project.registry.get(ref))


def _meant(project: Project, text: str) -> Ref:
    if ":" not in text and _find(project, text) is not None:
        return Ref("prediction", text)
    ref = resolve(project, text, ("model", "endpoint"))
    if ref.kind not in ("prediction", "model", "endpoint"):
        raise NotFound(f"{ref} has no decision behind it to explain", cure=f"undrift history {ref}")
    return ref


def _of_prediction(project: Project, identifier: str) -> Explanation:
    found = _find(project, identifier)
    if found is None:
        raise NoSuchPrediction(
            f"no endpoint has logged a prediction {identifier[:40]!r}",
            cure="use the id from an answer of POST /predict",
        )
    endpoint, record = found
    version = project.registry.get(f"model:{record['model']}@{record['version']}")
    manifest = project.registry.open(version).manifest
    actual = _actual(project, endpoint, record)
    answer = [
        f"{endpoint.ref} answered {record['prediction']} at {_when(record)}, as {record['variant']}",
        f"scores {_scores(record, manifest.classes)}"
        + (f", threshold {manifest.threshold}" if manifest.threshold else ""),
        f"it turned out to be {actual}" if actual is not None else "no label for it has come yet",
    ]
    rest = _of_version(project, version, endpoint=endpoint, generation=record["generation"], variant=record["variant"])
    data = {
        "prediction": {
            "id": identifier,
            "endpoint": endpoint.name,
            "answer": record["prediction"],
            "scores": list(record["scores"]),
            "threshold": manifest.threshold,
            "variant": record["variant"],
            "actual": actual,
        },
        **rest.data,
    }
    return Explanation(f"prediction:{identifier}", (("answer", tuple(answer)), *rest.parts), data)


def _of_version(
    project: Project,
    version: ModelVersion,
    *,
    endpoint: EndpointState | None = None,
    generation: int | None = None,
    variant: str = "",
) -> Explanation:
    decisions = _decisions(project, version, endpoint, generation, variant)
    run = _run_lines(project, version)
    forced = [(Actor.parse(one.actor).shown, one) for one in version.overrides]
    overrides = [f"{who} went past the gate ({one.move}): {one.reason}" for who, one in forced]
    parts = (
        ("model", (f"{version.ref}, {version.state}, package {version.package[:15]}",)),
        ("gate", tuple(gate_lines(version.gate))),
        ("overrides", tuple(overrides) or ("none",)),
        ("decided", tuple(_decision_line(event) for event in decisions) or ("never went live",)),
        ("run", tuple(run)),
        ("data", tuple(_data_lines(project, version))),
    )
    data: dict[str, JSON] = {
        "version": version.ref,
        "package": version.package,
        "state": version.state,
        "gate": version.gate,
        "overrides": [one.as_json() for one in version.overrides],
        "decisions": [
            {"seq": e.seq, "kind": e.kind, "at": e.at.isoformat(), "by": str(e.actor), "reason": e.body.get("reason")}
            for e in decisions
        ],
        "run": version.run,
        "code": version.code,
        "data": version.data,
    }
    return Explanation(version.ref, parts, data)


def _find(project: Project, identifier: str) -> tuple[EndpointState, Mapping[str, Any]] | None:
    for state in project.endpoints.all():
        folder = project.endpoint_rooms.predictions(state.name)
        if folder.is_dir():
            rows = read_predictions(folder).filter(pl.col("id") == identifier)
            if rows.height:
                return state, rows.row(0, named=True)
    return None


def _actual(project: Project, endpoint: EndpointState, record: Mapping[str, Any]) -> str | None:
    folder = project.endpoint_rooms.feedback(endpoint.name)
    if not folder.is_dir():
        return None
    mask = known_mask(project.store)
    about = pl.col("prediction_id") == record["id"]
    if record["key"] is not None:
        same_time = pl.col("event_us").is_null() | pl.col("event_us").eq_missing(record["event_us"])
        key = mask.text(record["key"]) if mask else record["key"]
        about = about.fill_null(value=False) | ((pl.col("key") == key) & same_time)
    rows = read_feedback(folder, mask=mask).filter(about)
    return str(rows["actual"][-1]) if rows.height else None


def _decisions(
    project: Project, version: ModelVersion, endpoint: EndpointState | None, generation: int | None, variant: str
) -> list[Event]:
    """Return the approval or admission, and the change that gave the version its traffic when it answered."""
    events = project.ledger.events(version.ref, ["model.approved", "model.admitted"])
    for state in [endpoint] if endpoint else project.endpoints.all():
        changes = [
            event
            for event in project.ledger.events(state.ref, _CHANGES)
            if _gave_traffic(event, version, variant) and (generation is None or _generation(event) <= generation)
        ]
        events += changes[-1:] if generation is not None else changes
    return sorted(events, key=lambda event: event.seq)


def _gave_traffic(event: Event, version: ModelVersion, variant: str) -> bool:
    """Say whether a change gave a version its traffic as a variant; as any when none is named."""
    given = "canary" if event.kind == "rollout.started" else "stable"
    if variant not in ("", given):
        return False
    state: Any = event.body.get("endpoint", {})  # Any: stored JSON
    part = state.get(given) or {}
    return bool(part.get("number") == version.number and part.get("model") == version.model)


def _generation(event: Event) -> int:
    state: Any = event.body.get("endpoint", {})  # Any: stored JSON
    return int(state.get("generation", 0))


def _decision_line(event: Event) -> str:
    by = f"policy {event.actor.name}" if event.actor.is_policy else event.actor.shown
    reason = event.body.get("reason")
    return f"{event.kind} by {by} on {event.at:%Y-%m-%d %H:%M}" + (f": {reason}" if reason else "")


def _run_lines(project: Project, version: ModelVersion) -> list[str]:
    if not version.run:
        return ["not stated"]
    found = project.runs.get(version.run).run
    code = version.code or found.code.problem or "not stated"
    return [f"{version.run}, {found.status}, by {found.actor.shown}", f"code {code}"]


def _data_lines(project: Project, version: ModelVersion) -> list[str]:
    if not version.data:
        return ["not stated"]
    found = project.data.get(version.data)
    rows = f"{found.rows:,} rows" if found.rows is not None else f"{found.files} files"
    return [f"{found.ref}, {rows}, added {found.created_at:%Y-%m-%d}, id {found.version_id[:15]}"]


def _when(record: Mapping[str, Any]) -> str:
    asked = f"{from_us(record['received_us']):%Y-%m-%d %H:%M:%S} UTC"
    if record["event_us"] is None:
        return asked
    return f"{asked} about {from_us(record['event_us']):%Y-%m-%d %H:%M} UTC"


def _scores(record: Mapping[str, Any], classes: tuple[object, ...]) -> str:
    scores = record["scores"]
    if not classes:
        return f"{scores[0]:.4g}"
    return ", ".join(f"{name} {score:.3f}" for name, score in zip(classes, scores, strict=True))
