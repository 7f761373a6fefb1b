"""A run in a notebook or script: what is recorded, and the model that comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import polars as pl

from undrift.core import canonical
from undrift.data.personal.columns import personal_columns
from undrift.data.tabular.frames import Table, as_frame
from undrift.loop.notebook.evaluated import DIAGNOSIS, Evaluated, Test, evaluate, task_of
from undrift.loop.notebook.logged import LoggedModel
from undrift.loop.training.home import rooms_of
from undrift.models.build import PackageParts, build_package
from undrift.models.cards import FIELDS, CardFacts
from undrift.models.feeding import Example, find_feed, is_pandas
from undrift.models.infer import columns_of, infer_inputs
from undrift.models.package import Package, open_package
from undrift.models.registry import Evidence
from undrift.models.signature import InputColumn
from undrift.project import NoProject, Project
from undrift.stats.sketch import ReferenceSketch
from undrift.tracking.active import ActiveRun, begin
from undrift.tracking.facts import RunRecord


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
    Records git commit and changes, the cells executed so far (or the script), the environment's
    exact versions, parameters, metrics and the model. Writes to ``.undrift/``.
    """
    opened = _open_or_create(Path(project))
    return NotebookRun(opened, begin(opened.runs, name, opened.root, opened.actor, params=params, seed=seed))


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
        self._ended: RunRecord | None = None
        self.ref = active.ref
        active.source()

    def log(self, *, step: int | None = None, **metrics: float) -> None:
        """Log metrics; when this returns, kill -9 does not lose them."""
        self._active.log(step=step, **metrics)

    def params(self, **declared: Any) -> None:  # Any: whatever a caller calls a parameter
        """Declare more parameters."""
        self._active.params(**declared)

    def artifact(self, name: str, data: bytes | Path) -> str:
        """Keep bytes or a file with the run and return their digest."""
        return self._active.artifact(name, data)

    def evaluate(
        self,
        model: Any,  # Any: a scikit-learn estimator
        table: Table,
        y: Any,  # Any: a column of any library
        *,
        groups: Any = None,
        positive: bool | int | str | None = None,
        threshold: float | None = None,
    ) -> Evaluated:
        """Record and return how a fitted model does on rows that it has not seen.

        Parameters
        ----------
        model : scikit-learn estimator or Pipeline
            Fitted.
        table : frame or list of dict
            The rows: the columns that the model takes, and no others.
        y : sequence
            What came true, one per row.
        groups : sequence, optional
            What belongs together, one per row (a customer, a day): intervals are over groups.
        positive : class label, optional
            Of two classes the one whose probability is meant; the second when not given.
        threshold : float, optional
            From which probability on it is answered; 0.5 when not given.

        Returns
        -------
        Evaluated
            Metrics with 95 % intervals, confusion, curves, calibration, importance, weak slices;
            a notebook shows it.

        Raises
        ------
        BadTest
            If rows and labels do not fit together, or a label is none of the model's classes.
        """
        found = evaluate(model, Test(table, y, groups), positive=positive, threshold=threshold)
        self._active.measured(found.values())
        self._active.artifact(DIAGNOSIS, canonical.dumps(dict(found.diagnosis)))
        return found

    def log_model(
        self,
        model: Any,  # Any: a scikit-learn estimator
        *,
        name: str,
        example: Table,
        positive: bool | int | str | None = None,
        threshold: float | None = None,
        fitted_on: Table = None,
        test: tuple[Table, Any] | None = None,
    ) -> LoggedModel:
        """Package a fitted model, judge it if the project knows the model, and register it as a proposed version.

        Parameters
        ----------
        model : scikit-learn estimator or Pipeline
            Fitted; it takes the columns of ``example`` by name. LightGBM's and XGBoost's estimators
            may be it, or be in it.
        name : str
            The model's name in the registry.
        example : frame or list of dict
            Rows like those it was fitted with, the more the better: input types, nulls and the
            monitoring's reference are read from them, and the packaged model must answer them as
            the one handed over does, to the last bit. None of them is stored.
        positive : class label, optional
            Of two classes the one whose probability is meant; the second when not given.
        threshold : float, optional
            From which probability on it is answered; 0.5 when not given.
        fitted_on : frame, optional
            The rows that it was fitted on, with the key column of ``undrift.toml``. Only then can
            the gate pass it: a model may not be judged on rows that it has seen.
        test : (frame, labels), optional
            Rows that it has not seen, and what came true: evaluated as :meth:`evaluate` does, for
            the card and the run. The gate does not read it.

        Returns
        -------
        LoggedModel
            Proposed, with the gate's report when ``undrift.toml`` has ``[models.NAME]``: judged against
            the champion on the newest labelled rows. Without a passed gate it goes live only by force.

        Raises
        ------
        NotPackageable
            If the model does not fit its example.
        OtherAnswers
            If it would answer rows of a request otherwise than its example.
        UntrustedModel
            If it holds a type that cannot be stored safely; the message names it.
        """
        frame = as_frame(example, keep_index=False)
        self._active.source()
        self._active.fitted(model)
        found = None if test is None else self.evaluate(model, *test, positive=positive, threshold=threshold)
        inputs = infer_inputs(frame)
        parts = PackageParts(
            name=name,
            model=model,
            task=task_of(model),
            inputs=inputs,
            sketch=_sketch(frame, inputs),
            replay=columns_of(frame, inputs),
            created_at=self._project.clocks.business.now(),
            positive=positive,
            threshold=threshold,
            run=self.ref,
            lock=self._lock(),
            card=replace(self._stated(name), rows=frame.height, metrics=found.on_card() if found else ()),
            feed=find_feed(model, Example(example if is_pandas(example) else frame, frame, inputs)),
        )
        package = build_package(parts, self._project.store / "packages")
        evidence = self._judged(name, open_package(package.path, package.digest), fitted_on)
        with self._project.ledger.change(self._project.actor) as change:
            version = self._project.registry.register(change, name, package.digest, self.ref, evidence)
        return LoggedModel.of(version, found)

    def __enter__(self) -> Self:
        self._active.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._active.source()
        self._active.__exit__(kind, error, trace)
        self._ended = self._project.runs.get(self._active.id)
        self._project.close()

    def _repr_html_(self) -> str:
        """Return the run as a notebook shows it."""
        from undrift.loop.notebook.shown import recorded

        return recorded(self._ended or self._project.runs.get(self._active.id))

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

    def _stated(self, name: str) -> CardFacts:
        """Return what ``undrift.toml`` states of the model for its card."""
        settings = self._project.settings.models.get(name)
        return CardFacts(**{field: getattr(settings, field) for field in FIELDS}) if settings else CardFacts()

    def _lock(self) -> str:
        return self._project.runs.lock(self._project.runs.get(self._active.id).run)


def _open_or_create(folder: Path) -> Project:
    try:
        return Project.open(folder)
    except NoProject:
        return Project.create(folder)


def _sketch(frame: pl.DataFrame, inputs: tuple[InputColumn, ...]) -> ReferenceSketch:
    types = {column.name: column.type for column in inputs}
    values = {name: frame[name].to_list() for name in types}
    return ReferenceSketch.fit(values, types, pooled=personal_columns(frame))
