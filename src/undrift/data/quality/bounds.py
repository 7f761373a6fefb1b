"""Bounds for a column of numbers: how far beyond what was seen the next good batch may go.

Each end of a column gets room by how its tail falls off, told by the quantiles at 95 and 99 % and the extreme (at
the lower end 5 and 1 %).

**Light tails** (normal, uniform, exponential). The room is eight times the scale of the tail, and at least the
distance between the quartiles. The greatest values of two samples of one size from an exponential tail of scale s
differ by more than 8 s in one of 2,982 pairs on a side; lighter tails differ less. Beyond one room is a warning,
beyond two a fault.

**Heavy tails** (amounts, incomes) are given room by a factor, for which the same holds of logarithms of the distance
from the median (the index of a Pareto tail). Beyond it is a fault; nearer bounds would be crossed by good values.

**Ends** at which many values lie (a scale from 1 to 5, visibility up to 10 miles) are ends: a warning beyond.

**Zero** is an end where nothing is below it and the column is a measure: whole numbers, amounts with a heavy tail,
columns with zeros or with a name of measures; but not where the name speaks of what may be negative (temperature,
balance, change).

References
----------
Embrechts, Klüppelberg, Mikosch, "Modelling Extremal Events" (1997), sections 3.3 and 6.4.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from undrift.data.profile import QUANTILES, ColumnProfile

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_SIGNED = frozenset(
    "temp temperature celsius fahrenheit degrees dewp lat latitude lon lng long longitude balance change delta diff "  # noqa: SIM905
    "difference deviation residual error growth net profit margin return gain loss offset shift logit".split()
)
_MEASURES = frozenset(
    "age amount cost count distance duration fare fee height income length number num price quantity qty rate salary "  # noqa: SIM905
    "size speed sum tenure total visits volume wage weight width years".split()
)
_SCALES = 8.0  # of the tail
_FAR = 2  # rooms
# A tail is heavy when it leaves the upper quartile by so many distances of the quartiles, when it falls off so much
# more slowly the further out (1 for an exponential tail; quantiles of few rows are noisy), or when its extreme lies
# so much further out.
_HEAVY, _CURVED, _NOISE, _SPRUNG = 3.0, 1.1, 6.0, 2.0
_UNKNOWN_INDEX = 0.5  # of a tail that begins beyond the quantile at 99 %
_LEAST_FACTOR, _GREATEST_FACTOR = 4.0, 100.0  # of small counts; of tails so heavy that nothing would be beyond
_SEASON = 0.3  # standard deviations
_END_SHARE = 0.05
_END_ROWS, _NAMED_ROWS = 20, 10  # how many would lie beyond; how many share a value that may be told
_FIVE = math.log(5)  # of how much rarer values beyond 99 % are than beyond 95 %
_Q01, _Q05, _Q25, _Q50, _Q75, _Q95, _Q99 = range(len(QUANTILES))


@dataclass(frozen=True, slots=True)
class Bounds:
    """What values of a column are expected to lie between.

    Attributes
    ----------
    near, far : tuple of (float, float)
        Below and above these a value is to be looked at, and is wrong.
    middle : tuple of (float, float)
        The quartiles: between them lies half of what was seen.
    mean : tuple of (float, float) or None
        Where the mean of a good batch lies; None where a tail is heavy.
    bulk : tuple of (float, float) or None
        Where at least half of a good batch lies, whatever its tails; None where the quartiles are one value.
    is_measure : bool
        Whether zero is its natural lower end.
    ends : bool
        Whether both bounds are ends at which values lie.
    """

    near: tuple[float, float]
    far: tuple[float, float]
    middle: tuple[float, float]
    mean: tuple[float, float] | None
    bulk: tuple[float, float] | None
    is_measure: bool
    ends: bool


@dataclass(frozen=True, slots=True)
class _Upward:
    """A column, or the same turned over, looked at from its upper end."""

    quantiles: tuple[float, ...]
    levels: tuple[float, ...]
    extreme: float

    @property
    def between(self) -> float:
        return self.quantiles[_Q75] - self.quantiles[_Q25]

    @property
    def shoulder(self) -> float:
        return self.quantiles[_Q95] - self.quantiles[_Q75]

    @property
    def tail(self) -> float:
        return self.quantiles[_Q99] - self.quantiles[_Q95]


@dataclass(frozen=True, slots=True)
class _Side:
    near: float
    far: float
    is_heavy: bool
    is_end: bool


def bounds_of(column: ColumnProfile, rows: int) -> Bounds | None:
    """Return the bounds that a column suggests; None where there is nothing to go by: no numbers, or one only.

    Parameters
    ----------
    column : ColumnProfile
        The column, with its quantiles.
    rows : int
        Rows of the table.
    """
    low, high = column.minimum, column.maximum
    if not (column.quantiles and isinstance(low, int | float) and isinstance(high, int | float)) or low == high:
        return None  # infinite extremes are texts in a profile: no room can be given to them
    known = rows - column.missing
    upward = _Upward(column.quantiles, column.levels, float(high))
    downward = _Upward(_mirrored(column.quantiles), _mirrored(column.levels), -float(low))
    above, mirrored = _side(upward, downward, known), _side(downward, upward, known)
    below = _Side(-mirrored.near, -mirrored.far, mirrored.is_heavy, mirrored.is_end)
    is_measure = low >= 0 and _is_measure(column, above)
    q25, q75 = column.quantiles[_Q25], column.quantiles[_Q75]
    near, far = (below.near, above.near), (below.far, above.far)
    if low >= 0:
        near = (max(0.0, near[0]), near[1])
    if high <= 0:
        near = (near[0], min(0.0, near[1]))
    if is_measure:
        far = (max(0.0, far[0]), far[1])
    return Bounds(
        near=near,
        far=far,
        middle=(q25, q75),
        mean=None if above.is_heavy or below.is_heavy else _mean(column, known),
        bulk=_bulk(q25, q75, is_measure=is_measure) if q25 < q75 else None,
        is_measure=is_measure,
        ends=above.is_end and below.is_end,
    )


def _mirrored(ascending: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(-value for value in reversed(ascending))


def _side(column: _Upward, other: _Upward, known: int) -> _Side:
    """Return the bounds at the upper end; the other end, turned over, tells whether tails are heavy."""
    extreme, q99 = column.extreme, column.quantiles[_Q99]
    rarer = math.log(max(known / 100, math.e))  # of how much rarer the extreme is than what lies beyond 99 %
    is_end = _is_end(column.levels, extreme, known)
    if _is_heavy(column, other, known, rarer):
        reach = (extreme - column.quantiles[_Q50]) * _factor(column, rarer)
        edge = _above(column.quantiles[_Q50] + reach, reach)
        return _Side(extreme if is_end else edge, edge, is_heavy=True, is_end=is_end)
    room = max(column.between, _SCALES * _scale(column.tail / _FIVE, (extreme - q99) / rarer))
    near = extreme if is_end else _above(extreme + room, room)
    return _Side(near, _above(extreme + _FAR * room, room), is_heavy=False, is_end=is_end)


def _scale(nearer: float, further: float) -> float:
    """Return the scale of the tail beyond the extreme; a tail that falls off more slowly further out goes on so."""
    return max(nearer, further * max(1.0, further / nearer) if nearer > 0 else further)


def _is_heavy(column: _Upward, other: _Upward, known: int, rarer: float) -> bool:
    falls_slowly = column.tail > column.shoulder
    return _looks_heavy(column, known, rarer) or (falls_slowly and _looks_heavy(other, known, rarer))


def _looks_heavy(column: _Upward, known: int, rarer: float) -> bool:
    q75, q99 = column.quantiles[_Q75], column.quantiles[_Q99]
    return (
        q99 - q75 > _HEAVY * column.between
        or column.tail > (_CURVED + _NOISE / math.sqrt(known)) * column.shoulder
        or column.extreme - q99 > _SPRUNG * rarer * max(column.tail / _FIVE, column.between / _HEAVY)
    )


def _factor(column: _Upward, rarer: float) -> float:
    """Return how many times further from the median than the extreme was the next one may be.

    The exponent is the index of the tail, the inverse of Pareto's, by the distances from the median.
    """
    middle = column.quantiles[_Q50]
    at_95, at_99, extreme = column.quantiles[_Q95] - middle, column.quantiles[_Q99] - middle, column.extreme - middle
    found = [math.log(at_99 / at_95) / _FIVE] if at_95 > 0 else []
    found += [math.log(extreme / at_99) / rarer] if at_99 > 0 else [_UNKNOWN_INDEX]
    return min(max(math.exp(_SCALES * max(found)), _LEAST_FACTOR), _GREATEST_FACTOR)


def _is_end(levels: tuple[float, ...], extreme: float, known: int) -> bool:
    """Say whether values end here, rather than become rare: were they to go on as they fall, some were beyond."""
    at = sum(level == extreme for level in levels)
    if at < _END_SHARE * len(levels) or known * at < _NAMED_ROWS * len(levels):
        return False
    others = [level for level in levels if level != extreme]
    before = sum(level == others[-1] for level in others) if others else 1
    return known * at / len(levels) * (at / before) >= _END_ROWS


def _is_measure(column: ColumnProfile, above: _Side) -> bool:
    words = {word.lower() for word in _WORD.findall(column.name)}
    if words & _SIGNED:
        return False
    is_whole = column.type == "int" or all(level.is_integer() for level in column.levels)
    return is_whole or above.is_heavy or column.zeros > 0 or bool(words & _MEASURES)


def _mean(column: ColumnProfile, known: int) -> tuple[float, float]:
    mean, sd = column.mean or 0.0, column.sd or 0.0
    noise = sd * (_SEASON + 5 * math.sqrt(2 / known))
    q25, q75 = column.quantiles[_Q25], column.quantiles[_Q75]
    step = q75 - q25 or sd
    return -_above(-min(q25, mean - noise), step / 5), _above(max(q75, mean + noise), step / 5)


def _bulk(q25: float, q75: float, *, is_measure: bool) -> tuple[float, float]:
    if is_measure and q25 > 0:
        return -_above(-q25 / 3, q25 / 3), _above(3 * q75, q75)
    low, high = q25 - 3 * (q75 - q25), q75 + 3 * (q75 - q25)
    return -_above(-low, q75 - q25), _above(high, q75 - q25)


def _above(bound: float, room: float) -> float:
    """Return the next number above a bound that is easy to read: up to a quarter of the room more."""
    if room <= 0:
        return bound
    unit = 10.0 ** math.floor(math.log10(room))
    step = unit * (0.2 if room < 2 * unit else 0.5 if room < 5 * unit else 1.0)
    return float(f"{math.ceil(round(bound / step, 9)) * step:.12g}")
