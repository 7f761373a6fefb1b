"""``undrift incident ...``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from undrift.cli.answer import Answer, pairs, table
from undrift.cli.command import LazyGroup, command
from undrift.core import refs
from undrift.core.json import JSON
from undrift.loop.needed import waits_for
from undrift.loop.retraining import incidents_of
from undrift.project import Project

if TYPE_CHECKING:
    from undrift.loop.needed import Needed
    from undrift.monitoring.incident import Incident


@command("list", example="undrift incident list --open")
@click.option("--open", "only_open", is_flag=True, help="Only those that are not closed.")
def list_(project: Path, *, only_open: bool) -> Answer:
    """List what the monitors found."""
    with Project.open(project) as opened:
        found = [(one, waits_for(opened, one)) for one in incidents_of(opened).all(only_open=only_open)]
    rows = [
        (
            one.ref, one.kind, one.endpoint, one.model_version, f"{one.opened_at:%Y-%m-%d}", one.times,
            _end(one) or (f"waits for labelled rows ({needed.labelled:,} labels so far)" if needed else None),
        )
        for one, needed in found
    ]  # fmt: skip
    text = table(("incident", "kind", "endpoint", "version", "opened", "times", "closed"), rows)
    return Answer({"incidents": [_as_json(one, needed) for one, needed in found]}, text if rows else "no incidents")


@command("show", example="undrift incident show ID")
@click.argument("reference", metavar="INCIDENT")
def show(project: Path, reference: str) -> Answer:
    """Show an incident and the numbers behind it."""
    name = refs.parse(reference, default="incident").name
    with Project.open(project) as opened:
        one = incidents_of(opened).get(name)
        needed = waits_for(opened, one)
    decision = one.decision
    text = pairs(
        [
            ("incident", one.ref),
            ("kind", one.kind),
            ("endpoint", one.endpoint),
            ("version", one.model_version),
            ("opened", f"{one.opened_at:%Y-%m-%d %H:%M}"),
            ("found", f"{one.times} times, last {one.updated_at:%Y-%m-%d %H:%M}"),
            ("closed", _end(one)),
            ("because", decision.get("reason")),
            ("method", decision.get("method")),
            ("evidence", f"{decision.get('n')} {decision.get('unit')}s, alpha {decision.get('alpha')}"),
        ]
    )
    if needed is not None:
        text += "\n\n" + "\n".join(["no retraining starts without labelled rows:", *(f"  {x}" for x in needed.lines)])
    return Answer(_as_json(one, needed), text)


def _end(incident: Incident) -> str | None:
    return f"{incident.closed_at:%Y-%m-%d} {incident.closed_because}" if incident.closed_at else None


def _as_json(incident: Incident, needed: Needed | None) -> dict[str, JSON]:
    return {
        "incident": incident.ref,
        "kind": incident.kind,
        "endpoint": incident.endpoint,
        "version": incident.model_version,
        "opened_at": incident.opened_at.isoformat(),
        "updated_at": incident.updated_at.isoformat(),
        "closed_at": incident.closed_at.isoformat() if incident.closed_at else None,
        "closed_because": incident.closed_because,
        "times": incident.times,
        "decision": incident.decision,
        "waits_for": needed.as_json() if needed else None,
    }


incident = LazyGroup(
    "incident",
    help="What the monitors found.",
    entries={
        "list": ("undrift.cli.monitoring:list_", "List what the monitors found."),
        "show": ("undrift.cli.monitoring:show", "Show an incident and its numbers."),
    },
)
