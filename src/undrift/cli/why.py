"""``undrift why``."""

from __future__ import annotations

from pathlib import Path

import click

from undrift.cli.answer import Answer
from undrift.cli.command import command
from undrift.project import Project


@command("why", example="undrift why 00zr6y1m5w8qk3v2t7d9c4xhba")
@click.argument("reference", metavar="PREDICTION|MODEL@VERSION|ENDPOINT")
def why(project: Path, reference: str) -> Answer:
    """Walk from one answer, or from a version, back to the decision, the code and the rows it came from."""
    from undrift.loop.why import explain

    with Project.open(project) as opened:
        found = explain(opened, reference)
    lines = [found.subject]
    for heading, told in found.parts:
        lines.append(click.style(heading, bold=True))
        lines += [f"  {line}" for line in told]
    return Answer({"subject": found.subject, **found.data}, "\n".join(lines))
