"""The gate ``low > 0`` lets a challenger that is no better pass at most as often as it says.

Days have random effects on the labels, and each model is off by something of its own on each day. 1,000 null data sets
a setting at one-sided alpha = .05: at most 73 (99.9 % binomial bound).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from undrift.stats.intervals import paired_difference

pytestmark = pytest.mark.slow

DATASETS = 1000
BOUND_05 = 73


def equal_models(rng: np.random.Generator, days: int, gain: float = 0.0, spread: float = 0.6) -> tuple[np.ndarray, ...]:
    """Return labels, two exchangeable models' scores and days; `gain` makes the first better, `spread` is by day."""
    sizes = np.maximum(5, (80 * rng.lognormal(0, 0.4, days)).astype(int))
    day = np.repeat(np.arange(days), sizes)
    signals = rng.normal(size=(2, len(day)))
    logit = -1.3 + 0.7 * rng.normal(size=days)[day] + 0.8 * signals.sum(axis=0)
    y = rng.random(len(day)) < 1 / (1 + np.exp(-logit))
    off = spread * rng.normal(size=(2, days))[:, day]
    own = -1.3 + 0.8 * signals + 0.6 * off * signals[::-1] + off
    own[0] += gain * signals[1]
    a, b = 1 / (1 + np.exp(-own))
    return y, a, b, day


@pytest.mark.parametrize("metric", ["auc", "log_loss", "brier"])
@pytest.mark.parametrize("days", [8, 14, 28])
def test_equal_models_pass_the_gate_at_most_as_often_as_stated(
    metric: str, days: int, measured: Callable[[str], None]
) -> None:
    """One-sided error at alpha .05, for both directions."""
    rng = np.random.default_rng(days)
    passed = np.zeros(2, dtype=int)
    for _ in range(DATASETS):
        found = paired_difference(metric, *equal_models(rng, days), level=0.90)
        passed += [found.low > 0, found.high < 0]
    measured(f"gate {metric} {days} days: {passed.tolist()} of {DATASETS}")
    assert passed.max() <= BOUND_05


def test_counting_rows_would_pass_equal_models_far_too_often(measured: Callable[[str], None]) -> None:
    """The interval that we do not use: rows as units."""
    rng = np.random.default_rng(1)
    passed = 0
    for _ in range(300):
        y, a, b, _ = equal_models(rng, 14)
        passed += paired_difference("log_loss", y, a, b, level=0.90).low > 0
    measured(f"rows as units: {passed} of 300")
    assert passed > 60


def test_a_better_model_passes(measured: Callable[[str], None]) -> None:
    """A challenger whose AUC is .08 higher wins on 28 days of 80 rows in at least 90 % of cases."""
    rng = np.random.default_rng(2)
    passed = sum(paired_difference("auc", *equal_models(rng, 28, 0.8, 0.3), level=0.90).low > 0 for _ in range(200))
    measured(f"gate power: {passed} of 200")
    assert passed >= 180
