"""``undrift status``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from undrift.cli.answer import Answer, table
from undrift.cli.command import command
from undrift.project import Project

if TYPE_CHECKING:
    from undrift.loop.arriving import Folder
    from undrift.loop.promotion import Policy
    from undrift.loop.status import EndpointStatus
    from undrift.loop.watchers import Watch

_COLOURS = {"healthy": "green", "down": "red", "drifting": "yellow", "canary": "cyan"}


@command("status", example="undrift status")
def status(project: Path) -> Answer:
    """Show what is live, healthy, drifting or waiting, and what to do next."""
    from undrift.loop.privacy import retention
    from undrift.loop.status import status as look

    with Project.open(project) as opened:
        found = look(opened)
        root, kept = opened.root, retention.told(opened.settings)
    lines = [f"project {root}"]
    if found.endpoints:
        rows = [(one.state.name, one.health, one.state.stable.ref, _canary(one), one.url) for one in found.endpoints]
        head, *told = table(("endpoint", "health", "live", "canary", "url"), rows).splitlines()
        lines += [head, *(_coloured(line, row[1]) for line, row in zip(told, rows, strict=True))]
    for one in found.endpoints:
        lines += [f"  {one.state.name} has another port than before: {one.moved}"] if one.moved else []
        lines += [f"  {incident.ref} {incident.kind}: {incident.decision.get('reason')}" for incident in one.incidents]
        for served in (one.state.stable, one.state.canary):
            if served is not None and served.forced_reason:
                lines.append(f"  {served.ref} was forced past its gate: {served.forced_reason}")
    lines += [f"training  {ref}" for ref in found.training]
    lines += [f"{click.style('failed', fg='red')}    {line}" for line in found.failed]
    lines += [f"{click.style('unusual', fg='yellow')}   {line}" for line in found.unusual]
    if found.is_damaged:
        lines.append(f"{click.style('damaged', fg='red')}   stored bytes: undrift data fsck --repair")
    lines += [line for one in found.folders for line in _folder(one)]
    if found.endpoints or found.folders:
        lines.append(f"watch     {_watch(found.watch)}")
    if found.endpoints:
        lines.append(f"promotes  {_policy(found.policy)}")
        lines.append(f"keeps     {kept}")
    steps = [step for one in found.endpoints for step in one.next] + found.next
    lines += [f"next      {step}" for step in steps] or ["next      nothing"]
    return Answer(found.as_json(), "\n".join(lines))


def _folder(one: Folder) -> list[str]:
    counts = [f"{one.taken} files taken", f"{one.waiting} waiting" if one.waiting else "", one.problem]
    told = ", ".join(filter(None, counts))
    lines = [f"receives  data:{one.dataset} from {one.path}: {told}"]
    return lines + [f"  {failed.path} could not be taken: {failed.told}" for failed in one.failed]


def _canary(one: EndpointStatus) -> str | None:
    return f"{one.state.canary.ref} {one.state.share_bp / 100:g} %" if one.state.canary else None


def _watch(found: Watch) -> str:
    if found.problem:
        return click.style(found.problem, fg="yellow")
    how = f"every {found.every_s:g} s, by undrift {found.by}" if found.every_s else "when somebody runs undrift tick"
    return f"{how}; last pass {found.last:%Y-%m-%d %H:%M:%S} UTC" if found.last else f"{how}; no pass yet"


def _policy(found: Policy) -> str:
    if found.promotion == "ask":
        return "you: a version that passed its gate is proposed, and waits for an approval"
    said = f", said by {found.by}" if found.by else ""
    return f"the policy, without asking ({found.reason}{said}); undrift policy ask --reason TEXT changes that"


def _coloured(line: str, health: str) -> str:
    """Return a line with its word for health in colour."""
    return line.replace(f"  {health}", f"  {click.style(health, fg=_COLOURS.get(health, 'magenta'))}", 1)
