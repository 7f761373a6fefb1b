"""One metric of a new version against the same metric of those before it.

The interval is that of the robust z: median of the past and its median absolute deviation (MAD), as wide as Student's
t with 0.3 n degrees of freedom says. That distribution was fitted to simulated z of n past values which follow one
another independently or with autocorrelation up to 0.6 (``tests/simulation/test_data_anomalies.py`` holds it to that):
with few past points the MAD is a poor guess, and an interval that took it for sure would alarm far too often.
Where versions come daily and days of the week differ, each value is compared with those of its own weekday.
Whatever the past scatters like, what it has shown twice is not out of the ordinary: the interval holds the second
smallest and second largest past value, of days of the week their distance (rain falls on few days, but it does fall).
With fewer than ten past points a rule of thumb takes the place of statistics; with fewer than three nothing is said.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from undrift.data.anomalies.verdict import Verdict

Floats: TypeAlias = npt.NDArray[np.float64]

FEWEST = 3
FEWEST_FOR_Z = 10
MOST = 120
"""Older points are not looked at: what was usual two years ago is not what is usual."""

_TO_SD = 1.4826
_FREEDOM = 0.3
_DAILY_H = (12.0, 36.0)
_FEWEST_ALIKE = 2
_FEWEST_RESIDUALS = 12
_SEASONAL = 0.8


@dataclass(frozen=True, slots=True)
class Scale:
    """How values of a metric are compared.

    Attributes
    ----------
    to, back : callable
        To a scale on which they scatter evenly, and back.
    least_sd : float
        Scatter below which the past is not believed to lie, on that scale.
    floor : callable
        From the median to the values between which nothing is out of the ordinary, however steady the past was.
    loose : callable or None
        The same where there are too few points for statistics; None where nothing can be said then.
    sides : {"both", "above"}
        Whether small values can be out of the ordinary.
    tail : float
        By how much a tail is taken to be heavier than that of even scatter: the error probability is divided by it.
    """

    to: Callable[[float], float]
    back: Callable[[float], float]
    least_sd: float
    floor: Callable[[float], tuple[float, float]]
    loose: Callable[[float], tuple[float, float]] | None
    sides: str = "both"
    tail: float = 1.0


@dataclass(frozen=True, slots=True)
class Past:
    """A metric's values in the order of time.

    Attributes
    ----------
    values : sequence of float
        Of past versions.
    at : sequence of datetime
        When they were added.
    now : datetime
        When the new one was.
    """

    values: Sequence[float]
    at: Sequence[datetime]
    now: datetime

    @property
    def is_daily(self) -> bool:
        """Whether versions come about once a day, so that they have a weekday."""
        gaps = [(after - before).total_seconds() / 3600 for before, after in pairwise([*self.at, self.now])]
        return len(gaps) >= FEWEST and _DAILY_H[0] <= float(np.median(gaps)) <= _DAILY_H[1]

    def alike(self) -> list[int]:
        """Return the places of values of the same weekday as the new one."""
        return [place for place, moment in enumerate(self.at) if moment.weekday() == self.now.weekday()]


@dataclass(frozen=True, slots=True)
class _Expected:
    """Centre, and how far past values lay from theirs, on the even scale."""

    centre: float
    residuals: Floats
    method: str

    def reach(self, factor: float, scale: Scale) -> tuple[float, float]:
        """Return the ends of the interval: as wide as the scatter says, and as what was seen twice lay apart."""
        wide = factor * max(_TO_SD * float(np.median(np.abs(self.residuals))), scale.least_sd)
        _, second, *_, second_largest, _ = np.sort(self.residuals)
        low, high = self.centre + min(-wide, second), self.centre + max(wide, second_largest)
        return scale.back(float(low)), scale.back(float(high))


def judge(metric: str, value: float, past: Past, scale: Scale, alpha: float) -> Verdict:
    """Return the verdict on one value.

    Parameters
    ----------
    metric : str
        Its name.
    value : float
        Of the new version.
    past : Past
        Of those before it, of which the newest 120 count.
    scale : Scale
        How values are compared.
    alpha : float
        Probability that an ordinary value is taken for an anomaly, in (0, 1).
    """
    past = Past(past.values[-MOST:], past.at[-MOST:], past.now)
    n = len(past.values)
    if n < FEWEST:
        return Verdict(metric, "not enough history", value, None, None, f"{FEWEST} are needed", n)
    if n < FEWEST_FOR_Z:
        return _by_thumb(metric, value, past, scale)
    found = _expected(past, scale)
    low, high = found.reach(_critical(len(found.residuals), alpha / scale.tail, scale.sides), scale)
    least, most = scale.floor(scale.back(found.centre))
    verdict = _verdict(metric, value, (min(low, least), max(high, most)), scale, (found.method, len(found.residuals)))
    if verdict.is_anomaly and past.is_daily and len(past.alike()) < _FEWEST_ALIKE:
        return _unseen_weekday(verdict, value, past, scale)
    return verdict


def _by_thumb(metric: str, value: float, past: Past, scale: Scale) -> Verdict:
    n = len(past.values)
    if scale.loose is None:
        return Verdict(metric, "not enough history", value, None, None, f"{FEWEST_FOR_Z} are needed", n)
    middle = float(np.median(past.values))
    return _verdict(metric, value, scale.loose(middle), scale, ("relative to the median", n))


def _unseen_weekday(verdict: Verdict, value: float, past: Past, scale: Scale) -> Verdict:
    """Return the verdict on a day of the week that was seen too rarely: only what is gross is out of the ordinary."""
    loose = _by_thumb(verdict.metric, value, past, scale)
    if loose.is_anomaly:
        return loose
    seen = len(past.alike())
    return Verdict(
        verdict.metric, "not enough history", value, None, None, f"its weekday was seen {seen} times", verdict.n
    )


def _verdict(metric: str, value: float, ends: tuple[float, float], scale: Scale, by: tuple[str, int]) -> Verdict:
    low = None if scale.sides == "above" else ends[0]
    is_out = value > ends[1] or (low is not None and value < low)
    return Verdict(metric, "anomaly" if is_out else "normal", value, low, ends[1], *by)


def _expected(past: Past, scale: Scale) -> _Expected:
    values = np.array([scale.to(value) for value in past.values])
    centre = float(np.median(values))
    plain = values - centre
    if past.is_daily:
        seasonal = _by_weekday(values, past)
        if seasonal is not None and np.abs(seasonal[1]).mean() < _SEASONAL * np.abs(plain).mean():
            return _Expected(*seasonal, "robust z of its weekday")
    return _Expected(centre, plain, "robust z")


def _by_weekday(values: Floats, past: Past) -> tuple[float, Floats] | None:
    """Return the median of the new value's weekday, and how far each past value lay from the others of its own."""
    days = np.array([moment.weekday() for moment in past.at])
    mine = values[days == past.now.weekday()]
    residuals = []
    for place, day in enumerate(days):
        others = np.delete(values, place)[np.delete(days, place) == day]
        if len(others) >= _FEWEST_ALIKE - 1:
            residuals.append(values[place] - float(np.median(others)))
    if len(mine) < _FEWEST_ALIKE or len(residuals) < _FEWEST_RESIDUALS:
        return None
    return float(np.median(mine)), np.array(residuals)


