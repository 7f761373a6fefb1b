from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from undrift.ledger.actor import Actor
from unit.loop.training.rooms_of import rooms_in, training_in
from unit.loop.training.test_training import make_champion

_ADA = Actor("os-user", "ada")
_SETTINGS = '[models.m]\ndataset = "d"\ntarget = "y"\ncandidates = ["linear"]\n'


def rare(share: float, rows: int = 1600, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    y = rng.random(rows) < share
    return pl.DataFrame({"x": rng.normal(size=rows) + 1.5 * y, "y": y})


def test_the_metric_does_not_flip_between_champion_and_challenger(tmp_path: Path) -> None:
    """A first version at 17 % is judged by PR AUC; at 38 % its challenger is too, and only a setting changes that."""
    rooms = rooms_in(tmp_path)
    training = training_in(rooms, _SETTINGS)
    rooms.data.add_frame(rare(0.17), "d", actor=_ADA)
    first = training.train("m", actor=_ADA)
    assert (first.outcome, first.gate_report["metric"]) == ("pass", "pr_auc")
    make_champion(rooms, first)
    rooms.data.add_frame(pl.concat([rare(0.17), rare(0.6, seed=1)]), "d", actor=_ADA)
    second = training.train("m", actor=_ADA)
    decided: Any = training.steps(second.pipeline_run)["split"].outputs["metric"]
    assert second.gate_report["metric"] == "pr_auc"
    assert decided == {"name": "pr_auc", "reason": "the metric by which model:m@1 was judged"}
    named = training_in(rooms, _SETTINGS + 'metric = "brier"\n').train("m", actor=_ADA)
    assert named.gate_report["metric"] == "brier"
