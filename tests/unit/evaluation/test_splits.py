from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from undrift.evaluation.errors import BadColumn, TooLittleData
from undrift.evaluation.rows import NEVER, instants, row_ids, units_of
from undrift.evaluation.splits import RowFacts, Split, SplitPlan, sample_units, split
from unit.evaluation.training_tables import START, bundled, by_day


def facts_of(frame: pl.DataFrame, *, label_time: bool = True) -> RowFacts:
    times, ids = instants(frame, "at"), row_ids(frame, "id")
    return RowFacts(
        ids=ids,
        units=units_of(frame, "day", times, ids),
        times=times,
        label_times=instants(frame, "known") if label_time else None,
        labelled=np.ones(len(frame), dtype=bool),
    )


def plain_facts(frame: pl.DataFrame, **more: Any) -> RowFacts:
    ids = row_ids(frame)
    units = more.pop("units", units_of(frame, "row", None, ids))
    return RowFacts(ids=ids, units=units, labelled=np.ones(len(frame), dtype=bool), **more)


def made(frame: pl.DataFrame, as_of: datetime, **plan: Any) -> Split:
    return split(facts_of(frame), SplitPlan(as_of=as_of, **plan))


def test_the_newest_whole_days_are_held_out() -> None:
    """Every row of the holdout is newer than every row learnt from, and days are whole."""
    found = made(by_day(40), START + timedelta(days=60), holdout_days=14)
    assert found.fit_span is not None
    assert found.holdout_span is not None
    assert found.fit_span.last.date() < found.holdout_span.first.date()
    assert (found.holdout_span.last.date() - found.holdout_span.first.date()).days == 13


@pytest.mark.parametrize("hour", range(0, 24, 5))
def test_nothing_known_after_the_moment_is_used(hour: int) -> None:
    """No row with an event or a label at or after the decision is in either part."""
    frame, moment = by_day(40), START + timedelta(days=33, hours=hour)
    found = made(frame, moment)
    used = frame[np.concatenate([found.fit, found.holdout])]
    assert (used["at"] < moment).all()
    assert (used["known"] < moment).all()


def test_a_day_with_open_labels_is_left_for_later() -> None:
    """Late labels are of one kind: a day of which more than 2 % are open is not judged on."""
    found = made(by_day(40, label_delay_hours=60), START + timedelta(days=40))
    assert found.holdout_span is not None
    assert found.holdout_span.last < START + timedelta(days=38)


def test_a_row_whose_label_time_is_missing_is_not_used() -> None:
    """Nobody knows when that label was known."""
    frame = by_day(30).with_columns(pl.when(pl.col("id") == 0).then(None).otherwise(pl.col("known")).alias("known"))
    assert instants(frame, "known").max() == NEVER
    found = made(frame, START + timedelta(days=60))
    assert 0 not in frame[found.fit]["id"]


def test_only_the_days_asked_for_are_learnt_from() -> None:
    """train_days counts back from the holdout."""
    found = made(by_day(40), START + timedelta(days=60), train_days=10)
    assert found.fit_span is not None
    assert (found.fit_span.last.date() - found.fit_span.first.date()).days == 9


def test_fewer_days_than_the_holdout_wants_are_shared_and_said() -> None:
    """Twelve days with a holdout of fourteen: the newest quarter is held out."""
    found = made(by_day(12), START + timedelta(days=60))
    assert found.reason == "there are only 12 days: the newest 3 are held out"


def test_no_labelled_row_is_cannot_tell() -> None:
    """Too little data is not a fault of the caller's words."""
    with pytest.raises(TooLittleData):
        made(by_day(5), datetime(2020, 1, 1, tzinfo=UTC))


def test_a_stratified_share_has_every_class_in_its_share() -> None:
    """A quarter of each class is held out."""
    frame = bundled("wine")
    classes = frame["target"].to_numpy().astype(float)
    found = split(plain_facts(frame, strata=classes), SplitPlan(as_of=START))
    counts = np.bincount(classes[found.holdout].astype(int)) / np.bincount(classes.astype(int))
    assert np.allclose(counts, 0.25, atol=0.01)


def test_rows_the_champion_was_fitted_on_are_never_held_out_later() -> None:
    """The table grows, and the next holdout still holds no row the champion has seen."""
    frame = bundled("breast_cancer")
    first = frame.head(400)
    champion = plain_facts(first)
    seen = champion.ids[split(champion, SplitPlan(as_of=START)).fit]
    later = plain_facts(frame)
    found = split(later, SplitPlan(as_of=START), seen)
    assert not np.isin(later.ids[found.holdout], seen).any()
    assert len(found.holdout) > 100


def test_equal_rows_fall_on_one_side() -> None:
    """A row that occurs twice is not learnt from and judged on."""
    frame = pl.concat([bundled("diabetes"), bundled("diabetes").head(100)])
    facts = plain_facts(frame)
    found = split(facts, SplitPlan(as_of=START))
    assert not np.isin(facts.ids[found.holdout], facts.ids[found.fit]).any()


def test_groups_are_held_out_whole() -> None:
    """A group column is never cut by the split."""
    frame = bundled("diabetes").with_columns(group=pl.int_range(pl.len()) % 30)
    facts = plain_facts(frame, units=units_of(frame, "group", None, row_ids(frame)))
    found = split(facts, SplitPlan(as_of=START, unit="group"))
    assert not np.isin(facts.units[found.holdout], facts.units[found.fit]).any()


def test_a_sample_keeps_whole_units() -> None:
    """max_rows takes days or groups, not parts of them."""
    units = np.repeat(np.arange(50), 10)
    kept = sample_units(units, np.arange(500), 205, seed=1)
    assert set(np.unique(units[kept], return_counts=True)[1]) == {10}
    assert len(kept) == 200


def test_a_row_id_depends_on_the_row_alone() -> None:
    """The same row has the same id in any version and order; a changed cell gives another."""
    frame = by_day(3)
    ids = row_ids(frame)
    assert (row_ids(frame.reverse())[::-1] == ids).all()
    assert (row_ids(frame.with_columns(pl.col("count") + 1)) != ids).all()
    assert (row_ids(frame.select("id"), "id") == row_ids(frame, "id")).all()


def test_a_time_column_of_text_is_refused() -> None:
    """A text is no instant; the settings' mistake is named."""
    with pytest.raises(BadColumn, match="kind"):
        instants(by_day(1), "kind")
