from __future__ import annotations

import numpy as np
import pytest

from undrift.evaluation.candidates import SIMPLEST_FIRST, UnknownCandidate, check_candidates, fit
from undrift.evaluation.comparison import Table, Watch, compare, scores_of, usable_folds
from undrift.evaluation.features import Choice, choose_features
from undrift.evaluation.folds import make_folds
from undrift.evaluation.metrics import chosen_metric
from undrift.evaluation.rows import instants, row_ids, units_of
from undrift.evaluation.target import read_target
from unit.evaluation.training_tables import bundled, by_day


def test_forward_folds_are_scored_on_later_days_and_cut_none() -> None:
    """With a time, each fold is fitted on the past of what it is scored on."""
    frame = by_day(20)
    times = instants(frame, "at")
    units = units_of(frame, "day", times, row_ids(frame, "id"))
    folds = make_folds(np.arange(len(frame)), units, times=times).folds
    assert len(folds) == 5
    for fold in folds:
        assert times[fold.fit].max() < times[fold.score].min()
        assert not np.isin(units[fold.score], units[fold.fit]).any()


def test_folds_cover_each_row_once_and_keep_groups_whole() -> None:
    """Without a time, groups are dealt out whole."""
    units = np.repeat(np.arange(40), 5)
    folds = make_folds(np.arange(200), units).folds
    assert sorted(np.concatenate([fold.score for fold in folds])) == list(range(200))
    for fold in folds:
        assert not np.isin(units[fold.score], units[fold.fit]).any()


@pytest.mark.parametrize("name", ["breast_cancer", "wine", "diabetes"])
def test_candidates_are_compared_with_values_by_fold_and_ties_go_to_the_simplest(name: str) -> None:
    """Three known tables: the choice is the simplest of those the data do not show to be worse."""
    frame = bundled(name)
    target = read_target(frame, "target")
    features = choose_features(frame, Choice(reserved={"target": "the target"}))
    units = units_of(frame, "row", None, row_ids(frame))
    strata = None if target.task == "regression" else target.codes(frame)
    folds = make_folds(np.arange(len(frame)), units, strata=strata, count=3)
    table = Table(frame, features, target, units, "row")
    told: list[str] = []
    usable = usable_folds(table, folds)
    scores = {kind: scores_of(kind, table, usable, watch=Watch(tell=told.append)) for kind in SIMPLEST_FIRST}
    found = compare(scores, table, folds, chosen_metric(None, target.task))
    assert told[2].startswith("fold 3 of 3")
    assert found.baseline.tied is False
    assert [len(result.values) for result in found.results] == [3] * len(SIMPLEST_FIRST)
    assert found.chosen == next(result.kind for result in found.results if result.tied)
    assert found.chosen == "linear"


@pytest.mark.parametrize("kind", SIMPLEST_FIRST)
def test_a_candidate_takes_raw_rows_by_name_with_nulls_and_unknown_texts(kind: str) -> None:
    """Preprocessing is inside: column order, nulls and new categories do not matter."""
    frame = by_day(20)
    target = read_target(frame, "late")
    features = choose_features(frame, Choice(reserved=dict.fromkeys(("late", "at", "known", "id"), "reserved")))
    fitted = fit(kind, frame, features, target)
    strange = frame.head(3).with_columns(kind=None, x=None, holiday=None).select(reversed(frame.columns))
    assert np.isfinite(fitted.scores(strange, features, target)).all()


@pytest.mark.parametrize("kind", SIMPLEST_FIRST)
def test_fitting_twice_gives_the_same_scores(kind: str) -> None:
    """Everything random has a seed, and threads do not matter."""
    frame = bundled("wine")
    target = read_target(frame, "target")
    features = choose_features(frame, Choice(reserved={"target": "the target"}))
    first, second = (fit(kind, frame, features, target, seed=3).scores(frame, features, target) for _ in range(2))
    assert (first == second).all()


def test_an_unknown_candidate_is_named() -> None:
    """A typo in the settings names the candidates there are."""
    with pytest.raises(UnknownCandidate, match="forest"):
        check_candidates(("forest",))
