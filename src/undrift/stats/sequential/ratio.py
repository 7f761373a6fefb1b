"""Whether traffic is split as the rollout says: the guard against a router that assigns arms wrongly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import betaln

from undrift.core.errors import BadInput
from undrift.core.json import JSON

ALARM_ALPHA = 0.001
PRIOR_UNITS = 100.0


@dataclass(slots=True)
class RatioGuard:
    """An e-process against "each new unit is a canary with probability `share`, whatever came before".

    With C canary and S stable units and prior Beta(100 share, 100 (1 - share))::

        e = B(a+C, b+S) / (B(a, b) share^C (1 - share)^S)

    A mismatch invalidates every other comparison, so it is asked for strong evidence: alarm at e >= 1,000.

    Parameters
    ----------
    share : float
        The canary's share of units, in (0, 1). Start a new guard when it changes.

    References
    ----------
    Lindon, Malek (2022), arXiv 2011.03567, on sample ratio mismatch.
    """

    share: float
    canary: int = 0
    stable: int = 0
    largest: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 < self.share < 1.0:
            raise BadInput(f"a guard needs two arms: the share lies in (0, 1), not at {self.share}")

    def update(self, *, canary: int, stable: int) -> float:
        """Take further units of both arms and return the e-value (limited to e^700)."""
        self.canary += canary
        self.stable += stable
        self.largest = max(self.largest, self.log_e)
        return float(np.exp(min(self.log_e, 700.0)))

    @property
    def log_e(self) -> float:
        """Natural logarithm of the e-value now."""
        a, b = PRIOR_UNITS * self.share, PRIOR_UNITS * (1.0 - self.share)
        mixed = betaln(a + self.canary, b + self.stable) - betaln(a, b)
        return float(mixed - self.canary * np.log(self.share) - self.stable * np.log1p(-self.share))

    def rejects(self, alpha: float = ALARM_ALPHA) -> bool:
        """Whether the e-value has ever reached 1/alpha."""
        return bool(self.largest >= -np.log(alpha))

    def state(self) -> dict[str, JSON]:
        """Return everything needed to go on, as JSON."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> RatioGuard:  # Any: freshly parsed JSON
        """Return the guard that :meth:`state` described."""
        return cls(**state)
