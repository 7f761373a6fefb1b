"""Permutation importance: of raw columns, over units, within bounds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from undrift.evaluation.diagnosis.associations import partners
from undrift.evaluation.diagnosis.importance import Effort, importance
from undrift.stats.metrics import metric_of
from unit.evaluation.judged_tables import COLUMNS, Case, case


def _found(made: Case, **effort: int) -> dict[str, Any]:
    return importance(made.frame, COLUMNS, made.judged, made.score, Effort(**effort))


@pytest.mark.parametrize("metric", ["auc", "log_loss", "pr_auc"])
def test_the_column_that_the_model_uses_comes_first_and_the_others_cost_nothing(metric: str) -> None:
    """In the gate's metric, positive says worse without it."""
    found = _found(case(np.random.default_rng(0), metric=metric))
    first, *others = found["columns"]
    assert first["column"] == "signal"
    assert first["drop"]["low"] > 0.1
    assert [one["drop"]["estimate"] for one in others] == [0.0] * 5


def test_the_interval_holds_the_drop_of_the_whole_table() -> None:
    """A sample's interval, against the drop on ten times the rows."""
    made = case(np.random.default_rng(1), rows=20_000)
    truth = _found(made, rows=20_000, scored=500_000)["columns"][0]["drop"]["estimate"]
    drop = _found(made)["columns"][0]["drop"]
    assert drop["low"] < truth < drop["high"]


def test_the_work_is_counted_in_rows_and_bounded() -> None:
    """One call before, one a column; the sum of rows stays under the bound."""
    asked: list[int] = []
    made = case(np.random.default_rng(2), rows=9000)

    def score(frame: pl.DataFrame) -> Any:  # Any: an array
        asked.append(len(frame))
        return made.score(frame)

    importance(made.frame, COLUMNS, made.judged, score, Effort(rows=1000, scored=12_000))
    assert asked == [1000, *[2000] * 6]


def test_the_same_seed_gives_the_same_answer() -> None:
    """Resumed or repeated, the numbers are the same."""
    made = case(np.random.default_rng(3), rows=5000)
    assert _found(made, seed=4) == _found(made, seed=4)


def test_columns_that_go_together_are_named() -> None:
    """A copy shares its importance: shuffling one of them leaves the other to tell."""
    found = {one["column"]: one["goes_with"] for one in _found(case(np.random.default_rng(5)))["columns"]}
    assert [one["column"] for one in found["signal"]] == ["copy"]
    assert found["noise"] == []


def test_texts_go_with_what_tells_the_same() -> None:
    """A code and its name; a name and a number that follows it."""
    code = np.random.default_rng(6).integers(0, 5, 500)
    frame = pl.DataFrame({"code": [f"c{at}" for at in code], "name": [f"n{at}" for at in code], "price": code * 10.0})
    found: Any = partners(frame)["code"]
    assert {one["column"] for one in found} == {"name", "price"}


def test_few_units_give_a_drop_without_ends() -> None:
    """Seven days: no interval is pretended."""
    drop = _found(case(np.random.default_rng(7), units=7))["columns"][0]["drop"]
    assert (drop["level"], drop["method"]) == (0.0, "none: too few units")
    assert drop["estimate"] > 0.1


def test_a_rare_class_gets_a_larger_sample() -> None:
    """At one percent 2,000 rows would hold 20 of them."""
    made = case(np.random.default_rng(8), rows=30_000)
    y = (np.random.default_rng(9).random(30_000) < 0.01).astype(float)
    rare = replace(made.judged, y=y, metric=metric_of("pr_auc"))
    found: Any = importance(made.frame, ["noise"], rare, made.score)
    assert 8000 < found["rows"] <= 10_000
