"""``undrift data branch`` and ``branches``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from undrift.cli.answer import Answer, table
from undrift.cli.command import command
from undrift.cli.versions import version_json, version_text
from undrift.project import Project

if TYPE_CHECKING:
    from undrift.data.branches.service import Branch


@command("branch", example="undrift data branch customers@3 customers-fix --reason 'ages below zero'")
@click.argument("reference", metavar="REF")
@click.argument("name", metavar="NAME")
@click.option("-m", "--reason", default="", help="Why; it stays for ever.")
def branch(project: Path, reference: str, name: str, *, reason: str) -> Answer:
    """Begin the dataset NAME with the version REF: no byte is copied, the frozen suite comes along.

    It is a dataset like any other; nothing that is done to it changes the one it left.
    """
    with Project.open(project) as opened:
        made = opened.data.branches.branch(reference, name, actor=opened.actor, reason=reason.strip())
    shown = version_json(made)
    return Answer(shown, version_text(shown))


@command("branches", example="undrift data branches customers")
@click.argument("name", metavar="[NAME]", required=False)
def branches(project: Path, name: str | None) -> Answer:
    """List the branches, of the dataset NAME or of all: where they left, what each side has that the other has not."""
    with Project.open(project) as opened:
        found = opened.data.branches.all(name.removeprefix("data:") if name else None)
    headers = ("branch", "left at", "ahead", "behind", "merged into", "state")
    rows = [(f"data:{one.name}", one.left, one.ahead, one.behind, one.merged, _state(one)) for one in found]
    text = table(headers, rows) if rows else "no branches yet: undrift data branch REF NAME"
    return Answer({"branches": [one.as_json() for one in found]}, text)


def _state(one: Branch) -> str:
    if not one.origin_is_here:
        return "what it left from is not here"
    if one.is_merged:
        return "merged"
    return "open" if one.ahead else "nothing new"
