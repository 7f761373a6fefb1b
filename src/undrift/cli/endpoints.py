"""``undrift endpoint ...``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from undrift.cli.answer import Answer, pairs, table
from undrift.cli.command import LazyGroup, command
from undrift.core.json import JSON
from undrift.ledger.actor import Actor
from undrift.loop.naming import endpoint_name
from undrift.project import Project

if TYPE_CHECKING:
    from undrift.endpoints.publisher import SupervisorFile
    from undrift.endpoints.state import EndpointState


@command("list", example="undrift endpoint list")
def list_(project: Path) -> Answer:
    """List the endpoints and what is live behind them."""
    from undrift.loop.hosting import serving

    with Project.open(project) as opened:
        found = [(state, serving(opened, state.name)) for state in opened.endpoints.all()]
    rows = [
        (s.name, s.stable.ref, s.canary.ref if s.canary else None, said.url if said else "down") for s, said in found
    ]
    text = (
        table(("endpoint", "live", "canary", "url"), rows) if rows else "no endpoints yet: undrift deploy MODEL@VERSION"
    )
    return Answer({"endpoints": [_as_json(state, said) for state, said in found]}, text)


@command("show", example="undrift endpoint show delay")
@click.argument("endpoint")
def show(project: Path, endpoint: str) -> Answer:
    """Show an endpoint: versions, shares, its address, and its rollouts with their reasons."""
    from undrift.loop.hosting import serving

    with Project.open(project) as opened:
        name = endpoint_name(endpoint)
        state, said = opened.endpoints.get(name), serving(opened, name)
        rollouts = opened.endpoints.rollouts(name)
    canary = f"{state.canary.ref} with {state.share_bp / 100:g} %" if state.canary else None
    lines = pairs(
        [
            ("endpoint", state.name),
            ("url", said.url if said else "down"),
            ("live", state.stable.ref + (" (forced past its gate)" if state.stable.forced_reason else "")),
            ("canary", canary),
            ("before", state.previous.ref if state.previous else None),
            ("generation", state.generation),
        ]
    )
    rows = [(one.candidate.ref, one.state, _who(one.decided_by), one.reason) for one in rollouts]
    text = f"{lines}\n\n{table(('rollout of', 'state', 'by', 'because'), rows)}" if rows else lines
    data = {**_as_json(state, said), "rollouts": [one.summary() for one in rollouts]}
    return Answer(data, text)


def _who(actor: str) -> str:
    return Actor.parse(actor).shown if actor else ""


def _as_json(state: EndpointState, said: SupervisorFile | None) -> dict[str, JSON]:
    return {"endpoint": state.name, "url": said.url if said else None, **state.summary()}


endpoint = LazyGroup(
    "endpoint",
    help="Served names and the versions behind them.",
    entries={
        "list": ("undrift.cli.endpoints:list_", "List the endpoints."),
        "show": ("undrift.cli.endpoints:show", "Show an endpoint and its rollouts."),
    },
)
