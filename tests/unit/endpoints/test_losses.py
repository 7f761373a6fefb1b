"""How wrong an answer was, in [0, 1]."""

from __future__ import annotations

import math

import pytest

from undrift.endpoints.errors import BadPlan
from undrift.endpoints.losses import LossOf
from undrift.endpoints.plan import RolloutPlan

BINARY = (0, 1)


@pytest.mark.parametrize(("p", "actual", "loss"), [(1.0, 1, 0.0), (0.0, 1, 1.0), (0.8, 1, 0.04), (0.8, 0, 0.64)])
def test_brier_of_two_classes_is_the_squared_distance(p: float, actual: int, loss: float) -> None:
    """Half the sum over both classes."""
    of = LossOf(RolloutPlan(loss="brier", classes=BINARY))
    assert of([1 - p, p], 1, actual) == pytest.approx(loss)


def test_brier_of_many_classes_stays_in_bounds() -> None:
    """Sure and wrong is 1, however many classes there are."""
    of = LossOf(RolloutPlan(loss="brier", classes=("a", "b", "c")))
    assert of([0.0, 1.0, 0.0], "b", "c") == pytest.approx(1.0)
    assert of([0.2, 0.3, 0.5], "c", "c") == pytest.approx((0.25 + 0.04 + 0.09) / 2)


def test_log_loss_is_cut_at_one_percent() -> None:
    """A single confident error must not decide a rollout."""
    of = LossOf(RolloutPlan(loss="log", classes=BINARY))
    assert of([1.0, 0.0], 0, 1) == pytest.approx(1.0)
    assert of([0.9, 0.1], 0, 1) == pytest.approx(0.5)
    assert of([0.0, 1.0], 1, 1) == pytest.approx(0.0)


@pytest.mark.parametrize("actual", [1, 1.0, True, "1"])
def test_one_class_has_many_spellings(actual: object) -> None:
    """Tables and JSON type the same class differently."""
    assert LossOf(RolloutPlan(loss="error01"))([], 1, actual) == 0.0  # type: ignore[arg-type]  # the point


@pytest.mark.parametrize(("actual", "loss"), [(13.0, 0.3), (30.0, 1.0), (math.inf, None), ("far", None)])
def test_absolute_errors_are_scaled_and_cut(actual: float | str, loss: float | None) -> None:
    """What is no number is no label."""
    of = LossOf(RolloutPlan(loss="absolute", scale=10.0))
    found = of([10.0], 10.0, actual)
    assert found == (pytest.approx(loss) if loss is not None else None)


def test_a_label_that_is_none_of_the_classes_has_no_loss() -> None:
    """It is counted as unusable."""
    assert LossOf(RolloutPlan(loss="brier", classes=BINARY))([0.5, 0.5], 1, "purple") is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps_bp": (500, 2500)},
        {"steps_bp": (2500, 500, 10_000)},
        {"steps_bp": ()},
        {"alpha": 0.0},
        {"error_margin": 0.0},
        {"quality_margin": 1.0},
        {"loss": "brier"},
        {"scale": 0.0},
        {"min_requests": 0},
        {"label_age_s": -1.0},
        {"slo_ms": 0.0},
    ],
)
def test_a_plan_that_cannot_be_followed_is_refused(wrong: dict[str, object]) -> None:
    """When it is made, not when it is judged."""
    with pytest.raises(BadPlan):
        RolloutPlan(**wrong)  # type: ignore[arg-type]  # the point


def test_a_plan_is_stored_and_read_again() -> None:
    """The judge must follow the plan that was agreed."""
    plan = RolloutPlan(loss="brier", classes=("late", "on time"), slo_ms=20.0, label_age_s=3600.0)
    assert RolloutPlan.from_json(plan.as_json()) == plan
