"""By how much do canary and stable differ? A confidence sequence that may be read at any time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from undrift.core.json import JSON
from undrift.stats.sequential.betting import FRACTIONS, Floats, Guess, Unit, log_factors, log_mixture

GRID_POINTS = 61
GRID_STRETCH = 4.5


def difference_grid(margin: float) -> Floats:
    """Return the differences that are tested: denser near 0, with the margin itself among them."""
    steps = np.linspace(-GRID_STRETCH, GRID_STRETCH, GRID_POINTS)
    grid: Floats = np.unique(np.append(np.sinh(steps) / np.sinh(GRID_STRETCH), margin))
    return grid


@dataclass(slots=True)
class DifferenceSequence:
    """A confidence sequence for the mean difference canary - stable of a value in [0, 1] (error, slowness, loss).

    Each end is one-sided: ``P(at some time low > d) <= alpha`` and ``P(at some time high < d) <= alpha`` where every
    unit's expected difference, given the units before, is d. With differences that vary, `high` is wrong with
    probability at most alpha if all lie above it, and `low` if all lie below it; for differences that vary from day to
    day around d see ``docs/statistics.md``. Shares may change; each unit counts with the share of its assignment.

    Promotion is by non-inferiority: ``high <= margin`` (which is then known, not "no alarm was seen").

    Parameters
    ----------
    margin : float
        The difference that must be excluded for promotion, in (0, 1).
    alpha : float
        Error probability of each end.

    References
    ----------
    Waudby-Smith, Ramdas (2024), section 4 (confidence sequences by inverting bets).
    """

    margin: float
    alpha: float = 0.05
    units: int = 0
    canary_units: int = 0
    guess: Guess = field(default_factory=Guess)
    low: float = -1.0
    high: float = 1.0
    _score: float = 0.0
    _information: float = 0.0
    _above: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    _below: Floats = field(default_factory=lambda: np.zeros((0, 0)))

    def __post_init__(self) -> None:
        shape = (len(difference_grid(self.margin)), len(FRACTIONS))
        if not self._above.size:
            self._above, self._below = np.zeros(shape), np.zeros(shape)

    def update(self, unit: Unit) -> tuple[float, float]:
        """Take one more unit and return both ends.

        Raises
        ------
        BadInput
            If the value or the share lies outside [0, 1].
        """
        unit.checked()
        if 0.0 < unit.share < 1.0:
            self._bet(unit)
        self.guess.learn(unit.loss)
        return self.low, self.high

    def _bet(self, unit: Unit) -> None:
        grid = difference_grid(self.margin)
        self._above += log_factors(unit, self.guess.value, grid, canary_is_worse=True)
        self._below += log_factors(unit, self.guess.value, grid, canary_is_worse=False)
        self.units += 1
        self.canary_units += int(unit.is_canary)
        self._score += (float(unit.is_canary) - unit.share) * (unit.loss - self.guess.value)
        self._information += unit.share * (1.0 - unit.share)
        limit = -np.log(self.alpha)
        too_low, too_high = log_mixture(self._above) >= limit, log_mixture(self._below) >= limit
        self.low = max(self.low, float(grid[too_low].max(initial=-1.0)))
        self.high = min(self.high, float(grid[too_high].min(initial=1.0)))

    @property
    def estimate(self) -> float:
        """The estimated difference, weighted by information; 0 before the first unit."""
        return self._score / self._information if self._information else 0.0

    @property
    def is_within_margin(self) -> bool:
        """Whether a difference of `margin` or more is excluded."""
        return self.high <= self.margin

    def state(self) -> dict[str, JSON]:
        """Return everything needed to go on, as JSON."""
        return {
            "margin": self.margin, "alpha": self.alpha, "units": self.units, "canary_units": self.canary_units,
            "guess": [self.guess.value, self.guess.weight], "low": self.low, "high": self.high,
            "score": self._score, "information": self._information,
            "above": self._above.tolist(), "below": self._below.tolist(),
        }  # fmt: skip

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> DifferenceSequence:  # Any: freshly parsed JSON
        """Return the sequence that :meth:`state` described."""
        return cls(
            state["margin"], state["alpha"], state["units"], state["canary_units"], Guess(*state["guess"]),
            state["low"], state["high"], state["score"], state["information"],
            np.array(state["above"]), np.array(state["below"]),
        )  # fmt: skip
