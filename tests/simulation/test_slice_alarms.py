"""A model that is equally good everywhere has a slice called clearly worse in at most 5 % of holdouts.

1,000 null holdouts a setting at a family error of .05: at most 73 (99.9 % binomial bound). The answers are the true
probabilities and no column that is cut by has to do with them; labels of one day share an effect where days are units.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from undrift.evaluation.diagnosis.judged import Judged
from undrift.evaluation.diagnosis.slices import slices
from undrift.stats.metrics import metric_of

pytestmark = pytest.mark.slow

HOLDOUTS = 1000
BOUND_05 = 73


def null_holdout(rng: np.random.Generator, task: str, days: int, rows: int = 800) -> tuple[pl.DataFrame, Judged]:
    """Return a holdout whose slices differ by chance alone; `days` of 0 makes rows the units."""
    frame = pl.DataFrame(
        {
            "a": rng.choice(["p", "q", "r", "s"], rows, p=[0.6, 0.25, 0.1, 0.05]),
            "b": rng.normal(size=rows),
            "c": rng.lognormal(size=rows),
            "d": rng.integers(0, 6, rows),
        }
    )
    day = np.sort(rng.integers(0, days, rows)) if days else np.arange(rows)
    effect = 0.7 * rng.normal(size=days)[day] if days else np.zeros(rows)
    logit = 1.5 * rng.normal(size=rows) - 1
    scores = 1 / (1 + np.exp(-logit))
    y = (rng.random(rows) < 1 / (1 + np.exp(-logit - effect))).astype(np.float64)
    if task == "regression":
        y = scores + effect + rng.standard_t(4, rows)
    metric = metric_of("mae" if task == "regression" else "auc")
    classes = () if task == "regression" else ("no", "yes")
    judged = Judged(
        task="regression" if task == "regression" else "binary",
        classes=classes,
        positive=1 if classes else None,
        y=y,
        scores=scores,
        units=day.astype(np.int64),
        unit_name="day" if days else "row",
        metric=metric,
    )
    return frame, judged


@pytest.mark.parametrize("days", [0, 14, 40])
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_model_that_is_equally_good_everywhere_is_rarely_called_worse(
    task: str, days: int, measured: Callable[[str], None]
) -> None:
    """One slice or more, of 18 that are tested."""
    rng = np.random.default_rng(days)
    alarms = 0
    for _ in range(HOLDOUTS):
        frame, judged = null_holdout(rng, task, days)
        alarms += bool(slices(frame, frame.columns, judged)["worse"])
    measured(f"slices {task}, {days or 'rows as'} {'days' if days else 'units'}: {alarms} of {HOLDOUTS}")
    assert alarms <= BOUND_05


def test_a_weak_slice_is_among_the_first_three(measured: Callable[[str], None]) -> None:
    """Labels that do not follow the answers, in a tenth of the rows of 40 days: found in at least 95 % of cases."""
    rng = np.random.default_rng(1)
    found = 0
    for _ in range(200):
        frame, judged = null_holdout(rng, "binary", 40, rows=4000)
        weak = frame["a"].to_numpy() == "r"
        judged.y[weak] = rng.random(int(weak.sum())) < 1 - judged.scores[weak]
        first = slices(frame, frame.columns, judged)["slices"]
        assert isinstance(first, list)
        found += any(isinstance(one, dict) and one["slice"] == "r" and one["is_worse"] for one in first[:3])
    measured(f"planted slice among the first three, called worse: {found} of 200")
    assert found >= 190
