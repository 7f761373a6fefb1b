from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from undrift.ledger.actor import Actor
from undrift.loop.training.arrays import get_array
from undrift.stats.metrics import auc
from unit.loop.training.rooms_of import rooms_in, training_in

_ADA = Actor("os-user", "ada")
_SETTINGS = (
    '[models.m]\ndataset = "d"\ntarget = "y"\ncandidates = ["random_forest", "linear"]\nfolds = 3\nkey = "key"\n'
)


def test_a_table_of_noise_that_was_exported_three_times_teaches_nothing(tmp_path: Path) -> None:
    """Comparison, holdout and cross-fitted answers are all at chance: a remembered copy would make them perfect."""
    rng = np.random.default_rng(0)
    once = pl.DataFrame({"a": rng.normal(size=150), "b": rng.normal(size=150), "y": rng.random(150) < 0.5})
    frame = pl.concat([once] * 3).with_columns(key=pl.int_range(450))
    rooms = rooms_in(tmp_path)
    rooms.data.add_frame(frame, "d", actor=_ADA)
    training = training_in(rooms, _SETTINGS)
    result = training.train("m", actor=_ADA)
    steps = training.steps(result.pipeline_run)
    compared: Any = steps["compare"].outputs["comparison"]
    answers = get_array(rooms.blobs, steps["fit"].outputs["answers"])
    fit = get_array(rooms.blobs, steps["split"].outputs["fit"])
    assert max(one["mean"] for one in compared["results"]) < 0.65
    assert auc(frame[fit]["y"].cast(pl.Float64).to_numpy(), answers) < 0.65
    assert result.outcome != "pass"
