"""The runner: brings a submitted run to its end, whichever process it is and however often it died."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from undrift.core import canonical
from undrift.core.clock import Clocks
from undrift.core.digest import blake3_bytes
from undrift.core.errors import NotFound, UndriftError
from undrift.core.json import JSON
from undrift.core.process import Heartbeat, this_process
from undrift.ledger.actor import Actor
from undrift.ledger.errors import LedgerUnavailable
from undrift.ledger.ledger import Change, Ledger
from undrift.pipelines.claims import Claim, Claims
from undrift.pipelines.errors import PipelineBusy, PipelineCancelled, PipelineFailed, StepLost
from undrift.pipelines.graph import BadPipeline, Pipeline, Step, StepContext, StepResult, Tell, untold
from undrift.pipelines.journal import Journal, PipelineRun, RunState, StepRecord
from undrift.pipelines.keys import Key, Reusable, StepCache, key_of

MOST_DEATHS = 20
_POLL_S = 0.05
_FIRST_BACKOFF_S = 0.2


@dataclass(slots=True)
class _Held:
    """A claim under way; ``lost`` is set by the heartbeat's thread."""

    claim: Claim
    lost: threading.Event = field(default_factory=threading.Event)

    def go_on(self) -> None:
        """Raise when the claim was lost."""
        if self.lost.is_set():
            raise StepLost(f"step {self.claim.step} was taken over or cancelled", step=self.claim.step)


@dataclass(frozen=True, slots=True)
class _Execution:
    """What one execution of a step gave."""

    result: StepResult
    key: Key
    reused_from: str | None


