"""By how much canary and stable differ: a confidence sequence that may be read at any time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from undrift.core.json import JSON
from undrift.stats.sequential.betting import FRACTIONS, Block, Floats, Guess, Unit, factors, log_mixture

GRID_POINTS = 61
GRID_STRETCH = 4.5
BLOCK_UNITS = 16


@lru_cache(maxsize=64)
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

    Promotion is by non-inferiority: ``high <= margin`` (which is then known, not "no alarm was seen"). The ends move
    after every 16th unit, so that they do not depend on when they were read.

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
    score: float = 0.0
    information: float = 0.0
    waiting: list[Unit] = field(default_factory=list)
    wealth: Floats = field(default_factory=lambda: np.zeros((0, 0, 0)))

    def __post_init__(self) -> None:
        if not self.wealth.size:
            self.wealth = np.zeros((2, len(difference_grid(self.margin)), len(FRACTIONS)))

    def update(self, unit: Unit) -> tuple[float, float]:
        """Take one more unit and return both ends.

        Raises
        ------
        BadInput
            If the value or the share lies outside [0, 1].
        """
        if 0.0 < unit.checked().share < 1.0:
            self.waiting.append(unit)
            self.units += 1
            self.canary_units += int(unit.is_canary)
        if len(self.waiting) == BLOCK_UNITS:
            self._bet(Block.of(self.waiting, self.guess))
            self.waiting = []
        return self.low, self.high

    def _bet(self, block: Block) -> None:
        grid = difference_grid(self.margin)
        for side, worse in enumerate((True, False)):
            self.wealth[side] += np.log(factors(block, grid, canary_is_worse=worse).prod(axis=0))
        self.score += float(((block.arms - block.shares) * (block.losses - block.guesses)).sum())
        self.information += float((block.shares * (1.0 - block.shares)).sum())
        too_low, too_high = log_mixture(self.wealth) >= -np.log(self.alpha)
        self.low = max(self.low, float(grid[too_low].max(initial=-1.0)))
        self.high = min(self.high, float(grid[too_high].min(initial=1.0)))

    @property
    def estimate(self) -> float:
        """The estimated difference, weighted by information; 0 before the first 16 units."""
        return self.score / self.information if self.information else 0.0

    @property
    def is_within_margin(self) -> bool:
        """Whether a difference of `margin` or more is excluded."""
        return self.high <= self.margin

    def state(self) -> dict[str, JSON]:
        """Return everything needed to go on, as JSON."""
        return {
            "margin": self.margin, "alpha": self.alpha, "units": self.units, "canary_units": self.canary_units,
            "guess": [self.guess.value, self.guess.weight], "low": self.low, "high": self.high,
            "score": self.score, "information": self.information,
            "waiting": [[unit.is_canary, unit.share, unit.loss] for unit in self.waiting],
            "wealth": self.wealth.tolist(),
        }  # fmt: skip

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> DifferenceSequence:  # Any: freshly parsed JSON
        """Return the sequence that :meth:`state` described."""
        plain = {name: value for name, value in state.items() if name not in {"guess", "waiting", "wealth"}}
        waiting = [Unit(*row) for row in state["waiting"]]
        return cls(**plain, guess=Guess(*state["guess"]), waiting=waiting, wealth=np.array(state["wealth"]))
