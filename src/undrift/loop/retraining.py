"""From incidents to at most one retraining."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from undrift.core.errors import NotFound
from undrift.core.ids import IdSource
from undrift.core.json import JSON
from undrift.endpoints.state import EndpointState
from undrift.ledger.actor import Actor
from undrift.models.version import ModelVersion
from undrift.monitoring.advice import Advice, retrain_advice
from undrift.monitoring.incident import Incident
from undrift.monitoring.incidents import Incidents
from undrift.project import Project

TRIGGERS = Actor("policy", "retrain-on-incident")
FIRED = "retraining.triggered"
COMPARISON = "comparison"


@dataclass(frozen=True, slots=True)
class Triggered:
    """A retraining that was started.

    Attributes
    ----------
    model : str
        Which model.
    run_id : str
        Its pipeline run.
    reason : str
        Why.
    """

    model: str
    run_id: str
    reason: str


def advice_for(project: Project, model: str, endpoints: Sequence[EndpointState]) -> Advice:
    """Return whether the open incidents of a model deserve a retraining now."""
    incidents = [one for state in endpoints for one in open_incidents(project, state)]
    settings = project.settings.monitoring(endpoints[0].name)
    if not settings.retrain:
        return Advice("nothing", f"monitor.{endpoints[0].name}.retrain is off")
    return retrain_advice(
        incidents,
        new_labelled_rows(project, model),
        _last_fired(project, model),
        timedelta(hours=settings.cooldown_hours),
        project.clocks.business.now(),
    )


def retrain(project: Project, model: str, endpoints: Sequence[EndpointState]) -> Triggered | None:
    """Submit one retraining when the open incidents deserve it; say which, or None.

    Notes
    -----
    The submission carries a key of model, data version and oldest incident: several processes
    that come to the same conclusion start one run.
    """
    advice = advice_for(project, model, endpoints)
    if advice.action != "retrain":
        return None
    from undrift.loop.training.home import training_of  # heavy: only when a training is due

    data = project.data.get(project.settings.model(model).dataset).ref
    key = f"retrain:{model}:{data}:{advice.incidents[0]}"
    params: dict[str, JSON] = {"dataset_version": data, "candidate": _kind_of_champion(project, model)}
    with project.ledger.change(TRIGGERS) as change:
        submission = training_of(project).submit(change, model, params, dedupe_key=key)
        if not submission.is_new:
            return None
        body: dict[str, JSON] = {
            "run": submission.run_id,
            "incidents": list(advice.incidents),
            "data": data,
            "reason": advice.reason,
        }
        change.record(FIRED, f"model:{model}", body)
    return Triggered(model, submission.run_id, advice.reason)


def open_incidents(project: Project, endpoint: EndpointState) -> list[Incident]:
    """Return the open incidents of an endpoint."""
    return incidents_of(project).all(endpoint.name, only_open=True)


def incidents_of(project: Project) -> Incidents:
    """Return what the monitors found; looking at it loads no statistics."""
    return Incidents(project.ledger, IdSource(project.clocks.business))


def new_labelled_rows(project: Project, model: str) -> int:
    """Return how many rows the dataset has gained since the newest version of a model was trained."""
    settings = project.settings.model(model)
    try:
        newest = project.data.get(settings.dataset)
    except NotFound:  # the settings name a dataset that nobody has added: one model's fault is not the whole pass's
        return 0
    trained = _newest_version(project, model)
    if trained is None or not trained.data:
        return newest.rows or 0
    return (newest.rows or 0) - (project.data.get(trained.data).rows or 0)


def _newest_version(project: Project, model: str) -> ModelVersion | None:
    versions = [one for one in project.registry.versions(model) if one.data]
    return versions[-1] if versions else None


def _last_fired(project: Project, model: str) -> datetime | None:
    events = project.ledger.events(f"model:{model}", [FIRED], newest_first=True, limit=1)
    return events[0].at if events else None


def _kind_of_champion(project: Project, model: str) -> str:
    """Return which candidate the champion is, so that it is fitted again and not chosen again; empty when not known."""
    from undrift.loop.training.arrays import get_json

    number = project.registry.aliases(model).get("champion")
    run = project.registry.get(f"model:{model}@{number}").run if number else ""
    kept = project.runs.get(run).facts.artifacts.get(COMPARISON) if run else None
    return str(get_json(project.blobs, kept.digest)["chosen"]) if kept else ""
