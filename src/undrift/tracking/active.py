"""A run under way in this process: the object that scripts and notebooks hold."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from undrift.core.errors import BadInput, UndriftError
from undrift.core.json import JSON
from undrift.core.process import Heartbeat
from undrift.ledger.actor import Actor
from undrift.tracking.facts import Facts, Input, MetricValue
from undrift.tracking.params import as_value, fitted_params, untrue
from undrift.tracking.points import PointWriter
from undrift.tracking.runs import HEARTBEAT_S, Runs, with_points
from undrift.tracking.source import executed_source


class ActiveRun:
    """A run that this process holds; a context manager that ends it.

    Leaving the block well finishes the run; leaving it with an error marks it failed; Ctrl-C
    marks it cancelled. If the process dies, what was logged until then is kept and the run is
    marked crashed by the next look at it. Safe for threads.

    Use :func:`begin`.

    Attributes
    ----------
    id : str
        The run's id.
    """

    def __init__(self, runs: Runs, run_id: str, actor: Actor, declared: Mapping[str, JSON]) -> None:
        self.id = run_id
        self._runs = runs
        self._actor = actor
        self._declared = dict(declared)
        self._points: PointWriter | None = None
        self._source = b""
        self._lock = threading.Lock()
        self._heartbeat = Heartbeat(self._beat, HEARTBEAT_S)
        self._heartbeat.start()
        self._is_open = True

    @property
    def ref(self) -> str:
        """The reference, ``run:ID``."""
        return f"run:{self.id}"

    def log(self, *, step: int | None = None, **metrics: float) -> None:
        """Log metrics; when this returns, kill -9 does not lose them.

        Parameters
        ----------
        step : int, optional
            Where in the training.
        **metrics : float
            Values by name; NaN and infinities are kept.
        """
        if self._points is None:
            with self._lock:
                self._points = self._points or self._runs.writer(self.id)
        self._points.write(metrics, step)

    def params(self, **declared: Any) -> None:  # Any: whatever a caller calls a parameter
        """Declare parameters; they are compared with the fitted model when one is logged."""
        values = {name: as_value(value) for name, value in declared.items()}
        self._declared.update(values)
        self._record(Facts(declared=values))

    def fitted(self, estimator: Any) -> None:  # Any: whatever has get_params
        """Record the parameters that a fitted estimator really has, and warn of declared ones that are not true."""
        found = fitted_params(estimator)
        self._record(Facts(fitted=found, warnings=untrue(self._declared, found)))

    def artifact(self, name: str, data: bytes | Path) -> str:
        """Keep bytes or a file with the run and return their digest."""
        content = data.read_bytes() if isinstance(data, Path) else data
        kept = self._runs.put(content)
        self._record(Facts(artifacts={name: kept}))
        return kept.digest

    def source(self) -> None:
        """Keep the cells executed so far, or the script, when they are not kept already."""
        found = executed_source()
        if found is not None and found.data != self._source:
            self.artifact(found.name, found.data)
            self._source = found.data

    def measured(self, metrics: Mapping[str, MetricValue]) -> None:
        """Record results with their intervals."""
        self._record(Facts(metrics=metrics))

    def input(self, role: str, ref: str, digest: str) -> None:
        """Record data that the run read: a reference, and the digest that pins its content."""
        self._record(Facts(inputs={role: Input(ref, digest)}))

    def finish(self, facts: Facts | None = None) -> None:
        """End the run well."""
        self._end(facts or Facts(), "")

    def fail(self, error: str, *, cancelled: bool = False) -> None:
        """End the run as failed or cancelled; what was logged stays."""
        self._end(Facts(), error or "failed", cancelled=cancelled)

    def _record(self, facts: Facts) -> None:
        with self._runs.ledger.change(self._actor) as change:
            self._runs.record(change, self.id, facts)

    def _end(self, facts: Facts, error: str, *, cancelled: bool = False) -> None:
        with self._lock:
            was_open, self._is_open = self._is_open, False
        if not was_open:
            raise BadInput(f"{self.ref} has ended", cure="start another run")
        self._heartbeat.stop()
        if self._points is not None:
            self._points.close()
        complete = with_points(facts, self._runs.seal(self.id)) if self._points is not None else facts
        with self._runs.ledger.change(self._actor) as change:
            if error:
                self._runs.record(change, self.id, complete)
                self._runs.fail(change, self.id, error, cancelled=cancelled)
            else:
                self._runs.finish(change, self.id, complete)

    def _beat(self) -> bool:
        try:
            self._runs.beat(self.id)
        except UndriftError:
            return True  # the next beat may get through; a missed one harms nobody
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._is_open:
            return
        if error is None:
            self.finish()
        else:
            self.fail(f"{type(error).__name__}: {error}", cancelled=isinstance(error, KeyboardInterrupt))


def begin(
    runs: Runs, name: str, root: Path, actor: Actor, *, params: Mapping[str, Any] | None = None, seed: int | None = None
) -> ActiveRun:
    """Start a run in this process.

    Parameters
    ----------
    runs : Runs
        The project's runs.
    name : str
        What it is about, usually a model's name.
    root : Path
        The project's folder, whose code is captured.
    actor : Actor
        Who runs it.
    params : mapping, optional
        Declared parameters.
    seed : int, optional
        Of everything random in it.
    """
    declared = {name: as_value(value) for name, value in (params or {}).items()}
    capture = runs.capture(root)
    with runs.ledger.change(actor) as change:
        run_id = runs.start(change, name, capture, seed=seed)
        if declared:
            runs.record(change, run_id, replace(Facts(), declared=declared))
    return ActiveRun(runs, run_id, actor, declared)
