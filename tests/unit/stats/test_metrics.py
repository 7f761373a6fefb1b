"""Each metric agrees with scikit-learn and knows its direction."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as oracle

from undrift.core.errors import BadInput
from undrift.stats.metrics import METRICS, UndefinedMetric, metric_of

RNG = np.random.default_rng(0)
Y = RNG.random(500) < 0.3
P = np.clip(np.round(0.3 * Y + RNG.random(500) * 0.7, 2), 0.01, 0.99)  # rounded: ties
CLASSES = RNG.integers(0, 3, 400)
PROBABILITIES = RNG.dirichlet([1, 1, 1], 400)
NUMBERS = RNG.normal(size=300)
GUESSES = NUMBERS + RNG.normal(size=300)

BINARY = {
    "auc": oracle.roc_auc_score,
    "pr_auc": oracle.average_precision_score,
    "log_loss": oracle.log_loss,
    "brier": oracle.brier_score_loss,
    "accuracy": lambda y, p: oracle.accuracy_score(y, p >= 0.5),
}
MULTICLASS = {
    "multiclass_log_loss": oracle.log_loss,
    "multiclass_accuracy": lambda y, p: oracle.accuracy_score(y, p.argmax(axis=1)),
    "multiclass_brier": lambda y, p: oracle.brier_score_loss(y, p) / 2,
}
REGRESSION = {
    "mae": oracle.mean_absolute_error,
    "mse": oracle.mean_squared_error,
    "rmse": oracle.root_mean_squared_error,
    "r2": oracle.r2_score,
    "median_absolute_error": oracle.median_absolute_error,
}
CASES = [
    *[(n, f, Y, P) for n, f in BINARY.items()],
    *[(n, f, CLASSES, PROBABILITIES) for n, f in MULTICLASS.items()],
    *[(n, f, NUMBERS, GUESSES) for n, f in REGRESSION.items()],
]


@pytest.mark.parametrize(("name", "expected", "y", "scores"), CASES, ids=[case[0] for case in CASES])
def test_a_metric_agrees_with_scikit_learn(name: str, expected: object, y: np.ndarray, scores: np.ndarray) -> None:
    """The value is that of the reference implementation."""
    assert metric_of(name)(y, scores) == pytest.approx(expected(y, scores), rel=1e-10)


def test_every_metric_is_tested() -> None:
    """No metric is offered that is not compared."""
    assert set(METRICS) == {case[0] for case in CASES}


@pytest.mark.parametrize(("name", "expected", "y", "scores"), CASES, ids=[case[0] for case in CASES])
def test_the_direction_is_right(name: str, expected: object, y: np.ndarray, scores: np.ndarray) -> None:
    """Perfect predictions are better than ours in the direction that the metric names."""
    metric = metric_of(name)
    perfect = np.eye(3)[y] if metric.task == "multiclass" else y.astype(float)
    assert (metric(y, perfect) > metric(y, scores)) == metric.greater_is_better


def test_a_metric_without_a_value_says_so() -> None:
    """One class has no AUC, constant numbers no r2."""
    with pytest.raises(UndefinedMetric):
        metric_of("auc")(np.ones(5), np.arange(5.0))
    with pytest.raises(UndefinedMetric):
        metric_of("pr_auc")(np.zeros(5), np.arange(5.0))
    with pytest.raises(UndefinedMetric):
        metric_of("r2")(np.ones(5), np.arange(5.0))


def test_an_unknown_metric_names_the_known_ones() -> None:
    """The cure lists them."""
    with pytest.raises(BadInput, match="log_loss"):
        metric_of("f3")
