"""Bringing versions to endpoints and back: registry and endpoints moved in one change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from undrift.core.config import EndpointSettings
from undrift.core.errors import BadInput, DecisionNeeded
from undrift.endpoints.plan import RolloutPlan
from undrift.endpoints.service import Cause, Deployment
from undrift.endpoints.state import WHOLE_BP, EndpointState, Listen, VersionRef
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Change
from undrift.models.registry import Registry
from undrift.models.version import ModelVersion
from undrift.project import Project

_DAY_S = 86_400.0
_HOUR_S = 3_600.0
_ABSOLUTE_SCALE = 4.0
"""An absolute error of so many mean absolute errors counts as the whole loss of 1."""


class NotApproved(DecisionNeeded):
    """A version is proposed and nobody has approved it."""

    code = "not-approved"


class StillServed(BadInput):
    """A version answers requests, so it cannot be retired."""

    code = "still-served"


class OtherQuestion(BadInput):
    """A version takes other columns than the one it would replace: its callers' requests would be refused."""

    code = "other-question"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody asks to be released.

    Attributes
    ----------
    version : str
        Reference of the version.
    endpoint : str
        Where; made when it does not exist.
    reason : str
        Why.
    force : bool
        Go past the gate with that reason, which is kept for ever.
    at_once : bool
        Without a canary.
    """

    version: str
    endpoint: str
    reason: str
    force: bool = False
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Released:
    """The endpoint after a change, and who serves it so already.

    Attributes
    ----------
    state : EndpointState
        What the endpoint serves.
    workers : tuple of int
        Workers that confirmed it; none when the endpoint is down.
    """

    state: EndpointState
    workers: tuple[int, ...]


def deploy(project: Project, request: Request, actor: Actor) -> Released:
    """Bring a version that was approved or admitted to an endpoint, by canary when another one is live there.

    Raises
    ------
    NotApproved
        If the version is only proposed and not forced.
    GateNotPassed
        If its gate did not pass and it is not forced.
    OtherQuestion
        If it takes other columns than the version that is live there.
    """
    with project.ledger.change(actor) as change:
        deploy_in(project, change, request)
    return published(project, request.endpoint)


def deploy_in(project: Project, change: Change, request: Request) -> EndpointState:
    """Do the same inside an open change; the caller publishes after the commit."""
    version = project.registry.get(request.version, change.connection)
    if version.state == "proposed":
        version = _approved_by_force(project.registry, change, version, request)
    settings = project.settings.endpoint(request.endpoint)
    _refuse_other_question(project, change, version, request.endpoint)
    deployment = Deployment(
        version=as_version_ref(version),
        plan=None if request.at_once else plan_of(project.registry, version, settings),
        reason=request.reason,
        force_reason=request.reason if request.force else "",
        listen=Listen(settings.host, settings.port),
    )
    return project.endpoints.deploy(change, request.endpoint, deployment)


def approve_and_deploy(project: Project, request: Request, actor: Actor) -> Released:
    """Approve a version, when it is only proposed, and bring it to an endpoint, in one change.

    Parameters
    ----------
    project : Project
        The open project.
    request : Request
        What is approved and deployed, and why; it is never forced.
    actor : Actor
        Who decides.

    Raises
    ------
    GateNotPassed
        If its gate did not pass.
    RolloutRunning, OtherQuestion, AlreadyServed
        If it cannot be deployed now; it is not approved then.
    """
    with project.ledger.change(actor) as change:
        if project.registry.get(request.version, change.connection).state == "proposed":
            project.registry.approve(change, request.version, request.reason)
        deploy_in(project, change, request)
    return published(project, request.endpoint)


def approve(project: Project, reference: str, reason: str, actor: Actor) -> ModelVersion:
    """Approve a proposed version whose gate passed.

    Parameters
    ----------
    project : Project
        The open project.
    reference : str
        The version, for instance ``model:delay@3``.
    reason : str
        Why; kept in the event.
    actor : Actor
        Who approves.
    """
    with project.ledger.change(actor) as change:
        return project.registry.approve(change, reference, reason)


def retire(project: Project, reference: str, reason: str, actor: Actor) -> ModelVersion:
    """Take a version out of the choice for good: a proposed one is thereby rejected.

    Parameters
    ----------
    project : Project
        The open project.
    reference : str
        The version, for instance ``model:delay@3``.
    reason : str
        Why; kept in the event.
    actor : Actor
        Who decides.

    Raises
    ------
    StillServed
        If an endpoint serves it, to some or to all.
    """
    with project.ledger.change(actor) as change:
        version = project.registry.get(reference, change.connection)
        for state in project.endpoints.all():
            if state.canary is not None and state.canary.ref == version.ref:
                raise StillServed(f"{version.ref} is the canary of {state.name}", cure=f"undrift rollback {state.name}")
            if state.stable.ref == version.ref:
                raise StillServed(f"{version.ref} is live at {state.name}", cure="deploy another version first")
        return project.registry.retire(change, version.ref, reason)


def promote(project: Project, endpoint: str, reason: str, actor: Actor) -> Released:
    """Give a canary all the traffic by hand.

    Parameters
    ----------
    project : Project
        The open project.
    endpoint : str
        Name of the endpoint.
    reason : str
        Why; kept in the event.
    actor : Actor
        Who decides.
    """
    with project.ledger.change(actor) as change:
        project.endpoints.promote(change, endpoint, Cause(reason))
    return published(project, endpoint)


def rollback(project: Project, endpoint: str, reason: str, actor: Actor) -> Released:
    """Take the canary out, or bring back the version that was live before, by hand.

    Parameters
    ----------
    project : Project
        The open project.
    endpoint : str
        Name of the endpoint.
    reason : str
        Why; kept in the event.
    actor : Actor
        Who decides.
    """
    with project.ledger.change(actor) as change:
        project.endpoints.rollback(change, endpoint, Cause(reason))
    return published(project, endpoint)


def published(project: Project, endpoint: str) -> Released:
    """Publish an endpoint's state and return once every live worker serves it."""
    state = project.publisher.render(endpoint)
    found = project.publisher.wait_acknowledged(endpoint, state.generation)
    return Released(state, found.workers)


