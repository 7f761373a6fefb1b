"""Probabilities are judged on rows their model has not seen, and repaired only where that is shown to help."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, softmax
from scipy.stats import binom

from undrift.evaluation.calibration import ALPHA, examine
from undrift.evaluation.candidates import fit
from undrift.evaluation.features import fed
from unit.evaluation.mixed_tables import mixed, read


def binary(rows: int, slope: float, shift: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities whose truth has another slope and intercept."""
    rng = np.random.default_rng(seed)
    z = rng.normal(-1, 1.5, rows)
    y = (rng.random(rows) < expit(slope * z + shift)).astype(int)
    return np.column_stack((1 - expit(z), expit(z))), y


def test_probabilities_that_mean_what_they_say_are_left_alone() -> None:
    """With what was looked at."""
    found, repair = examine(*binary(3000, 1.0), np.arange(3000))
    assert (found.outcome, repair, found.method) == ("calibrated", None, "none")
    assert len(found.as_json()["before"]["bins"]) == 10  # type: ignore[index, arg-type, call-overload]  # JSON


@pytest.mark.parametrize(("slope", "shift"), [(0.4, 0.0), (1.0, 1.0), (2.5, 0.0)])
def test_overconfident_shifted_and_timid_probabilities_are_repaired_and_keep_their_order(
    slope: float, shift: float
) -> None:
    """The repair on rows nobody has seen is near the truth."""
    p, y = binary(3000, slope, shift)
    found, repair = examine(p, y, np.arange(3000))
    assert found.outcome == "repaired"
    assert repair is not None
    fresh, happened = binary(20_000, slope, shift, seed=1)
    better = repair(fresh)
    assert abs(better[:, 1].mean() - happened.mean()) < 0.02
    assert (np.argsort(better[:, 1], kind="stable") == np.argsort(fresh[:, 1], kind="stable")).all()


def test_a_bend_is_repaired_by_a_rising_line_where_there_are_rows_enough() -> None:
    """A sigmoid cannot bend twice; the line keeps rows apart."""
    rng = np.random.default_rng(0)
    p = rng.random(20_000)
    y = (rng.random(20_000) < np.where(p < 0.5, 0.1 + 0.1 * p, 0.85)).astype(int)
    found, repair = examine(np.column_stack((1 - p, p)), y, np.arange(20_000))
    assert found.method == "isotonic"
    assert repair is not None
    assert np.unique(repair(np.column_stack((1 - p, p)))[:, 1]).size == np.unique(p).size
    assert found.after["ece"] < found.before["ece"] / 3  # type: ignore[index, operator]  # numbers


def test_many_classes_are_repaired_by_a_temperature_that_keeps_the_likeliest() -> None:
    """The answer stays, its certainty changes."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(3000, 5)) * 2
    y = np.array([rng.choice(5, p=one) for one in softmax(0.5 * logits, axis=1)])
    p = softmax(logits, axis=1)
    found, repair = examine(p, y, np.arange(3000))
    assert found.method == "temperature"
    assert repair is not None
    assert (repair(p).argmax(axis=1) == p.argmax(axis=1)).all()
    assert repair.numbers[0] == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(("rows", "units"), [(80, 80), (3000, 12)])
def test_too_few_rows_or_units_cannot_tell(rows: int, units: int) -> None:
    """Nothing is repaired on a guess."""
    found, repair = examine(*binary(rows, 0.2), np.arange(rows) % units)
    assert (found.outcome, repair) == ("cannot_tell", None)


def test_a_repaired_candidate_gives_the_repaired_probabilities_from_raw_rows() -> None:
    """The repair is the last step of the Pipeline itself."""
    frame = mixed()
    target, features = read(frame, text=("said",))
    fitted = fit("linear", frame, features, target)
    _, repair = examine(*binary(3000, 0.4), np.arange(3000))
    assert repair is not None
    plain = fitted.model.predict_proba(fed(frame, features))
    assert np.array_equal(fitted.repaired(repair).model.predict_proba(fed(frame, features)), repair(plain))


@pytest.mark.slow
@pytest.mark.parametrize("per_unit", [1, 10])
def test_calibrated_probabilities_are_called_off_at_most_at_the_stated_rate(per_unit: int) -> None:
    """1,000 null samples, rows of one unit alike; above the 99.9 % binomial bound it fails."""
    called = 0
    for seed in range(1000):
        rng = np.random.default_rng(seed)
        units = np.repeat(np.arange(150), per_unit)
        z = rng.normal(-0.5, 1.2, 150)[units]
        u = rng.random(150)[units] if per_unit > 1 else rng.random(150 * per_unit)
        y = (u < expit(z)).astype(int)
        p = np.column_stack((1 - expit(z), expit(z)))
        found, _ = examine(p, y, units)
        called += found.p_value is not None and found.p_value < ALPHA
    assert called <= binom.ppf(0.999, 1000, ALPHA)
