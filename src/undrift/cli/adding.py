"""``undrift data add``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from undrift.cli.answer import Answer
from undrift.cli.command import command
from undrift.cli.reading import reading_of, reading_options
from undrift.cli.versions import Instant, admitted, version_json, version_text
from undrift.project import Project

if TYPE_CHECKING:
    from undrift.data.intake import Asked

_T = TypeVar("_T")


def _source_options(function: Callable[..., _T]) -> Callable[..., _T]:
    """Return the command's function with what is asked of the source, given to it as ``asked`` without a name."""

    @functools.wraps(function)
    def run(*args: Any, table: str, query: str, order_by: tuple[str, ...], **kwargs: Any) -> _T:  # Any: click's
        from undrift.data.connectors.databases import Question
        from undrift.data.intake import Asked

        question = Question(table, query, order_by) if table or query or order_by else None
        told = {name: kwargs.pop(name) for name in ("tag", "append", "reading", "as_table", "table_version", "as_of")}
        return function(*args, asked=Asked("", question=question, **told), **kwargs)

    for option in reversed(_OPTIONS):
        run = option(run)
    return reading_options(run)


_OPTIONS = (
    click.option("--tag", help="A tag for the new version; tags never move."),
    click.option("--append", is_flag=True, help="Put it behind the rows of the newest version."),
    click.option("--as-table", is_flag=True, help="Keep the rows as Parquet of which later versions share most."),
    click.option("--table", default="", help="Of a database: the table, as NAME or SCHEMA.NAME."),
    click.option("--query", default="", help="Of a database: one SELECT, in place of a table."),
    click.option("--order-by", multiple=True, metavar="COL", help="Of a database: what orders the rows. Repeatable."),
    click.option("--version", "table_version", type=int, help="Of a Delta table: its version."),
    click.option("--as-of", type=Instant(), help="Of a Delta table: its newest version at this instant."),
)


@command("add", example="undrift data add june.csv --name customers --tag june")
@click.argument("source")
@click.option("--name", required=True, help="The dataset.")
@click.option("--check/--no-check", default=None, help="Check it first; on for --append when a suite is frozen.")
@_source_options
def add(project: Path, source: str, name: str, *, check: bool | None, asked: Asked) -> Answer:
    """Add SOURCE as a version; with --append as a batch that must pass the dataset's suite.

    SOURCE is a file or folder, sqlite:///FILE, postgresql://..., s3://BUCKET/KEY (also gs:// and az://; a slash at the
    end means all below it), or delta:PLACE.
    """
    with Project.open(project) as opened:
        asked = replace(asked, name=name, reading=reading_of(opened, name, asked.reading))
        must_pass = asked.append and opened.data.suite(name) is not None if check is None else check
        if must_pass:
            return admitted(opened.data.intake.admit(source, asked, opened.actor))
        taken = opened.data.intake.add(source, asked, opened.actor)
    text = "\n".join([version_text(taken.version), *(f"note: {note}" for note in taken.notes)])
    return Answer({**version_json(taken.version), "notes": list(taken.notes)}, text)
