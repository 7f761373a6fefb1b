"""How often the monitor's rules cry wolf on streams in which nothing changes: at most as stated.

Days have effects of their own which last from one day to the next (AR(1), coefficient .5).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from undrift.monitoring.performance import Promise, measure
from undrift.monitoring.quality import check_shares, errors_decision, quality_decision
from undrift.monitoring.traffic import Traffic
from undrift.monitoring.watched import Rules, Version
from undrift.stats.intervals import metric_interval
from undrift.stats.sketch import ReferenceSketch, Values
from unit.monitoring.world import LIVE, PACKAGE

STREAMS = 1000
MOST_ALARMS = 21  # the 99.9 % bound of a binomial of 1,000 at .01
RULES = Rules(alpha=0.01)
Floats: TypeAlias = npt.NDArray[np.float64]


def day_effects(seeded: np.random.Generator, days: int, sd: float) -> Floats:
    """Return a stationary AR(1) of so many days."""
    found = [seeded.normal(0, sd)]
    for _ in range(days - 1):
        found.append(0.5 * found[-1] + seeded.normal(0, sd * 0.75**0.5))
    return np.array(found)


def columns_of(seeded: np.random.Generator, days: int, rows: int) -> dict[str, Values]:
    """Return columns whose nulls, or rare categories, come in runs of days."""
    found: dict[str, Values] = {}
    for number, share in enumerate((0.01, 0.05, 0.1, 0.2)):
        level = np.log(share / (1 - share)) + day_effects(seeded, days, 1.0).repeat(rows)
        odd = seeded.uniform(size=days * rows) < 1 / (1 + np.exp(-level))
        found[f"x{number}"] = np.where(odd, np.nan, seeded.normal(size=days * rows))
        found[f"c{number}"] = np.where(odd, seeded.integers(0, 10**6, days * rows).astype(str), "usual").tolist()
    return found


def days_of(days: int, rows: int) -> list[str]:
    return [(LIVE + timedelta(days=day)).date().isoformat() for day in range(days) for _ in range(rows)]


def traffic(sketch: ReferenceSketch, days: list[str], **columns: Any) -> Traffic:  # Any: polars takes many types
    version = Version(
        model="m", number=1, package=PACKAGE, task="binary", sketch=sketch, classes=(False, True), positive=1
    )
    usual = {"day": days, "unit_key": days, "status": [200] * len(days), "scores": [[0.5, 0.5]] * len(days)}
    return Traffic(version, pl.DataFrame({**usual, **columns}, strict=False))


def alarms(outcomes: Iterator[str]) -> int:
    return sum(outcome == "fail" for outcome in outcomes)


def quality_outcome(seed: int) -> str:
    seeded = np.random.default_rng(seed)
    reference, days = columns_of(seeded, 60, 40), days_of(28, 20)
    types = {name: "float" if name.startswith("x") else "string" for name in reference}
    sketch = ReferenceSketch.fit(reference, types, days_of(60, 40))
    window = traffic(sketch, days, **{f"row.{name}": values for name, values in columns_of(seeded, 28, 20).items()})
    return quality_decision(check_shares(sketch, window, RULES), window, RULES).outcome


@pytest.mark.slow
def test_quality_cries_wolf_no_more_often_than_stated() -> None:
    """Eight columns, twelve checks, shares from 1 to 20 % that come in runs of days."""
    assert alarms(quality_outcome(seed) for seed in range(STREAMS)) <= MOST_ALARMS


def errors_outcome(seed: int) -> str:
    seeded = np.random.default_rng(seed)
    share = np.clip(0.01 * np.exp(day_effects(seeded, 28, 0.8) - 0.32), 0, 1).repeat(50)
    status = np.where(seeded.uniform(size=1400) < share, 500, 200)
    window = traffic(ReferenceSketch({}, 0, "day"), days_of(28, 50), status=status)
    return errors_decision(window, RULES).outcome


@pytest.mark.slow
def test_errors_cry_wolf_no_more_often_than_stated() -> None:
    """The accepted share exactly, unevenly over the days."""
    assert alarms(errors_outcome(seed) for seed in range(STREAMS)) <= MOST_ALARMS


def labelled(seeded: np.random.Generator, days: int, rows: int) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return probabilities and truths; on some days the model is wrong by far."""
    x = seeded.normal(size=days * rows) + day_effects(seeded, days, 0.5).repeat(rows)
    truth = seeded.uniform(size=days * rows) < 1 / (1 + np.exp(-x - day_effects(seeded, days, 0.7).repeat(rows)))
    return 1 / (1 + np.exp(-x)), truth


def performance_outcome(seed: int) -> str:
    seeded = np.random.default_rng(seed)
    p, truth = labelled(seeded, 14, 60)
    gate = metric_interval("auc", truth.astype(float), p, np.arange(14).repeat(60), level=0.9)
    p, truth = labelled(seeded, 28, 30)
    actual = np.where(truth, "true", "false").tolist()
    scores = np.column_stack([1 - p, p]).tolist()
    window = traffic(ReferenceSketch({}, 0, "day"), days_of(28, 30), scores=scores, actual=actual)
    return measure(window, Promise("auc", gate, RULES)).decision.outcome


@pytest.mark.slow
def test_performance_cries_wolf_no_more_often_than_stated() -> None:
    """The model is as good as in the gate; days differ."""
    assert alarms(performance_outcome(seed) for seed in range(STREAMS)) <= MOST_ALARMS
