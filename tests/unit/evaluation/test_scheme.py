from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from undrift.evaluation.errors import AmbiguousTime, BadColumn
from undrift.evaluation.identifiers import identifiers
from undrift.evaluation.rows import instants
from undrift.evaluation.scheme import infer_scheme
from undrift.evaluation.splits import RowFacts, SplitPlan, split
from unit.evaluation.leaky_tables import customers, houses
from unit.evaluation.training_tables import bundled, by_day

NOW = datetime(2026, 1, 1, tzinfo=UTC)
_ROWS = 1000


def table(seed: int = 0, **columns: Any) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    return pl.DataFrame({"x": rng.normal(size=_ROWS), "y": rng.random(_ROWS) < 0.4, **columns})


def moments(seed: int, days: int = 300, start: datetime = datetime(2024, 1, 1, tzinfo=UTC)) -> list[datetime]:
    rng = np.random.default_rng(seed)
    return [start + timedelta(minutes=int(minute)) for minute in rng.integers(0, 1440 * days, _ROWS)]


def later(than: list[datetime], seed: int, hours: float) -> list[datetime]:
    rng = np.random.default_rng(seed)
    return [at + timedelta(hours=float(wait)) for at, wait in zip(than, rng.exponential(hours, len(than)), strict=True)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ["event_time", "date", "createdAt", "whatever", "order_date", "Timestamp"])
def test_the_only_plausible_time_decides(name: str, seed: int) -> None:
    """Whatever its name, the one column of moments is the time of the event; a birth date is not counted."""
    born = [date(1950, 1, 1) + timedelta(days=int(day)) for day in np.random.default_rng(seed).integers(0, 9000, _ROWS)]
    found = infer_scheme(table(seed, **{name: moments(seed), "birth_date": born}), "y", as_of=NOW)
    assert (found.kind, found.time, found.unit) == ("time", name, "day")
    assert repr(name) in found.reason


@pytest.mark.parametrize(
    ("column", "why"),
    [
        ("date_of_birth", "birth"),
        ("one_day", "different day"),
        ("planned", "future"),
        ("cancelled_at", "missing"),
    ],
)
def test_a_date_that_is_not_the_events_time_is_passed_over_and_said(column: str, why: str) -> None:
    """A birth date, one day only, plans, mostly missing: rows decide, and the reason says why."""
    at = moments(0)
    cells: dict[str, list[Any]] = {
        "date_of_birth": [day - timedelta(days=19000) for day in at],
        "one_day": [at[0]] * _ROWS,
        "planned": [day + timedelta(days=900) for day in at],
        "cancelled_at": [day if place % 3 == 0 else None for place, day in enumerate(at)],
    }
    found = infer_scheme(table(**{column: cells[column]}), "y", as_of=NOW)
    assert (found.kind, found.time, found.unit) == ("stratified", None, "row")
    assert column in found.reason
    assert why in found.reason


@pytest.mark.parametrize("seed", range(5))
def test_of_several_times_the_events_own_is_chosen(seed: int) -> None:
    """Created before closed, picked up before dropped off, an order and not the customer's first day."""
    at, old = moments(seed), moments(seed + 50, 3000, datetime(2015, 1, 1, tzinfo=UTC))
    pairs: list[dict[str, Any]] = [
        {"closed_at": later(at, seed, 300), "created_at": at},
        {"dropoff": later(at, seed, 1), "pickup": at},
        {"got_a": later(at, seed, 20), "got_b": at},
        {"customer_since": old, "order_date": at},
        {"updated": later(at, seed, 900), "timestamp": at},
    ]
    for columns in pairs:
        assert infer_scheme(table(seed, **columns), "y", as_of=NOW).time == list(columns)[1]


