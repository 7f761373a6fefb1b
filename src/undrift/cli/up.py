"""``undrift up``."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from undrift.cli.answer import Answer, Progress, error_json, error_text, say
from undrift.cli.command import command
from undrift.cli.reading import reading_options
from undrift.core.errors import BadInput, DecisionNeeded
from undrift.core.json import JSON
from undrift.data.tabular.reading import Reading
from undrift.data.workspace import table_file
from undrift.project import NoProject, Project

if TYPE_CHECKING:
    from undrift.data.versions import DatasetVersion
    from undrift.loop.sheet.look import Looked
    from undrift.loop.up import Up, Wanted

_COLUMN = "COL"
_TASKS = ("auto", "binary", "multiclass", "regression")


def asked_options(function: Callable[..., Answer]) -> Callable[..., Answer]:
    """Return a command's function with the options that say what is not to be inferred of a table."""
    for option in reversed(
        (
            click.option("--target", help="The column to predict."),
            click.option("--name", help="Name of dataset, model and endpoint; by default the table's."),
            click.option("--drop", metavar=_COLUMN, multiple=True, help="Never learn from COL. Repeatable."),
            click.option("--keep", metavar=_COLUMN, multiple=True, help="Learn from COL all the same. Repeatable."),
            click.option("--text", metavar=_COLUMN, multiple=True, help="Learn from COL's free text. Repeatable."),
            click.option("--time", metavar=_COLUMN, help="When a row happened; the newest rows judge the model."),
            click.option("--group", metavar=_COLUMN, help="Rows with the same COL stay together."),
            click.option("--key", metavar=_COLUMN, help="Names a row to callers and labels."),
            click.option("--split", type=click.Choice(["auto", "random"]), default="auto", help="How rows are split."),
            click.option("--task", type=click.Choice(_TASKS), default="auto", help="Kind of prediction."),
            click.option("--positive", help="The class whose probability is answered."),
            click.option("--metric", help="What the model is judged by."),
            click.option("--cost-false-positive", type=float, help="With the other cost: where a yes begins."),
            click.option("--cost-false-negative", type=float, help="What missing a positive costs."),
            click.option("--budget", type=click.FloatRange(min=1), help="Seconds training may take (300)."),
            click.option("--full", is_flag=True, help="Learn from all rows, however long it takes."),
        )
    ):
        function = option(function)
    return function


@command("up", example="undrift up customers.csv --target churned")
@click.argument("table", required=False, type=click.Path(path_type=Path))
@asked_options
@reading_options
@click.option("--plan", is_flag=True, help="Say what would be made of the table, and make nothing.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; by default one that the system chooses.")
@click.option("-d", "--detach", is_flag=True, help="Leave it in the background instead of staying with it.")
@click.option("--auto", is_flag=True, help="From now on later versions that pass their gate are promoted unasked.")
@click.option("--force", is_flag=True, help="Serve even when the gate was not passed; kept for ever.")
@click.option("--reason", default="", help="Why; needed with --force and --auto.")
def up(project: Path, table: Path | None, **said: Any) -> Answer:  # Any: options by name
    """Bring a table to a served and watched model; without TABLE, bring back what was up."""
    if table is None:
        return _back(project, detached=said["detach"])
    from undrift.cli.sheet import sheet_text
    from undrift.loop.sheet.look import Looked, refuse_suspicious

    wanted = _wanted(table_file(table), said)
    opened = _found(project)
    try:
        looked = _looked(opened, wanted, plan=said["plan"])
        if isinstance(looked, Looked):
            try:
                refuse_suspicious(looked.sheet)
            except DecisionNeeded as error:
                body = {"error": error_json(error), "sheet": looked.sheet.as_json()}
                return Answer(body, f"{sheet_text(looked.sheet)}\n\n{error_text(error)}", error.exit_code)
            if said["plan"]:
                return Answer(looked.sheet.as_json(), sheet_text(looked.sheet))
            say(sheet_text(looked.sheet) + "\n")
        opened = opened or Project.create(project)
        answer = _brought_up(opened, wanted, looked)
        return answer if said["detach"] or not _is_watched() else _attached(opened, [wanted.name], answer)
    finally:
        if opened is not None:
            opened.close()


