"""A first version that knows nothing passes against the base rate or the median at most as often as it is said.

Tables of noise: columns and target are independent, a linear model is fitted on three quarters and judged on the rest,
with the metric that is the default there. Two nulls: a fitted model, which is worse than the baseline by what it has
overfitted, and scores that are as good as the baseline's in expectation, where the bound is reached.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from threadpoolctl import threadpool_limits

from undrift.evaluation.baselines import baseline_scores
from undrift.evaluation.gate import too_few
from undrift.evaluation.metrics import chosen_metric
from undrift.evaluation.target import Task
from undrift.stats.intervals import paired_difference

pytestmark = pytest.mark.slow

TABLES = 1000
BOUND_05 = 73


def passes(y: np.ndarray, scores: np.ndarray, base: np.ndarray, asked: tuple[Task, str], units: np.ndarray) -> bool:
    """Return whether the gate's rule lets the scores pass; its report of every metric is left out for time."""
    task, metric = asked
    if too_few(y, task):
        return False
    return bool(paired_difference(chosen_metric(metric, task), y, scores, base, units, level=0.9).low > 0)


def classes(rng: np.random.Generator, shares: tuple[float, ...], rows: int, metric: str) -> bool:
    """Return whether a model that was fitted on noise passes."""
    task: Task = "binary" if len(shares) == 2 else "multiclass"
    y = rng.choice(len(shares), rows, p=shares)
    x = rng.normal(size=(rows, 5))
    cut = round(0.75 * rows)
    with threadpool_limits(1):
        model: Any = LogisticRegression().fit(x[:cut], y[:cut])
        found = model.predict_proba(x[cut:])
    if found.shape[1] < len(shares):
        return False
    base = baseline_scores(task, chosen_metric(metric, task), y[:cut].astype(float), rows - cut, len(shares))
    scores = found[:, 1] if task == "binary" else found
    return passes(y[cut:].astype(float), scores, base, (task, metric), np.arange(rows - cut))


@pytest.mark.parametrize(
    ("shares", "rows", "metric"),
    [
        ((0.5, 0.5), 450, "auc"),
        ((0.75, 0.25), 850, "auc"),
        ((0.9, 0.1), 2200, "log_loss"),
        ((0.9, 0.1), 2200, "pr_auc"),
        ((0.4, 0.3, 0.3), 178, "multiclass_log_loss"),
        ((0.6, 0.2, 0.2), 220, "multiclass_log_loss"),
        ((0.05,) * 20, 600, "multiclass_log_loss"),
    ],
)
def test_a_model_of_noise_passes_no_more_often_than_stated(
    shares: tuple[float, ...], rows: int, metric: str, measured: Callable[[str], None]
) -> None:
    """One-sided alpha .05, rows as units, as few rows of the rarer class as the gate lets through."""
    rng = np.random.default_rng(rows)
    passed = sum(classes(rng, shares, rows, metric) for _ in range(TABLES))
    measured(f"first gate, noise, {len(shares)} classes, {rows} rows, {metric}: {passed} of {TABLES}")
    assert passed <= BOUND_05


@pytest.mark.parametrize("rows", [80, 200, 800])
def test_numbers_of_noise_with_outliers_pass_no_more_often_than_stated(
    rows: int, measured: Callable[[str], None]
) -> None:
    """A ridge regression on noise against the median by absolute error; one number in fifty is ten times as far off."""
    rng = np.random.default_rng(rows)
    passed = 0
    for _ in range(TABLES):
        y = rng.normal(size=rows) * np.where(rng.random(rows) < 0.02, 10, 1)
        x, cut = rng.normal(size=(rows, 5)), round(0.75 * rows)
        model: Any = Ridge().fit(x[:cut], y[:cut])
        base = np.full(rows - cut, np.median(y[:cut]))
        passed += passes(y[cut:], model.predict(x[cut:]), base, ("regression", "mae"), np.arange(rows - cut))
    measured(f"first gate, numbers of noise, {rows} rows, mae: {passed} of {TABLES}")
    assert passed <= BOUND_05


@pytest.mark.parametrize("groups", [8, 12, 25])
@pytest.mark.parametrize("metric", ["auc", "log_loss"])
def test_few_groups_do_not_make_it_pass(groups: int, metric: str, measured: Callable[[str], None]) -> None:
    """Labels and scores depend on the group, each on its own: groups as units keep the promise at eight of them."""
    rng = np.random.default_rng(groups)
    passed = 0
    for _ in range(TABLES):
        unit = np.repeat(np.arange(groups), np.maximum(4, rng.poisson(300 / groups, groups)))
        y = (rng.random(len(unit)) < 1 / (1 + np.exp(-rng.normal(size=groups)[unit]))).astype(float)
        scores = 1 / (1 + np.exp(-0.3 * rng.normal(size=groups)[unit] - 0.3 * rng.normal(size=len(unit))))
        passed += passes(y, scores, np.full(len(y), 0.5), ("binary", metric), unit)
    measured(f"first gate, noise, {groups} groups, {metric}: {passed} of {TABLES}")
    assert passed <= BOUND_05
