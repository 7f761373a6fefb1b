from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from undrift.core.errors import BadInput, NotFound
from undrift.ledger.actor import Actor
from undrift.loop.training.champion import seen_by
from undrift.loop.training.reading import BadTrainingData
from undrift.loop.training.rooms import TrainingRooms
from undrift.loop.training.training import Training, TrainResult
from undrift.models.version import GateNotPassed
from undrift.monitoring.traffic import PREDICTION
from unit.evaluation.training_tables import START, bundled, by_day
from unit.loop.training.rooms_of import rooms_in, training_in

_ADA = Actor("os-user", "ada")
_FAST = 'candidates = ["linear"]'
_TIMED = """
[models.late]
dataset = "trips"
target = "late"
time = "at"
label_time = "known"
key = "id"
calendar = ["count"]
candidates = ["linear"]
"""


def trips(folder: Path, days: int = 60, settings: str = _TIMED) -> tuple[TrainingRooms, Training]:
    rooms = rooms_in(folder, START + timedelta(days=days))
    rooms.data.add_frame(by_day(days), "trips", actor=_ADA)
    return rooms, training_in(rooms, settings)


def plain(folder: Path, name: str, more: str = "") -> tuple[TrainingRooms, Training]:
    rooms = rooms_in(folder)
    rooms.data.add_frame(bundled(name), name, actor=_ADA)
    return rooms, training_in(rooms, f'[models.m]\ndataset = "{name}"\ntarget = "target"\nfolds = 3\n{more}')


def make_champion(rooms: TrainingRooms, result: TrainResult) -> None:
    ref = result.model_version
    with rooms.ledger.change(_ADA) as change:
        rooms.registry.approve(change, ref.ref, "looks good")
        rooms.registry.go_live(change, ref.ref, "first")
        rooms.registry.move_alias(change, f"model:{ref.model}@champion", to=ref.number, expected=None, reason="first")


@pytest.mark.parametrize("name", ["breast_cancer", "wine", "diabetes"])
def test_three_known_tables_are_trained_gated_and_registered(tmp_path: Path, name: str) -> None:
    """Binary, multiclass and regression: a version that beats its baseline, with all its evidence."""
    rooms, training = plain(tmp_path, name, 'candidates = ["linear", "random_forest"]' if name == "diabetes" else _FAST)
    result = training.train("m", actor=_ADA)
    assert result.outcome == "pass"
    assert (result.model_version.ref, result.model_version.state) == ("model:m@1", "proposed")
    record = rooms.runs.get(result.run_id)
    assert record.run.status == "finished"
    assert record.facts.fitted["model"].startswith(("sklearn.", "undrift.estimators."))  # type: ignore[union-attr]
    assert record.facts.inputs["data"].ref == f"data:{name}@1"
    package = rooms.registry.open(result.model_version)
    assert package.manifest.run == f"run:{result.run_id}"
    assert package.load_engine().name == "compiled"


def test_the_stored_model_that_was_judged_is_the_one_in_the_package(tmp_path: Path) -> None:
    """No refit after the gate: the digest is the same."""
    rooms, training = trips(tmp_path)
    result = training.train("late", actor=_ADA)
    files = {file.path: file.digest for file in rooms.registry.open(result.model_version).manifest.files}
    challenger: Any = result.gate_report["challenger"]
    assert challenger["package"] in files.values()


@pytest.mark.parametrize("candidate", ["linear", "random_forest", "gradient_boosting"])
def test_every_candidate_is_stored_judged_and_packaged_as_the_same_bytes(tmp_path: Path, candidate: str) -> None:
    """Storing a loaded model again gives the same file, so that what was judged can be told from a copy."""
    _, training = plain(tmp_path, "diabetes")
    assert training.train("m", actor=_ADA, candidate=candidate).model_version.number == 1


