"""What the promotion policy does with versions whose gate passed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from tomlkit import TOMLDocument

from undrift.core.config import PolicySettings
from undrift.core.errors import Conflict
from undrift.core.json import JSON
from undrift.endpoints.errors import RolloutRunning
from undrift.endpoints.state import EndpointState
from undrift.ledger.actor import Actor
from undrift.ledger.chain import Event
from undrift.loop import settings_file
from undrift.loop.release import OtherQuestion, Request, deploy_in
from undrift.models.version import CLEARED, ModelVersion, ReasonMissing
from undrift.project import Project

POLICY = Actor("policy", "auto-promotion")
SUBJECT = "policy:promotion"
CHANGED = "policy.changed"
Promotion: TypeAlias = Literal["ask", "auto"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A version that passed its gate and waits for a person.

    Attributes
    ----------
    version : ModelVersion
        The version: proposed, or approved and not deployed.
    endpoint : str
        Where it would go.
    """

    version: ModelVersion
    endpoint: str

    @property
    def command(self) -> str:
        """The one command that brings it to its endpoint."""
        where = "" if self.endpoint == self.version.model else f" --endpoint {self.endpoint}"
        if self.version.state == "proposed":
            return f"undrift approve {self.version.ref} --deploy{where} --reason TEXT"
        return f"undrift deploy {self.version.ref}{where}"


def waiting(project: Project, endpoint: EndpointState) -> Waiting | None:
    """Return the newest version that may replace the live one and waits for somebody's word, or None."""
    tried = {one.candidate.ref for one in project.endpoints.rollouts(endpoint.name)}
    newer = [
        version
        for version in project.registry.versions(endpoint.stable.model)
        if version.number > endpoint.stable.number and version.ref not in tried and _is_ready(version)
    ]
    return Waiting(newer[-1], endpoint.name) if newer else None


def release_passed(project: Project, endpoint: EndpointState) -> str | None:
    """Admit and deploy what passed its gate when the policy is ``auto``; return its reference, or None.

    Notes
    -----
    Admission and the start of the rollout are one change, so that a kill leaves both or neither.
    """
    found = waiting(project, endpoint)
    if found is None or found.version.state != "proposed" or endpoint.rollout is not None:
        return None
    if project.settings.policy.promotion != "auto":
        return None
    reason = project.settings.policy.reason
    try:
        with project.ledger.change(POLICY) as change:
            project.registry.admit(change, found.version.ref, reason)
            deploy_in(project, change, Request(version=found.version.ref, endpoint=endpoint.name, reason=reason))
    except (Conflict, RolloutRunning):
        return None  # another pass was first: the next one sees what it did
    except OtherQuestion:
        return None  # it stays proposed: callers have to change first, which is for a person to decide
    project.publisher.render(endpoint.name)
    return found.version.ref


def _is_ready(version: ModelVersion) -> bool:
    return version.state in CLEARED or (version.state == "proposed" and version.gate_outcome == "pass")


def set_policy(project: Project, promotion: Promotion, reason: str, actor: Actor) -> bool:
    """Say who promotes what passed its gate, in ``undrift.toml`` and as an event; return whether it was another before.

    Parameters
    ----------
    project : Project
        The project; its settings are read again.
    promotion : {"ask", "auto"}
        A person, or this policy.
    reason : str
        Why; with ``auto`` every event of the policy says it.
    actor : Actor
        Who decides so.

    Raises
    ------
    ReasonMissing
        If the reason is empty.
    BadSettings
        If ``undrift.toml`` cannot be edited; nothing has changed then.
    """
    if not reason.strip():
        raise ReasonMissing("who promotes is a decision that needs a reason", cure="add --reason TEXT")
    wanted = PolicySettings(promotion, reason if promotion == "auto" else "")
    project.reload_settings()
    told = _last_told(project)
    if project.settings.policy == wanted and told is not None and told.body.get("promotion") == promotion:
        return False

    def write(document: TOMLDocument) -> None:
        where = settings_file.table(document, "policy")
        settings_file.put(where, {"promotion": promotion, "reason": wanted.reason or None})

    before = project.settings.policy.promotion
    with project.ledger.change(actor) as change:
        change.record(CHANGED, SUBJECT, {"promotion": promotion, "before": before, "reason": reason})
        settings_file.edit(project, write)  # last: a file that cannot be edited takes the event back
    return True


@dataclass(frozen=True, slots=True)
class Policy:
    """Who promotes what passed its gate, and who said so.

    Attributes
    ----------
    promotion : {"ask", "auto"}
        A person, or this policy.
    reason : str
        Why nobody is asked; empty when somebody is.
    by : str
        Who decided so; empty when it was written into the settings by hand.
    since : datetime or None
        When it was decided.
    """

    promotion: Promotion
    reason: str
    by: str = ""
    since: datetime | None = None

    def as_json(self) -> dict[str, JSON]:
        """Return this for machines."""
        since = self.since.isoformat() if self.since else None
        return {"promotion": self.promotion, "reason": self.reason or None, "by": self.by or None, "since": since}


def policy_of(project: Project) -> Policy:
    """Return who promotes in a project."""
    asked, told = project.settings.policy, _last_told(project)
    if told is None or told.body.get("promotion") != asked.promotion:
        return Policy(asked.promotion, asked.reason)
    return Policy(asked.promotion, asked.reason, told.actor.shown, told.at)


def _last_told(project: Project) -> Event | None:
    events = project.ledger.events(SUBJECT, [CHANGED], newest_first=True, limit=1)
    return events[0] if events else None
