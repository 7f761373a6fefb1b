"""What the promotion policy does with versions whose gate passed."""

from __future__ import annotations

from dataclasses import dataclass

from undrift.core.errors import Conflict
from undrift.endpoints.errors import RolloutRunning
from undrift.endpoints.state import EndpointState
from undrift.ledger.actor import Actor
from undrift.loop.release import OtherQuestion, Request, deploy_in
from undrift.models.version import ModelVersion
from undrift.project import Project

POLICY = Actor("policy", "auto-promotion")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A version that passed its gate and waits for a person.

    Attributes
    ----------
    version : ModelVersion
        The version.
    endpoint : str
        Where it would go.
    """

    version: ModelVersion
    endpoint: str


def waiting(project: Project, endpoint: EndpointState) -> Waiting | None:
    """Return the newest version of an endpoint's model that passed its gate after the live one and is only proposed."""
    newer = [
        version
        for version in project.registry.versions(endpoint.stable.model)
        if version.number > endpoint.stable.number and version.state == "proposed" and version.gate_outcome == "pass"
    ]
    return Waiting(newer[-1], endpoint.name) if newer else None


def release_passed(project: Project, endpoint: EndpointState) -> str | None:
    """Approve and deploy what passed its gate when the policy is ``auto``; return its reference, or None.

    Notes
    -----
    Approval and the start of the rollout are one change, so that a kill leaves both or neither.
    """
    found = waiting(project, endpoint)
    if found is None or endpoint.rollout is not None or project.settings.policy.promotion != "auto":
        return None
    reason = project.settings.policy.reason
    try:
        with project.ledger.change(POLICY) as change:
            project.registry.approve(change, found.version.ref, reason)
            deploy_in(project, change, Request(version=found.version.ref, endpoint=endpoint.name, reason=reason))
    except (Conflict, RolloutRunning):
        return None  # another pass was first: the next one sees what it did
    except OtherQuestion:
        return None  # it stays proposed: callers have to change first, which is for a person to decide
    project.publisher.render(endpoint.name)
    return found.version.ref
