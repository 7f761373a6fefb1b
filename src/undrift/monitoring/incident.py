"""Incidents: one broken rule of one model version behind one endpoint, from its opening to its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, get_args

from undrift.core.decision import Decision
from undrift.core.ids import IncidentId
from undrift.core.json import JSON

IncidentKind: TypeAlias = Literal["drift", "prediction-drift", "performance", "quality", "errors", "no-data"]
KINDS: tuple[IncidentKind, ...] = get_args(IncidentKind)


@dataclass(frozen=True, slots=True)
class Incident:
    """A rule that was found broken.

    Attributes
    ----------
    id : IncidentId
        Its id.
    endpoint : str
        Name of the endpoint.
    model_version : str
        Reference of the version that was live.
    kind : str
        Which rule: with endpoint and version the cause, of which at most one incident is open.
    opened_at, updated_at : datetime
        When it was found first and last, business time.
    closed_at : datetime or None
        When it healed, or its version was replaced; None while it is open.
    times : int
        How often the rule was found broken.
    decision : mapping
        The newest decision that says so.
    closed_because : str
        Why it was closed; empty while it is open.
    """

    id: IncidentId
    endpoint: str
    model_version: str
    kind: IncidentKind
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    times: int
    decision: Mapping[str, JSON]
    closed_because: str = ""

    @property
    def ref(self) -> str:
        """The incident's reference."""
        return f"incident:{self.id}"

    @property
    def is_open(self) -> bool:
        """Whether the rule is still broken."""
        return self.closed_at is None


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule said."""

    kind: IncidentKind
    decision: Decision


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one cause: an incident is opened, found again, or closed."""

    move: Literal["open", "update", "close"]
    finding: Finding
    incident: Incident | None = None


def steps(open_incidents: Sequence[Incident], findings: Sequence[Finding]) -> list[Step]:
    """Return what findings do to the open incidents of the same endpoint and version.

    A broken rule opens an incident or updates the open one; a rule that is kept closes it; a
    rule that cannot be judged changes nothing.
    """
    by_kind = {incident.kind: incident for incident in open_incidents}
    found = []
    for finding in findings:
        known = by_kind.get(finding.kind)
        if finding.decision.outcome == "fail":
            found.append(Step("update" if known else "open", finding, known))
        elif finding.decision.outcome == "pass" and known:
            found.append(Step("close", finding, known))
    return found
