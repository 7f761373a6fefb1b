from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from undrift.evaluation.duplicates import contents, duplicates, row_units
from undrift.evaluation.folds import make_folds
from undrift.evaluation.rows import Ids, row_ids
from undrift.evaluation.splits import RowFacts, SplitPlan, sample_units, split
from unit.evaluation.training_tables import START, bundled

_COLUMNS = ("a", "b", "c")


def exported_twice(rows: int = 400, seed: int = 0) -> pl.DataFrame:
    """Return a table of which half the rows come two to four times, under new keys and some with another label."""
    rng = np.random.default_rng(seed)
    once = pl.DataFrame(
        {
            "a": rng.normal(size=rows),
            "b": rng.integers(0, 90, rows),
            "c": [("x", "y", "z", None)[kind] for kind in rng.integers(0, 4, rows)],
            "y": rng.random(rows) < 0.2,
        }
    )
    again = once[np.concatenate([np.arange(rows), rng.integers(0, rows // 2, rows)])]
    flipped = again.with_columns(pl.Series("y", again["y"].to_numpy() ^ (rng.random(len(again)) < 0.1)))
    shuffled = flipped[rng.permutation(len(flipped))]
    return shuffled.with_columns(key=pl.Series(np.arange(len(shuffled))))


def facts_of(frame: pl.DataFrame) -> RowFacts:
    units, ids = row_units(frame, _COLUMNS, row_ids(frame, "key"))
    return RowFacts(
        ids=ids,
        units=units,
        labelled=np.ones(len(frame), dtype=bool),
        strata=frame["y"].cast(pl.Float64).to_numpy(),
    )


def shared(frame: pl.DataFrame, left: np.ndarray, right: np.ndarray) -> int:
    """Return how many rows of one part hold the same as some row of the other."""
    holds = frame.select(_COLUMNS).with_row_index()
    return len(holds[left].join(holds[right], on=_COLUMNS, how="semi", nulls_equal=True))


@pytest.mark.parametrize("seed", range(5))
def test_equal_rows_do_not_straddle_the_holdout(seed: int) -> None:
    """Under other keys and with other labels, too; a quarter of each class is still held out."""
    frame = exported_twice(seed=seed)
    found = split(facts_of(frame), SplitPlan(as_of=START, seed=seed))
    assert len(found.holdout)
    assert shared(frame, found.fit, found.holdout) == 0
    rates = [frame[part]["y"].mean() for part in (found.fit, found.holdout)]
    assert rates[0] == pytest.approx(rates[1], abs=0.04)
    assert len(found.holdout) / len(frame) == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_equal_rows_do_not_straddle_folds(seed: int) -> None:
    """Each fold is scored by a model that has not seen the row, and has its share of the rare class."""
    frame = exported_twice(seed=seed)
    facts = facts_of(frame)
    folds = make_folds(np.arange(len(frame)), facts.units, strata=facts.strata, seed=seed).folds
    assert [shared(frame, fold.fit, fold.score) for fold in folds] == [0] * 5
    assert all(0.12 < frame[fold.score]["y"].mean() < 0.33 for fold in folds)  # type: ignore[operator]


def test_equal_rows_do_not_straddle_the_sample() -> None:
    """max_rows takes a row with all that are equal to it, or none of them."""
    frame = exported_twice()
    kept = sample_units(facts_of(frame).units, np.arange(len(frame)), 300, seed=3)
    left = np.setdiff1d(np.arange(len(frame)), kept)
    assert 280 <= len(kept) <= 300
    assert shared(frame, kept, left) == 0


def test_a_later_copy_of_a_row_the_champion_has_seen_is_not_held_out() -> None:
    """The table grows by copies under new keys: all of them go to the rows learnt from."""
    frame = exported_twice()
    first = split(facts_of(frame), SplitPlan(as_of=START))
    seen = np.sort(row_ids(frame, "key")[first.fit])
    copies = frame[first.fit[:100]].with_columns(key=pl.int_range(10_000, 10_100))
    grown = pl.concat([frame, copies.cast(frame.schema)])  # type: ignore[arg-type]
    found = split(facts_of(grown), SplitPlan(as_of=START), seen)
    assert shared(grown, found.fit, found.holdout) == 0
    assert not np.isin(found.holdout, np.arange(len(frame), len(grown))).any()


def test_duplicates_are_counted() -> None:
    """Rows, different rows, and their share, for the sheet."""
    frame = bundled("wine").drop("target")
    found = duplicates(pl.concat([frame, frame[:100]]), frame.columns)
    assert (found.rows, found.distinct, found.copies, found.by_chance) == (278, 178, 100, False)
    assert found.share == pytest.approx(100 / 278)
    assert duplicates(frame, frame.columns).copies == 0


def passengers(rows: int = 2000) -> pl.DataFrame:
    rng = np.random.default_rng(1)
    kinds = {"a": "mf", "b": "123", "c": "yo"}
    return pl.DataFrame({name: rng.choice(list(values), rows) for name, values in kinds.items()})


def test_rows_that_are_equal_by_chance_are_rows_of_their_own() -> None:
    """Twelve kinds of two thousand passengers: different people, each with an id that a longer table keeps."""
    frame = passengers()
    units, ids = row_units(frame, _COLUMNS, row_ids(frame))
    assert duplicates(frame, _COLUMNS).by_chance
    assert len(np.unique(units)) == len(np.unique(ids)) == len(frame)
    longer: Ids = row_units(pl.concat([frame, frame[:500]]), _COLUMNS, row_ids(pl.concat([frame, frame[:500]])))[1]
    assert (longer[: len(frame)] == ids).all()


def test_a_content_depends_on_the_cells_alone() -> None:
    """Any order, any type of equal texts; a null is no empty text, minus zero is zero, another column another row."""
    rows = {"a": [0.0, 1.5, None], "b": ["", None, "x"], "t": [START, START + timedelta(1), None]}
    frame = pl.DataFrame(rows)
    found = contents(frame, ["a", "b", "t"])
    assert (contents(frame.reverse(), ["a", "b", "t"])[::-1] == found).all()
    alike = frame.with_columns(pl.col("b").cast(pl.Categorical), a=-pl.col("a").abs() * pl.Series([1, -1, 1]))
    assert (contents(alike, ["a", "b", "t"]) == found).all()
    assert len(np.unique(found)) == 3
    assert contents(pl.DataFrame({"b": ["", None]}), ["b"])[0] != contents(pl.DataFrame({"b": ["", None]}), ["b"])[1]
    assert (contents(frame.rename({"a": "z"}), ["z", "b", "t"]) != found).all()


def test_rows_of_one_key_stay_together_whatever_they_hold() -> None:
    """A row that was corrected is the same row: linked by key or by content, however long the chain."""
    frame = pl.DataFrame({"key": [1, 1, 2, 3, 4], "a": [0.1, 0.2, 0.2, 0.3, 0.4]})
    units, _ = row_units(frame, ["a"], row_ids(frame, "key"))
    assert np.unique(units, return_inverse=True)[1][:3].tolist() == [np.unique(units, return_inverse=True)[1][0]] * 3
    assert len(np.unique(units)) == 3