class Runner:
    """Runs pipelines from the journal.

    A finished step never runs again. A step whose process died is claimed by the next runner
    of the run, in any process; the effect of a step and the mark that it is finished are one
    transaction, so an effect happens once.

    Parameters
    ----------
    ledger : Ledger
        Where the journal lives.
    clocks : Clocks
        Leases and waiting in real time.
    pipelines : sequence of Pipeline
        The pipelines this process can run.
    exists : callable
        Says whether the bytes of a digest are stored (for the step cache).
    ttl_s : float
        Lease of a step; renewed three times as often.

    Attributes
    ----------
    tell : callable
        Is told in words which step runs and how far it is; nobody is told unless somebody sets it.
    """

    def __init__(
        self,
        ledger: Ledger,
        clocks: Clocks,
        pipelines: tuple[Pipeline[Any], ...],
        *,
        exists: Callable[[str], bool] = lambda _: True,
        ttl_s: float = 30.0,
    ) -> None:
        self._ledger = ledger
        self._real = clocks.real
        self._pipelines = {pipeline.name: pipeline for pipeline in pipelines}
        self._claims = Claims(ledger, clocks.real, ttl_s)
        self._cache = StepCache(ledger, exists)
        self.tell: Tell = untold
        self.journal = Journal(ledger, clocks)

    def run(self, run_id: str, *, patience_s: float = 0.0) -> PipelineRun:
        """Bring a run to its end and return it.

        Parameters
        ----------
        run_id : str
            A submitted or interrupted run; a finished one is returned at once.
        patience_s : float
            How long to wait while another living process holds the next step.

        Raises
        ------
        PipelineBusy
            If another process still holds it after that time.
        PipelineCancelled
            If it was cancelled.
        PipelineFailed
            If it had failed before; :meth:`resume` gives it another go.
        Exception
            The error of a step that failed for good, as it was raised.
        """
        deadline = self._real.monotonic() + patience_s
        while (run := self.journal.get(run_id)).is_unfinished:
            pipeline = self._pipeline(run)
            self._begin(run)
            steps = self.journal.steps(run_id)
            _check_steps(run, pipeline, steps)
            ready = _ready(pipeline, steps)
            free = next((steps[name] for name in ready if self._claims.is_free(steps[name])), None)
            claim = self._claims.claim(free) if free else None
            if claim:
                self._take(run, pipeline, claim, steps)
                deadline = self._real.monotonic() + patience_s
            elif free is None and not _is_backing_off(ready, steps) and self._real.monotonic() >= deadline:
                raise PipelineBusy(f"{run.ref} is being run by another process", cure="wait for it, or cancel it")
            elif free is None:
                self._real.sleep(_POLL_S)
        return _ended_well(run)

    def resume(self, run_id: str, actor: Actor, *, patience_s: float = 0.0) -> PipelineRun:
        """Go on with a run that was interrupted, failed or cancelled; finished steps stay finished."""
        run = self.journal.get(run_id)
        if run.state in ("failed", "cancelled"):
            with self._ledger.change(actor) as change:
                self.journal.reopen(change, run)
        return self.run(run_id, patience_s=patience_s)

    def cancel(self, change: Change, run_id: str, reason: str) -> bool:
        """End an unfinished run; whoever runs one of its steps has lost it. Say whether it was unfinished."""
        run = self.journal.get(run_id)
        return self._stop(change, run, "cancelled", reason, code="cancelled")

    def is_held_elsewhere(self, run_id: str) -> bool:
        """Say whether another living process is at a step of a run."""
        steps = [step for step in self.journal.steps(run_id).values() if step.state == "running"]
        return any(step.owner != this_process() and not self._claims.is_free(step) for step in steps)

    def explain(self, run_id: str) -> dict[str, str]:
        """Return for each step of a run why it would run or be reused, as far as that is known."""
        run, steps = self.journal.get(run_id), self.journal.steps(run_id)
        pipeline = self._pipeline(run)
        return {name: self._explain(run, pipeline, name, steps) for name in pipeline.order()}

    def _explain(self, run: PipelineRun, pipeline: Pipeline[Any], name: str, steps: Mapping[str, StepRecord]) -> str:
        step = pipeline.step(name)
        if steps[name].state == "finished":
            return f"reused from run {steps[name].reused_from}" if steps[name].reused_from else "finished in this run"
        if not step.cache:
            return "runs: it is not cached"
        if any(steps[earlier].state != "finished" for earlier in step.after):
            return "not known before the steps it comes after"
        context = _context(run, step, steps, attempt=1, go_on=lambda: None)
        return self._cache.explain(f"{pipeline.name}.{name}", key_of(pipeline.name, step, context))

    def _pipeline(self, run: PipelineRun) -> Pipeline[Any]:
        found = self._pipelines.get(run.pipeline)
        if found is None:
            raise NotFound(f"this process knows no pipeline {run.pipeline!r}", cure="run it where it is defined")
        return found

    def _begin(self, run: PipelineRun) -> None:
        if run.state == "submitted":
            with self._ledger.change(run.actor) as change:
                self.journal.begin(change, run)

    def _take(self, run: PipelineRun, pipeline: Pipeline[Any], claim: Claim, steps: Mapping[str, StepRecord]) -> None:
        """Run one claimed step and settle it."""
        held = _Held(claim)
        step = pipeline.step(claim.step)
        if claim.attempt > step.retries + MOST_DEATHS:
            died = PipelineFailed(f"step {step.name} killed its process {MOST_DEATHS} times")
            self._fail(run, claim, died)
            raise died
        try:
            execution = self._execute(run, pipeline, held, steps)
            self._finish(run, pipeline, claim, execution)
        except StepLost:
            return  # the journal says what happened to it
        except Exception as error:  # the edge of user code: any error is a step's failure
            if claim.attempt > step.retries:
                self._fail(run, claim, error)
                raise
            self._claims.give_back(claim, after_s=_FIRST_BACKOFF_S * 2 ** (claim.attempt - 1), reason=_words(error))
        except BaseException:  # Ctrl-C and exits leave the step free for the next runner
            self._claims.give_back(claim)
            raise

    def _execute(
        self, run: PipelineRun, pipeline: Pipeline[Any], held: _Held, steps: Mapping[str, StepRecord]
    ) -> _Execution:
        step = pipeline.step(held.claim.step)
        context = _context(run, step, steps, attempt=held.claim.attempt, go_on=held.go_on)
        context = replace(context, tell=lambda words: self.tell(f"{step.name}: {words}"))
        key = key_of(pipeline.name, step, context) if step.cache else Key({}, None)
        found = self._cache.find(key)
        if found:
            return _Execution(StepResult(found.outputs), key, found.run)
        with Heartbeat(lambda: self._beat(held), self._claims.ttl_s / 3):
            return _Execution(step.run(context, pipeline.rooms), key, None)

    def _beat(self, held: _Held) -> bool:
        try:
            if self._claims.renew(held.claim):
                return True
        except LedgerUnavailable:
            return True  # the fence decides at the commit
        held.lost.set()
        return False

    def _finish(self, run: PipelineRun, pipeline: Pipeline[Any], claim: Claim, execution: _Execution) -> None:
        with self._ledger.change(run.actor) as change:
            is_last = self.journal.is_last_step(change, run, claim.step)
            self._claims.finish(change, claim)
            result = execution.result
            outputs = {**result.outputs, **(result.effect(change) if result.effect else {})}
            self._claims.write_outputs(change, claim, outputs, execution.key.parts, execution.reused_from)
            if execution.key.digest and result.effect is None and not execution.reused_from:
                name = f"{pipeline.name}.{claim.step}"
                self._cache.remember(change, name, execution.key, Reusable(run.id, outputs))
            change.record("pipeline.step-finished", run.ref, _step_body(claim, outputs, execution.reused_from))
            if is_last:
                self.journal.end(change, run, "finished")

    def _fail(self, run: PipelineRun, claim: Claim, error: Exception) -> None:
        code = error.code if isinstance(error, UndriftError) else type(error).__name__
        try:
            with self._ledger.change(run.actor) as change:
                self._claims.fail(change, claim, code, _words(error))
                self._stop(change, run, "failed", f"{claim.step}: {_words(error)}", code=code)
        except StepLost:
            return

    def _stop(self, change: Change, run: PipelineRun, state: RunState, reason: str, *, code: str) -> bool:
        ended = self.journal.end(change, run, state, reason=reason, code=code)
        if ended:
            self._claims.cancel_all(change, run.id)
            on_stop = self._pipeline(run).on_stop
            if on_stop:
                on_stop(change, run.id, state, reason)
        return ended


