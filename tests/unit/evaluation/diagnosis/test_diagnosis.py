"""Curves, confusion, calibration, residuals: what they say is what happened."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_curve, roc_curve

from undrift.core import canonical
from undrift.evaluation.diagnosis.calibration import calibration, residuals
from undrift.evaluation.diagnosis.confusion import MOST_CLASSES, OTHER, confusion
from undrift.evaluation.diagnosis.curves import MOST_POINTS, curves
from undrift.evaluation.diagnosis.diagnosis import diagnose
from undrift.evaluation.diagnosis.judged import share
from undrift.stats.intervals import wilson
from undrift.stats.metrics import metric_of
from unit.evaluation.judged_tables import COLUMNS, case


def test_the_curves_are_scikit_learns() -> None:
    """A hundred points of them, both ends included."""
    judged = case(np.random.default_rng(0), rows=5000).judged
    found: Any = curves(judged)
    false_positive, recall, _ = roc_curve(judged.y, judged.scores)
    mine = np.interp(false_positive, found["roc"]["false_positive_rate"], found["roc"]["recall"])
    assert len(found["roc"]["recall"]) <= MOST_POINTS
    assert np.abs(mine - recall).max() < 0.03
    assert (found["roc"]["recall"][0], found["roc"]["recall"][-1]) == (0.0, 1.0)


def test_each_point_of_the_precision_curve_is_one_of_scikit_learns() -> None:
    """Equal scores are one point."""
    judged = case(np.random.default_rng(1), rows=400).judged
    rounded = replace(judged, scores=np.round(judged.scores, 1))
    precision, recall, _ = precision_recall_curve(rounded.y, rounded.scores)
    pr: Any = curves(rounded)["pr"]  # type: ignore[index]
    distances = np.hypot(recall[:, None] - pr["recall"], precision[:, None] - pr["precision"]).min(axis=0)
    assert distances[1:].max() < 1e-5


def test_one_class_alone_has_no_curve() -> None:
    """There is nothing to tell apart."""
    judged = case(np.random.default_rng(2)).judged
    assert curves(replace(judged, y=np.zeros(judged.rows))) is None


@pytest.mark.parametrize("positive", [0, 1])
def test_confusion_counts_at_the_threshold(positive: int) -> None:
    """In the order of the classes, whichever of them is positive."""
    judged = replace(case(np.random.default_rng(3)).judged, threshold=0.3, positive=positive)
    happened = judged.y if positive else 1 - judged.y
    answered = (judged.scores >= 0.3) if positive else (judged.scores < 0.3)
    found: Any = confusion(judged)
    assert found["counts"] == confusion_matrix(happened, answered).tolist()


def test_of_many_classes_the_rarest_are_counted_as_one() -> None:
    """Thirty classes make a table of twelve."""
    rng = np.random.default_rng(4)
    y = np.minimum(rng.geometric(0.1, 3000) - 1, 29)
    scores = rng.dirichlet(np.ones(30), 3000)
    base = case(rng, rows=3000).judged
    names = tuple(f"c{at}" for at in range(30))
    judged = replace(
        base, task="multiclass", classes=names, y=y, scores=scores, metric=metric_of("multiclass_log_loss")
    )
    found: Any = confusion(judged)
    assert len(found["classes"]) == MOST_CLASSES
    assert found["classes"][-1] == OTHER
    assert np.sum(found["counts"]) == 3000


def test_the_share_of_independent_rows_has_wilsons_interval() -> None:
    """Up to Student's t in place of the normal quantile."""
    happened = (np.random.default_rng(5).random(3000) < 0.2).astype(float)
    mine, theirs = share(happened, np.arange(3000), "row"), wilson(int(happened.sum()), 3000)
    assert (mine.low, mine.high) == pytest.approx((theirs.low, theirs.high), abs=1e-4)


def test_a_share_over_days_is_wider_than_over_rows() -> None:
    """Rows of one day are alike."""
    rng = np.random.default_rng(6)
    day = np.repeat(np.arange(20), 50)
    happened = (rng.random(1000) < rng.beta(2, 2, 20)[day]).astype(float)
    by_day, by_row = share(happened, day, "day"), share(happened, np.arange(1000), "row")
    assert by_day.high - by_day.low > 2 * (by_row.high - by_row.low)


def test_what_never_happened_has_an_interval_all_the_same() -> None:
    """Zero of 40 rows of 10 days says little."""
    found = share(np.zeros(40), np.repeat(np.arange(10), 4), "day")
    assert (found.low, found.estimate) == (0.0, 0.0)
    assert 0.2 < found.high < 0.5


def test_probabilities_that_are_right_are_not_called_off() -> None:
    """Ten bins, at most one or two off by chance."""
    found: Any = calibration(case(np.random.default_rng(7), rows=5000).judged)
    assert len(found["bins"]) == 10
    assert found["off"] <= 2
    assert found["gap"]["low"] < 0 < found["gap"]["high"]


def test_probabilities_that_are_too_high_are_off_in_every_bin() -> None:
    """Half a chance more than there is."""
    judged = case(np.random.default_rng(8), rows=5000).judged
    found: Any = calibration(replace(judged, scores=np.sqrt(judged.scores)))
    assert found["off"] >= 8
    assert found["gap"]["high"] < 0


def test_residuals_are_quantiles_of_many_rows() -> None:
    """Each bin's middle 80 % holds what a normal error says."""
    rng = np.random.default_rng(9)
    base = case(rng, rows=4000).judged
    y = base.scores + rng.normal(scale=2.0, size=4000)
    judged = replace(base, task="regression", classes=(), positive=None, y=y, metric=metric_of("mae"))
    found: Any = residuals(judged)
    assert all(one["low"] == pytest.approx(-2.56, abs=0.6) for one in found["bins"])
    assert sum(found["counts"]) == 4000


def test_the_diagnosis_is_small_and_can_be_stored() -> None:
    """Canonical JSON of a few kilobytes, whatever the number of rows."""
    made = case(np.random.default_rng(10), rows=4000)
    stored = canonical.dumps(diagnose(made.frame, COLUMNS, made.judged, made.score))
    assert len(stored) < 40_000
    assert json.loads(stored)["format"] == "undrift.diagnosis/1"
