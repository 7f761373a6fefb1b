"""Measurements of versions in the database, and metrics that were fed from outside."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from undrift.core.clock import from_us, to_us
from undrift.data.anomalies.measurement import Kind, Measurement
from undrift.data.tables import measurements, metrics


def save(connection: Connection, dataset: str, one: Measurement) -> bool:
    """Write a measurement unless there is one of the version, and say whether it is new."""
    row = {
        "dataset": dataset,
        "number": one.number,
        "kind": one.kind,
        "at_us": to_us(one.at),
        "measured": one.encode().decode(),
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(measurements).values(row))
    except IntegrityError:  # somebody else looked at the same moment
        return False
    return True


def get(connection: Connection, dataset: str, number: int) -> Measurement | None:
    """Return the measurement of a version, None when there is none."""
    query = select(measurements).where(measurements.c.dataset == dataset, measurements.c.number == number)
    row = connection.execute(query).first()
    return Measurement.decode(row.measured, row.number, from_us(row.at_us)) if row else None


def numbers(connection: Connection, dataset: str) -> set[int]:
    """Return which versions of a dataset are measured."""
    return set(connection.scalars(select(measurements.c.number).where(measurements.c.dataset == dataset)))


def before(connection: Connection, dataset: str, number: int, kind: Kind, most: int) -> list[Measurement]:
    """Return the newest measurements of one kind before a version, the oldest first.

    Parameters
    ----------
    connection : Connection
        To read by.
    dataset : str
        The dataset.
    number : int
        Of the version.
    kind : {"batch", "table"}
        Which are comparable.
    most : int
        How many.
    """
    query = (
        select(measurements)
        .where(measurements.c.dataset == dataset, measurements.c.number < number, measurements.c.kind == kind)
        .order_by(measurements.c.number.desc())
        .limit(most)
    )
    found = [Measurement.decode(row.measured, row.number, from_us(row.at_us)) for row in connection.execute(query)]
    return found[::-1]


def forget(connection: Connection, dataset: str, gone: Iterable[int]) -> None:
    """Delete the measurements of versions: their rows are no longer what was measured."""
    connection.execute(
        delete(measurements).where(measurements.c.dataset == dataset, measurements.c.number.in_(list(gone)))
    )


def save_metric(connection: Connection, key: tuple[str, str, int], value: float, at: datetime) -> None:
    """Write the value of a metric for a version, in place of an earlier one.

    Parameters
    ----------
    connection : Connection
        Of an open change.
    key : (str, str, int)
        Dataset, metric, number of the version.
    value : float
        Finite.
    at : datetime
        Business time.
    """
    dataset, metric, number = key
    mine = (metrics.c.dataset == dataset, metrics.c.metric == metric, metrics.c.number == number)
    connection.execute(delete(metrics).where(*mine))
    row = {"dataset": dataset, "metric": metric, "number": number, "value": value, "at_us": to_us(at)}
    connection.execute(insert(metrics).values(row))


def fed(connection: Connection, dataset: str, number: int) -> dict[str, list[tuple[int, float, datetime]]]:
    """Return, of each metric with a value for a version, the values up to it: version, value and time, oldest first."""
    query = select(metrics).where(metrics.c.dataset == dataset, metrics.c.number <= number).order_by(metrics.c.number)
    found: dict[str, list[tuple[int, float, datetime]]] = {}
    for row in connection.execute(query):
        found.setdefault(row.metric, []).append((row.number, row.value, from_us(row.at_us)))
    return {metric: points for metric, points in found.items() if points[-1][0] == number}
