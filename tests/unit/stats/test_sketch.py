"""A sketch tells what training data looked like; windows counted into it add up exactly."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from undrift.stats.sketch import OTHER, ReferenceSketch, SketchMismatch, WindowCounts

TYPES = {"x": "float", "k": "int", "c": "string", "b": "bool"}
ROWS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.floats(-1e6, 1e6)),
        st.integers(0, 5),
        st.sampled_from(["a", "b", "rare", None]),
        st.booleans(),
        st.integers(0, 6),
    ),
    max_size=60,
)


def table(rng: np.random.Generator, rows: int = 2000) -> tuple[dict[str, object], np.ndarray]:
    columns = {
        "x": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(size=rows)),
        "k": rng.integers(0, 5, rows),
        "c": rng.choice(["a", "b", None], rows),
        "b": rng.random(rows) < 0.3,
    }
    return columns, np.repeat(np.arange(rows // 50), 50)


@pytest.fixture
def sketch() -> ReferenceSketch:
    columns, day = table(np.random.default_rng(0))
    return ReferenceSketch.fit(columns, TYPES, day)


def counted(sketch: ReferenceSketch, rows: list[tuple[object, ...]]) -> WindowCounts:
    columns = {name: [row[i] for row in rows] for i, name in enumerate("xkcb")}
    return WindowCounts.collect(sketch, columns, [row[4] for row in rows])


@given(rows=ROWS, cut=st.integers(0, 60))
def test_two_halves_of_a_window_add_up_to_the_whole(rows: list[tuple[object, ...]], cut: int) -> None:
    """Counts merge exactly, wherever the cut."""
    columns, day = table(np.random.default_rng(0))
    sketch = ReferenceSketch.fit(columns, TYPES, day)
    merged = counted(sketch, rows[:cut]).merge(counted(sketch, rows[cut:]))
    assert merged.to_json() == counted(sketch, rows).to_json()


@given(rows=ROWS)
def test_counts_survive_json(rows: list[tuple[object, ...]]) -> None:
    """A window read back is the window written."""
    columns, day = table(np.random.default_rng(0))
    window = counted(ReferenceSketch.fit(columns, TYPES, day), rows)
    assert WindowCounts.from_json(window.to_json()).to_json() == window.to_json()


def test_a_sketch_survives_json(sketch: ReferenceSketch) -> None:
    """A sketch read back equals the sketch written."""
    assert ReferenceSketch.from_json(sketch.to_json()) == sketch


def test_a_text_of_another_format_is_refused() -> None:
    """Only the format that we write is read."""
    with pytest.raises(SketchMismatch):
        ReferenceSketch.from_json('{"format": "something/9"}')


def test_the_window_of_the_training_data_has_the_counts_of_the_sketch(sketch: ReferenceSketch) -> None:
    """Fitting and collecting use the same cells."""
    columns, day = table(np.random.default_rng(0))
    window = WindowCounts.collect(sketch, columns, day)
    for name, column in sketch.columns.items():
        assert tuple(window.fine[name].tolist()) == column.counts
        assert window.unit_table(name).tolist() == [list(row) for row in column.unit_counts]


def test_no_extreme_value_is_kept() -> None:
    """At least ten rows lie beyond the first and the last edge, so no single row's value is an end."""
    values = np.random.default_rng(1).normal(size=500)
    column = ReferenceSketch.fit({"x": values}, {"x": "float"}).columns["x"]
    assert (values <= column.edges[0]).sum() >= 10
    assert (values > column.edges[-1]).sum() >= 10


def test_a_shared_end_of_the_scale_is_an_edge() -> None:
    """What goes beyond a full scale that many rows share is seen."""
    values = np.minimum(np.random.default_rng(2).normal(10, 1, size=500), 10.0)
    sketch = ReferenceSketch.fit({"x": values}, {"x": "float"})
    assert sketch.columns["x"].edges[-1] == 10.0
    assert WindowCounts.collect(sketch, {"x": [10.0, 16.0]}).fine["x"][-3:].tolist() == [1, 1, 0]


def test_values_beyond_the_reference_fall_into_the_open_ends(sketch: ReferenceSketch) -> None:
    """Infinite and far values are counted."""
    columns = {"x": [-1e300, 1e300, float("inf")], "k": [-9, 99, 99], "c": ["a"] * 3, "b": [True] * 3}
    window = WindowCounts.collect(sketch, columns, [1, 1, 1])
    assert window.fine["x"][0] == 1
    assert window.fine["x"][-2] == 2


def test_rare_categories_are_pooled_and_not_named() -> None:
    """A category of fewer than 20 rows goes to the rest, as does one never seen."""
    values = ["often"] * 50 + ["rare"] * 19
    sketch = ReferenceSketch.fit({"c": values}, {"c": "string"})
    assert sketch.columns["c"].categories == ("often", OTHER)
    assert b"rare" not in sketch.to_json()
    assert WindowCounts.collect(sketch, {"c": ["rare", "new", None]}).fine["c"].tolist() == [0, 2, 1]


def test_few_distinct_integers_have_a_bin_each() -> None:
    """Low-cardinality integers are counted by value."""
    column = ReferenceSketch.fit({"k": [0] * 30 + [1] * 40 + [2] * 50}, {"k": "int"}).columns["k"]
    assert column.counts == (0, 30, 40, 50, 0, 0)  # nothing below 0, nothing above 2, nothing missing


