"""Drift stays silent on stationary streams whose days resemble each other, and finds stated shifts.

1,000 streams a setting; a rate counts as too high above the 99.9 % binomial bound: 73 of 1,000 at .05.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from undrift.stats.drift import DriftReport, compare
from undrift.stats.sketch import ReferenceSketch, WindowCounts

pytestmark = pytest.mark.slow

STREAMS = 1000
BOUND_05 = 73
GAP_DAYS = 14
TYPES = {
    "temp": "float", "dew": "float", "pressure": "float", "load": "float", "amount": "float", "distance": "float",
    "rain": "float", "wind": "string", "storm": "bool", "hour": "int",
}  # fmt: skip
BETWEEN = {"temp": 0.85, "dew": 0.85, "pressure": 0.95, "load": 0.5, "amount": 0.6, "distance": 0.0}


def days_effect(rng: np.random.Generator, days: int, phi: float) -> np.ndarray:
    """Return a stationary AR(1) series with variance 1."""
    effect = np.empty(days)
    effect[0] = rng.normal()
    for t in range(1, days):
        effect[t] = phi * effect[t - 1] + np.sqrt(1 - phi**2) * rng.normal()
    return effect


def latent(rng: np.random.Generator, shape: tuple[int, int], phi: float, between: float) -> np.ndarray:
    """Return days x rows with variance 1, of which the share `between` lies between days."""
    effect = days_effect(rng, shape[0], phi)
    return np.sqrt(between) * effect[:, None] + np.sqrt(1 - between) * rng.normal(size=shape)


def stream(rng: np.random.Generator, days: int, rows: int, phi: float) -> dict[str, np.ndarray]:
    """Return ten weather-like and row-like columns, days x rows each."""
    shape = (days, rows)
    columns = {name: latent(rng, shape, phi, between) for name, between in BETWEEN.items()}
    columns["amount"] = np.exp(columns["amount"])
    columns["rain"] = np.maximum(latent(rng, shape, phi, 0.7) - 1.0, 0.0)
    sector = np.clip((latent(rng, shape, phi, 0.6) * 2 + 4).astype(int), 0, 8)
    columns["wind"] = np.array(list("abcdefghi"))[sector]
    columns["storm"] = (days_effect(rng, days, phi) > 1.5)[:, None] & (rng.random(shape) < 0.7)
    columns["hour"] = rng.integers(0, 18, shape)
    return columns


def judged(rng: np.random.Generator, sizes: tuple[int, int, int, int], phi: float, **shift: float) -> DriftReport:
    """Return the report on one stream; sizes: days of reference and window, rows a day of reference and window."""
    ours, theirs, our_rows, their_rows = sizes
    columns = stream(rng, ours + GAP_DAYS + theirs, max(our_rows, their_rows), phi)
    for name, by in shift.items():
        columns[name][ours:] += by
    first = {name: values[:ours, :our_rows].ravel() for name, values in columns.items()}
    second = {name: values[ours + GAP_DAYS :, :their_rows].ravel() for name, values in columns.items()}
    sketch = ReferenceSketch.fit(first, TYPES, np.repeat(np.arange(ours), our_rows))
    window = WindowCounts.collect(sketch, second, np.repeat(np.arange(theirs), their_rows))
    return compare(sketch, window, alpha=0.05)


@pytest.mark.parametrize(
    ("sizes", "phi"),
    [((60, 28, 40, 40), 0.6), ((60, 28, 100, 10), 0.3), ((28, 28, 40, 40), 0.6), ((20, 28, 40, 40), 0.6)],
)
def test_a_stationary_stream_raises_no_more_than_the_stated_alarms(
    sizes: tuple[int, int, int, int], phi: float, measured: Callable[[str], None]
) -> None:
    """Over ten columns together at most alpha = 5 % of windows alarm."""
    rng = np.random.default_rng(2013)
    alarms = sum(judged(rng, sizes, phi).decision.outcome == "fail" for _ in range(STREAMS))
    measured(f"false alarms {sizes} phi={phi}: {alarms} of {STREAMS}")
    assert alarms <= BOUND_05


def test_counting_rows_alarms_on_nearly_every_stationary_window() -> None:
    """The rule that we replace: Kolmogorov-Smirnov over rows with Holm's correction."""
    rng = np.random.default_rng(7)
    alarms = 0
    for _ in range(50):
        columns = stream(rng, 102, 40, 0.5)
        first = {name: values[:60].ravel() for name, values in columns.items()}
        sketch = ReferenceSketch.fit(first, TYPES)
        window = WindowCounts.collect(sketch, {name: values[74:].ravel() for name, values in columns.items()})
        alarms += compare(sketch, window, alpha=0.05).decision.outcome == "fail"
    assert alarms >= 45


@pytest.mark.parametrize(
    ("sizes", "shift", "power"),
    [
        ((60, 28, 40, 40), {"temp": 2.0}, 0.80),
        ((60, 28, 40, 40), {"distance": 0.3}, 0.95),
        ((28, 28, 40, 40), {"temp": 3.0}, 0.90),
    ],
)
def test_a_stated_shift_is_found_with_the_stated_power(
    sizes: tuple[int, int, int, int], shift: dict[str, float], power: float, measured: Callable[[str], None]
) -> None:
    """Shifts in standard deviations of the rows, days with autocorrelation .4."""
    rng = np.random.default_rng(31)
    (name,) = shift
    found = sum(name in [c.column for c in judged(rng, sizes, 0.4, **shift).drifted] for _ in range(200))
    measured(f"power {sizes} {shift}: {found / 200:.2f}")
    assert found / 200 >= power


def test_independent_rows_raise_few_alarms_and_reveal_small_shifts(measured: Callable[[str], None]) -> None:
    """Fifty columns, 10,000 rows against 500: alpha = 5e-4 a window keeps its word and sees half an sd each time."""
    rng = np.random.default_rng(201)
    names = [f"x{i}" for i in range(50)]
    sketch = ReferenceSketch.fit({n: rng.normal(size=10_000) for n in names}, dict.fromkeys(names, "float"))
    alarms = found = 0
    for _ in range(STREAMS):
        columns = {n: rng.normal(size=500) for n in names}
        alarms += compare(sketch, WindowCounts.collect(sketch, columns), alpha=5e-4).decision.outcome == "fail"
        moved = {**columns, "x0": columns["x0"] + 0.5}
        found += compare(sketch, WindowCounts.collect(sketch, moved), alpha=5e-4).decision.outcome == "fail"
    measured(f"rows: {alarms} alarms, {found} of {STREAMS} shifts found")
    assert alarms <= 4  # 99.9 % bound of 1,000 at 5e-4
    assert found >= 990
