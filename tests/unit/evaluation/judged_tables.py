"""Holdouts with answers of a known quality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from undrift.evaluation.diagnosis.judged import Judged
from undrift.stats.metrics import metric_of

COLUMNS = ("signal", "copy", "noise", "place", "when", "empty")


@dataclass(frozen=True, slots=True)
class Case:
    """A holdout, its answers, and the model they come from."""

    frame: pl.DataFrame
    judged: Judged

    def score(self, frame: pl.DataFrame) -> npt.NDArray[Any]:
        """Answer with what ``signal`` alone says."""
        return _sigmoid(frame["signal"].to_numpy())


def case(rng: np.random.Generator, rows: int = 2000, *, weak: str = "", units: int = 0, metric: str = "auc") -> Case:
    """Answer y = (signal + noise > 0) by the true probability; in one place the labels do not follow it."""
    signal = rng.normal(size=rows)
    frame = pl.DataFrame(
        {
            "signal": signal,
            "copy": signal + rng.normal(scale=0.1, size=rows),
            "noise": rng.normal(size=rows),
            "place": rng.choice(["north", "south", "east", "west"], rows, p=[0.4, 0.3, 0.2, 0.1]),
            "when": rng.integers(1, 5, rows),
            "empty": np.where(rng.random(rows) < 0.3, np.nan, rng.normal(size=rows)),
        }
    ).with_columns(pl.col("empty").fill_nan(None))
    scores = _sigmoid(signal)
    truth = np.where(frame["place"].to_numpy() == weak, _sigmoid(-signal), scores)
    unit = np.arange(rows) if not units else np.sort(rng.integers(0, units, rows))
    judged = Judged(
        task="binary",
        classes=("no", "yes"),
        positive=1,
        y=(rng.random(rows) < truth).astype(np.float64),
        scores=scores,
        units=unit.astype(np.int64),
        unit_name="day" if units else "row",
        metric=metric_of(metric),
        threshold=0.5,
    )
    return Case(frame, judged)


def _sigmoid(logit: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-2 * logit)), dtype=np.float64)
