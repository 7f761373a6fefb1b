"""The demo's data: 2013's flights out of New York, by the moment at which each thing was known.

A flight is asked about one hour before its scheduled departure (``event_time``) and its
answer is known when it has arrived (``label_time``). Everything here is cut by those two
instants, so that nobody sees a row before its time. The extract is built by
``scripts/build_flights.py``, which says where it comes from and how it was joined.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import blake2b
from pathlib import Path

import polars as pl

from undrift.core.json import JSON

EXTRACT = Path(__file__).with_name("flights.parquet")
WEATHER = ("temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib")
CALENDAR = ("weekday",)
FEATURES = ("carrier", "origin", "dest", "distance", "hour", "minute", *CALENDAR, *WEATHER)
TARGET = "late"
KEY = "key"
EVENT_TIME = "event_time"
LABEL_TIME = "label_time"
UNIT = "day"
LATE_MIN = 15
"""A flight is late when it arrives more than so many minutes after its schedule."""

_HOME = "America/New_York"


@dataclass(frozen=True, slots=True)
class Excluded:
    """Flights of one month which are not in the extract: two kinds have no label, the third no weather."""

    month: int
    scheduled: int
    cancelled: int
    diverted: int
    unobserved: int


def excluded() -> list[Excluded]:
    """Return, by month, how many flights were scheduled, and how many of them were left out and why."""
    months = json.loads(pl.read_parquet_metadata(EXTRACT)["months"])
    return [Excluded(**month) for month in months]


@cache
def load() -> pl.DataFrame:
    """Return all completed flights, ordered by event time and key.

    Returns
    -------
    polars.DataFrame
        ``key`` (carrier, flight, origin and local day: unique), ``event_time`` (one hour before the
        scheduled departure, UTC), ``label_time`` (the arrival, UTC), ``day`` (local date of the scheduled
        departure, the unit of independence), the features, and ``late``.
        Only the pressure may be null. The month is told but is no feature: no 60 days teach it.
    """
    local = pl.col("sched_dep").dt.convert_time_zone(_HOME).dt
    weather = [pl.col(name).cast(pl.Float64).round(2) for name in WEATHER]
    flight = pl.format("{}{}-{}-{}", "carrier", "flight", "origin", local.date())
    table = pl.read_parquet(EXTRACT).select(
        flight.alias(KEY),
        (pl.col("sched_dep").cast(pl.Datetime("us", "UTC")) - pl.duration(hours=1)).alias(EVENT_TIME),
        pl.col("arrived").cast(pl.Datetime("us", "UTC")).alias(LABEL_TIME),
        local.date().alias(UNIT),
        "carrier",
        "origin",
        "dest",
        pl.col("distance").cast(pl.Int64),
        local.hour().cast(pl.Int64).alias("hour"),
        local.minute().cast(pl.Int64).alias("minute"),
        local.month().cast(pl.Int64).alias("month"),
        local.weekday().cast(pl.Int64).alias("weekday"),
        *weather,
        (pl.col("arr_delay") > LATE_MIN).alias(TARGET),
    )
    return table.sort(EVENT_TIME, KEY)


def sample(table: pl.DataFrame, share: float, seed: int = 2013) -> pl.DataFrame:
    """Return a fixed share of the flights, chosen by a hash of the key.

    The choice depends on nothing but the key and the seed: a flight is in or out in every
    part of the story alike.

    Parameters
    ----------
    table : polars.DataFrame
        Rows with a ``key``.
    share : float
        In (0, 1].
    seed : int
        Another seed chooses other flights.
    """
    salt, limit = seed.to_bytes(8, "little"), round(share * 2**64)
    chosen = [int.from_bytes(blake2b(key.encode(), digest_size=8, salt=salt).digest()) < limit for key in table[KEY]]
    return table.filter(pl.Series(chosen, dtype=pl.Boolean))


def asked(table: pl.DataFrame, since: datetime, until: datetime) -> pl.DataFrame:
    """Return the flights about which somebody asks in [since, until), in the order of asking."""
    return _within(table, EVENT_TIME, since, until)


def labelled(table: pl.DataFrame, since: datetime, until: datetime) -> pl.DataFrame:
    """Return the flights whose arrival falls in [since, until), in the order of arrival.

    Consecutive spans give batches which hold every flight once, none before its label is known.
    """
    return _within(table, LABEL_TIME, since, until)


def _within(table: pl.DataFrame, column: str, since: datetime, until: datetime) -> pl.DataFrame:
    inside = (pl.col(column) >= since) & (pl.col(column) < until)
    return table.filter(inside).sort(column, KEY)


def requests(rows: pl.DataFrame) -> list[dict[str, JSON]]:
    """Return one request body per row: the features by name, the caller's key and the event time."""
    times = rows[EVENT_TIME].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    features = rows.select(FEATURES).rows(named=True)
    return [
        {"row": row, KEY: key, EVENT_TIME: time}
        for row, key, time in zip(features, rows[KEY].to_list(), times.to_list(), strict=True)
    ]


def labels(rows: pl.DataFrame) -> list[dict[str, JSON]]:
    """Return one label per row: key, what happened, and the event time of the question it answers.

    A label is sent when its ``label_time`` has come; :func:`labelled` cuts and orders by that.
    """
    times = rows[EVENT_TIME].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return [
        {KEY: key, "actual": late, EVENT_TIME: time}
        for key, late, time in zip(rows[KEY].to_list(), rows[TARGET].to_list(), times.to_list(), strict=True)
    ]


def in_kelvin(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with the temperature in kelvin instead of degrees Fahrenheit: the injected unit error."""
    kelvin = (pl.col("temp") - 32) * 5 / 9 + 273.15
    return rows.with_columns(kelvin.round(2))


def roles() -> Mapping[str, str]:
    """Return the role of each feature: drift ignores the calendar."""
    return {name: "calendar" if name in CALENDAR else "feature" for name in FEATURES}
