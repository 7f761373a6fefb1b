"""The middle steps of a training: compare candidates, fit the chosen one, score the holdout."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from undrift.core.json import JSON
from undrift.evaluation.calibration import examine
from undrift.evaluation.candidates import Fitted, check_candidates, fit
from undrift.evaluation.comparison import Table, Watch, compare, scores_of, usable_folds
from undrift.evaluation.diagnosis.diagnosis import diagnose
from undrift.evaluation.diagnosis.judged import Judged
from undrift.evaluation.folds import Folds, make_folds
from undrift.evaluation.metrics import reported
from undrift.evaluation.target import label_text
from undrift.evaluation.threshold import threshold_of
from undrift.loop.training.arrays import get_array, put_array, put_json
from undrift.loop.training.rooms import Spec, TrainingRooms, spec_of
from undrift.loop.training.rows import Chosen, chosen_rows
from undrift.models.formats import model_file
from undrift.pipelines.graph import StepContext, StepResult
from undrift.tracking.params import fitted_params

_FEW_ROWS = 5_000
_PARTS_OF_FEW = 5


def score_candidate(kind: str, context: StepContext, rooms: TrainingRooms) -> StepResult:
    """Score the rows to learn from with a candidate's models, each of which has not seen the rows it scores.

    A step of its own for each candidate: what an interruption leaves finished is not fitted again.
    """
    spec = spec_of(context)
    kinds = _asked(spec)
    if kind not in kinds or len(kinds) == 1:
        return StepResult({})
    table, folds = _folded(spec, chosen_rows(rooms, spec, context.inputs["split"]))
    place = f"candidate {kinds.index(kind) + 1} of {len(kinds)}"
    watch = Watch(context.go_on, lambda words: context.tell(f"{place} ({kind}), {words}"))
    scores = scores_of(kind, table, usable_folds(table, folds), seed=spec.settings.seed, watch=watch)
    return StepResult({"scores": put_array(rooms.blobs, scores)})


def compare_candidates(context: StepContext, rooms: TrainingRooms) -> StepResult:
    """Choose the kind of model by cross-validation on the rows to learn from, unless it is given."""
    spec = spec_of(context)
    kinds = _asked(spec)
    if len(kinds) == 1:
        return StepResult({"chosen": kinds[0], "skipped": "one candidate was asked for"})
    chosen = chosen_rows(rooms, spec, context.inputs["split"])
    table, folds = _folded(spec, chosen)
    scores = {kind: get_array(rooms.blobs, context.inputs[scoring_step(kind)]["scores"]) for kind in kinds}
    found = compare(scores, table, folds, chosen.metric)
    return StepResult({"chosen": found.chosen, "comparison": found.as_json()})


def scoring_step(kind: str) -> str:
    """Return the name of the step that scores with a candidate."""
    return f"score-{kind.replace('_', '-')}"


def _asked(spec: Spec) -> tuple[str, ...]:
    return check_candidates((spec.candidate,) if spec.candidate else spec.settings.candidates)


def _folded(spec: Spec, chosen: Chosen) -> tuple[Table, Folds]:
    """Return the rows as a comparison takes them, and their folds."""
    folds = make_folds(
        chosen.fit,
        chosen.units,
        times=chosen.times,
        strata=None if chosen.target.task == "regression" else _strata(chosen),
        count=spec.settings.folds,
        seed=spec.settings.seed,
    )
    return Table(chosen.frame, chosen.features, chosen.target, chosen.units, spec.unit), folds


def _strata(chosen: Chosen) -> npt.NDArray[np.float64]:
    """Return the class of every row learnt from, in the places of the table."""
    strata = np.full(len(chosen.frame), -1.0)
    strata[chosen.fit] = chosen.target.codes(chosen.fit_frame)
    return strata


def fit_chosen(context: StepContext, rooms: TrainingRooms) -> StepResult:
    """Fit the chosen candidate and store it; from here on the stored object is what is judged and served."""
    spec = spec_of(context)
    kind = str(context.inputs["compare"]["chosen"])
    chosen = chosen_rows(rooms, spec, context.inputs["split"])
    fitted = fit(kind, chosen.fit_frame, chosen.features, chosen.target, seed=spec.settings.seed)
    context.go_on()
    codes = chosen.target.codes(chosen.fit_frame)
    threshold = threshold_of(spec.settings, chosen.target, float(codes.mean()))
    answers = cross_fitted(kind, chosen, spec)
    fitted, answers, calibration = calibrated(fitted, answers, chosen, spec)
    return StepResult(
        {
            "model": rooms.blobs.put_bytes(_stored(fitted.model)),
            "kind": kind,
            "params": fitted_params(fitted.model),
            "threshold": {"value": threshold.value, "basis": threshold.basis} if threshold else None,
            "answers": put_array(rooms.blobs, answers),
            "calibration": calibration,
        }
    )


def calibrated(
    fitted: Fitted, answers: npt.NDArray[np.float64], chosen: Chosen, spec: Spec
) -> tuple[Fitted, npt.NDArray[np.float64], JSON]:
    """Return the model and its answers, repaired where they are shown to be off, and what was found.

    Parameters
    ----------
    fitted : Fitted
        The fitted model.
    answers : array
        Scores of the rows learnt from, each by a model that has not seen its unit; empty when there are none.
    chosen : Chosen
        The rows.
    spec : Spec
        Says whether to look at all.

    Returns
    -------
    tuple
        What was found is None for numbers, and where the settings say never.
    """
    target = chosen.target
    if target.task == "regression" or spec.settings.calibrate == "never":
        return fitted, answers, None
    index = np.searchsorted(np.asarray(target.classes), target.labels(chosen.fit_frame))
    if not len(answers):
        answers = np.empty((0, len(target.classes)))
        index = index[:0]
    found, repair = examine(target.probabilities(answers), index, chosen.units[chosen.fit][: len(index)])
    if repair is None:
        return fitted, answers if len(answers) else np.empty(0), found.as_json()
    return fitted.repaired(repair), target.scores(repair(target.probabilities(answers))), found.as_json()


def _stored(model: object) -> bytes:
    """Return a model's file in the form that storing it again gives: only then can digests be compared later."""
    return model_file.dump(model_file.load(model_file.dump(model)))


