"""Runs: starting, recording, ending, finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from undrift.blobs.store import BlobStore
from undrift.core import canonical
from undrift.core.clock import Clocks, to_us
from undrift.core.errors import BadInput, NotFound
from undrift.core.ids import IdSource, check_name
from undrift.core.json import JSON
from undrift.core.process import is_gone, this_process
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Change, Ledger
from undrift.tracking.code import capture_code
from undrift.tracking.environment import lock_text
from undrift.tracking.facts import Artifact, Capture, Facts, MetricValue, Run, RunRecord, Status, Warned
from undrift.tracking.points import Point, PointWriter, SealedPoints, read_points, seal_points
from undrift.tracking.repository import RunRows

HEARTBEAT_S = 20.0
_DEAD_AFTER_US = 6 * int(HEARTBEAT_S) * 1_000_000
_SWEEPER = Actor("service", "tracking")
_MOST_SWEPT = 100


class NoSuchRun(NotFound):
    """No run has this id."""

    code = "no-such-run"


class AmbiguousRun(BadInput):
    """Several runs' ids begin so."""

    code = "ambiguous-run"


class RunEnded(BadInput):
    """The run has ended: nothing can be added to it."""

    code = "run-ended"


class Runs:
    """The runs of a project; safe to share between threads and between processes that hold one each.

    A run of a script or notebook whose process is gone is marked ``crashed`` by whoever looks
    next. A run that belongs to a pipeline lives as long as the pipeline's journal says.

    Parameters
    ----------
    ledger : Ledger
        Where runs are kept.
    blobs : BlobStore
        Where their bytes are.
    store : Path
        The project's store; points lie in ``segments/metrics/``.
    clocks : Clocks
        Business time for what people read, real time for signs of life.
    """

    def __init__(self, ledger: Ledger, blobs: BlobStore, store: Path, clocks: Clocks) -> None:
        self.ledger = ledger
        self.clocks = clocks
        self._blobs = blobs
        self._points = store / "segments" / "metrics"
        self._rows = RunRows()
        self._ids = IdSource(clocks.business)

    def capture(self, root: Path) -> Capture:
        """Return environment and code as they are now, stored; called before any change and any user code."""
        lock = lock_text()
        return Capture(self._blobs.put_bytes(lock.encode()), lock, capture_code(root, self._blobs))

    def lock(self, run: Run) -> str:
        """Return the environment that a run recorded, as requirement lines."""
        return self._blobs.read_bytes(run.environment).decode()

    def start(self, change: Change, name: str, capture: Capture, *, seed: int | None = None, pipeline: str = "") -> str:
        """Write down a new run and return its id.

        Parameters
        ----------
        change : Change
            The caller's change.
        name : str
            What the run is about, usually a model's name.
        capture : Capture
            From :meth:`capture`.
        seed : int, optional
            Of everything random in it.
        pipeline : str
            The pipeline run that it belongs to.
        """
        run_id = self._ids.next()
        row = {
            "id": run_id,
            "name": check_name(name, "run"),
            "status": "running",
            "actor": str(change.actor),
            "started_us": to_us(change.at),
            "process": this_process(),
            "heartbeat_us": _real_us(self.clocks),
            "pipeline": pipeline or None,
            "seed": seed,
            "environment": capture.environment,
            "code": canonical.text(capture.code.as_json()),
        }
        self._rows.add(change.connection, row)
        body: dict[str, JSON] = {
            "name": name,
            "environment": capture.environment,
            "commit": capture.code.commit,
            "diff": capture.code.diff,
            "seed": seed,
            "pipeline": pipeline,
        }
        change.record("run.started", f"run:{run_id}", body)
        return run_id

    def record(self, change: Change, run_id: str, facts: Facts) -> None:
        """Add facts to a run; the event names artifacts and inputs by digest.

        Raises
        ------
        RunEnded
            If the run has ended.
        """
        self._need_open(change, run_id)
        self._rows.write(change.connection, run_id, facts)
        change.record("run.recorded", f"run:{run_id}", _digests(facts))

    def finish(self, change: Change, run_id: str, facts: Facts | None = None) -> None:
        """End a run well, with its last facts.

        Raises
        ------
        RunEnded
            If it has ended already.
        """
        self._close(change, run_id, "finished", facts or Facts())

    def fail(self, change: Change, run_id: str, error: str, *, cancelled: bool = False) -> None:
        """End a run that did not succeed; the error's text stays in the table and out of the events."""
        self._close(change, run_id, "cancelled" if cancelled else "failed", Facts(), error)

    def revive(self, change: Change, run_id: str) -> None:
        """Let a crashed, failed or interrupted run go on in this process."""
        self._rows.revive(change.connection, run_id, this_process(), _real_us(self.clocks))
        change.record("run.resumed", f"run:{run_id}")

    def of_pipeline(self, change: Change, pipeline: str) -> Run | None:
        """Return the run that belongs to a pipeline run, None when it has not come so far."""
        return self._rows.of_pipeline(change.connection, pipeline)

    def beat(self, run_id: str) -> None:
        """Give a sign of life."""
        with self.ledger.bookkeeping() as connection:
            self._rows.beat(connection, run_id, _real_us(self.clocks))

    def writer(self, run_id: str) -> PointWriter:
        """Return the writer of a run's metric points; one process holds one."""
        return PointWriter(self._points, run_id, self.clocks)

    def seal(self, run_id: str) -> SealedPoints:
        """Seal a run's points once its writer is closed or dead, and return what they come to."""
        return seal_points(self._points, run_id, self.clocks)

    def points(self, run_id: str, name: str | None = None) -> list[Point]:
        """Return a run's metric points in the order of logging, also while it runs."""
        return read_points(self._points, run_id, name)

    def put(self, data: bytes) -> Artifact:
        """Store the bytes of an artifact; a later :meth:`record` names it."""
        return Artifact(self._blobs.put_bytes(data), len(data))

    def get(self, prefix: str) -> RunRecord:
        """Return the run whose id begins so, with everything known of it.

        Raises
        ------
        NoSuchRun
            If there is none.
        AmbiguousRun
            If there are several; the message lists them.
        """
        self.sweep()
        wanted = prefix.removeprefix("run:")
        with self.ledger.read() as connection:
            found = self._rows.find(connection, wanted) if wanted else []
            if not found:
                raise NoSuchRun(f"there is no run {wanted[:40]!r}", cure="see `undrift run list`")
            if len(found) > 1:
                shown = ", ".join(run.ref for run in found)
                raise AmbiguousRun(f"{wanted!r} is the beginning of several runs: {shown}", cure="write more of the id")
            return self._rows.record(connection, found[0])

    def list(self, *, name: str | None = None, status: Status | None = None, limit: int | None = None) -> list[Run]:
        """Return runs, newest first."""
        self.sweep()
        with self.ledger.read() as connection:
            return self._rows.all(connection, name=name, status=status, limit=limit)

    def sweep(self) -> Sequence[Run]:
        """Mark the runs whose processes are gone as crashed, keep their points, and return them."""
        with self.ledger.read() as connection:
            running = self._rows.all(connection, name=None, status="running", limit=_MOST_SWEPT)
        gone = [run for run in running if not run.pipeline and _is_dead(run, _real_us(self.clocks))]
        for run in gone:
            facts = with_points(Facts(), self.seal(run.id))
            with self.ledger.change(_SWEEPER) as change:
                if self._end(change, run.id, "crashed", "its process ended without a word"):
                    self._rows.write(change.connection, run.id, facts)
                    change.record("run.crashed", run.ref)
        return gone

    def _close(self, change: Change, run_id: str, status: Status, facts: Facts, error: str = "") -> None:
        if not self._end(change, run_id, status, error):
            self._need_open(change, run_id)
        self._rows.write(change.connection, run_id, facts)
        body = _digests(facts)
        if facts.metrics:
            body["metrics"] = {name: metric.value for name, metric in facts.metrics.items()}
        change.record(f"run.{status}", f"run:{run_id}", body)

    def _end(self, change: Change, run_id: str, status: Status, error: str) -> bool:
        return self._rows.close(change.connection, run_id, status, to_us(change.at), error, among=("running",))

    def _need_open(self, change: Change, run_id: str) -> None:
        found = self._rows.find(change.connection, run_id)
        if not found:
            raise NoSuchRun(f"there is no run {run_id[:40]!r}")
        if found[0].status != "running":
            raise RunEnded(f"{found[0].ref} is {found[0].status}", cure="start another run")


def _real_us(clocks: Clocks) -> int:
    return to_us(clocks.real.now())


def _is_dead(run: Run, now_us: int) -> bool:
    return is_gone(run.process) or run.heartbeat_us < now_us - _DEAD_AFTER_US


def with_points(facts: Facts, points: SealedPoints) -> Facts:
    """Return facts with what a run's points come to: last values, and a warning for those not finite."""
    values = {name: MetricValue(value) for name, value in points.last.items()}
    strange = [Warned("not-finite", f"{name} was NaN or infinite at least once") for name in points.not_finite]
    return replace(facts, metrics={**values, **facts.metrics}, warnings=[*facts.warnings, *strange])


def _digests(facts: Facts) -> dict[str, JSON]:
    """Return what an event says of facts: names, digests and references."""
    body: dict[str, JSON] = {}
    if facts.artifacts:
        body["artifacts"] = {name: artifact.digest for name, artifact in facts.artifacts.items()}
    if facts.inputs:
        body["inputs"] = {role: f"{found.ref} {found.digest}" for role, found in facts.inputs.items()}
    if facts.warnings:
        body["warnings"] = sorted({warned.code for warned in facts.warnings})
    return body
