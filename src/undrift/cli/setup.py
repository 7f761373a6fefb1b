"""``undrift init``."""

from __future__ import annotations

from pathlib import Path

from undrift.cli.answer import Answer
from undrift.cli.command import command
from undrift.core.config import FILE_NAME
from undrift.project import Project


@command("init", example="undrift init")
def init(project: Path) -> Answer:
    """Make this folder a project: settings in undrift.toml, everything else in .undrift/."""
    with Project.create(project) as made:
        data = {"project": str(made.root), "settings": str(made.root / FILE_NAME), "head": made.ledger.head().hash}
        text = (
            f"{made.root} is a project: {FILE_NAME} holds its settings, .undrift/ its store (private, not for git)\n"
            "next: undrift data add TABLE --name NAME, or undrift up TABLE --target COLUMN"
        )
    return Answer(data, text)
