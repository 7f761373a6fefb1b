"""The hard floor: a canary that mostly fails goes back at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from undrift.core.json import JSON
from undrift.stats.sequential.counts import log_count_e

LIMIT = 0.25
STABLE_MEMORY_UNITS = 15.0
STABLE_LIMIT = 0.1


@dataclass(slots=True)
class FloorEProcess:
    """An e-process against "while stable is healthy, the canary fails on at most a quarter of its units".

    *Null hypothesis*: each time that a canary unit comes while the recent error rate of stable (mean over about 15 of
    its units) is below 10 %, the canary's probability of an error is at most 25 %. Canary units in an outage of stable
    are left out, which is decided before their outcome is known. At a share of 1 no stable is there to excuse anything.

    The e-value is the Beta mixture of :func:`undrift.stats.sequential.counts.log_count_e`, errors against successes.
    More than half of 50 canary units failing gives e > 400, whatever the order of them.
    """

    errors: int = 0
    successes: int = 0
    stable_rate: float = 0.0
    largest: float = 0.0

    def update(self, *, is_canary: bool, error: bool) -> float:
        """Take one more unit and return the e-value."""
        if not is_canary:
            self.stable_rate += (float(error) - self.stable_rate) / STABLE_MEMORY_UNITS
        elif self.stable_rate < STABLE_LIMIT:
            self.errors += int(error)
            self.successes += int(not error)
            self.largest = max(self.largest, self.log_e)
        return float(np.exp(min(self.log_e, 700.0)))

    @property
    def log_e(self) -> float:
        """Natural logarithm of the e-value now."""
        return log_count_e(self.errors, self.successes, LIMIT)

    def rejects(self, alpha: float) -> bool:
        """Whether the e-value has ever reached 1/alpha."""
        return bool(self.largest >= -np.log(alpha))

    def state(self) -> dict[str, JSON]:
        """Return everything needed to go on, as JSON."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> FloorEProcess:  # Any: freshly parsed JSON
        """Return the process that :meth:`state` described."""
        return cls(**state)
