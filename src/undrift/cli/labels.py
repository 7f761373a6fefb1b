"""``undrift label add`` and ``undrift label learn``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from undrift.cli.answer import Answer
from undrift.cli.command import LazyGroup, command
from undrift.core.errors import UndriftError
from undrift.core.json import JSON
from undrift.data.workspace import table_file
from undrift.loop.naming import only_endpoint
from undrift.project import Project

if TYPE_CHECKING:
    from undrift.loop.learning import Learnt


@command("add", example="undrift label add labels.csv --on customer_id --actual churned")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--on", required=True, help="Column with the key that was sent with the request, or prediction_id.")
@click.option("--actual", help="Column with the truth; by default the model's target.")
@click.option("--event-time", help="Column with the prediction's event time, when keys repeat.")
@click.option("--endpoint", help="The endpoint; not needed when there is only one.")
@click.option("--learn", is_flag=True, help="Append the labelled answers to the model's dataset too.")
def add(
    project: Path, path: Path, *, on: str, actual: str | None, event_time: str | None, endpoint: str | None, learn: bool
) -> Answer:
    """Say what turned out to be true, from a table: CSV in any dialect, JSON lines, Parquet."""
    from undrift.loop.labels import add_labels, keys_in

    path = table_file(path)
    with Project.open(project) as opened:
        name = only_endpoint(opened, endpoint)
        report = add_labels(opened, name, path, on=on, actual=actual, event_time=event_time)
        learnt = _tried(opened, name, on, keys_in(opened, path, on)) if learn else None
    text = f"{report.added:,} labels for endpoint:{name} from {report.rows:,} rows"
    left = report.without_label + report.without_key
    text += f"; {left:,} left out (null)" if left else ""
    data: dict[str, JSON] = {"endpoint": name, **report.as_json()}
    if learnt is None:
        return Answer(data, text)
    if isinstance(learnt, UndriftError):  # the labels are there all the same
        problem = {"code": learnt.code, "message": learnt.message, "cure": learnt.cure}
        told = f"{text}\nthey are not learnt from: {learnt.message}\n cure: {learnt.cure}"
        return Answer({**data, "learnt": None, "problem": problem}, told, learnt.exit_code)
    return Answer({**data, "learnt": learnt.as_json()}, f"{text}\n{_told(learnt)}")


@command("learn", example="undrift label learn delay")
@click.argument("endpoint", required=False, metavar="[ENDPOINT]")
def learn_(project: Path, endpoint: str | None) -> Answer:
    """Append the labelled answers of an endpoint to its model's dataset, each once.

    For those who do not deliver whole rows with `undrift data add --append`: use one of the two, or
    what was asked is learnt twice.
    """
    with Project.open(project) as opened:
        name = only_endpoint(opened, endpoint)
        learnt = _learnt(opened, name, "", {})
    return Answer({"endpoint": name, **learnt.as_json()}, _told(learnt))


def _tried(project: Project, endpoint: str, on: str, keys: dict[str, str]) -> Learnt | UndriftError:
    from undrift.loop.learning import NotLearnable

    try:
        return _learnt(project, endpoint, on, keys)
    except NotLearnable as error:
        return error


def _learnt(project: Project, endpoint: str, on: str, keys: dict[str, str]) -> Learnt:
    from undrift.loop.learning import Keys, learn_from_answers

    return learn_from_answers(project, project.endpoints.get(endpoint), project.actor, Keys(on, keys))


def _told(learnt: Learnt) -> str:
    rest = [f"{learnt.known:,} were there already"] if learnt.known else []
    rest += [f"{learnt.left_out:,} break its checks"] if learnt.left_out else []
    return f"{learnt.rows:,} labelled answers are rows of {learnt.data}" + (f" ({', '.join(rest)})" if rest else "")


label = LazyGroup(
    "label",
    help="Labels that arrive after the predictions.",
    entries={
        "add": ("undrift.cli.labels:add", "Say what turned out to be true, from a file."),
        "learn": ("undrift.cli.labels:learn_", "Append labelled answers to the model's dataset."),
    },
)
