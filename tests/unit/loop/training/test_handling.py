"""Trainings on columns of every kind: repaired probabilities are judged, champions with other columns are met."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from undrift.loop.training.rooms import TrainingRooms
from undrift.loop.training.training import Training, TrainResult
from unit.evaluation.mixed_tables import mixed
from unit.loop.training.rooms_of import rooms_in, training_in
from unit.loop.training.test_training import _ADA, make_champion


def _settings(more: str) -> str:
    return f'[models.m]\ndataset = "d"\ntarget = "left"\nfolds = 3\n{more}'


def _trained(folder: Path, frame: pl.DataFrame, more: str) -> tuple[TrainingRooms, Training, TrainResult]:
    rooms = rooms_in(folder)
    rooms.data.add_frame(frame, "d", actor=_ADA)
    training = training_in(rooms, _settings(more))
    return rooms, training, training.train("m", actor=_ADA)


def test_probabilities_that_are_shown_to_be_off_are_repaired_before_they_are_judged(tmp_path: Path) -> None:
    """The repair is in the stored model, the answers, the package and the step's output."""
    rooms, training, result = _trained(tmp_path, mixed(3000), 'candidates = ["gradient_boosting"]\ntext = ["said"]\n')
    fit: Any = training.steps(result.pipeline_run)["fit"].outputs
    assert fit["calibration"]["outcome"] == "repaired"
    assert fit["calibration"]["after"]["log_loss"] < fit["calibration"]["before"]["log_loss"]
    package = rooms.registry.open(result.model_version)
    assert package.load_engine().name == "compiled"
    assert rooms.runs.get(result.run_id).facts.fitted["model"] == "undrift.estimators.repaired.Repaired"


def test_nothing_is_repaired_when_the_settings_say_never(tmp_path: Path) -> None:
    """Nor looked at."""
    _, training, result = _trained(tmp_path, mixed(3000), 'candidates = ["gradient_boosting"]\ncalibrate = "never"\n')
    assert training.steps(result.pipeline_run)["fit"].outputs["calibration"] is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('features = ["plan", "gap"]', 'text = ["said"]'),
        ('text = ["said"]\ncalibrate = "never"', 'drop = ["said", "seen", "gap"]'),
    ],
    ids=["more columns", "fewer columns"],
)
def test_a_challenger_meets_a_champion_that_handles_other_columns(tmp_path: Path, first: str, second: str) -> None:
    """Each is fed from the same raw rows by its own inputs, also where only one of them knew gaps."""
    whole = mixed(2400)
    old = whole.head(1500).filter(pl.col("joined").is_not_null()).with_columns(pl.col("amount").fill_nan(1.0))
    rooms, _, made = _trained(tmp_path, old, f'candidates = ["linear"]\n{first}\n')
    make_champion(rooms, made)
    rooms.data.add_frame(pl.concat([old, whole.tail(900).with_columns(plan=pl.lit(None, pl.String))]), "d", actor=_ADA)
    later = training_in(rooms, _settings(f'candidates = ["linear"]\n{second}\n')).train("m", actor=_ADA)
    report: Any = later.gate_report
    assert report["reference"]["name"] == "model:m@1"
    assert np.isfinite(report["reference"]["metrics"]["auc"]["estimate"])


def test_a_budget_buys_a_stated_sample_and_progress_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason says how many rows of how many; candidates and folds are counted aloud."""
    monkeypatch.setattr("undrift.evaluation.budget.FEWEST_ROWS", 500)
    rooms = rooms_in(tmp_path)
    rooms.data.add_frame(mixed(2000), "d", actor=_ADA)
    told: list[str] = []
    settings = _settings('candidates = ["linear", "gradient_boosting"]\nbudget_s = 0.001\n')
    training = training_in(rooms, settings)
    training.runner.tell = told.append
    result = training.train("m", actor=_ADA)
    split: Any = training.steps(result.pipeline_run)["split"].outputs
    assert (split["budget"]["rows"], split["budget"]["of"]) == (500, 1500)
    assert "of 1,500 are learnt from (a budget of 0.001 s)" in split["split"]["reason"]
    assert split["split"]["left_out"]["not in the sample"] == 1000
    assert any("candidate 2 of 2 (gradient_boosting), fold 3 of 3" in words for words in told)


def test_a_candidate_that_was_finished_before_an_interruption_is_not_fitted_again(tmp_path: Path) -> None:
    """Ctrl-C in the second candidate: the first one's scores stay."""
    rooms = rooms_in(tmp_path)
    rooms.data.add_frame(mixed(600), "d", actor=_ADA)
    training = training_in(rooms, _settings('candidates = ["linear", "random_forest"]\n'))
    with rooms.ledger.change(_ADA) as change:
        run_id = training.submit(change, "m").run_id

    def stop(words: str) -> None:
        if "random_forest" in words:
            raise KeyboardInterrupt

    training.runner.tell = stop
    with pytest.raises(KeyboardInterrupt):
        training.run(run_id)
    assert training.steps(run_id)["score-linear"].state == "finished"
    told: list[str] = []
    training.runner.tell = told.append
    training.run(run_id)
    assert not any("(linear)" in words for words in told)
