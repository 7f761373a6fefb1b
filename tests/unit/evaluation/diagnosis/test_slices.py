"""Slices: the weak one is found and named, no rare cell is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from undrift.evaluation.diagnosis.slices import slices
from undrift.evaluation.diagnosis.slicing import MISSING, RARER, slicings
from undrift.stats.metrics import metric_of
from unit.evaluation.judged_tables import COLUMNS, case


def _found(seed: int, **how: Any) -> dict[str, Any]:
    made = case(np.random.default_rng(seed), **how)
    return slices(made.frame, COLUMNS, made.judged)


@pytest.mark.parametrize("units", [0, 30])
def test_a_planted_weak_slice_is_named_first(units: int) -> None:
    """Labels in the west go the other way: clearly worse, and the model does not know it."""
    first = _found(1, weak="west", units=units)["slices"][0]
    assert (first["column"], first["slice"]) == ("place", "west")
    assert first["is_worse"]
    assert first["is_surprising"]
    assert first["loss"] > 2 * first["rest"]


def test_where_the_model_is_equally_good_nothing_is_called_worse() -> None:
    """The same table without the plant; the middle of the signal is harder, but that is no column here."""
    made = case(np.random.default_rng(2))
    found = slices(made.frame, ["noise", "place", "when", "empty"], made.judged)
    assert (found["worse"], found["tested"]) == (0, 17)


def test_the_regression_of_a_noisy_slice_is_clearly_worse() -> None:
    """Errors are three times as large in the north."""
    made = case(np.random.default_rng(3))
    noisy = np.where(made.frame["place"].to_numpy() == "north", 3.0, 1.0)
    y = made.judged.scores + noisy * made.frame["noise"].to_numpy()
    judged = replace(made.judged, task="regression", classes=(), positive=None, y=y, metric=metric_of("mae"))
    found: Any = slices(made.frame, ["place", "when"], judged)
    first = found["slices"][0]
    assert (first["slice"], first["is_worse"], first["expected"]) == ("north", True, None)
    assert found["worse"] == 1


def test_a_multiclass_model_is_sliced_by_its_log_loss() -> None:
    """A third class changes nothing."""
    made = case(np.random.default_rng(4), weak="south")
    p = np.column_stack([0.9 * (1 - made.judged.scores), 0.9 * made.judged.scores, np.full(2000, 0.1)])
    judged = replace(made.judged, task="multiclass", scores=p, metric=metric_of("multiclass_log_loss"))
    first: Any = slices(made.frame, COLUMNS, judged)["slices"]
    assert first[0]["slice"] == "south"


def test_rare_texts_are_pooled_and_never_told() -> None:
    """What fewer than ten rows hold is no name of a slice."""
    texts = ["often"] * 60 + [f"secret-{at}" for at in range(30)] + [None] * 40
    (cut,) = slicings(pl.DataFrame({"c": texts}), ["c"])
    assert cut.names == ("often", RARER, MISSING)
    assert np.bincount(cut.codes).tolist() == [60, 30, 40]


def test_the_ends_of_a_range_are_round_and_rows_lie_in_it() -> None:
    """An end is no row's value; quarters stay quarters, nearly."""
    values = np.random.default_rng(5).lognormal(10, 1, 1000)
    (cut,) = slicings(pl.DataFrame({"income": values}), ["income"])
    ends = [float(name.split(" ")[-1]) for name in cut.names]
    assert all(end % 1000 == 0 for end in ends)
    assert values[cut.codes == 0].max() <= ends[0]
    assert np.all(np.abs(np.bincount(cut.codes) - 250) < 25)


def test_no_slice_is_named_by_a_personal_column() -> None:
    """Not even by a text that many rows share."""
    made = case(np.random.default_rng(8), weak="west")
    found: Any = slices(made.frame, COLUMNS, replace(made.judged, personal=frozenset({"place"})))
    assert "place" not in {one["column"] for one in found["slices"]}


def test_few_units_test_nothing() -> None:
    """Seven days are too few for an interval."""
    assert _found(6, weak="west", units=7)["tested"] == 0


def test_a_slice_of_one_class_is_not_divided_by_zero() -> None:
    """Its class shares lose nothing."""
    made = case(np.random.default_rng(7))
    y = np.where(made.frame["place"].to_numpy() == "east", 0.0, made.judged.y)
    found: Any = slices(made.frame, ["place"], replace(made.judged, y=y))
    (east,) = [one for one in found["slices"] if one["slice"] == "east"]
    assert east["skill"] == [None, None]
