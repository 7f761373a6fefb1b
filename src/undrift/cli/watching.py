"""``undrift data watch``."""

from __future__ import annotations

from pathlib import Path

import click

from undrift.cli.answer import Answer
from undrift.cli.command import command
from undrift.core.errors import BadInput
from undrift.core.ids import check_name
from undrift.project import Project


@command("watch", example="undrift data watch customers incoming")
@click.argument("name", metavar="NAME")
@click.argument("folder", required=False)
@click.option("--off", is_flag=True, help="Watch no folder for it any more.")
def watch(project: Path, name: str, *, folder: str | None, off: bool) -> Answer:
    """Watch FOLDER: a new or changed file in it is appended to the dataset at the next pass of the loop."""
    from undrift.loop.arriving import folders
    from undrift.loop.arriving import watch as write

    check_name(name, "dataset")
    if (folder is None) != off:
        raise BadInput("say which folder, or --off", cure=f"undrift data watch {name} incoming")
    with Project.open(project) as opened:
        is_new = write(opened, name, folder)
        found = [one.as_json() for one in folders(opened) if one.dataset == name]
    told = f"{folder} is watched for data:{name}" if folder else f"no folder is watched for data:{name}"
    passes = "; undrift tick, undrift worker and served endpoints make the passes" if folder else ""
    return Answer({"changed": is_new, "watched": found[0] if found else None}, told + passes)