def as_version_ref(version: ModelVersion) -> VersionRef:
    """Return a registered version as endpoints know it."""
    forced = version.overrides[-1].reason if version.overrides else ""
    return VersionRef(version.model, version.number, version.package, version.gate_outcome, forced)


def plan_of(registry: Registry, version: ModelVersion, settings: EndpointSettings) -> RolloutPlan:
    """Return the plan by which a version is brought in: the endpoint's settings and the loss of its task."""
    manifest = registry.open(version).manifest
    is_regression = manifest.task == "regression"
    return RolloutPlan(
        steps_bp=tuple(round(step / 100 * WHOLE_BP) for step in settings.steps),
        alpha=settings.alpha,
        error_margin=settings.error_margin,
        slow_margin=settings.slow_margin,
        slo_ms=settings.slo_ms,
        quality_margin=settings.quality_margin,
        loss="absolute" if is_regression else "brier",
        classes=manifest.classes,
        scale=_scale(version) if is_regression else 1.0,
        labels=settings.labels,
        label_age_s=settings.label_age_hours * _HOUR_S,
        min_requests=settings.min_requests,
        max_age_s=settings.max_days * _DAY_S,
    )


def _scale(version: ModelVersion) -> float:
    """Return the absolute error that counts as 1: a few times the error that the gate measured."""
    gate = cast("Mapping[str, Any]", version.gate or {})
    error = gate.get("reference", {}).get("metrics", {}).get("mae", {}).get("estimate")
    return _ABSOLUTE_SCALE * error if error else 1.0


def _refuse_other_question(project: Project, change: Change, version: ModelVersion, endpoint: str) -> None:
    live = project.endpoints.find(endpoint)
    if live is None:
        return
    theirs, ours = (
        {column.name: column.type for column in project.registry.open(one).manifest.inputs}
        for one in (project.registry.get(live.stable.ref, change.connection), version)
    )
    odd = sorted(name for name in theirs.keys() | ours.keys() if theirs.get(name) != ours.get(name))
    if odd:
        raise OtherQuestion(
            f"{version.ref} takes other columns than {live.stable.ref}, which endpoint:{endpoint} serves: "
            f"{', '.join(odd[:5])}; requests of today's callers would be refused",
            cure="train it with the same columns, or deploy it to another endpoint",
            columns=odd,
        )


def _approved_by_force(registry: Registry, change: Change, version: ModelVersion, request: Request) -> ModelVersion:
    if not request.force:
        raise NotApproved(
            f"{version.ref} is proposed and not approved",
            cure=f"undrift approve {version.ref} --deploy --reason TEXT",
            version=version.ref,
        )
    return registry.approve(change, version.ref, request.reason, force_reason=request.reason)