def _critical(n: int, alpha: float, sides: str) -> float:
    from scipy import special

    tail = alpha if sides == "above" else alpha / 2
    return float(-special.stdtrit(_FREEDOM * n, tail))


def _ratio(below: float, above: float) -> Callable[[float], tuple[float, float]]:
    return lambda middle: (middle * below, middle * above)


def within(by: float) -> Callable[[float], tuple[float, float]]:
    """Return the ends of the shares that lie so near to a share."""
    return lambda middle: (max(middle - by, 0.0), min(middle + by, 1.0))


def _from_angle(angle: float) -> float:
    return math.sin(min(max(angle, 0.0), math.pi / 2)) ** 2


ROWS = Scale(math.log1p, math.expm1, 0.02, _ratio(0.8, 1.25), _ratio(1 / 3, 3.0))
HOURS = Scale(
    lambda hours: math.log(max(hours, 0.0) + 1.0), math.expm1, 0.1,
    lambda middle: (0.0, 2.0 * middle + 1.0), lambda middle: (0.0, 5.0 * middle + 24.0), "above",
)  # fmt: skip
SHARE = Scale(lambda share: math.asin(math.sqrt(share)), _from_angle, 0.005, within(0.02), within(0.5))
DISTANCE = Scale(
    float, float, 0.02,
    lambda middle: (0.0, max(0.1, middle + 0.05)), lambda middle: (0.0, max(0.8, 3.0 * middle)), "above", 4.0,
)  # fmt: skip
NEW_VALUES = Scale(
    lambda share: math.asin(math.sqrt(share)), _from_angle, 0.02, within(0.01), within(0.1), "above",
)  # fmt: skip


def plain_scale(values: Sequence[float]) -> Scale:
    """Return how a metric of which nothing is known is compared: as it is, nearer than a hundredth is the same."""
    size = float(np.median(np.abs(values))) if len(values) else 0.0
    least = max(size * 0.01, 1e-12)
    return Scale(float, float, least, lambda middle: (middle - least, middle + least), None)
