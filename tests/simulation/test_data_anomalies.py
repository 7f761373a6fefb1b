"""Versions like all before them are not said to have anomalies more often than stated, and stated faults are found.

1,000 histories a setting; a rate counts as too high above the 99.9 % binomial bound: 73 of 1,000 at .05, 21 at .01.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from undrift.data.anomalies.judgement import judge_version
from undrift.data.anomalies.measurement import MeasuredColumn, Measurement

pytestmark = pytest.mark.slow

HISTORIES = 1000
BOUND = {0.05: 73, 0.01: 21}
NUMBERS, CATEGORIES = ("x0", "x1", "x2"), ("c0", "c1")
LEVELS = np.linspace(0.0, 1.0, 129)


@dataclass(frozen=True, slots=True)
class World:
    """How versions follow one another.

    Attributes
    ----------
    versions : int
        How many, the new one included; one a day.
    phi : float
        Autocorrelation of everything from version to version.
    seasonal : bool
        Whether weekends have half the rows and other values.
    """

    versions: int
    phi: float = 0.0
    seasonal: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the newest version."""

    rows: float = 1.0
    missing: float = 0.0
    shift: float = 0.0
    new: float = 0.0


def effect(rng: np.random.Generator, world: World) -> np.ndarray:
    """Return a stationary AR(1) series with variance 1."""
    found = np.empty(world.versions)
    found[0] = rng.normal()
    for t in range(1, world.versions):
        found[t] = world.phi * found[t - 1] + np.sqrt(1 - world.phi**2) * rng.normal()
    return found


def history(rng: np.random.Generator, world: World, fault: Fault | None = None) -> list[Measurement]:
    """Return versions whose size, missing shares and distributions wander; the last one may have a fault."""
    effects = {name: effect(rng, world) for name in ("rows", "missing", *NUMBERS, *CATEGORIES)}
    at, found = datetime(2024, 1, 1, tzinfo=UTC), []
    for t in range(world.versions):
        is_weekend = world.seasonal and at.weekday() >= 5
        wrong = fault if fault is not None and t == world.versions - 1 else Fault()
        rows = int(500 * np.exp(0.1 * effects["rows"][t]) * (0.5 if is_weekend else 1.0) * wrong.rows)
        share = 1 / (1 + np.exp(3 - 0.3 * effects["missing"][t])) + wrong.missing
        moved = (0.6 if is_weekend else 0.0) + wrong.shift
        columns = {name: number(rng, rows, share, 0.3 * effects[name][t] + moved) for name in NUMBERS}
        columns |= {name: category(rng, rows, 0.15 * effects[name][t], wrong.new) for name in CATEGORIES}
        found.append(Measurement(t + 1, "batch", at, rows, columns))
        at += timedelta(days=1)
    return found


def number(rng: np.random.Generator, rows: int, missing: float, mean: float) -> MeasuredColumn:
    values = np.sort(rng.normal(mean, 1.0, rows))
    levels = values[np.rint(LEVELS * (rows - 1)).astype(int)]
    return MeasuredColumn("float64", int(rng.binomial(rows, missing)), tuple(levels.tolist()))


def category(rng: np.random.Generator, rows: int, tilt: float, new: float) -> MeasuredColumn:
    weights = np.exp(np.array([2.0, 1.0, 0.0, -1.0, -3.0]) + tilt * np.array([1.0, -1.0, 0.5, 0.0, 0.0]))
    shares = np.array([*(weights / weights.sum() * (1 - new)), new])
    counts = dict(zip("abcdez", rng.multinomial(rows, shares).tolist(), strict=True))
    return MeasuredColumn("string", 0, (), {value: many for value, many in counts.items() if many})


def alarms(world: World, seed: int) -> Mapping[float, int]:
    """Return in how many histories the newest version, like all others, is said to have an anomaly."""
    rng = np.random.default_rng(seed)
    found = dict.fromkeys(BOUND, 0)
    for _ in range(HISTORIES):
        *past, new = history(rng, world)
        if judge_version(past, new, alpha=0.05).anomalies:
            found[0.05] += 1
            found[0.01] += bool(judge_version(past, new, alpha=0.01).anomalies)
    return found


@pytest.mark.parametrize(
    "world",
    [
        World(8),
        World(12),
        World(21),
        World(40),
        World(12, 0.6),
        World(21, 0.6),
        World(40, 0.6),
        World(20, 0.3, True),
        World(31, 0.3, True),
    ],
    ids=repr,
)
def test_a_version_like_all_others_raises_no_more_than_the_stated_alarms(
    world: World, measured: Callable[[str], None]
) -> None:
    """Over all metrics together: independent, autocorrelated, with weekends that differ, with short histories."""
    found = alarms(world, 2013)
    measured(f"anomalies, {world}: {found} of {HISTORIES}")
    assert all(found[alpha] <= bound for alpha, bound in BOUND.items())


@pytest.mark.parametrize(
    ("fault", "metric", "power"),
    [
        (Fault(rows=0.5), "rows", 0.75),
        (Fault(missing=0.3), "missing x0", 0.9),
        (Fault(shift=3.0), "distribution x0", 0.75),
        (Fault(new=0.05), "new values c0", 0.95),
    ],
    ids=["half-size", "missing", "shift", "new"],
)
@pytest.mark.parametrize("world", [World(21), World(31, 0.3, True)], ids=repr)
def test_a_stated_fault_is_found_with_the_stated_power(
    world: World, fault: Fault, metric: str, power: float, measured: Callable[[str], None]
) -> None:
    """At alpha = .01, with sizes that wander by 10 % and means by 0.3 standard deviations."""
    rng = np.random.default_rng(7)
    found = 0
    for _ in range(200):
        *past, new = history(rng, world, fault)
        found += metric in [one.metric for one in judge_version(past, new, alpha=0.01).anomalies]
    measured(f"power, {world}, {fault}: {found / 200:.2f}")
    assert found / 200 >= power


def test_a_half_size_batch_is_flagged_and_the_twenty_before_it_are_not() -> None:
    """Whichever way they were delivered: a day apart, or all at once."""
    rng = np.random.default_rng(1)
    versions = history(rng, World(21), Fault(rows=0.5))
    together = [replace_time(one, versions[0].at) for one in versions]
    for delivered in (versions, together):
        told = [judge_version(delivered[:t], delivered[t]).anomalies for t in range(21)]
        assert [len(one) for one in told[:20]] == [0] * 20
        assert [one.metric for one in told[20]] == ["rows"]


def replace_time(one: Measurement, at: datetime) -> Measurement:
    return Measurement(one.number, one.kind, at, one.rows, one.columns)
