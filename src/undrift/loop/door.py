"""`undrift.up` in Python: the front door for a table that is in memory, or in a file."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeAlias

from undrift.core.errors import BadInput
from undrift.data.tabular.frames import write_table
from undrift.data.tabular.reading import NOTHING_SAID, Reading
from undrift.data.workspace import table_file
from undrift.loop.sheet.asked import Asked
from undrift.loop.sheet.look import look, refuse_suspicious
from undrift.loop.up import Up, Wanted
from undrift.loop.up import up as bring_up
from undrift.project import NoProject, Project

Table: TypeAlias = Any  # Any: a path, a polars or pandas frame, an Arrow table, or a list of rows


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How a table is brought up, beside what is learnt from it.

    Attributes
    ----------
    port : int or None
        Where to listen; by default where the system chooses.
    force : str
        Go past a gate that did not pass, for this reason, which is kept for ever.
    auto : str
        Promote later versions that pass their gate unasked, for this reason.
    reading : Reading
        How the file is written, where that cannot be found.
    """

    port: int | None = None
    force: str = ""
    auto: str = ""
    reading: Reading = NOTHING_SAID


AS_USUAL = How()


def up(
    table: Table,
    *,
    target: str,
    name: str | None = None,
    project: Path | str = ".",
    how: How = AS_USUAL,
    **said: Any,  # Any: fields of Asked
) -> Up:
    """Return a served and watched model of a table, as ``undrift up`` brings it up.

    Parameters
    ----------
    table : frame, Arrow table, list of dict, Path or str
        The table, or the file that holds it.
    target : str
        The column to predict.
    name : str, optional
        Name of dataset, model and endpoint; by default that of the file, or ``table``.
    project : Path or str
        A folder of the project; a folder that is none becomes one.
    how : How
        Where it listens, what goes past the gate or unasked, how the file is written.
    **said
        What is not to be inferred: ``drop``, ``keep``, ``text`` (lists of columns), ``time``, ``group``, ``key``,
        ``task``, ``positive``, ``metric``, ``random_split``, ``budget_s``, ``full``.

    Raises
    ------
    SourceNotFound
        If there is no such file; the cure names what is called most like it.
    BadInput
        If something that is said is not known, or the table cannot be used.
    SuspiciousColumns
        If a column may know what is to be predicted; nothing has been made then.
    UpGateFailed, UpGateCannotTell
        If the model did not pass its gate.

    Notes
    -----
    Progress is written to standard error. The endpoint goes on when Python ends:
    ``undrift down NAME`` stops it.
    """
    known = {field.name for field in fields(Asked)} - {"target", "name"}
    unknown = sorted(set(said) - known)
    if unknown:
        raise BadInput(f"undrift.up does not know {unknown[0]!r}", cure=f"known are {', '.join(sorted(known))}")
    lists = {key: (value,) if isinstance(value, str) else tuple(value) for key, value in said.items() if key in _LISTS}
    with tempfile.TemporaryDirectory() as folder:
        path = _file_of(table, name, Path(folder))
        asked = Asked(target=target, name=name or path.stem, **{**said, **lists})
        wanted = Wanted(
            table=path,
            asked=asked,
            reading=how.reading,
            force_reason=how.force,
            auto_reason=how.auto,
            port=how.port,
        )
        return _brought_up(Path(project), wanted, lambda line: print(line, file=sys.stderr))  # noqa: T201  (a notebook's progress)


_LISTS = ("drop", "keep", "text")


def _brought_up(folder: Path, wanted: Wanted, tell: Callable[[str], None]) -> Up:
    try:
        opened = Project.open(folder)
    except NoProject:
        refuse_suspicious(look(None, wanted.table, wanted.asked, wanted.reading).sheet)
        opened = Project.create(folder)
    with opened:
        return bring_up(opened, wanted, None, tell)


def _file_of(table: Table, name: str | None, folder: Path) -> Path:
    if isinstance(table, str | Path):
        return table_file(Path(table))
    return write_table(table, folder, name or "table")
