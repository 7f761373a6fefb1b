"""The training service: submits, runs and resumes trainings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from undrift.core.config import Settings
from undrift.core.decision import Outcome
from undrift.core.errors import BadInput
from undrift.core.json import JSON
from undrift.core.refs import parse
from undrift.evaluation.candidates import SIMPLEST_FIRST, check_candidates
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Change
from undrift.loop.training.fitting import compare_candidates, evaluate, fit_chosen, score_candidate, scoring_step
from undrift.loop.training.judging import judge, register
from undrift.loop.training.reading import check_data, load, split
from undrift.loop.training.rooms import CONTENT, PARAMS, TrainingRooms, settings_json
from undrift.models.version import ModelVersion
from undrift.pipelines.graph import Pipeline, Step, StepContext, StepResult, Tell, untold
from undrift.pipelines.journal import Journal, PipelineRun, StepRecord, Submission
from undrift.pipelines.runner import Runner

NAME = "train"
_BEFORE_REGISTERING = ("load", "split", "compare", "fit", "evaluate", "gate")


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What became of a training.

    Attributes
    ----------
    pipeline_run : str
        Id of its pipeline run.
    run_id : str
        Id of the recorded run.
    gate_report : mapping
        The gate's report as it is stored with the version.
    model_version : ModelVersion
        The registered version; proposed, whatever the gate said.
    """

    pipeline_run: str
    run_id: str
    gate_report: Mapping[str, JSON]
    model_version: ModelVersion

    @property
    def outcome(self) -> Outcome:
        """What the gate said."""
        decision = self.gate_report["decision"]
        assert isinstance(decision, Mapping)
        return cast(Outcome, decision["outcome"])


