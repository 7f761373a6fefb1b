"""What a training takes is said before it starts, and a budget buys a sample that is stated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from undrift.evaluation.budget import FEWEST_ROWS, Work, affordable_candidates, affordable_rows, estimate
from undrift.evaluation.splits import RowFacts, Sampler

_WORK = Work(
    table_rows=1_000_000,
    table_columns=20,
    rows=750_000,
    width=20,
    task="binary",
    outputs=1,
    candidates=("linear", "random_forest", "gradient_boosting"),
    folds=5,
)


def test_more_rows_columns_classes_and_candidates_take_longer() -> None:
    """In every direction."""
    plain = estimate(_WORK)
    for more in ({"rows": 800_000}, {"width": 40}, {"outputs": 9}, {"folds": 8}, {"table_rows": 10_000_000}):
        assert estimate(replace(_WORK, **more)).seconds > plain.seconds
    assert estimate(replace(_WORK, candidates=("linear",))).seconds < plain.seconds
    assert plain.memory_bytes > 160_000_000


@pytest.mark.parametrize("budget_s", [60.0, 300.0])
def test_a_budget_buys_as_many_rows_as_the_estimate_allows(budget_s: float) -> None:
    """And nearly all of it is used."""
    rows = affordable_rows(_WORK, budget_s)
    assert FEWEST_ROWS < rows < _WORK.rows
    assert 0.9 * budget_s < estimate(replace(_WORK, rows=rows)).seconds <= budget_s


def test_what_fits_is_not_sampled_and_nothing_falls_below_the_fewest_rows() -> None:
    """A budget of a second still learns something."""
    assert affordable_rows(replace(_WORK, rows=2000, table_rows=2500), 300.0) == 2000
    assert affordable_rows(_WORK, 1.0) == FEWEST_ROWS


def _facts(rows: int, **known: object) -> RowFacts:
    ids = np.random.default_rng(0).integers(0, 2**63, rows).astype(np.uint64)
    facts = {"units": np.arange(rows), "labelled": np.ones(rows, bool), **known}
    return RowFacts(ids=ids, **facts)  # type: ignore[arg-type]  # fields given by tests


def test_a_sample_of_rows_keeps_the_classes_in_their_shares_and_every_rare_one() -> None:
    """1 % stays 1 %; a class of ten rows stays."""
    strata = np.repeat([0.0, 1.0, 2.0], [9890, 100, 10])
    kept = Sampler(_facts(10_000, strata=strata), "row", 0).draw(np.arange(10_000), 1000)
    assert np.bincount(strata[kept].astype(int)).tolist() == [989, 20, 10]


def test_a_sample_of_days_thins_each_of_them_and_groups_stay_whole() -> None:
    """Days remain the units they were."""
    days = np.repeat(np.arange(50), 200)
    facts = _facts(10_000, units=days)
    assert set(np.bincount(days[Sampler(facts, "day", 0).draw(np.arange(10_000), 5000)]).tolist()) == {100}
    groups = np.bincount(days[Sampler(facts, "shop", 0).draw(np.arange(10_000), 5000)], minlength=50)
    assert set(groups.tolist()) == {0, 200}


def test_a_sample_does_not_depend_on_the_order_of_rows() -> None:
    """The same rows, wherever they stand in the table."""
    facts = _facts(1000)
    order = np.random.default_rng(1).permutation(1000)
    turned = RowFacts(ids=facts.ids[order], units=facts.units, labelled=facts.labelled)
    first = facts.ids[Sampler(facts, "row", 3).draw(np.arange(1000), 100)]
    second = turned.ids[Sampler(turned, "row", 3).draw(np.arange(1000), 100)]
    assert set(first) == set(second)


def test_what_a_budget_never_pays_for_is_left_out_dearest_first() -> None:
    """Twenty classes over hashed words; the cheapest candidate always competes."""
    dear = replace(_WORK, rows=8_000, width=270, task="multiclass", outputs=20)
    everybody = affordable_candidates(dear, 1e6)
    some = affordable_candidates(dear, 0.5 * estimate(dear).seconds)
    assert everybody == dear.candidates
    assert set(some) < set(everybody)
    assert len(affordable_candidates(dear, 0.001)) == 1
