"""Drift needs a difference beyond the scatter of units, and one that matters."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp

from undrift.stats.drift import DriftReport, compare, effect_size, holm
from undrift.stats.rotation import rotation_p_values, slow_sums
from undrift.stats.sketch import ReferenceSketch, SketchMismatch, WindowCounts


def by_day(rng: np.random.Generator, days: int, shift: float = 0.0, rows: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Return values whose scatter is half between days, and the days."""
    day = np.repeat(np.arange(days), rows)
    return rng.normal(size=days)[day] + rng.normal(size=days * rows) + shift, day


def report(shift: float, days: tuple[int, int] = (40, 28), unit_kind: str = "day", rows: int = 40) -> DriftReport:
    """Return the report on one column that shifts and one that does not."""
    rng = np.random.default_rng(5)
    types = {"moves": "float", "stays": "float"}
    values, day = by_day(rng, days[0])
    sketch = ReferenceSketch.fit({"moves": values, "stays": by_day(rng, days[0])[0]}, types, day, unit_kind=unit_kind)
    values, day = by_day(rng, days[1], shift, rows)
    return compare(
        sketch, WindowCounts.collect(sketch, {"moves": values, "stays": by_day(rng, days[1], 0.0, rows)[0]}, day)
    )


def test_a_shift_of_two_standard_deviations_is_found_and_named() -> None:
    """The column that moved is reported, the other is not."""
    found = report(2.8)
    assert [c.column for c in found.drifted] == ["moves"]
    assert found.decision.outcome == "fail"
    assert "moves" in found.decision.reason
    assert found.drifted[0].shift == pytest.approx(2.0, abs=0.5)


def test_a_stationary_window_passes() -> None:
    """No shift, no drift."""
    assert report(0.0).decision.outcome == "pass"


def test_rows_of_one_day_are_not_independent() -> None:
    """What thousands of rows would call significant, 28 days do not."""
    rng = np.random.default_rng(11)
    ours, day = by_day(rng, 40)
    theirs, other_day = by_day(rng, 28, 0.25)
    days = ReferenceSketch.fit({"x": ours}, {"x": "float"}, day)
    rows = ReferenceSketch.fit({"x": ours}, {"x": "float"})
    assert compare(rows, WindowCounts.collect(rows, {"x": theirs})).decision.outcome == "fail"
    assert compare(days, WindowCounts.collect(days, {"x": theirs}, other_day)).decision.outcome == "pass"


@pytest.mark.parametrize("days", [(19, 28), (28, 19)])
def test_fewer_than_twenty_units_cannot_tell(days: tuple[int, int]) -> None:
    """Even a huge shift is not judged; its size is still given."""
    found = report(9.0, days)
    assert found.decision.outcome == "cannot_tell"
    assert {c.outcome for c in found.columns} == {"cannot_tell"}
    assert found.columns[0].effect > 0.9
    assert found.columns[0].p_value is None


def test_keys_are_units_without_order() -> None:
    """With keys all units - 1 directions serve."""
    assert report(2.8, unit_kind="key").decision.unit == "key"
    assert report(2.8, unit_kind="key").decision.outcome == "fail"


def test_a_thin_window_is_compared_at_its_own_size() -> None:
    """Four rows a day against forty: no alarm from the window's own noise."""
    assert report(0.0, rows=4).decision.outcome == "pass"


def test_a_significant_but_tiny_difference_is_not_drift() -> None:
    """The effect must reach the floor."""
    rng = np.random.default_rng(0)
    sketch = ReferenceSketch.fit({"x": rng.normal(size=100_000)}, {"x": "float"})
    found = compare(sketch, WindowCounts.collect(sketch, {"x": rng.normal(0.05, size=100_000)})).columns[0]
    assert found.adjusted_p is not None
    assert found.adjusted_p < 1e-6
    assert found.outcome == "pass"


