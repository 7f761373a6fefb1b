"""``undrift history`` and ``undrift audit verify``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from undrift.cli.answer import Answer, table
from undrift.cli.command import command
from undrift.core.json import JSON
from undrift.ledger.chain import Event
from undrift.project import Project

_TOLD = ("reason", "outcome", "decided_by", "model", "version", "data", "rows", "run")


@command("history", example="undrift history model:delay")
@click.argument("reference", required=False, metavar="[REF]")
@click.option("--kind", "kinds", multiple=True, help="Only events of this kind; may be given several times.")
@click.option("-n", "--limit", default=50, show_default=True, type=click.IntRange(1, 100_000), help="How many.")
def history(project: Path, reference: str | None, kinds: tuple[str, ...], limit: int) -> Answer:
    """Show the newest events: of the whole project, or of one thing and its versions."""
    with Project.open(project) as opened:
        subject = str(opened.resolve(reference)) if reference else None
        events = opened.ledger.events(subject, kinds or None, limit=limit, newest_first=True, versions_too=True)
    rows = [(e.seq, f"{e.at:%Y-%m-%d %H:%M:%S}", e.kind, e.subject, e.actor, _gist(e.body)) for e in events]
    text = table(("seq", "at (UTC)", "event", "of", "by", "what"), rows) if rows else "no events"
    return Answer({"events": [_as_json(event) for event in events]}, text)


def _as_json(event: Event) -> JSON:
    return {
        "seq": event.seq,
        "id": event.id,
        "at": event.at.isoformat(),
        "actor": str(event.actor),
        "kind": event.kind,
        "subject": event.subject,
        "body": event.body,
        "hash": event.hash,
    }


def _gist(body: Mapping[str, JSON]) -> str:
    told = [f"{key}={body[key]}" for key in _TOLD if body.get(key) not in (None, "")]
    return " ".join(told)[:100]
