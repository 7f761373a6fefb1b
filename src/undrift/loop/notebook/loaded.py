"""A registered model, loaded and asked."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from undrift.core import canonical
from undrift.core.errors import BadInput
from undrift.data.tabular.frames import Table, as_frame
from undrift.loop.notebook.evaluated import DIAGNOSIS
from undrift.models.answer import answer
from undrift.models.engines.base import Engine
from undrift.models.package import Package
from undrift.models.signature import BadRow, Fault
from undrift.models.version import ModelVersion
from undrift.project import Project
from undrift.tracking.runs import NoSuchRun

_MOST_NAMED = 8
_PLACE = re.compile(r'\$\.rows\[(?P<row>\d+)\](?:\.(?P<plain>.+)|\["(?P<quoted>.*)"\])\Z', re.DOTALL)


def load(reference: str, *, project: Path | str = ".") -> LoadedModel:
    """Return a registered model, every byte of it verified.

    Parameters
    ----------
    reference : str
        ``model:churn@champion``, ``churn@3``, or ``churn``: the champion, and while there is none the newest
        version that was not retired. The ``version`` of what comes back says which it is.
    project : Path or str
        A folder of the project.

    Raises
    ------
    UnknownVersion
        If there is no such model or version.
    PackageCorrupt
        If a byte of the package was changed.
    MissingExtra
        If a library that the model needs is not installed.
    """
    with Project.open(Path(project)) as opened:
        version = opened.registry.resolve(reference)
        package = opened.registry.open(version)
        diagnosis = _diagnosis(opened, version)
    return LoadedModel(version, package, package.load_engine(), diagnosis)


class BadTableRow(BadRow):
    """Rows of a table in memory do not fit the inputs of a model; told in the words of the table."""

    def __init__(self, faults: Sequence[Fault], message: str, cure: str) -> None:
        BadInput.__init__(self, message, cure=cure, path=faults[0].path)
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that answers tables.

    Attributes
    ----------
    version : ModelVersion
        Which registered version it is.
    package : Package
        Its verified bytes.
    engine : Engine
        What scores: the engine that also serves.
    diagnosis : mapping or None
        How it behaved on rows that it had not seen, where its run has looked.
    """

    version: ModelVersion
    package: Package
    engine: Engine
    diagnosis: Mapping[str, Any] | None = field(default=None, repr=False)  # Any: JSON

    def __repr__(self) -> str:
        """Return which version it is and what it answers, on one line."""
        named = [str(label) for label in self.classes[:_MOST_NAMED]]
        answers = ", ".join([*named, *(["..."] if len(self.classes) > _MOST_NAMED else [])]) or "a number"
        what = f"answers {answers} from {len(self.package.manifest.inputs)} columns, by {self.engine.name}"
        return f"<LoadedModel {self.version.ref} ({self.version.state}): {what}>"

    def predict(self, table: Table) -> npt.NDArray[Any]:
        """Return one answer per row: a class label by the model's threshold, or a number.

        Parameters
        ----------
        table : frame or list of dict
            polars or pandas frame, Arrow table, or rows by column name. Other columns than the
            model's inputs, and the index of a pandas frame, are ignored.

        Raises
        ------
        BadTableRow
            If a column is missing or holds what the model does not take; a :class:`BadRow`.
        """
        return np.array(answer(self.package.manifest, self._score(table)))

    def predict_proba(self, table: Table) -> npt.NDArray[np.float64]:
        """Return the probability of each class, one row per row of the table, classes as in ``classes``.

        Raises
        ------
        BadInput
            If the model answers with a number.
        """
        if self.package.manifest.task == "regression":
            raise BadInput(f"{self.version.ref} answers with a number, not with probabilities", cure="call predict")
        return self._score(table)

    @property
    def classes(self) -> tuple[bool | int | str, ...]:
        """The class labels in the order of ``predict_proba``'s columns; empty for regression."""
        return self.package.manifest.classes

    def _score(self, table: Table) -> npt.NDArray[np.float64]:
        frame = as_frame(table, keep_index=False)
        names = [column.name for column in self.package.manifest.inputs]
        missing = [name for name in names if name not in frame.columns]
        if missing and frame.height:
            raise _without(self.version.ref, missing, frame.columns)
        rows = frame.select([name for name in names if name in frame.columns]).to_dicts()
        try:
            decoded = self.package.decoder.decode([_plain(row) for row in rows])
        except BadRow as error:
            raise _of_a_frame(error) from error
        return self.engine.score(decoded, frame.height)

    def _repr_html_(self) -> str:
        """Return the model as a notebook shows it."""
        from undrift.loop.notebook.shown import loaded

        return loaded(self)


def _without(ref: str, missing: Sequence[str], columns: Sequence[str]) -> BadTableRow:
    """Return the error about columns that a table lacks; the cure names what is called most like the first."""
    named = ", ".join(map(repr, missing[:_MOST_NAMED]))
    more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
    close = difflib.get_close_matches(missing[0], columns, n=1)
    near = f"rename {close[0]!r} if that is it, or " if close else ""
    word = "column" if len(missing) == 1 else "columns"
    faults = [Fault(f"$.rows[0].{name}", "missing-column", "a column of the model") for name in missing]
    message = f"the table has no {word} {named}{more}, with which {ref} was trained"
    return BadTableRow(faults, message, f"{near}add the {word}; null where it is not known and training had nulls")


def _of_a_frame(error: BadRow) -> BadRow:
    """Return the same error in the words of a table: row and column instead of the path in a request."""
    first = error.faults[0]
    found = _PLACE.match(first.path)
    if found is None:
        return error if first.code != "empty" else BadTableRow(error.faults, "the table has no rows", "give it rows")
    column = found["plain"] or (found["quoted"] or "").replace('\\"', '"').replace("\\\\", "\\")
    said = "is null" if first.code == "null" else f"holds what the model does not take ({first.code})"
    message = f"row {found['row']} (counted from 0), column {column!r} {said}; expected is {first.expected}"
    return BadTableRow(
        error.faults, message, "mend the cell, or leave such rows out; columns must have training's types"
    )


def _diagnosis(project: Project, version: ModelVersion) -> Mapping[str, Any] | None:  # Any: JSON
    try:
        kept = project.runs.get(version.run.removeprefix("run:")).facts.artifacts.get(DIAGNOSIS)
    except NoSuchRun:
        return None  # a run of another project, whose package came over alone
    return cast("Mapping[str, Any]", canonical.loads(project.blobs.read_bytes(kept.digest))) if kept else None


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:  # Any: cells of a frame
    """Return a row as a request would hold it: dates as text, NaN as null."""
    return {name: _cell(value) for name, value in row.items()}


def _cell(value: Any) -> Any:  # Any: a cell of a frame
    if isinstance(value, float) and value != value:  # noqa: PLR0124  (NaN is the one value unlike itself)
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value
