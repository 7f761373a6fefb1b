"""Bets on which arm the next loss falls: the wealth of a gambler who knows the assignment probability.

For one unit with loss l in [0, 1], arm A (1 = canary) and assignment probability theta, let c be a guess of the loss
made before. ``x = (A - theta)(l - c)`` has expectation ``theta (1 - theta) d``, where d is the difference of the unit's
expected losses, canary - stable: what both arms share cancels. Hence ``prod(1 + lambda (x - theta (1-theta) d0))`` is
a nonnegative supermartingale while d <= d0, for any lambda fixed before the arm is known and small enough that no
factor is negative. A mixture over a grid of lambda needs no tuning (Cover's universal portfolio).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from undrift.core.errors import BadInput

Floats: TypeAlias = npt.NDArray[np.float64]

FRACTIONS = np.array([0.01, 0.03, 0.08, 0.16, 0.32, 0.64, 0.9])
FIRST_GUESS = 0.25
FIRST_WEIGHT = 4.0
MEMORY_UNITS = 500.0


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit's contribution.

    Attributes
    ----------
    is_canary : bool
        Its arm.
    share : float
        Probability with which it was assigned to the canary.
    loss : float
        In [0, 1].
    """

    is_canary: bool
    share: float
    loss: float

    def checked(self) -> Unit:
        """Return itself.

        Raises
        ------
        BadInput
            If the loss or the share lies outside [0, 1].
        """
        if not 0.0 <= self.loss <= 1.0:
            raise BadInput(f"a loss here lies in [0, 1], not {self.loss}", cure="scale or cut the loss")
        if not 0.0 <= self.share <= 1.0:
            raise BadInput(f"a share of traffic lies in [0, 1], not {self.share}")
        return self


@dataclass(slots=True)
class Guess:
    """A guess of the next loss from those before: a mean that forgets after about 500 units."""

    value: float = FIRST_GUESS
    weight: float = FIRST_WEIGHT

    def learn(self, loss: float) -> None:
        """Take one more loss."""
        self.weight = min(self.weight + 1.0, MEMORY_UNITS)
        self.value += (loss - self.value) / self.weight


@dataclass(frozen=True, slots=True)
class Block:
    """Several units in order, each with the guess that was made before it.

    Attributes
    ----------
    arms, shares, losses, guesses : (n,) arrays
        Arm (1 = canary), assignment probability in (0, 1), loss, expected loss.
    """

    arms: Floats
    shares: Floats
    losses: Floats
    guesses: Floats

    @classmethod
    def of(cls, units: Sequence[Unit], guess: Guess) -> Block:
        """Return the units with their guesses; `guess` learns from them in order."""
        guesses = []
        for unit in units:
            guesses.append(guess.value)
            guess.learn(unit.loss)
        rows = np.array([(u.is_canary, u.share, u.loss) for u in units], dtype=np.float64).reshape(-1, 3)
        return cls(rows[:, 0], rows[:, 1], rows[:, 2], np.array(guesses))


def factors(block: Block, differences: Floats, *, canary_is_worse: bool) -> Floats:
    """Return (n, differences, fractions): by what each unit multiplies each bet's wealth.

    Parameters
    ----------
    block : Block
        The units.
    differences : (D,) array
        The differences d0 tested.
    canary_is_worse : bool
        Bet against d <= d0 (True) or against d >= d0 (False).
    """
    share, guess = block.shares, block.guesses
    spread = share * (1.0 - share)
    offset = spread[:, None] * differences
    x = ((block.arms - share) * (block.losses - guess))[:, None] - offset
    if canary_is_worse:
        worst = np.maximum((1.0 - share) * guess, share * (1.0 - guess))[:, None] + offset
    else:
        worst = np.maximum((1.0 - share) * (1.0 - guess), share * guess)[:, None] - offset
        x = -x
    rate = 1.0 / np.maximum(worst, 0.1 * spread[:, None])
    value: Floats = 1.0 + (rate * x)[:, :, None] * FRACTIONS
    return value


def log_mixture(log_wealth: Floats) -> Floats:
    """Return ln of the mean over bets (last axis)."""
    top = log_wealth.max(axis=-1, keepdims=True)
    value: Floats = np.log(np.exp(log_wealth - top).mean(axis=-1)) + top[..., 0]
    return value
