"""The project on one screen: what is live, healthy, drifting, waiting, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from undrift.core.json import JSON
from undrift.data.anomalies.verdict import Verdict
from undrift.endpoints.publisher import SupervisorFile
from undrift.endpoints.rollout import Rollout
from undrift.endpoints.state import EndpointState
from undrift.loop.arriving import Folder, folders
from undrift.loop.hosting import serving
from undrift.loop.needed import needed_for
from undrift.loop.promotion import Policy, policy_of, waiting
from undrift.loop.retraining import advice_for, open_incidents
from undrift.loop.watchers import Watch, watch_of
from undrift.models.version import CLEARED
from undrift.monitoring.incident import Incident
from undrift.project import Project

_NEWEST_EVENTS = 50
_VERSIONS = ("data.measured", "data.added", "data.merged")
_WORDS = {"retrain": "undrift tick", "wait": "wait", "nothing": "look"}


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    """One endpoint.

    Attributes
    ----------
    state : EndpointState
        What it serves.
    url : str or None
        Where it answers; None when it is down.
    rollout : Rollout or None
        What is on trial.
    incidents : list of Incident
        What is wrong.
    next : list of str
        What to do, each a command or a fact to wait for.
    moved : str
        Why it does not answer at the port of the last time; empty when it does.
    """

    state: EndpointState
    url: str | None
    rollout: Rollout | None
    incidents: list[Incident]
    next: list[str]
    moved: str = ""

    @property
    def health(self) -> str:
        """One word for the screen."""
        if self.url is None:
            return "down"
        if self.rollout is not None:
            return "waiting for you" if self.rollout.state == "waiting" else "canary"
        kinds = {one.kind for one in self.incidents}
        if not kinds:
            return "healthy"
        return "drifting" if kinds <= {"drift", "prediction-drift"} else ", ".join(sorted(kinds))


@dataclass(frozen=True, slots=True)
class Status:
    """The project.

    Attributes
    ----------
    endpoints : list of EndpointStatus
        By name.
    training : list of str
        References of the pipeline runs that are under way.
    failed : list of str
        The training that failed after the last one that ended well, and why.
    watch : Watch
        Who makes the passes of the loop.
    policy : Policy
        Who promotes what passed its gate.
    next : list of str
        What to do when there is no endpoint yet.
    folders : list of Folder
        Whose files become data.
    unusual : list of str
        What is out of the ordinary in the newest version of a dataset.
    is_damaged : bool
        Whether stored bytes were found damaged, and their pack is still there.
    """

    endpoints: list[EndpointStatus]
    training: list[str]
    failed: list[str]
    watch: Watch
    policy: Policy
    next: list[str] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)
    unusual: list[str] = field(default_factory=list)
    is_damaged: bool = False

    def as_json(self) -> dict[str, JSON]:
        """Return the status for machines."""
        return {
            "endpoints": [
                {
                    "endpoint": one.state.name,
                    "health": one.health,
                    "url": one.url,
                    "moved": one.moved or None,
                    "live": one.state.stable.ref,
                    "forced": one.state.stable.forced_reason or None,
                    "canary": one.state.canary.ref if one.state.canary else None,
                    "canary_forced": (one.state.canary.forced_reason if one.state.canary else "") or None,
                    "canary_percent": one.state.share_bp / 100,
                    "incidents": [f"{incident.ref} {incident.kind}" for incident in one.incidents],
                    "next": one.next,
                }
                for one in self.endpoints
            ],
            "training": self.training,
            "failed": self.failed,
            "watch": self.watch.as_json(),
            "policy": self.policy.as_json(),
            "next": self.next,
            "folders": [one.as_json() for one in self.folders],
            "unusual": self.unusual,
            "damaged": self.is_damaged,
        }


def status(project: Project) -> Status:
    """Return the project's status; it only reads."""
    states = project.endpoints.all()
    said = {state.name: serving(project, state.name) for state in states}
    endpoints = [_endpoint(project, state, said[state.name]) for state in states]
    training = [run.ref for run in project.journal.pending()]
    watch = watch_of(project, [one for one in said.values() if one])
    failed = _failed(project)
    steps = [] if endpoints else _first_steps(project)
    told = folders(project), _unusual(project), project.blobs.packs.has_damage()
    return Status(endpoints, training, failed, watch, policy_of(project), steps, *told)


def _endpoint(project: Project, state: EndpointState, said: SupervisorFile | None) -> EndpointStatus:
    rollout = project.endpoints.running(state.name)
    incidents = open_incidents(project, state)
    found = EndpointStatus(state, said.url if said else None, rollout, incidents, [], said.moved if said else "")
    found.next.extend(_next(project, found))
    return found


def _next(project: Project, found: EndpointStatus) -> list[str]:
    name = found.state.name
    told = [] if found.url else [f"undrift serve {name}"]
    if found.rollout is not None and found.rollout.state == "waiting":
        told.append(f"decide: undrift promote {name}, or undrift rollback {name} ({found.rollout.reason})")
    proposed = waiting(project, found.state)
    if proposed is not None and found.rollout is None:
        stands = "passed its gate" if proposed.version.state == "proposed" else f"is {proposed.version.state}"
        told.append(f"{proposed.version.ref} {stands}: {proposed.command}")
    if found.incidents and found.state.stable.model in project.settings.models:
        told += _advised(project, found.state)
    return told


def _advised(project: Project, state: EndpointState) -> list[str]:
    """Return what the open incidents ask for or wait for, and how to give it."""
    model = state.stable.model
    needed = needed_for(project, state)
    if needed is not None:
        first, *rest = needed.lines
        return [f"model:{model} retrains once it has labelled rows: {first}", *rest]
    advice = advice_for(project, model, [state])
    return [f"{_WORDS[advice.action]}: {advice.reason}"]


def _unusual(project: Project) -> list[str]:
    """Return the anomalies of versions that are still the newest of their dataset, as they were recorded."""
    told: list[str] = []
    seen: set[str] = set()
    for event in project.ledger.events(kinds=_VERSIONS, newest_first=True, limit=_NEWEST_EVENTS):
        dataset = event.subject.partition("@")[0]
        if event.kind == "data.measured" and dataset not in seen and not event.erased:
            recorded: Any = event.body["anomalies"]  # Any: JSON that was written from verdicts
            told += [f"{event.subject} {Verdict(**one).told()}" for one in recorded]
        seen.add(dataset)
    return told


def _failed(project: Project) -> list[str]:
    """Return the newest training when it failed: it may have run where nobody looked."""
    ends = project.ledger.events(kinds=["pipeline.failed", "pipeline.finished"], newest_first=True, limit=1)
    if not ends or ends[0].kind == "pipeline.finished":
        return []
    run = project.journal.get(ends[0].subject.partition("@")[2])
    return [f"{run.ref}: {run.reason}; undrift pipeline resume {run.id}"] if run.state == "failed" else []


def _first_steps(project: Project) -> list[str]:
    versions = project.registry.versions()
    ready = [one.ref for one in versions if one.state in CLEARED]
    passed = [one.ref for one in versions if one.state == "proposed" and one.gate_outcome == "pass"]
    if ready:
        return [f"undrift deploy {ready[-1]}"]
    if passed:
        return [f"undrift approve {passed[-1]} --deploy --reason TEXT"]
    if versions:
        return [f"undrift model show {versions[-1].ref} says why it may not be deployed"]
    if project.settings.models:
        return [f"undrift train {name}" for name in project.settings.models]
    return ["undrift up TABLE --target COLUMN"]
