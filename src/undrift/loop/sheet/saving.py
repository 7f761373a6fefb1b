"""A sheet as settings: what it found stands in ``undrift.toml``, to be read and edited."""

from __future__ import annotations

from dataclasses import fields

from tomlkit import TOMLDocument

from undrift.data.tabular.reading import Reading
from undrift.loop.settings_file import edit, put, table
from undrift.loop.sheet.facts import Sheet, said
from undrift.project import Project


def save(project: Project, sheet: Sheet, reading: Reading) -> bool:
    """Write a sheet into the project's settings, and say whether they are other ones now.

    Parameters
    ----------
    project : Project
        The project.
    sheet : Sheet
        Its settings become ``[models.NAME]``, the reasons comments behind the keys.
    reading : Reading
        What was said of the file becomes ``[datasets.NAME]``.

    Notes
    -----
    Keys that people wrote and that the sheet does not contradict stay as they are.
    """
    name = sheet.settings.dataset

    def change(document: TOMLDocument) -> None:
        stated = {one.name: getattr(reading, one.name) for one in fields(reading)}
        stated = {key: value for key, value in stated.items() if value}
        if stated:
            put(table(document, "datasets", name), stated)
        put(table(document, "models", str(sheet.facts.table["name"])), said(sheet.settings), sheet.reasons)

    return edit(project, change)
