"""``undrift up``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from undrift.cli.answer import Answer, say
from undrift.cli.command import command
from undrift.core.errors import BadInput
from undrift.project import NoProject, Project

if TYPE_CHECKING:
    from undrift.loop.up import Wanted


@command("up", example="undrift up customers.csv --target churned")
@click.argument("table", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--target", required=True, help="The column to predict.")
@click.option("--name", help="Name of dataset, model and endpoint; by default the table's.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; by default one that the system chooses.")
@click.option("--force", is_flag=True, help="Serve even when the gate was not passed; kept for ever.")
@click.option("--reason", default="", help="Why; needed with --force.")
def up(
    project: Path, table: Path, *, target: str, name: str | None, port: int | None, force: bool, reason: str
) -> Answer:
    """Version, check, train, gate, package, serve and watch a table, with nothing else to set up."""
    from undrift.loop.up import Wanted
    from undrift.loop.up import up as bring_up

    if force and not reason.strip():
        raise BadInput("--force needs a reason", cure="add --reason TEXT: who reads the history later will ask")
    wanted = Wanted(
        table=table,
        target=target,
        name=name or _name_of(table),
        force_reason=reason if force else "",
        port=port,
    )
    with _opened(project, wanted) as opened:
        found = bring_up(opened, wanted, say)
    trial = f"{found.canary} is on trial beside it: undrift status\n" if found.canary else ""
    text = (
        f"{found.version.ref} answers at {found.supervisor.url}\n{trial}\n{found.curl}\n\n"
        f"next: undrift status                    what is live, healthy, waiting\n"
        f"      undrift worker                    keep watching it\n"
        f"      undrift label add FILE --on KEY   say what turned out to be true\n"
        f"      undrift down {wanted.name}"
    )
    return Answer(found.as_json(), text)


def _opened(folder: Path, wanted: Wanted) -> Project:
    from undrift.loop.up import check_table

    try:
        return Project.open(folder)
    except NoProject:
        check_table(wanted)  # nothing is made for a table that cannot be used
        return Project.create(folder)


def _name_of(table: Path) -> str:
    plain = re.sub(r"[^a-z0-9_-]+", "-", table.stem.lower()).strip("-_")
    return plain[:63] or "model"
