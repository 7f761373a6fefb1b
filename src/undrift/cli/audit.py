"""``undrift history`` and ``undrift audit verify``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from undrift.cli.answer import Answer, table
from undrift.cli.command import LazyGroup, command
from undrift.core.json import JSON
from undrift.ledger.chain import Event
from undrift.loop.naming import resolve
from undrift.project import Project

_TOLD = (
    *("verdict", "outcome", "gate", "step", "tag", "expectations", "rows", "bad_rows", "records", "data", "run"),
    *("address", "count"),
)


@command("history", example="undrift history model:delay")
@click.argument("reference", required=False, metavar="[REF]")
@click.option("--kind", "kinds", multiple=True, help="Only events of this kind; may be given several times.")
@click.option("-n", "--limit", default=50, show_default=True, type=click.IntRange(1, 100_000), help="How many.")
def history(project: Path, reference: str | None, kinds: tuple[str, ...], limit: int) -> Answer:
    """Show the newest events: of the whole project, or of one thing and its versions."""
    with Project.open(project) as opened:
        subject = str(resolve(opened, reference)) if reference else None
        events = opened.ledger.events(subject, kinds or None, limit=limit, newest_first=True, versions_too=True)
    rows = [(e.seq, f"{e.at:%Y-%m-%d %H:%M:%S}", e.kind, e.subject, e.actor.shown, _gist(e.body)) for e in events]
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
    told = [f"{key} {body[key]}" for key in _TOLD if isinstance(body.get(key), str | int) and body[key] != ""]
    return ": ".join(part for part in (", ".join(told), str(body.get("reason") or "")) if part)


@command("verify", example="undrift audit verify --expect-head HASH")
@click.option("--expect-head", metavar="HASH", help="A head that you kept elsewhere; it must be in the chain.")
def verify(project: Path, expect_head: str | None) -> Answer:
    """Recompute the chain of events and compare the stored state with it; exit code 3 when something is wrong.

    Keep the head that it prints somewhere else: it is what shows a rewritten chain.
    """
    with Project.open(project) as opened:
        found = opened.verify(expect_head)
    lines = [f"{found.events:,} events, head {found.head.hash} at {found.head.seq}"]
    lines += [f"{finding.problem}: {finding.message}" for finding in found.findings]
    if not found.findings:
        lines.append("the chain is whole, and the stored state is what the events say")
        lines.append("bytes of data were not read: undrift data fsck reads and compares them")
        lines.append(f"keep the head elsewhere; later: undrift audit verify --expect-head {found.head.hash}")
    data: JSON = {
        "ok": not found.findings,
        "events": found.events,
        "head": {"seq": found.head.seq, "hash": found.head.hash},
        "findings": [{"problem": one.problem, "seq": one.seq, "message": one.message} for one in found.findings],
    }
    return Answer(data, "\n".join(lines), 3 if found.findings else 0)


audit = LazyGroup(
    "audit",
    help="The chain of events.",
    entries={"verify": ("undrift.cli.audit:verify", "Recompute the chain and compare the stored state with it.")},
)