def _check_steps(run: PipelineRun, pipeline: Pipeline[Any], steps: Mapping[str, StepRecord]) -> None:
    if set(steps) != set(pipeline.order()):
        raise BadPipeline(
            f"{run.ref} was submitted by another version of undrift, whose pipeline had other steps",
            cure=f"undrift pipeline cancel {run.id} --reason TEXT, and submit another",
        )


def _ready(pipeline: Pipeline[Any], steps: Mapping[str, StepRecord]) -> list[str]:
    """Return the unfinished steps whose earlier steps are finished, in the order of running."""
    return [
        name
        for name in pipeline.order()
        if steps[name].state != "finished" and all(steps[e].state == "finished" for e in pipeline.step(name).after)
    ]


def _is_backing_off(ready: list[str], steps: Mapping[str, StepRecord]) -> bool:
    return any(steps[name].state == "pending" for name in ready)


def _context(
    run: PipelineRun, step: Step[Any], steps: Mapping[str, StepRecord], *, attempt: int, go_on: Callable[[], None]
) -> StepContext:
    params = {name: run.params[name] for name in step.params if name in run.params}
    inputs = {name: steps[name].outputs for name in step.after}
    return StepContext(run.id, step.name, attempt, params, inputs, go_on)


def _step_body(claim: Claim, outputs: Mapping[str, JSON], reused_from: str | None) -> dict[str, JSON]:
    body: dict[str, JSON] = {
        "step": claim.step,
        "attempt": claim.attempt,
        "outputs": blake3_bytes(canonical.dumps(outputs)),
    }
    return {**body, "reused_from": reused_from} if reused_from else body


def _ended_well(run: PipelineRun) -> PipelineRun:
    if run.state == "failed":
        raise PipelineFailed(f"{run.ref} failed: {run.reason}", cure="mend it and resume the run")
    if run.state == "cancelled":
        raise PipelineCancelled(f"{run.ref} was cancelled: {run.reason}", cure="resume it or submit a new one")
    return run


def _words(error: Exception) -> str:
    """Return what is kept of an error: our own words; of a library's only its kind, as it may quote a cell."""
    return str(error) if isinstance(error, UndriftError) else f"{type(error).__name__}, as told where it ran"