class Training:
    """Trains the models of a project.

    Parameters
    ----------
    rooms : TrainingRooms
        What a training works with.
    settings : Settings
        The project's settings, in which models are described.
    ttl_s : float
        Lease of a step under way.
    tell : callable
        Is told in words how far a training that runs here is, such as "score-linear: candidate 1
        of 4 (linear), fold 2 of 5, 4,000 rows".
    """

    def __init__(self, rooms: TrainingRooms, settings: Settings, *, ttl_s: float = 30.0, tell: Tell = untold) -> None:
        self._rooms = rooms
        self._settings = settings
        self._pipeline = pipeline(rooms)
        self.runner = Runner(rooms.ledger, rooms.clocks, (self._pipeline,), exists=rooms.blobs.has, ttl_s=ttl_s)
        self.runner.tell = tell

    @property
    def journal(self) -> Journal:
        """The journal of pipeline runs."""
        return self.runner.journal

    def submit(
        self, change: Change, model: str, params: Mapping[str, JSON] | None = None, *, dedupe_key: str | None = None
    ) -> Submission:
        """Write down that a model is to be trained; :meth:`run` does it, in this process or another.

        Parameters
        ----------
        change : Change
            The caller's change, so that a trigger and its training are one fact.
        model : str
            A model of the settings.
        params : mapping, optional
            ``dataset_version`` (reference; the newest by default), ``as_of`` (ISO instant; the
            change's moment by default), ``candidate`` (one kind of model, not compared again).
        dedupe_key : str, optional
            A second submission with the same key is the first one again.

        Raises
        ------
        NotFound
            If there is no such model or data version.
        BadInput
            If a parameter is unknown or not usable.
        """
        return self.journal.submit(change, self._pipeline, self._params(change, model, params or {}), dedupe_key)

    def run(self, pipeline_run: str, *, patience_s: float = 0.0) -> TrainResult:
        """Bring a submitted or interrupted training to its end and return what became of it.

        Raises
        ------
        PipelineBusy
            If another living process is running it after ``patience_s``.
        UndriftError
            Of the step that failed.
        """
        self.runner.run(pipeline_run, patience_s=patience_s)
        return self.result(pipeline_run)

    def resume(self, pipeline_run: str, actor: Actor, *, patience_s: float = 0.0) -> TrainResult:
        """Go on with a training that was interrupted, failed or cancelled; finished steps stay finished.

        Ctrl-C cancels it: the next call goes on from there, and nobody does before.
        """
        run = self.journal.get(pipeline_run)
        if run.state in ("failed", "cancelled"):
            with self._rooms.ledger.change(actor) as change:
                self.journal.reopen(change, run)
                recorded = self._rooms.runs.of_pipeline(change, pipeline_run)
                if recorded is not None:
                    self._rooms.runs.revive(change, recorded.id)
        return self._attended(pipeline_run, actor, patience_s)

    def train(
        self,
        model: str,
        *,
        actor: Actor,
        as_of: datetime | None = None,
        candidate: str | None = None,
        dataset_version: str | None = None,
    ) -> TrainResult:
        """Train a model now, in this process, and return what became of it.

        Parameters
        ----------
        model : str
            A model of the settings.
        actor : Actor
            Who wants it.
        as_of : datetime, optional
            The moment of the decision; now by default. Nothing known later is used.
        candidate : str, optional
            One kind of model; by default those of the settings are compared.
        dataset_version : str, optional
            Reference of the data; the newest version by default.
        """
        asked: dict[str, JSON] = {}
        if as_of is not None:
            asked["as_of"] = as_of.isoformat()
        if candidate is not None:
            asked["candidate"] = candidate
        if dataset_version is not None:
            asked["dataset_version"] = dataset_version
        with self._rooms.ledger.change(actor) as change:
            submission = self.submit(change, model, asked)
        return self._attended(submission.run_id, actor)

    def cancel(self, change: Change, pipeline_run: str, reason: str) -> bool:
        """End an unfinished training, and say whether it was unfinished."""
        return self.runner.cancel(change, pipeline_run, reason)

    def pending(self) -> list[PipelineRun]:
        """Return the trainings that are not finished, oldest first."""
        return self.journal.pending(NAME)

    def steps(self, pipeline_run: str) -> dict[str, StepRecord]:
        """Return how far a training has come, step by step."""
        return self.journal.steps(pipeline_run)

    def result(self, pipeline_run: str) -> TrainResult:
        """Return what became of a finished training.

        Raises
        ------
        BadInput
            If it is not finished.
        """
        run = self.journal.get(pipeline_run)
        if run.state != "finished":
            raise BadInput(f"{run.ref} is {run.state}", cure=f"undrift pipeline resume {pipeline_run}")
        steps = self.steps(pipeline_run)
        report = steps["gate"].outputs["report"]
        assert isinstance(report, Mapping)
        version = self._rooms.registry.get(str(steps["register"].outputs["version"]))
        return TrainResult(pipeline_run, str(steps["register"].outputs["run"]), report, version)

    def _attended(self, pipeline_run: str, actor: Actor, patience_s: float = 0.0) -> TrainResult:
        """Run a training for somebody who waits for it: Ctrl-C cancels it, or else the loop would go on with it."""
        try:
            return self.run(pipeline_run, patience_s=patience_s)
        except KeyboardInterrupt:
            if not self.runner.is_held_elsewhere(pipeline_run):  # else only the waiting ends
                with self._rooms.ledger.change(actor) as change:
                    self.cancel(change, pipeline_run, "interrupted by Ctrl-C")
            raise

    def _params(self, change: Change, model: str, asked: Mapping[str, JSON]) -> dict[str, JSON]:
        unknown = sorted(set(asked) - {"model", "dataset_version", "as_of", "candidate"})
        if unknown or asked.get("model", model) != model:
            raise BadInput(f"a training takes no parameter {(unknown or ['model'])[0]!r}")
        settings = self._settings.model(model)
        candidate = str(asked.get("candidate") or "")
        check_candidates((candidate,) if candidate else settings.candidates)
        as_of = datetime.fromisoformat(str(asked["as_of"])) if asked.get("as_of") else change.at
        if as_of.tzinfo is None:
            raise BadInput("as_of needs a time zone", cure="write e.g. 2013-03-01T00:00:00Z")
        ref = parse(str(asked.get("dataset_version") or settings.dataset), default="data")
        return {
            "model": model,
            "settings": settings_json(settings),
            "as_of": as_of.isoformat(),
            "candidate": candidate,
            "dataset_version": self._rooms.data.get(ref).ref,
        }


def pipeline(rooms: TrainingRooms) -> Pipeline[TrainingRooms]:
    """Return the graph of a training."""

    def on_stop(change: Change, pipeline_run: str, state: str, reason: str) -> None:
        recorded = rooms.runs.of_pipeline(change, pipeline_run)
        if recorded is not None and recorded.status == "running":
            rooms.runs.fail(change, recorded.id, reason, cancelled=state == "cancelled")

    scoring = {kind: _scoring(kind) for kind in SIMPLEST_FIRST}
    steps: tuple[Step[Any], ...] = (
        Step("load", load, params=PARAMS),
        Step("check", check_data, after=("load",), params=PARAMS),
        Step("split", split, after=("load", "check"), params=PARAMS),
        *(Step(scoring_step(kind), scoring[kind], after=("split",), params=CONTENT, cache=True) for kind in scoring),
        Step("compare", compare_candidates, after=("split", *map(scoring_step, scoring)), params=CONTENT, cache=True),
        Step("fit", fit_chosen, after=("split", "compare"), params=CONTENT, cache=True),
        Step("evaluate", evaluate, after=("split", "fit"), params=PARAMS),
        Step("gate", judge, after=("split", "fit", "evaluate"), params=PARAMS),
        Step("register", register, after=_BEFORE_REGISTERING, params=PARAMS),
    )
    return Pipeline(NAME, steps, rooms, on_stop)


def _scoring(kind: str) -> Callable[[StepContext, TrainingRooms], StepResult]:
    def scored(context: StepContext, rooms: TrainingRooms) -> StepResult:
        return score_candidate(kind, context, rooms)

    return scored