def cross_fitted(kind: str, chosen: Chosen, spec: Spec) -> npt.NDArray[np.float64]:
    """Return scores of the rows learnt from, each by a model of the same kind that has not seen its unit.

    The reference of the answers comes from these, and the probabilities are judged on them: a
    model is surer of rows it was fitted on, and live answers would seem to have drifted from the
    first day. Few rows are scored by models of four fifths of them, many by models of one half.
    """
    codes = np.unique(chosen.units[chosen.fit], return_inverse=True)[1]
    parts = min(_PARTS_OF_FEW if len(chosen.fit) <= _FEW_ROWS else 2, int(codes.max()) + 1)
    part = codes % parts
    scores: npt.NDArray[np.float64] | None = None
    for side in range(parts):
        mine, other = chosen.fit[part == side], chosen.frame[chosen.fit[part != side]]
        if not len(mine) or not len(other):
            return np.empty(0)
        if chosen.target.task != "regression" and chosen.target.classes_in(other) < len(chosen.target.classes):
            return np.empty(0)
        fitted = fit(kind, other, chosen.features, chosen.target, seed=spec.settings.seed)
        found = fitted.scores(chosen.frame[mine], chosen.features, chosen.target)
        if scores is None:
            scores = np.empty((len(chosen.fit), *found.shape[1:]))
        scores[part == side] = found
    return np.empty(0) if scores is None else scores


def evaluate(context: StepContext, rooms: TrainingRooms) -> StepResult:
    """Score the holdout with the stored model and measure it, with intervals over units."""
    spec = spec_of(context)
    chosen = chosen_rows(rooms, spec, context.inputs["split"])
    stored = model_file.load(rooms.blobs.read_bytes(str(context.inputs["fit"]["model"])))
    fitted = Fitted(str(context.inputs["fit"]["kind"]), stored)
    scores = fitted.scores(chosen.holdout_frame, chosen.features, chosen.target)
    y = chosen.target.codes(chosen.holdout_frame)
    metric = chosen.metric
    found = reported(chosen.target.task, y, scores, chosen.units[chosen.holdout], spec.unit, also=metric.name)
    metrics: dict[str, JSON] = {name: interval.as_json() for name, interval in found.items()}
    context.go_on()
    diagnosis = diagnosed(fitted, chosen, spec, (scores, context.inputs["fit"]["threshold"]), _personal(rooms, spec))
    return StepResult(
        {
            "scores": put_array(rooms.blobs, scores),
            "metrics": metrics,
            "metric": metric.name,
            "diagnosis": put_json(rooms.blobs, diagnosis),
        }
    )


def _personal(rooms: TrainingRooms, spec: Spec) -> frozenset[str]:
    """Return the personal columns that may be learnt from: only columns that the settings name can be among them."""
    if not spec.settings.keep and not spec.settings.features:
        return frozenset()
    return frozenset(rooms.data.masks.columns(spec.settings.dataset, rooms.data.read(spec.dataset_version)))


def diagnosed(
    fitted: Fitted,
    chosen: Chosen,
    spec: Spec,
    said: tuple[npt.NDArray[np.float64], JSON],
    personal: frozenset[str] = frozenset(),
) -> dict[str, JSON]:
    """Return how a fitted model behaves on its holdout: curves, errors, importance, slices.

    Parameters
    ----------
    fitted : Fitted
        The stored model.
    chosen : Chosen
        The rows.
    spec : Spec
        Names the metric, the unit and the seed.
    said : (array, JSON)
        Its scores of the holdout, and the threshold as the fit step wrote it.
    personal : frozenset of str
        Columns by whose texts no slice is named.
    """
    scores, threshold = said
    target, holdout = chosen.target, chosen.holdout_frame
    judged = Judged(
        task=target.task,
        classes=tuple(label_text(label) for label in target.classes),
        positive=target.positive,
        y=target.codes(holdout),
        scores=scores,
        units=chosen.units[chosen.holdout],
        unit_name=spec.unit,
        metric=chosen.metric,
        threshold=float(threshold["value"]) if isinstance(threshold, Mapping) else None,  # type: ignore[arg-type]
        personal=personal,
    )

    def score(frame: pl.DataFrame) -> npt.NDArray[np.float64]:
        return fitted.scores(frame, chosen.features, target)

    return diagnose(holdout, chosen.features.names, judged, score, seed=spec.settings.seed)
