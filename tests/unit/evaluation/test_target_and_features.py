from __future__ import annotations

import polars as pl
import pytest

from undrift.core.config import ModelSettings
from undrift.evaluation.errors import BadColumn, BadTarget
from undrift.evaluation.features import Choice, choose_features, fed, frequent
from undrift.evaluation.target import read_target, usable
from undrift.evaluation.threshold import threshold_of
from unit.evaluation.training_tables import bundled, by_day

_RESERVED = {"late": "the target", "at": "the time", "known": "the label's time", "id": "the key"}


@pytest.mark.parametrize(
    ("values", "task", "classes", "positive"),
    [
        ([True, False, True], "binary", (False, True), 1),
        ([0, 1, 1, 1], "binary", (0, 1), 1),
        (["yes", "no", "yes"], "binary", ("no", "yes"), 1),
        (["b", "a", "a"], "binary", ("a", "b"), 1),
        ([0.0, 1.0, 1.0], "binary", (0, 1), 1),
        ([1, 2, 3], "multiclass", (1, 2, 3), None),
        ([0.5, 1.5, 2.0], "regression", (), None),
        (list(range(30)), "regression", (), None),
    ],
)
def test_the_task_is_read_off_the_target(
    values: list[object], task: str, classes: tuple[object, ...], positive: int | None
) -> None:
    """Two values are binary, few are classes, many numbers are a regression."""
    found = read_target(pl.DataFrame({"y": values}), "y")
    assert (found.task, found.classes, found.positive) == (task, classes, positive)


def test_the_positive_class_of_the_settings_stands() -> None:
    """What a person says is not overruled, and a class that is not there is named."""
    frame = pl.DataFrame({"y": ["no", "yes", "no"]})
    assert read_target(frame, "y", positive="no").positive == 0
    with pytest.raises(BadTarget, match="maybe"):
        read_target(frame, "y", positive="maybe")


def test_one_value_teaches_nothing() -> None:
    """A constant target is refused."""
    with pytest.raises(BadTarget):
        read_target(pl.DataFrame({"y": [1, 1]}), "y")


def test_names_are_no_classes() -> None:
    """A text that nearly every row has for itself cannot be learnt; the words say so."""
    with pytest.raises(BadTarget, match="names, not classes"):
        read_target(pl.DataFrame({"y": [f"word {number}" for number in range(50)]}), "y")


def test_labels_that_differ_in_case_and_space_are_one_class() -> None:
    """It has its most frequent spelling; a blank is no label."""
    frame = pl.DataFrame({"y": [" Yes", "yes", "Yes ", "NO", "no", "no", "  "]})
    known = frame.filter(usable(frame, "y"))
    target = read_target(known, "y")
    assert (known.height, target.classes, target.positive) == (6, ("Yes", "no"), 0)
    assert target.codes(known).tolist() == [1, 1, 1, 0, 0, 0]
    assert target.classes_in(known.tail(3)) == 1


def test_rows_without_a_target_are_not_usable() -> None:
    """Null, NaN and infinity are no labels."""
    assert usable(pl.DataFrame({"y": [1.0, None, float("nan"), float("inf")]}), "y").to_list() == [True, *[False] * 3]


def test_every_column_is_used_or_has_a_reason() -> None:
    """Nothing disappears silently."""
    frame = by_day(20).with_columns(one=pl.lit(1), free=pl.Series([f"text {i}" for i in range(1200)]))
    found = choose_features(frame, Choice(reserved=_RESERVED))
    assert {*found.names, *found.dropped} == set(frame.columns)
    assert found.dropped["one"] == "constant in the rows learnt from"
    assert "identifier or free text" in found.dropped["free"]


def test_a_wanted_feature_that_is_missing_is_named() -> None:
    """A typo in the settings is the caller's to mend."""
    with pytest.raises(BadColumn, match="windy"):
        choose_features(by_day(1), Choice(reserved=_RESERVED, wanted=("windy",)))


def test_rare_texts_are_no_categories() -> None:
    """No rare text of a row gets into a model."""
    assert frequent(by_day(40)["rare"]) == ["usual"]


def test_a_model_is_fed_with_the_same_types_when_fitted_and_when_serving() -> None:
    """int64, float64, bool and text, whatever the table held."""
    frame = by_day(20).drop("rare").with_columns(pl.col("count").cast(pl.Int8), pl.col("kind").cast(pl.Categorical))
    table = fed(frame, choose_features(frame, Choice(reserved=_RESERVED)))
    assert table.schema == {
        "x": pl.Float64(),
        "count": pl.Int64(),
        "kind": pl.String(),
        "holiday": pl.Boolean(),
    }


def test_a_threshold_says_what_it_rests_on() -> None:
    """Costs, a stated number, the base rate of a rare class, or the likelier class."""
    target = read_target(bundled("breast_cancer"), "target")
    settings = ModelSettings(dataset="d", target="target")
    assert threshold_of(settings, target, 0.6).value == 0.5  # type: ignore[union-attr]
    assert threshold_of(settings, target, 0.1).value == 0.1  # type: ignore[union-attr]
    costs = ModelSettings(dataset="d", target="target", false_positive_cost=1, false_negative_cost=4)
    assert threshold_of(costs, target, 0.6).value == 0.2  # type: ignore[union-attr]