@pytest.mark.parametrize("day", [30, 37.5, 44, 51.25])
def test_no_row_of_fit_or_gate_is_later_than_the_decision(tmp_path: Path, day: float) -> None:
    """Event and label of every row used were known when it was decided."""
    rooms, training = trips(tmp_path)
    moment = START + timedelta(days=day)
    result = training.train("late", actor=_ADA, as_of=moment)
    seen = seen_by(rooms, result.model_version)
    used = by_day(60).filter(pl.Series(np.isin(_ids(by_day(60)), np.concatenate([seen.fit_ids, seen.judged_ids]))))  # type: ignore[list-item]
    assert len(used) > 1000
    assert (used["at"] < moment).all()
    assert (used["known"] < moment).all()


def test_a_challenger_meets_the_champion_on_rows_neither_has_seen(tmp_path: Path) -> None:
    """The report names the champion, both spans, and counts the rows of its own gate."""
    rooms, training = trips(tmp_path)
    make_champion(rooms, training.train("late", actor=_ADA, as_of=START + timedelta(days=50)))
    result = training.train("late", actor=_ADA)
    report: Any = result.gate_report
    assert report["reference"]["name"] == "model:late@1"
    assert report["reference"]["fit_span"]["last"] < report["holdout"]["span"]["first"]
    assert report["challenger"]["fit_span"]["last"] < report["holdout"]["span"]["first"]
    assert result.outcome == "cannot_tell"


def test_a_version_that_did_not_pass_is_kept_and_cannot_be_approved_without_force(tmp_path: Path) -> None:
    """Its evidence stays; going past the gate takes a reason."""
    rooms, training = trips(tmp_path)
    make_champion(rooms, training.train("late", actor=_ADA, as_of=START + timedelta(days=50)))
    version = training.train("late", actor=_ADA).model_version
    assert version.state == "proposed"
    with rooms.ledger.change(_ADA) as change, pytest.raises(GateNotPassed):
        rooms.registry.approve(change, version.ref, "I like it")


def test_without_a_time_the_next_holdout_holds_no_row_the_champion_saw(tmp_path: Path) -> None:
    """The same table again, and a longer one: never a leak."""
    rooms = rooms_in(tmp_path)
    training = training_in(rooms, '[models.m]\ndataset = "d"\ntarget = "target"\ncandidates = ["linear"]\n')
    rooms.data.add_frame(bundled("breast_cancer").head(555), "d", actor=_ADA)
    make_champion(rooms, training.train("m", actor=_ADA))
    rooms.data.add_frame(bundled("breast_cancer"), "d", actor=_ADA)
    result = training.train("m", actor=_ADA)
    assert result.gate_report["reference"]["name"] == "model:m@1"  # type: ignore[index,call-overload]
    assert result.outcome in ("cannot_tell", "pass", "fail")


def test_the_reference_holds_honest_answers_and_the_calendars_role(tmp_path: Path) -> None:
    """What monitoring compares with: unseen answers by day, and which column follows the date."""
    rooms, training = trips(tmp_path)
    package = rooms.registry.open(training.train("late", actor=_ADA).model_version)
    roles = {column.name: column.role for column in package.manifest.inputs}
    assert roles == {"x": "feature", "count": "calendar", "kind": "feature", "rare": "feature", "holiday": "feature"}
    assert PREDICTION in package.sketch().columns
    assert package.sketch().unit == "day"


def test_training_again_on_the_same_rows_reuses_comparison_and_fit(tmp_path: Path) -> None:
    """Same code, rows and settings: the expensive steps are not run again, and it says whose result it took."""
    _, training = trips(tmp_path, settings=_TIMED.replace('["linear"]', '["linear", "gradient_boosting"]'))
    first = training.train("late", actor=_ADA)
    second = training.train("late", actor=_ADA)
    steps = training.steps(second.pipeline_run)
    assert [steps[name].reused_from for name in ("compare", "fit")] == [first.pipeline_run] * 2
    assert steps["gate"].reused_from is None