def test_times_that_nothing_tells_apart_need_a_decision() -> None:
    """Two unrelated columns of dates: exit 4, both named; told which, or random, it goes on."""
    frame = table(alpha=moments(1), beta=moments(2))
    with pytest.raises(AmbiguousTime, match="'alpha', 'beta'") as refused:
        infer_scheme(frame, "y", as_of=NOW)
    assert refused.value.exit_code == 4
    assert "--time" in refused.value.cure
    assert infer_scheme(frame, "y", time="beta").time == "beta"
    assert infer_scheme(frame, "y", refuse_time=True).kind == "stratified"


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("name", "distinct"),
    [("patient_id", 40), ("customerId", 300), ("household", 200), ("UserID", 700), ("account_nr", 150), ("driver", 90)],
)
def test_an_identifier_that_comes_back_groups_rows(name: str, distinct: int, seed: int) -> None:
    """Whole numbers or texts, named for somebody: the unit, with its counts in the reason."""
    codes = np.random.default_rng(seed).integers(0, distinct, _ROWS)
    for cells in (codes, [f"{name[:2]}-{code:05d}" for code in codes]):
        found = infer_scheme(table(seed, **{name: cells}), "y")
        assert (found.kind, found.unit) == ("group", name)
        assert f"{len(np.unique(codes)):,}" in found.reason


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("store_id", 12), ("customer_age", 60), ("number_of_visits", 80), ("household_size", 7), ("zip_code", 400),
        ("customers", 20), ("year", 90), ("product", 300), ("num_accounts", 50), ("visits", 200), ("user_type", 5),
        ("employees", 200),
    ],
)  # fmt: skip
def test_categories_and_counts_are_no_groups(name: str, most: int, seed: int) -> None:
    """Shops of which there are twelve, ages, counts, postal codes: ordinary columns."""
    cells = np.random.default_rng(seed).integers(0, most, _ROWS)
    assert infer_scheme(table(seed, **{name: cells}), "y").kind == "stratified"


def test_honest_tables_have_no_identifier_at_all() -> None:
    """Measurements, plans and regions identify nobody."""
    for frame in [*(bundled(name) for name in ("iris", "wine", "breast_cancer", "digits", "diabetes")), houses()]:
        assert identifiers(frame).as_json() == {"keys": [], "groups": []}
    assert identifiers(customers()).groups == ()


def test_codes_that_come_back_a_few_times_are_groups_and_words_are_not() -> None:
    """Whatever the column is called: codes of one length with digits, three rows each."""
    number = np.arange(_ROWS) // 3
    assert infer_scheme(table(who=[f"K{one:06d}" for one in number]), "y").unit == "who"
    assert infer_scheme(table(who=[f"word{'a' * (one % 7)}" for one in number]), "y").kind == "stratified"


def test_persons_in_households_are_grouped_by_household() -> None:
    """The coarser of two nested identifiers holds whole units of the finer one."""
    person = np.arange(_ROWS) // 2
    frame = table(person_id=person, household_id=person // 3)
    assert infer_scheme(frame, "y").unit == "household_id"


def test_keys_are_told_from_groups_and_measurements() -> None:
    """Row numbers, unique codes and names are keys; a unique measurement is not."""
    rng = np.random.default_rng(0)
    frame = table(
        row=np.arange(_ROWS),
        customer_id=rng.permutation(10**6)[:_ROWS],
        income=rng.permutation(10**6)[:_ROWS],
        text=[f"a note of {place} words, more or less" for place in range(_ROWS)],
        user_id=rng.integers(0, 99, _ROWS),
    )
    found = identifiers(frame, skip=("y",))
    assert found.keys == ("customer_id", "row")
    assert [one.column for one in found.groups] == ["user_id"]


def test_the_holdout_suits_the_table() -> None:
    """Weekly rows: fourteen weeks and a quarter of the rows; the split then judges on enough of both."""
    weekly = [datetime(2022, 1, 3, tzinfo=UTC) + timedelta(weeks=week) for week in range(150) for _ in range(4)]
    frame = pl.DataFrame({"week": weekly, "x": np.arange(600.0), "y": np.arange(600) % 2 == 0})
    found = infer_scheme(frame, "y", as_of=NOW)
    assert found.holdout_days is not None
    times = instants(frame, "week")
    facts = RowFacts(ids=np.arange(600, dtype=np.uint64), units=times, labelled=np.ones(600, dtype=bool), times=times)
    made = split(facts, SplitPlan(as_of=NOW, holdout_days=found.holdout_days))
    assert len(made.holdout) == 152
    assert infer_scheme(by_day(60, 600), "late", time="at").holdout_days == 14


def test_a_column_that_was_asked_for_must_be_there() -> None:
    """Exit 2, and the columns there are."""
    with pytest.raises(BadColumn, match="visit"):
        infer_scheme(table(), "y", unit="visit")
    with pytest.raises(BadColumn, match="x"):
        infer_scheme(table(), "y", time="x")
