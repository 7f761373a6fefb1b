"""Which columns are learnt from and why not: dates, texts, gaps, identifiers, what is kept."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from undrift.evaluation.candidates import fit
from undrift.evaluation.errors import BadColumn
from undrift.evaluation.features import Choice, choose_features, encoded_widths, fed
from undrift.evaluation.handling import column_handling
from unit.evaluation.mixed_tables import mixed, read


def _reasons(frame: pl.DataFrame, **choice: object) -> dict[str, str]:
    return dict(read(frame, "y", **choice)[1].dropped)


def _rows(**columns: object) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    return pl.DataFrame({"x": rng.normal(size=400), "y": rng.random(400) < 0.5, **columns})  # type: ignore[dict-item]  # columns given by tests


def test_dates_instants_and_named_texts_are_features() -> None:
    """Each with its kind."""
    _, features = read(mixed(), text=("said",))
    assert {one.name: one.kind for one in features.used} == {
        "joined": "date",
        "seen": "datetime",
        "said": "text",
        "gap": "number",
        "plan": "category",
        "amount": "number",
    }


def test_a_mostly_missing_column_is_dropped_unless_its_gaps_tell_of_the_target() -> None:
    """Both with the share; the one that tells is used with an indicator."""
    frame = mixed()
    blind = frame.with_columns(
        blind=pl.when(pl.Series(np.random.default_rng(1).random(len(frame)) < 0.3)).then(pl.col("amount"))
    )
    _, features = read(blind, text=("said",))
    assert "does not tell of the target" in features.dropped["blind"]
    assert next(one for one in features.used if one.name == "gap").tells_missing


@pytest.mark.parametrize(
    ("name", "cells", "reason"),
    [
        ("ticket", list(range(1000, 1400)), "an identifier"),
        ("customer_id", [7919 * i % 1_000_003 for i in range(1, 401)], "an identifier"),
        ("code", [f"c{i}" for i in range(400)], "identifier or free text"),
        ("one", [3] * 400, "constant"),
        ("nothing", [None] * 400, "empty"),
        ("rare", [f"c{i % 45}" for i in range(400)], "no text occurs"),
    ],
)
def test_a_column_that_teaches_nothing_is_dropped_with_its_reason_and_kept_when_asked(
    name: str, cells: list[object], reason: str
) -> None:
    """The settings have the last word."""
    frame = _rows(**{name: pl.Series(cells, dtype=pl.Float64) if cells[0] is None else cells})
    assert reason in _reasons(frame)[name]
    assert name not in _reasons(frame, keep=(name,))
    target, features = read(frame, "y", keep=(name,))
    assert np.isfinite(fit("linear", frame, features, target).scores(frame, features, target)).all()


def test_an_honest_whole_number_that_never_repeats_is_no_identifier() -> None:
    """Populations are all different too."""
    people = np.random.default_rng(3).choice(10_000_000, 400, replace=False)
    assert "people" not in _reasons(_rows(people=people))


def test_what_cannot_be_a_feature_is_named_when_it_is_asked_for() -> None:
    """Lists are not learnt from."""
    with pytest.raises(BadColumn, match="parts"):
        choose_features(_rows(parts=[[1, 2]] * 400), Choice(reserved={"y": "the target"}, keep=("parts",)))


@pytest.mark.parametrize(("distinct", "most", "widths"), [([3, 50, 50], 43, [3, 20, 20]), ([9] * 4, 4, [2] * 4)])
def test_categories_share_a_bounded_width(distinct: list[int], most: int, widths: list[int]) -> None:
    """Small ones keep all; nobody gets less than two."""
    assert encoded_widths(distinct, most) == widths


def test_two_hundred_columns_of_categories_are_encoded_within_the_bound() -> None:
    """No table makes the matrix explode."""
    rng = np.random.default_rng(0)
    frame = _rows(**{f"c{i}": rng.choice(list("abcdefghijklmnop"), 400) for i in range(150)})
    target, features = read(frame, "y")
    model = fit("linear", frame, features, target).model
    assert model[:-1].transform(fed(frame, features)).shape[1] == 1 + 2 * 150


def test_infinite_numbers_are_missing() -> None:
    """No candidate fails on them."""
    frame = _rows(z=[float("inf"), 1e300, *[float(i % 7) for i in range(398)]])
    target, features = read(frame, "y")
    assert fed(frame, features)["z"].null_count() == 2
    for kind in ("linear", "random_forest"):
        fit(kind, frame, features, target)


def test_handling_is_told_in_words() -> None:
    """For the sheet: what, how much is missing, what becomes of it."""
    _, features = read(mixed(), text=("said",))
    words = column_handling(features)
    assert "missing filled with the median" in words["amount"]
    assert "none of them is stored" in words["said"]
    assert "and whether it is missing" in words["gap"]
    assert "taken as such" in column_handling(features, "gradient_boosting")["amount"]