def test_the_binned_distance_is_nearly_that_of_the_rows() -> None:
    """256 bins lose less than half a percent."""
    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(size=20_000), rng.normal(0.2, size=5_000)
    sketch = ReferenceSketch.fit({"x": ours}, {"x": "float"})
    binned = effect_size(sketch.columns["x"], WindowCounts.collect(sketch, {"x": theirs}).fine["x"])
    assert binned == pytest.approx(ks_2samp(ours, theirs).statistic, abs=0.005)


def test_missing_values_are_drift_too() -> None:
    """A sensor that fails on a third of the rows is found, by rows and by days."""
    rng = np.random.default_rng(3)
    ours, day = by_day(rng, 30)
    theirs = np.where(rng.random(1200) < 0.3, np.nan, by_day(rng, 30)[0])
    for unit in (None, day):
        sketch = ReferenceSketch.fit({"x": ours}, {"x": "float"}, unit)
        found = compare(sketch, WindowCounts.collect(sketch, {"x": theirs}, unit))
        assert found.decision.outcome == "fail"
        assert found.columns[0].effect == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize("unit_kind", ["row", "day"])
def test_a_category_that_takes_over_is_found(unit_kind: str) -> None:
    """Total variation and significance, also of a value never seen."""
    rng = np.random.default_rng(4)
    day = np.repeat(np.arange(30), 40)
    ours, theirs = rng.choice(["a", "b", "c"], 1200), rng.choice(["a", "new"], 1200)
    unit = None if unit_kind == "row" else day
    sketch = ReferenceSketch.fit({"c": ours}, {"c": "string"}, unit)
    found = compare(sketch, WindowCounts.collect(sketch, {"c": theirs}, unit)).columns[0]
    assert found.outcome == "fail"
    assert found.shift is None
    assert found.effect == pytest.approx(2 / 3, abs=0.06)


def test_a_constant_that_changes_is_found() -> None:
    """Nothing scatters, everything moved: a unit error."""
    day = np.repeat(np.arange(30), 40)
    sketch = ReferenceSketch.fit({"x": np.zeros(1200), "n": np.arange(1200.0) % 40}, {"x": "float", "n": "float"}, day)
    found = compare(sketch, WindowCounts.collect(sketch, {"x": np.ones(1200), "n": np.arange(1200.0) % 40}, day))
    assert [c.column for c in found.drifted] == ["x"]


def test_a_window_of_another_sketch_is_refused() -> None:
    """Cells and units must be those of the reference."""
    rng = np.random.default_rng(0)
    ours = ReferenceSketch.fit({"x": rng.normal(size=1000)}, {"x": "float"})
    other = ReferenceSketch.fit({"x": rng.integers(0, 3, 1000)}, {"x": "int"})
    by_days = ReferenceSketch.fit({"x": rng.normal(size=1000)}, {"x": "float"}, np.arange(1000) % 30)
    window = WindowCounts.collect(other, {"x": [1, 2]})
    for sketch in (ours, by_days):
        with pytest.raises(SketchMismatch):
            compare(sketch, window)


def test_the_same_seed_gives_the_same_report() -> None:
    """A decision can be repeated."""
    assert report(1.0) == report(1.0)


def test_holm_adjusts_as_in_the_textbook() -> None:
    """Each p-value times the number of hypotheses not yet rejected, never decreasing."""
    assert holm(np.array([0.01, 0.04, 0.03])).tolist() == pytest.approx([0.03, 0.06, 0.06])


def test_one_cell_under_rotation_is_students_t() -> None:
    """With a single difference the p-value is that of Student's t."""
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(8, 1))
    difference = 2.306 * np.sqrt((noise**2).mean(axis=0))  # the two-sided 5 % point at 8 degrees of freedom
    _, p_value, adjusted = rotation_p_values(difference, noise, np.array([0]), seed=0)
    assert p_value[0] == pytest.approx(0.05, abs=0.01)
    assert adjusted[0] == p_value[0]


def test_slow_sums_of_independent_units_have_their_variance() -> None:
    """Over all directions the sums hold exactly the squares about the mean."""
    values = np.random.default_rng(2).normal(size=(25, 3))
    values -= values.mean(axis=0)
    assert (slow_sums(values, is_ordered=False) ** 2).sum(axis=0) == pytest.approx((values**2).sum(axis=0))
