"""The demo's data show nothing before its time."""

import itertools
from datetime import UTC, datetime, timedelta

import polars as pl

from undrift.demo import flights


def test_a_key_names_one_flight() -> None:
    """Labels join predictions by key."""
    table = flights.load()
    assert table[flights.KEY].n_unique() == table.height == 326_485


def test_every_label_comes_after_its_question() -> None:
    """A flight is asked about before it lands, and lands within a day and a half of that."""
    wait = flights.load().select(pl.col("label_time") - pl.col("event_time")).to_series()
    assert wait.min() > timedelta(hours=1)
    assert wait.max() < timedelta(hours=36)


def test_batches_by_label_time_hold_every_flight_once() -> None:
    """Consecutive batches neither repeat nor lose a flight, and none is early."""
    table = flights.sample(flights.load(), 0.02)
    edges = [datetime(2013, month, 1, tzinfo=UTC) for month in range(1, 13)] + [datetime(2014, 1, 3, tzinfo=UTC)]
    batches = [flights.labelled(table, since, until) for since, until in itertools.pairwise(edges)]
    assert sum(batch.height for batch in batches) == table.height
    assert all((batch["label_time"] < until).all() for batch, until in zip(batches, edges[1:], strict=True))


def test_a_sample_is_the_same_flights_in_every_part() -> None:
    """Whether a flight is in the sample depends on its key alone."""
    table = flights.load().head(20_000)
    whole, half = flights.sample(table, 0.1), flights.sample(table.head(9_000), 0.1)
    assert whole.filter(pl.col("key").is_in(table["key"].head(9_000).to_list())).equals(half)
    assert 0.09 < whole.height / table.height < 0.11


def test_a_request_carries_no_answer() -> None:
    """Only what is known an hour before departure is sent."""
    request = flights.requests(flights.load().head(1))[0]
    assert set(request) == {"row", "key", "event_time"}
    assert set(request["row"]) == set(flights.FEATURES)


def test_excluded_flights_and_the_extract_are_all_the_flights() -> None:
    """Nothing is left out without being counted, month by month."""
    kept = dict(flights.load().group_by("month").len().rows())
    for month in flights.excluded():
        assert month.scheduled == month.cancelled + month.diverted + month.unobserved + kept[month.month]


def test_the_unit_error_moves_only_the_temperature() -> None:
    """Fahrenheit 32 becomes 273.15 kelvin; everything else stays."""
    rows = flights.load().head(1_000)
    wrong = flights.in_kelvin(rows)
    assert wrong.drop("temp").equals(rows.drop("temp"))
    assert wrong["temp"].min() > 250
