"""Intervals let units vary, not rows."""

from __future__ import annotations

import time

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from undrift.core.errors import BadInput
from undrift.stats import clusters
from undrift.stats.intervals import TooFewUnits, mean, metric_interval, paired_difference, wilson
from undrift.stats.metrics import METRICS, UndefinedMetric


def labelled(rng: np.random.Generator, rows: int, days: int) -> tuple[np.ndarray, ...]:
    day = np.arange(rows) % days
    effect = rng.normal(size=days)[day]
    y = rng.random(rows) < 1 / (1 + np.exp(1.3 - effect))
    a, b = (1 / (1 + np.exp(-(y + rng.normal(size=rows) - 1))) for _ in range(2))
    return y, a, b, day


def test_wilson_agrees_with_the_published_example() -> None:
    """15 of 148: Newcombe (1998), method 3, prints 0.0624 to 0.1605."""
    found = wilson(15, 148)
    assert (round(found.low, 4), round(found.high, 4)) == (0.0624, 0.1605)


def test_wilson_stays_inside_the_unit_interval() -> None:
    """No success still leaves room above, and none below."""
    assert wilson(0, 10).low == 0.0
    assert wilson(10, 10).high == pytest.approx(1.0)
    with pytest.raises(TooFewUnits):
        wilson(0, 0)


def test_a_mean_over_days_is_wider_than_over_rows() -> None:
    """Rows that share a day's effect do not count as independent."""
    rng = np.random.default_rng(0)
    day = np.repeat(np.arange(20), 100)
    values = rng.normal(size=20)[day] + rng.normal(size=2000)
    by_day, by_row = mean(values, day, unit_name="day"), mean(values)
    assert by_day.estimate == pytest.approx(by_row.estimate)
    assert by_day.high - by_day.low > 5 * (by_row.high - by_row.low)
    assert (by_day.units, by_day.unit, by_row.unit) == (20, "day", "row")


def test_a_mean_over_units_of_one_row_is_students_interval() -> None:
    """With one row a unit the cluster formula is the textbook's."""
    values = np.array([1.0, 2.0, 4.0, 7.0])
    half = 3.182446 * values.std(ddof=1) / 2
    assert mean(values).high == pytest.approx(values.mean() + half, rel=1e-6)


def test_the_auc_difference_is_that_of_the_whole() -> None:
    """Pair counts by unit add up to the AUC of all rows, ties included."""
    y, a, b, day = labelled(np.random.default_rng(1), 3000, 14)
    found = paired_difference("auc", y, np.round(a, 1), b, day)
    assert found.estimate == pytest.approx(roc_auc_score(y, np.round(a, 1)) - roc_auc_score(y, b))


@pytest.mark.parametrize("name", ["auc", "log_loss", "brier", "accuracy", "rmse", "r2"])
def test_leaving_a_unit_out_is_computing_without_it(name: str) -> None:
    """The shortcut by unit sums or pair counts equals recomputing."""
    y, a, _, day = labelled(np.random.default_rng(2), 400, 9)
    quick = clusters.estimate_from(METRICS[name], y, (a,), clusters.Units(*clusters.units_of(day, len(y))))
    slow = [METRICS[name](y[day != d], a[day != d]) for d in range(9)]
    assert quick.left_out == pytest.approx(slow)


def test_delong_and_the_pair_matrix_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """Placement values summed by unit give nearly the jackknife's standard error."""
    y, a, b, day = labelled(np.random.default_rng(3), 6000, 60)
    units = clusters.Units(*clusters.units_of(day, len(y)))
    exact = clusters.estimate_from(METRICS["auc"], y, (a, b), units)
    monkeypatch.setattr(clusters, "PAIR_MATRIX_UNITS", 1)
    linear = clusters.estimate_from(METRICS["auc"], y, (a, b), units)
    assert linear.estimate == pytest.approx(exact.estimate)
    assert linear.standard_error == pytest.approx(exact.standard_error, rel=0.03)


def test_positive_says_that_the_first_is_better() -> None:
    """For a loss the sign is turned."""
    y, _, b, day = labelled(np.random.default_rng(4), 2000, 20)
    good = np.clip(0.8 * y + 0.1, 0.1, 0.9)
    for name in ("auc", "log_loss", "brier", "pr_auc", "accuracy"):
        assert paired_difference(name, y, good, b, day).low > 0, name
        assert paired_difference(name, y, b, good, day).high < 0, name


def test_equal_scores_differ_by_exactly_nothing() -> None:
    """The interval of a model with itself is zero."""
    y, a, _, day = labelled(np.random.default_rng(5), 500, 10)
    found = paired_difference("auc", y, a, a, day)
    assert (found.estimate, found.low, found.high) == (0.0, 0.0, 0.0)


def test_fewer_than_eight_units_cannot_tell() -> None:
    """Seven days are too few, eight are enough."""
    y, a, b, day = labelled(np.random.default_rng(6), 800, 8)
    assert paired_difference("brier", y, a, b, day).units == 8
    with pytest.raises(TooFewUnits) as caught:
        paired_difference("brier", y, a, b, np.minimum(day, 6))
    assert caught.value.exit_code == 5


def test_units_of_unequal_size_count_as_fewer() -> None:
    """One day with most of the rows leaves few degrees of freedom."""
    equal = clusters.ClusterEstimate(0.0, np.zeros(10), np.full(10, 100.0))
    unequal = clusters.ClusterEstimate(0.0, np.zeros(10), np.array([5000.0, *[100.0] * 9]))
    assert equal.freedom == pytest.approx(9.0)
    assert unequal.freedom == 1.0


def test_a_median_is_left_out_by_groups_of_rows() -> None:
    """Metrics of ranks have an interval too, and the seed fixes it."""
    rng = np.random.default_rng(7)
    y = rng.normal(size=5000)
    near, far = y + rng.normal(size=5000), y + 2 * rng.normal(size=5000)
    found = paired_difference("median_absolute_error", y, near, far)
    assert found.low > 0.5
    assert found == paired_difference("median_absolute_error", y, near, far)


def test_a_metric_that_vanishes_without_one_day_is_refused() -> None:
    """All positives in one day: no honest interval."""
    day = np.repeat(np.arange(10), 10)
    with pytest.raises(UndefinedMetric):
        metric_interval("auc", day == 3, np.arange(100.0), day)


def test_lengths_must_agree() -> None:
    """A shorter score vector is an error, not a broadcast."""
    with pytest.raises(BadInput):
        paired_difference("brier", np.ones(10), np.ones(10), np.ones(9))


def test_the_interval_reads_back_as_json() -> None:
    """Everything a gate report needs is in it."""
    y, a, _, day = labelled(np.random.default_rng(8), 800, 10)
    found = metric_interval("auc", y, a, day, unit_name="day").as_json()
    assert (found["unit"], found["units"], found["n"]) == ("day", 10, 800)


def test_thirty_days_of_thirteen_thousand_rows_take_well_under_a_second() -> None:
    """A generous bound on what takes some 50 ms, also for 100,000 single rows."""
    rng = np.random.default_rng(9)
    y, a, b, day = labelled(rng, 13_000, 30)
    began = time.process_time()
    paired_difference("auc", y, a, b, day)
    paired_difference("auc", *labelled(rng, 100_000, 10)[:3])
    assert time.process_time() - began < 3.0
