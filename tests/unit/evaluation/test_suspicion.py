from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
import pytest

from undrift.demo.flights import EVENT_TIME, LABEL_TIME, load
from undrift.evaluation.suspicion import suspects
from undrift.evaluation.target import read_target
from unit.evaluation.leaky_tables import (
    START,
    customers,
    found_in,
    houses,
    leaks_of_customers,
    leaks_of_houses,
    with_column,
)
from unit.evaluation.training_tables import bundled

_CUSTOMERS, _HOUSES = customers(), houses()


@pytest.mark.parametrize("name", leaks_of_customers(_CUSTOMERS))
def test_a_column_that_leaks_a_class_is_found(name: str) -> None:
    """Recoded with noise, filled for one class, nearly perfect alone, cut, or known later: each by its kind."""
    kind, cells = leaks_of_customers(_CUSTOMERS)[name]
    found = found_in(with_column(_CUSTOMERS, name, cells), "churn_flag", "signed")
    assert [one.column for one in found] == [name] * len(found)
    assert kind in [one.kind for one in found]


@pytest.mark.parametrize("name", leaks_of_houses(_HOUSES))
def test_a_column_that_leaks_a_number_is_found(name: str) -> None:
    """A copy with noise, another currency, a logarithm, a bracket, a near estimate."""
    kind, cells = leaks_of_houses(_HOUSES)[name]
    assert [(one.column, one.kind) for one in found_in(with_column(_HOUSES, name, cells), "price_eur")] == [
        (name, kind)
    ]


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits", "diabetes"])
def test_honest_measurements_pass(name: str) -> None:
    """A tumour's perimeter has an AUC of .98, a petal's width is right for 96 % of three irises."""
    assert found_in(bundled(name), "target") == ()


def test_honest_flights_pass_and_the_arrival_does_not() -> None:
    """A real table of 300,000 rows, with what is known before take-off and what is not."""
    table = load()
    known = [name for name in table.columns if name not in (EVENT_TIME, LABEL_TIME, "key", "day", "late", "arr_delay")]
    target = read_target(table, "late")
    assert suspects(table, target, known, time=EVENT_TIME, label_time=LABEL_TIME) == ()
    found = suspects(table, target, [*known, LABEL_TIME], time=EVENT_TIME)
    assert [(one.column, one.kind) for one in found] == [(LABEL_TIME, "after-event")]


@pytest.mark.parametrize(("rows", "rate"), [(80, 0.5), (300, 0.3), (5000, 0.03)])
def test_strong_honest_columns_pass_in_small_and_unbalanced_tables(rows: int, rate: float) -> None:
    """A score with an AUC of .98, a plan and a gap that go with the class: no alarm in ten tables."""
    alarms = [one for seed in range(10) for one in found_in(customers(rows, seed, rate=rate), "churn_flag", "signed")]
    assert alarms == []


def test_houses_with_outliers_pass() -> None:
    """One outlier holds most of the variance; a size that explains nine tenths is no leak."""
    assert [one for seed in range(10) for one in found_in(houses(400, seed), "price_eur")] == []


def test_parts_of_a_total_are_found_together() -> None:
    """Net and tax give the price to the cent, size and price per metre by a product: all parts are named."""
    rng = np.random.default_rng(0)
    frame = _HOUSES.filter(pl.col("price_eur") > 0)
    net = frame["price_eur"].to_numpy() * rng.uniform(0.5, 0.9, len(frame))
    parts = frame.with_columns(net=pl.Series(net), tax=frame["price_eur"] - net)
    assert [(one.column, one.kind) for one in found_in(parts, "price_eur")] == [("net", "derived"), ("tax", "derived")]
    by_metre = frame.with_columns(by_metre=pl.col("price_eur") / pl.col("size"))
    assert [one.column for one in found_in(by_metre, "price_eur")] == ["size", "by_metre"]


def test_a_date_computed_from_the_event_is_known_with_it() -> None:
    """Due dates lie after the event and are no leak: always as long after, or named as a plan."""
    rng = np.random.default_rng(0)
    signed = pl.col("signed")
    days = pl.Series("days", rng.integers(1, 90, len(_CUSTOMERS)))
    frame = _CUSTOMERS.with_columns(bill=signed + pl.duration(days=30), due_date=signed + pl.duration(days=days))
    assert found_in(frame, "churn_flag", "signed") == ()


def test_no_cell_of_the_table_is_in_the_evidence() -> None:
    """Evidence is printed and kept for ever: names and counts, never a category or a date."""
    rng = np.random.default_rng(0)
    left = _CUSTOMERS["churn_flag"].to_numpy()
    marked = with_column(_CUSTOMERS, "state", np.where(left, "MARKER-1", "MARKER-2"))
    marked = with_column(marked, "reason", np.where(left, rng.choice(["MARKER-3", "MARKER-4"], len(left)), "MARKER-5"))
    marked = with_column(marked, "ended_on", [START.replace(year=1987) if gone else None for gone in left])
    found = found_in(marked, "churn_flag", "signed")
    told = msgspec.json.encode([one.as_json() for one in found]).decode()
    assert len(found) == 3
    assert "MARKER" not in told
    assert "1987" not in told


def test_a_sample_of_a_long_table_is_said() -> None:
    """Above 50,000 rows the evidence says how many there were; a class of five in a thousand is still found out."""
    frame = customers(60_000, rate=0.005)
    leaky = with_column(frame, "churned", frame["churn_flag"].cast(pl.Int8))
    (found,) = found_in(leaky, "churn_flag", "signed")
    assert (found.column, found.kind) == ("churned", "copies")
    assert "(a sample of 60,000)" in found.evidence


def test_groups_do_not_make_their_own_columns_suspicious() -> None:
    """Forty patients of fifty rows: what is constant in a patient predicts that patient's rows and no others'."""
    rng = np.random.default_rng(0)
    patient = np.repeat(np.arange(40), 50)
    ill = rng.random(40) < 0.5
    town = [f"town {number}" for number in patient]
    frame = pl.DataFrame({"patient": patient, "town": town, "x": rng.normal(size=2000), "ill": ill[patient]})
    target = read_target(frame, "ill")
    assert suspects(frame, target, ["town", "x"], unit="patient") == ()
    assert [one.kind for one in suspects(frame, target, ["town", "x"])] == ["predicts"]
