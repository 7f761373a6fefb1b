"""The doors for notebooks and scripts: record a run, register its model, load a model and ask it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from undrift.core.errors import BadInput
from undrift.data.frames import Table, as_frame
from undrift.loop.training.home import rooms_of
from undrift.models.answer import answer
from undrift.models.build import PackageParts, build_package
from undrift.models.cards import CardFacts
from undrift.models.engines.base import Engine
from undrift.models.feeding import Example, find_feed, is_pandas
from undrift.models.infer import columns_of, infer_inputs
from undrift.models.package import Package, Task, open_package
from undrift.models.registry import Evidence
from undrift.models.signature import InputColumn
from undrift.models.version import ModelVersion
from undrift.project import NoProject, Project
from undrift.stats.sketch import ReferenceSketch
from undrift.tracking.active import ActiveRun, begin

_BINARY = 2


def run(
    name: str,
    *,
    params: Mapping[str, Any] | None = None,  # Any: whatever a caller calls a parameter
    seed: int | None = None,
    project: Path | str = ".",
) -> NotebookRun:
    """Start a recorded run; use it as a context manager.

    Parameters
    ----------
    name : str
        What it is about, usually the model's name.
    params : mapping, optional
        What you set; compared with what the fitted estimator really has.
    seed : int, optional
        The seed of everything random.
    project : Path or str
        A folder of the project; a folder that is none becomes one.

    Returns
    -------
    NotebookRun
        Ends when its block ends: finished, failed, or cancelled by Ctrl-C.

    Notes
    -----
    Records git commit and changes, the environment's exact versions, parameters, metrics and the
    model. Writes to ``.undrift/``.
    """
    opened = _open_or_create(Path(project))
    return NotebookRun(opened, begin(opened.runs, name, opened.root, opened.actor, params=params, seed=seed))


def load(reference: str, *, project: Path | str = ".") -> LoadedModel:
    """Return a registered model, every byte of it verified.

    Parameters
    ----------
    reference : str
        ``model:churn@champion``, ``churn@3``, or ``churn``.
    project : Path or str
        A folder of the project.

    Raises
    ------
    UnknownVersion
        If there is no such model or version.
    PackageCorrupt
        If a byte of the package was changed.
    """
    with Project.open(Path(project)) as opened:
        version = opened.registry.resolve(reference)
        package = opened.registry.open(version)
    return LoadedModel(version, package, package.load_engine())


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
    """

    version: ModelVersion
    package: Package
    engine: Engine

    def predict(self, table: Table) -> npt.NDArray[Any]:
        """Return one answer per row: a class label by the model's threshold, or a number.

        Parameters
        ----------
        table : frame or list of dict
            polars or pandas frame, Arrow table, or rows by column name. Other columns than the
            model's inputs are ignored.

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


class NotebookRun:
    """A run under way; see :func:`run`.

    Attributes
    ----------
    ref : str
        The reference, ``run:ID``.
    """

    def __init__(self, project: Project, active: ActiveRun) -> None:
        self._project = project
        self._active = active
        self.ref = active.ref

    def log(self, *, step: int | None = None, **metrics: float) -> None:
        """Log metrics; when this returns, kill -9 does not lose them."""
        self._active.log(step=step, **metrics)

    def params(self, **declared: Any) -> None:  # Any: whatever a caller calls a parameter
        """Declare more parameters."""
        self._active.params(**declared)

    def artifact(self, name: str, data: bytes | Path) -> str:
        """Keep bytes or a file with the run and return their digest."""
        return self._active.artifact(name, data)

    def log_model(
        self,
        model: Any,  # Any: a scikit-learn estimator
        *,
        name: str,
        example: Table,
        positive: bool | int | str | None = None,
        threshold: float | None = None,
        fitted_on: Table = None,
    ) -> ModelVersion:
        """Package a fitted model, judge it if the project knows the model, and register it as a proposed version.

        Parameters
        ----------
        model : scikit-learn estimator or Pipeline
            Fitted; it takes the columns of ``example`` by name.
        name : str
            The model's name in the registry.
        example : frame or list of dict
            Rows like those it was fitted with, the more the better: input types, nulls and the
            monitoring's reference are read from them. None of them is stored.
        positive : class label, optional
            Of two classes the one whose probability is meant; the second when not given.
        threshold : float, optional
            From which probability on it is answered; 0.5 when not given.
        fitted_on : frame, optional
            The rows that it was fitted on, with the key column of ``undrift.toml``. Only then can
            the gate pass it: a model may not be judged on rows that it has seen.

        Returns
        -------
        ModelVersion
            Proposed, with the gate's report when ``undrift.toml`` has ``[models.NAME]``: judged against
            the champion on the newest labelled rows. Without a passed gate it goes live only by force.

        Raises
        ------
        NotPackageable
            If the model does not fit its example.
        UntrustedModel
            If it holds a type that cannot be stored safely; the message names it.
        """
        frame = as_frame(example, keep_index=False)
        self._active.fitted(model)
        inputs = infer_inputs(frame)
        parts = PackageParts(
            name=name,
            model=model,
            task=_task(model),
            inputs=inputs,
            sketch=_sketch(frame, inputs),
            replay=columns_of(frame, inputs),
            created_at=self._project.clocks.business.now(),
            positive=positive,
            threshold=threshold,
            run=self.ref,
            lock=self._lock(),
            card=CardFacts(rows=frame.height),
            feed=find_feed(model, Example(example if is_pandas(example) else frame, frame, inputs)),
        )
        package = build_package(parts, self._project.store / "packages")
        evidence = self._judged(name, open_package(package.path, package.digest), fitted_on)
        with self._project.ledger.change(self._project.actor) as change:
            return self._project.registry.register(change, name, package.digest, self.ref, evidence)

    def __enter__(self) -> Self:
        self._active.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._active.__exit__(kind, error, trace)
        self._project.close()

    def _judged(self, name: str, package: Package, fitted_on: Table) -> Evidence:
        settings = self._project.settings.models.get(name)
        if settings is None:
            return Evidence()
        from undrift.loop.training.logged import judge_logged
        from undrift.loop.training.rooms import Spec

        now = self._project.clocks.business.now()
        spec = Spec(model=name, settings=settings, as_of=now, candidate="", dataset_version=settings.dataset)
        rows = None if fitted_on is None else as_frame(fitted_on, keep_index=False)
        report, data = judge_logged(rooms_of(self._project), spec, package, rows)
        return Evidence(gate=report, data=data)

    def _lock(self) -> str:
        return self._project.runs.lock(self._project.runs.get(self._active.id).run)


def _open_or_create(folder: Path) -> Project:
    try:
        return Project.open(folder)
    except NoProject:
        return Project.create(folder)


def _task(model: Any) -> Task:  # Any: a scikit-learn estimator
    classes = getattr(model, "classes_", None)
    if classes is None:
        return "regression"
    return "binary" if len(classes) == _BINARY else "multiclass"


def _sketch(frame: pl.DataFrame, inputs: tuple[InputColumn, ...]) -> ReferenceSketch:
    types = {column.name: column.type for column in inputs}
    return ReferenceSketch.fit({name: frame[name].to_list() for name in types}, types)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:  # Any: cells of a frame
    """Return a row as a request would hold it: dates as text, NaN as null."""
    return {name: _cell(value) for name, value in row.items()}


def _cell(value: Any) -> Any:  # Any: a cell of a frame
    if isinstance(value, float) and value != value:  # noqa: PLR0124  (NaN is the one value unlike itself)
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value