def test_data_that_breaks_the_suite_is_not_learnt_from(tmp_path: Path) -> None:
    """The run has failed, nothing is registered, and the exit code says that a check failed."""
    rooms, training = trips(tmp_path)
    rooms.data.freeze_suite("trips", rooms.data.suggest_suite("trips"), actor=_ADA)
    bad = by_day(60).with_columns(pl.col("x") + 1000.0)
    rooms.data.add_frame(bad, "trips", actor=_ADA)
    with pytest.raises(BadTrainingData) as error:
        training.train("late", actor=_ADA)
    assert error.value.exit_code == 3
    assert rooms.registry.versions() == []
    assert [run.status for run in rooms.runs.list()] == ["failed"]


def test_a_few_bad_rows_are_held_back_and_counted(tmp_path: Path) -> None:
    """Rows that break the suite are not learnt from; the rest goes on."""
    rooms, training = trips(tmp_path)
    rooms.data.freeze_suite("trips", rooms.data.suggest_suite("trips"), actor=_ADA)
    few = by_day(60).with_columns(pl.when(pl.col("id") < 7).then(60.0).otherwise(pl.col("x")).alias("x"))
    rooms.data.add_frame(few, "trips", actor=_ADA)
    result = training.train("late", actor=_ADA)
    made: Any = training.steps(result.pipeline_run)["split"].outputs["split"]
    assert made["left_out"]["held back by the suite"] == 7


def test_a_failed_training_can_be_resumed_after_the_cure(tmp_path: Path) -> None:
    """Finished steps stay finished, and the recorded run goes on."""
    rooms, training = trips(tmp_path)
    rooms.data.freeze_suite("trips", rooms.data.suggest_suite("trips"), actor=_ADA)
    suite = rooms.data.suggest_suite("trips")
    rooms.data.add_frame(by_day(60).with_columns(pl.col("x") + 1000.0), "trips", actor=_ADA)
    with pytest.raises(BadTrainingData):
        training.train("late", actor=_ADA)
    (run,) = rooms.runs.list()
    rooms.data.freeze_suite("trips", rooms.data.suggest_suite("trips"), actor=_ADA)
    result = training.resume(run.pipeline, _ADA)
    assert result.run_id == run.id
    assert rooms.runs.get(run.id).run.status == "finished"
    assert suite.expectations


def test_the_same_trigger_twice_is_one_training(tmp_path: Path) -> None:
    """A dedupe key makes a submission idempotent."""
    rooms, training = trips(tmp_path)
    with rooms.ledger.change(_ADA) as change:
        first = training.submit(change, "late", {"candidate": "linear"}, dedupe_key="drift:1")
    with rooms.ledger.change(_ADA) as change:
        second = training.submit(change, "late", {"candidate": "linear"}, dedupe_key="drift:1")
    assert first.run_id == second.run_id
    assert [first.is_new, second.is_new] == [True, False]


def test_a_sample_takes_the_same_share_of_every_day_and_says_so(tmp_path: Path) -> None:
    """max_rows bounds what is learnt from; the split's reason says so."""
    _, training = trips(tmp_path, settings=_TIMED + "max_rows = 1000\n")
    result = training.train("late", actor=_ADA)
    made: Any = training.steps(result.pipeline_run)["split"].outputs["split"]
    assert made["fit_rows"] == 990
    assert "990 rows, the same share of every day, of" in made["reason"]


def test_wrong_words_are_named(tmp_path: Path) -> None:
    """Unknown model, parameter or candidate, and a moment without a zone, are the caller's to mend."""
    rooms, training = trips(tmp_path)
    with pytest.raises(NotFound, match="delay"):
        training.train("delay", actor=_ADA)
    with pytest.raises(BadInput, match="forest"):
        training.train("late", actor=_ADA, candidate="forest")
    with pytest.raises(BadInput, match="time zone"):
        training.train("late", actor=_ADA, as_of=datetime(2024, 2, 1))  # noqa: DTZ001
    with rooms.ledger.change(_ADA) as change, pytest.raises(BadInput, match="speed"):
        training.submit(change, "late", {"speed": 3})


def _ids(frame: pl.DataFrame) -> Any:
    from undrift.evaluation.rows import row_ids

    return row_ids(frame, "id")
