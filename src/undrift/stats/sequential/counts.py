"""Whether errors fall on the canary more often than its share of the traffic explains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import betaincc, betaln

from undrift.core.errors import BadInput
from undrift.core.json import JSON


@dataclass(slots=True)
class CountEProcess:
    """The Beta e-process of Lindon and Malek for events (errors, slow answers) of a canary and of stable.

    *Null hypothesis*: whatever happened before, the next unit with an event is of the canary with probability at most
    ``theta0 = share * ratio / (share * ratio + 1 - share)``, where `share` is the canary's share of units. That is so
    when at each moment the canary's event rate is at most `ratio` times that of stable. Rates may vary in time and
    follow each other in any way: an outage of both arms leaves it true.

    With C and S events of canary and stable at one share, prior Beta(a, b) cut to (theta0, 1), a = 1 and
    b = (1 - theta0) / theta0::

        e = B(a+C, b+S) SF(theta0; a+C, b+S) / (B(a, b) SF(theta0; a, b) theta0^C (1 - theta0)^S)

    E-values of different shares are multiplied: each step of each factor has conditional expectation at most 1.

    *What to count*: one event per unit over the whole rollout. A key with a thousand failing requests is one event;
    with sticky routing its requests all go to one arm, and counting them all would not be valid.

    Parameters
    ----------
    ratio : float
        Tolerated ratio of the canary's rate to that of stable, at least 1.

    References
    ----------
    Lindon, Malek (2022), "Anytime-Valid Inference for Multinomial Count Data", NeurIPS, arXiv 2011.03567.
    """

    ratio: float = 1.0
    counts: dict[float, tuple[int, int]] = field(default_factory=dict)
    largest: float = 0.0

    def update(self, *, is_canary: bool, share: float) -> float:
        """Take one more unit with an event and return the e-value.

        Parameters
        ----------
        is_canary : bool
            Its arm.
        share : float
            The canary's share of units when this unit was assigned, in (0, 1]. At 1 there is nothing to compare with
            and the event is left out.

        Raises
        ------
        BadInput
            If the share lies outside [0, 1].
        """
        if not 0.0 <= share <= 1.0:
            raise BadInput(f"a share of traffic lies in [0, 1], not {share}")
        if 0.0 < share < 1.0:
            canary, stable = self.counts.get(share, (0, 0))
            self.counts[share] = (canary + int(is_canary), stable + int(not is_canary))
            self.largest = max(self.largest, self.log_e)
        return self.e_value

    @property
    def log_e(self) -> float:
        """Natural logarithm of the e-value now."""
        return sum(log_count_e(c, s, self._theta(share)) for share, (c, s) in self.counts.items())

    @property
    def e_value(self) -> float:
        """The e-value now (limited to e^700)."""
        return float(np.exp(min(self.log_e, 700.0)))

    def rejects(self, alpha: float) -> bool:
        """Whether the e-value has ever reached 1/alpha."""
        return bool(self.largest >= -np.log(alpha))

    def state(self) -> dict[str, JSON]:
        """Return everything needed to go on, as JSON."""
        counts = [[share, canary, stable] for share, (canary, stable) in self.counts.items()]
        return {"ratio": self.ratio, "counts": counts, "largest": self.largest}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> CountEProcess:  # Any: freshly parsed JSON
        """Return the process that :meth:`state` described."""
        counts = {share: (canary, stable) for share, canary, stable in state["counts"]}
        return cls(state["ratio"], counts, state["largest"])

    def _theta(self, share: float) -> float:
        odds = share * self.ratio
        return odds / (odds + 1.0 - share)


def log_count_e(canary: int, stable: int, theta: float) -> float:
    """Return ln e of :class:`CountEProcess` for these counts and this probability under the null."""
    a, b = 1.0, (1.0 - theta) / theta
    tail = _log_tail(a + canary, b + stable, theta) - _log_tail(a, b, theta)
    return tail - canary * float(np.log(theta)) - stable * float(np.log1p(-theta))


def _log_tail(a: float, b: float, theta: float) -> float:
    """Return ln of the integral of p^(a-1) (1-p)^(b-1) over (theta, 1).

    Where the regularised tail underflows the integrand falls steeply from theta on, and f(theta) / -(ln f)'(theta)
    bounds the integral of a log-concave function from above, closely.
    """
    survival = float(betaincc(a, b, theta))
    if survival > 1e-280:  # noqa: PLR2004 - near the smallest double
        return float(np.log(survival) + betaln(a, b))
    slope = (b - 1.0) / (1.0 - theta) - (a - 1.0) / theta
    return float((a - 1.0) * np.log(theta) + (b - 1.0) * np.log1p(-theta) - np.log(slope))
