"""A canary that is worse by the margin is promoted at most as often as stated; an equal one is, soon."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from undrift.stats.sequential.betting import Unit
from undrift.stats.sequential.difference import DifferenceSequence

pytestmark = pytest.mark.slow

STREAMS = 500
BOUND_05 = 43  # 99.9 % bound of 500 at .05
UNITS = 4000


def shares() -> np.ndarray:
    """Return 5 %, later 25 % of traffic."""
    return np.where(np.arange(UNITS) < 2000, 0.05, 0.25)


def watched(rng: np.random.Generator, stable: np.ndarray, difference: np.ndarray, margin: float) -> tuple[float, bool]:
    """Return canary units until promotion (infinite if never) and whether `low` ever passed the mean difference."""
    arms = rng.random(UNITS) < shares()
    values = rng.random(UNITS) < stable + arms * difference
    sequence, needed = DifferenceSequence(margin), np.inf
    for arm, share, value in zip(arms, shares(), values, strict=True):
        sequence.update(Unit(bool(arm), float(share), float(value)))
        if sequence.is_within_margin and needed == np.inf:
            needed = sequence.canary_units
    return needed, sequence.low > float(difference.mean())


@pytest.mark.parametrize(("rate", "margin"), [(0.01, 0.02), (0.15, 0.05)])
def test_a_canary_worse_by_the_margin_is_seldom_promoted(
    rate: float, margin: float, measured: Callable[[str], None]
) -> None:
    """Errors of 1 and 3 %, losses of .15 and .20, in a rollout whose share changes."""
    rng = np.random.default_rng(1)
    runs = [watched(rng, np.full(UNITS, rate), np.full(UNITS, margin), margin) for _ in range(STREAMS)]
    promoted, low_wrong = sum(n < np.inf for n, _ in runs), sum(w for _, w in runs)
    measured(f"promotion at the margin, rate {rate}: {promoted} promoted, low wrong {low_wrong}, of {STREAMS}")
    assert promoted <= BOUND_05
    assert low_wrong <= BOUND_05


def test_differences_that_vary_by_day_about_the_margin_are_seldom_promoted(measured: Callable[[str], None]) -> None:
    """A canary worse by .05 on average, with sd .02 between days."""
    rng = np.random.default_rng(2)
    promoted = 0
    for _ in range(STREAMS):
        by_day = np.repeat(0.05 + 0.02 * rng.normal(size=20), UNITS // 20)
        promoted += watched(rng, np.full(UNITS, 0.15), by_day, 0.05)[0] < np.inf
    measured(f"promotion at the margin, differing days: {promoted} of {STREAMS}")
    assert promoted <= BOUND_05


def test_an_equal_canary_is_promoted_by_its_errors_within_a_few_hundred_units(measured: Callable[[str], None]) -> None:
    """1 % errors in both arms, margin 2 points: 60 % and more within 600 canary units (all there are)."""
    rng = np.random.default_rng(3)
    needed = [watched(rng, np.full(UNITS, 0.01), np.zeros(UNITS), 0.02)[0] for _ in range(200)]
    share = float(np.mean(np.isfinite(needed)))
    measured(f"promotion of equals: {share:.2f}, median {np.median(needed):.0f} canary units")
    assert share >= 0.6
