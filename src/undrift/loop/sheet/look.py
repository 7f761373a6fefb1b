"""Looking at a table before anything is made of it: the file, what the project says of it, the sheet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from undrift.core.clock import RealClock
from undrift.core.config import FILE_NAME, DatasetSettings
from undrift.core.errors import BadInput, DecisionNeeded
from undrift.data.schema import Schema
from undrift.data.tabular.reading import Reading
from undrift.data.tabular.table_files import TABLE_ENDINGS, format_of, read_table
from undrift.loop.sheet.asked import Asked
from undrift.loop.sheet.facts import Sheet
from undrift.loop.sheet.inferring import Known, infer
from undrift.project import Project


class NotATable(BadInput):
    """The file's name is not that of a table."""

    code = "not-a-table"


class NameTaken(BadInput):
    """The name belongs to something else in this project."""

    code = "name-taken"


class SuspiciousColumns(DecisionNeeded):
    """Columns may know what is to be predicted; a person must say whether they are kept."""

    code = "suspicious-columns"


@dataclass(frozen=True, slots=True)
class Looked:
    """A table as it was found.

    Attributes
    ----------
    sheet : Sheet
        What was inferred.
    reading : Reading
        What was said of the file, by the caller and by the settings.
    """

    sheet: Sheet
    reading: Reading


def look(project: Project | None, table: Path, asked: Asked, reading: Reading) -> Looked:
    """Return what a table is and how it would be learnt from; nothing is written.

    Parameters
    ----------
    project : Project or None
        The project, when there is one already: what its settings say is obeyed.
    table : Path
        The file.
    asked : Asked
        What the caller says of the table.
    reading : Reading
        What the caller says of the file.

    Raises
    ------
    NotATable, NameTaken, TargetMissing, ColumnMissing, BadTarget
        If the file, a name or a column is none.
    DecisionNeeded
        If the file can be read in two ways, or no rule says which column is the time.
    """
    if format_of(table) is None:
        raise NotATable(f"{table.name} is no table", cure=f"tables are {TABLE_ENDINGS} files")
    dataset, before = DatasetSettings(), None
    if project is not None:
        refuse_taken(project, asked)
        dataset, before = project.data.masks.settings(asked.name), _schema(project, asked.name)
    said = reading.over(Reading.of(dataset))
    known = Known(
        settings=None if project is None else project.settings.models.get(asked.name),
        dataset=dataset,
        now=(RealClock() if project is None else project.clocks.business).now(),
    )
    return Looked(infer(read_table(table, said, before), asked, known), said)


def refuse_taken(project: Project, asked: Asked) -> None:
    """Return when the name is free for this target.

    Raises
    ------
    NameTaken
        If it belongs to another model, or to another target.
    """
    known = project.settings.models.get(asked.name)
    if known is not None and known.target != asked.target:
        raise NameTaken(
            f"{FILE_NAME} says that {asked.name} predicts {known.target!r}, not {asked.target!r}",
            cure=f"add --name ANOTHER, or change models.{asked.name}.target there",
        )
    state = project.endpoints.find(asked.name)
    if state is not None and state.stable.model != asked.name:
        raise NameTaken(f"endpoint:{asked.name} serves {state.stable.ref}", cure="add --name ANOTHER")


def refuse_suspicious(sheet: Sheet) -> None:
    """Return when no column is suspicious.

    Raises
    ------
    SuspiciousColumns
        If some are: each with its evidence, and the two ways on.
    """
    if not sheet.suspicions:
        return
    told = "; ".join(f"{one['column']}: {one['evidence']}" for one in sheet.suspicions)
    first = sheet.suspicions[0]["column"]
    raise SuspiciousColumns(
        f"a column may know what is to be predicted: {told}",
        cure=f"not there when the question is asked? --drop {first!s}. Honest? --keep {first!s}, which the card says "
        "for ever",
        columns=[str(one["column"]) for one in sheet.suspicions],
    )


def _schema(project: Project, name: str) -> Schema | None:
    if name not in project.data.names():
        return None
    return project.data.get(name).schema
