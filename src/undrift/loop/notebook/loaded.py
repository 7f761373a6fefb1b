"""A registered model, loaded and asked."""

from __future__ import annotations

from collections.abc import Mapping
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
from undrift.models.version import ModelVersion
from undrift.project import Project
from undrift.tracking.runs import NoSuchRun


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

    def predict(self, table: Table) -> npt.NDArray[Any]:
        """Return one answer per row: a class label by the model's threshold, or a number.

        Parameters
        ----------
        table : frame or list of dict
            polars or pandas frame, Arrow table, or rows by column name. Other columns than the
            model's inputs, and the index of a pandas frame, are ignored.

        Raises
        ------
        BadRow
            If a column is missing or holds what the model does not take.
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
        rows = frame.select([name for name in names if name in frame.columns]).to_dicts()
        decoded = self.package.decoder.decode([_plain(row) for row in rows])
        return self.engine.score(decoded, frame.height)

    def _repr_html_(self) -> str:
        """Return the model as a notebook shows it."""
        from undrift.loop.notebook.shown import loaded

        return loaded(self)


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
