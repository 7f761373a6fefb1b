from __future__ import annotations

import numpy as np
import pytest

from undrift.evaluation.metrics import REPORTED, metric_for
from undrift.evaluation.target import Task


@pytest.mark.parametrize(
    ("counts", "name"), [((80, 20), "log_loss"), ((81, 19), "pr_auc"), ((1, 99), "pr_auc"), ((50, 50), "log_loss")]
)
def test_a_rare_class_is_judged_by_what_finds_it(counts: tuple[int, int], name: str) -> None:
    """Under 20 %, whichever of the two it is, by PR AUC with Brier; the reason says the share."""
    found = metric_for("binary", np.array(counts))
    assert found.name == name
    assert f"{min(counts)}" in found.reason
    assert {found.name, "brier"} <= {found.name, *found.also} <= set(REPORTED["binary"])


@pytest.mark.parametrize(("task", "name"), [("multiclass", "multiclass_log_loss"), ("regression", "mae")])
def test_accuracy_never_decides(task: Task, name: str) -> None:
    """Several classes by log loss, numbers by absolute error."""
    assert metric_for(task, np.array([2, 2, 2])).name == name
