"""Options that say how a table is written; for every command that reads one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from undrift.core.config import Settings
from undrift.core.errors import BadInput
from undrift.data.tabular.reading import COLUMN_OPTIONS, NOTHING_SAID, Reading

if TYPE_CHECKING:
    from undrift.data.personal.masks import Masks

_T = TypeVar("_T")


def refuse_missing(what: str) -> None:
    """Refuse what is written like a table file and is none; anything else may be a reference.

    Raises
    ------
    SourceNotFound
        If there is no such file; the cure names what is called most like it.
    """
    from undrift.data.tabular.table_files import format_of
    from undrift.data.workspace import missing

    path = Path(what)
    if not path.exists() and (format_of(path) is not None or path.parent != Path()):
        raise missing(path)


@contextmanager
def telling_folder(what: str) -> Iterator[None]:
    """Say of what no dataset is called, and is a folder, that it is one.

    Raises
    ------
    NotATable
        In place of the error that there is no such dataset, or no project.
    """
    from undrift.data.versions import DatasetNotFound, NotATable
    from undrift.project import NoProject

    try:
        yield
    except (DatasetNotFound, NoProject) as error:
        if not Path(what).is_dir():
            raise
        raise NotATable(
            f"{what} is a folder, and no dataset is called so",
            cure="name a table file in it; or add the folder first: undrift data add",
        ) from error


@contextmanager
def masks_at(folder: Path) -> Iterator[Masks]:
    """Give what masks personal cells of a file: the project's masks, or passing ones where there is no project."""
    from undrift.data.profiling import passing_masks
    from undrift.project import NoProject, Project

    try:
        opened = Project.open(folder)
    except NoProject:
        yield passing_masks()
        return
    with opened:
        yield opened.data.masks


def refuse_reading(what: str, reading: Reading) -> None:
    """Refuse that somebody says how a version is read.

    Raises
    ------
    BadInput
        If anything is said.
    """
    if reading != NOTHING_SAID:
        raise BadInput(f"there is no file {what}; how a version is read was said when it was added", cure="name a file")


_HELP = {
    "day_first": "Dates in COL are written 31/12/2013.",
    "month_first": "Dates in COL are written 12/31/2013.",
    "decimal_comma": "Numbers in COL are written 1.234,5.",
    "decimal_point": "Numbers in COL are written 1,234.5.",
    "as_text": "Cells of COL stay text, whatever they look like.",
}


def reading_options(function: Callable[..., _T]) -> Callable[..., _T]:
    """Return a command's function with options that say how a table is written, given to it as ``reading``."""

    @functools.wraps(function)
    def run(*args: Any, delimiter: str | None, encoding: str | None, **kwargs: Any) -> _T:  # Any: click's parameters
        columns = {option: kwargs.pop(option) for option in COLUMN_OPTIONS}
        return function(*args, reading=Reading(delimiter, encoding, **columns), **kwargs)

    for option in reversed(COLUMN_OPTIONS):
        flag = f"--{option.replace('_', '-')}"
        run = click.option(flag, option, metavar="COL", multiple=True, help=f"{_HELP[option]} Repeatable.")(run)
    run = click.option("--encoding", help="The text encoding; by default found in the file.")(run)
    return click.option("--delimiter", help="The character between cells; by default found in the file.")(run)


def reading_of(settings: Settings, name: str, said: Reading) -> Reading:
    """Return what options and ``[datasets.NAME]`` say of a dataset's files; of two words the option's counts."""
    return said.over(Reading.of(settings.dataset(name)))