def _back(folder: Path, *, detached: bool) -> Answer:
    """Bring back what was up before a reboot."""
    from undrift.loop.hosting import bring_back

    with Project.open(folder) as opened:
        back = bring_back(opened, say)
        if not (back.served or back.failed):
            raise BadInput("no endpoint of this project is wanted up", cure="undrift up TABLE --target COLUMN")
        rows: JSON = [{"endpoint": name, "url": said.url} for name, said in back.served.items()]
        told = "\n".join(f"endpoint:{name} answers at {said.url}" for name, said in back.served.items())
        answer = Answer({"endpoints": rows}, told)
        if back.served and not detached and _is_watched():
            answer = _attached(opened, list(back.served), answer)
        back.check()
        return answer


def _is_watched() -> bool:
    """Say whether somebody sits before a terminal: a script or a pipe wants its answer and goes on."""
    return sys.stdout.isatty() and "--json" not in sys.argv


def _attached(project: Project, names: list[str], answer: Answer) -> Answer:
    """Stay with endpoints until Ctrl-C stops them, as ``docker compose up`` does."""
    from undrift.loop.foreground import attach

    say(answer.text)
    say("\nwatching; Ctrl-C stops it, `undrift up -d` leaves it in the background")
    return Answer({"stopped": list(attach(project, names, say))}, "")


def _wanted(table: Path, said: dict[str, Any]) -> Wanted:  # Any: options by name
    from undrift.data.tabular.table_files import read_table
    from undrift.loop.sheet.asked import Asked
    from undrift.loop.up import Wanted

    if said["target"] is None:
        columns = ", ".join(read_table(table, said["reading"]).schema.names)
        cure = f"undrift up {table.name} --target COLUMN; choose from {columns}"
        raise BadInput("which column is to be predicted?", cure=cure)
    reason = said["reason"].strip()
    if (said["force"] or said["auto"]) and not reason:
        flag = "--force" if said["force"] else "--auto"
        raise BadInput(f"{flag} needs a reason", cure="add --reason TEXT: who reads the history later will ask")
    asked = Asked(
        target=said["target"],
        name=said["name"] or _name_of(table),
        task=said["task"],
        positive=said["positive"],
        time=said["time"],
        group=said["group"],
        key=said["key"],
        random_split=said["split"] == "random",
        drop=said["drop"],
        keep=said["keep"],
        text=said["text"],
        metric=said["metric"],
        false_positive_cost=said["cost_false_positive"],
        false_negative_cost=said["cost_false_negative"],
        budget_s=said["budget"],
        full=said["full"],
    )
    reading: Reading = said["reading"]
    return Wanted(
        table=table,
        asked=asked,
        reading=reading,
        force_reason=reason if said["force"] else "",
        auto_reason=reason if said["auto"] else "",
        port=said["port"],
    )


def _found(folder: Path) -> Project | None:
    try:
        return Project.open(folder)
    except NoProject:
        return None


def _looked(project: Project | None, wanted: Wanted, *, plan: bool) -> Looked | DatasetVersion:
    """Return the table as it is found; its version when that is served already and nobody asks for the plan."""
    from undrift.loop.sheet.look import look
    from undrift.loop.up import served_or_looked

    if project is not None and not plan:
        return served_or_looked(project, wanted)
    return look(project, wanted.table, wanted.asked, wanted.reading)


def _brought_up(project: Project, wanted: Wanted, looked: Looked | DatasetVersion) -> Answer:
    from undrift.loop.up import up as bring_up

    progress = Progress()

    def tell(line: str) -> None:
        progress.close()
        say(line)

    found = bring_up(project, wanted, looked, tell, progress)
    return Answer(found.as_json(), _told(found, wanted.name))


def _told(found: Up, name: str) -> str:
    trial = f"{found.canary} is on trial beside it: undrift status\n" if found.canary else ""
    waits = f"{found.proposed} passed its gate and waits for you: undrift status\n" if found.proposed else ""
    steps = (
        ("undrift status", "what is live, healthy, waiting"),
        (f"undrift model report {name}", "all that is known of the model, as a page"),
        ("undrift label add FILE --on KEY", "say what turned out to be true"),
        (f"undrift down {name}", "stop it"),
    )
    width = max(len(command) for command, _ in steps)
    told = "\n      ".join(f"{command:<{width}}  {what}" for command, what in steps)
    return f"{found.version.ref} answers at {found.supervisor.url}\n{trial}{waits}\n{found.curl}\n\nnext: {told}"


def _name_of(table: Path) -> str:
    plain = re.sub(r"[^a-z0-9_-]+", "-", table.stem.lower()).strip("-_")
    return plain[:63] or "model"
