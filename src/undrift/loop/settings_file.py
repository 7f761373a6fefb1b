"""Writing into ``undrift.toml``: what people wrote stays, with its comments and its order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec
import tomlkit
from tomlkit import TOMLDocument
from tomlkit.exceptions import ParseError
from tomlkit.items import Item, Table

from undrift.core.config import FILE_NAME, BadSettings, parse
from undrift.core.files import FileLock, write_atomic
from undrift.project import Project

Edit = Callable[[TOMLDocument], None]
_SETTINGS_MODE = 0o644


def edit(project: Project, change: Edit) -> bool:
    """Apply a change to the project's settings, read them again, and say whether the file is another one now.

    Parameters
    ----------
    project : Project
        Its file is locked meanwhile, and written at once or not at all.
    change : callable
        Is given the document as it lies there.

    Raises
    ------
    BadSettings
        If the file is not TOML, or would not be settings afterwards; it is then left as it was.
    """
    path = project.root / FILE_NAME
    with FileLock(project.store / "settings.lock"):
        before = path.read_text(encoding="utf-8")
        try:
            document = tomlkit.parse(before)
        except ParseError as error:
            raise BadSettings(f"{FILE_NAME} is not TOML: {error}", cure="correct the line it names") from error
        change(document)
        after = tomlkit.dumps(document)
        if after != before:
            parse(after, FILE_NAME)
            write_atomic(path, after.encode(), _SETTINGS_MODE)
        project.reload_settings()  # another process may have written since this one read
    return after != before


def table(document: TOMLDocument, *names: str) -> Table:
    """Return a table of a document, made when it is missing: ``table(document, "models", "churn")``."""
    found: Any = document  # Any: tomlkit's containers nest without a common type
    for name in names:
        if name not in found:
            made = tomlkit.table(is_super_table=name != names[-1])
            found.append(name, made)
        found = found[name]
    return cast(Table, found)


def put(where: Table, values: Mapping[str, object], comments: Mapping[str, str] | None = None) -> None:
    """Set keys of a table; a key whose value is that already keeps its comment.

    Parameters
    ----------
    where : Table
        The table.
    values : mapping
        The keys; None takes a key away.
    comments : mapping of str to str, optional
        What stands behind a key that is set here.
    """
    for key, value in values.items():
        if value is None:
            where.pop(key, None)
            continue
        plain = _plain(value)
        if key in where and where[key] == plain:
            continue
        made: Item = _item(plain)
        note = (comments or {}).get(key)
        if note:
            made.comment(" ".join(note.split()))
        where[key] = made


def _plain(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return msgspec.to_builtins(list(value)) if isinstance(value, tuple) else value


def _item(plain: object) -> Item:
    """Return a value as it is written: small tables as a list, one on a line, that stays under its key."""
    if not (isinstance(plain, list) and plain and isinstance(plain[0], dict)):
        return tomlkit.item(plain)
    made = tomlkit.array().multiline(multiline=True)
    for one in plain:
        row = tomlkit.inline_table()
        row.update(one)
        made.append(row)
    return made