def test_a_boolean_is_a_category() -> None:
    """True and false are names of cells."""
    column = ReferenceSketch.fit({"b": [True] * 30 + [False] * 40 + [None]}, {"b": "bool"}).columns["b"]
    assert dict(zip(column.categories, column.counts, strict=False)) == {"false": 40, "true": 30, OTHER: 0}
    assert column.counts[-1] == 1


def test_days_keep_their_order_whatever_they_are_written_as(sketch: ReferenceSketch) -> None:
    """Dates sort by time, also when rows come mixed."""
    days = [dt.date(2013, 2, 1), dt.date(2013, 1, 31), dt.date(2013, 2, 1)]
    columns = {"x": [0.0] * 3, "k": [0] * 3, "c": ["a"] * 3, "b": [True] * 3}
    assert WindowCounts.collect(sketch, columns, days).labels_in_order() == ["2013-01-31", "2013-02-01"]


def test_dates_are_numbers() -> None:
    """A date column is binned by time; None is missing."""
    days = [dt.date(2013, 1, 1) + dt.timedelta(i % 40) for i in range(400)]
    column = ReferenceSketch.fit({"d": [*days, None]}, {"d": "date"}).columns["d"]
    assert len(column.edges) == 41  # a bin each, and the open ends
    assert column.counts[-1] == 1


def test_keys_fall_into_groups_without_being_stored() -> None:
    """Keys are grouped by hash; none is kept."""
    keys = [f"customer-{i}" for i in range(5000)]
    sketch = ReferenceSketch.fit({"x": np.arange(5000.0)}, {"x": "float"}, keys, unit_kind="key")
    assert sketch.units == 128
    assert b"customer" not in sketch.to_json()


def test_more_than_128_days_are_grouped_in_order() -> None:
    """Neighbouring days share a group; the number of rows stays."""
    sketch = ReferenceSketch.fit({"x": np.arange(3000.0)}, {"x": "float"}, np.repeat(np.arange(300), 10))
    assert sketch.units == 128
    assert sum(map(sum, sketch.columns["x"].unit_counts)) == 3000


def test_a_sketch_of_twenty_columns_stays_small() -> None:
    """Twenty numeric columns over 128 days take less than 300 KB."""
    rng = np.random.default_rng(0)
    columns = {f"x{i}": rng.normal(size=25600) for i in range(20)}
    sketch = ReferenceSketch.fit(columns, dict.fromkeys(columns, "float"), np.repeat(np.arange(128), 200))
    assert len(sketch.to_json()) < 300_000


def test_the_mean_shift_is_in_reference_standard_deviations() -> None:
    """A window one sd higher has shift 1."""
    values = np.random.default_rng(0).normal(10, 2, size=4000)
    sketch = ReferenceSketch.fit({"x": values}, {"x": "float"})
    assert WindowCounts.collect(sketch, {"x": values + values.std()}).mean_shift("x") == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    ("columns", "types", "unit"),
    [
        ({"x": [1.0], "y": [1.0, 2.0]}, {"x": "float", "y": "float"}, None),
        ({"x": [1.0]}, {}, None),
        ({"x": ["abc"]}, {"x": "float"}, None),
        ({"x": [1.0]}, {"x": "float"}, [1, 2]),
    ],
)
def test_columns_that_do_not_fit_are_refused(columns: dict, types: dict, unit: list | None) -> None:
    """Lengths, types and values are checked."""
    with pytest.raises(SketchMismatch):
        ReferenceSketch.fit(columns, types, unit)


def test_a_window_without_a_column_or_its_unit_is_refused(sketch: ReferenceSketch) -> None:
    """What the sketch knows must be there."""
    with pytest.raises(SketchMismatch, match="column 'k'"):
        WindowCounts.collect(sketch, {"x": [1.0]}, [1])
    with pytest.raises(SketchMismatch, match="day"):
        WindowCounts.collect(sketch, {"x": [1.0], "k": [1], "c": ["a"], "b": [True]})


def test_a_sketch_needs_neither_scipy_nor_polars() -> None:
    """Serving reads sketches: numpy is all it takes."""
    heavy = "('scipy', 'polars', 'pandas', 'sklearn')"
    code = f"import sys, undrift.stats.sketch; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_number_of_a_row_is_an_edge() -> None:
    """An edge lies between values, unless ten rows or more share the value: then it is nobody's."""
    numbers = np.random.default_rng(0).normal(50_000, 9_000, 700)
    shared = np.repeat([1.0, 2.0, 3.0], 30)
    sketch = ReferenceSketch.fit(
        {"x": numbers, "k": np.concatenate([shared, numbers[:610]])}, {"x": "float", "k": "int"}
    )
    assert not set(sketch.columns["x"].edges) & set(numbers.tolist())
    assert set(sketch.columns["k"].edges) & set(shared.tolist()) == {1.0, 2.0, 3.0}
    assert not set(sketch.columns["k"].edges) & set(numbers.tolist())


def test_a_pooled_column_tells_no_value() -> None:
    """One cell for all texts or numbers; missing values are still counted."""
    columns = {"who": ["ada"] * 60 + [None] * 40, "born": np.repeat([12_345.0, 54_321.0], 50)}
    sketch = ReferenceSketch.fit(columns, {"who": "string", "born": "float"}, pooled={"who", "born"})
    assert (sketch.columns["who"].categories, sketch.columns["who"].counts) == ((OTHER,), (60, 40))
    assert sketch.columns["born"].edges == ()
