"""Expectations on which values a column has, and how often."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from undrift.data.quality.arguments import Arguments
from undrift.data.quality.expressions import Aggregate, Expression, as_float, compare, literal, sure
from undrift.data.quality.measures import Make
from undrift.data.quality.rules import Finding, Measure, Numbers
from undrift.data.quality.suite import BadSuite
from undrift.data.quality.values import values_of

Weights = npt.NDArray[np.float64]
_MOST_LISTED = 20
_CLOSE = 1e-4
_SUM_CLOSE = 1e-5
_PAIR = 2


def _quantiles(arguments: Arguments, where: Expression | None) -> Measure:
    wanted = arguments.need("quantile_ranges")
    if not isinstance(wanted, Mapping) or not {"quantiles", "value_ranges"} <= set(wanted):
        raise BadSuite("quantile_ranges needs quantiles and value_ranges", cure="give both, of one length")
    shares, ranges = list(wanted["quantiles"]), list(wanted["value_ranges"])
    if len(shares) != len(ranges) or any(len(one) != _PAIR for one in ranges):
        raise BadSuite("quantiles and value_ranges are of different lengths", cure="give one range for each quantile")
    if not all(isinstance(share, int | float) and 0 <= share <= 1 for share in shares):
        raise BadSuite("a quantile is not between 0 and 1", cure="write shares such as 0.25")
    if arguments.kind() != "number":
        raise BadSuite(f"the column {arguments.need('column')!r} does not hold numbers", cure="drop the expectation")
    way = _INTERPOLATIONS.get(str(arguments.get("allow_relative_error") or "nearest"))
    if way is None:
        raise BadSuite("allow_relative_error is no interpolation", cure=f"write one of {', '.join(_INTERPOLATIONS)}")
    value = as_float(arguments.column())
    numbers = {
        "around": Aggregate("quantiles", value, where, tuple(float(share) for share in shares)),
        "present": Aggregate("present", value, where),
    }

    def judge(found: Numbers) -> Finding:
        places = [share * (found["present"] - 1) for share in shares]
        values = [_between(place, around, way) for place, around in zip(places, found["around"], strict=True)]
        good = [_in_range(value, *ends) for value, ends in zip(values, ranges, strict=True)]
        return Finding(all(good), {"quantiles": shares, "values": values}, {"details": {"success_details": good}})

    return Measure(numbers, judge)


def _nearest(place: float) -> float:
    """Return 1 when the value above is nearer; half-way the one at the even place, as numpy does."""
    fraction = place - math.floor(place)
    if fraction == 0.5:  # noqa: PLR2004
        return float(math.floor(place) % 2)
    return float(fraction > 0.5)  # noqa: PLR2004


_INTERPOLATIONS: Mapping[str, Callable[[float], float]] = {
    "nearest": _nearest,
    "linear": lambda place: place - math.floor(place),
    "lower": lambda _: 0.0,
    "higher": lambda _: 1.0,
    "midpoint": lambda place: 0.5 if place != math.floor(place) else 0.0,
}


def _between(place: float, around: Sequence[float | None], way: Callable[[float], float]) -> float | None:
    low, high = around
    if low is None or high is None:
        return None
    share = way(place)
    return low if share == 0 else high if share == 1 else low + share * (high - low)


def _in_range(value: float | None, low: float | None, high: float | None) -> bool:
    if value is None:
        return False
    least, most = -math.inf if low is None else low, math.inf if high is None else high
    return least <= value <= most or _is_close(value, least) or _is_close(value, most)


def _is_close(value: float, bound: float) -> bool:
    return math.isfinite(bound) and bool(np.isclose(value, bound, rtol=_CLOSE, atol=1e-8))


def _distinct(*, unknown_allowed: bool, missing_allowed: bool) -> Make:
    def measure(arguments: Arguments, where: Expression | None) -> Measure:
        wanted = arguments.items("value_set")
        if not wanted and not unknown_allowed and missing_allowed:
            raise BadSuite("value_set is empty", cure="name the values that may occur")
        known = arguments.values("value_set")
        dtype = arguments.dtype()
        impossible = [value for value in wanted if value is not None and not values_of([value], dtype)]

        def judge(found: Numbers) -> Finding:
            values = set(found["values"])
            unknown = [] if unknown_allowed else sorted(values - set(known))
            missing = [] if missing_allowed else [*(value for value in known if value not in values), *impossible]
            details = {
                **({} if unknown_allowed else _listed("unexpected_count", "partial_unexpected_list", unknown)),
                **({} if missing_allowed else _listed("missing_count", "partial_missing_list", missing)),
            }
            return Finding(not unknown and not missing, None, details)

        return Measure({"values": Aggregate("values", arguments.column(), where)}, judge)

    return measure


def _listed(count: str, names: str, values: Sequence[object]) -> dict[str, object]:
    return {count: len(values), names: list(values[:_MOST_LISTED])}


def _most_common(arguments: Arguments, where: Expression | None) -> Measure:
    known, ties = set(arguments.values("value_set")), bool(arguments.get("ties_okay"))

    def judge(found: Numbers) -> Finding:
        counts = found["counts"]
        most = max(counts.values(), default=0)
        common = sorted(value for value, count in counts.items() if count == most)
        good = known.intersection(common)
        return Finding(bool(good) if ties else len(common) == 1 and len(good) == 1, common)

    return Measure({"counts": Aggregate("value_counts", arguments.column(), where)}, judge)


@dataclass(frozen=True, slots=True)
class Partition:
    """A distribution to compare with: weights of values, or of the spans between ends.

    Attributes
    ----------
    weights : sequence of float
        Their sum, that of the tails included, is 1.
    values : sequence of object or None
        The values, for a discrete distribution.
    bins : sequence of float or None
        The ends, one more than weights, for a continuous one; the outer ones may be infinite.
    tails : tuple of float or None
        The weights below and above the ends.
    """

    weights: Sequence[float]
    values: Sequence[Any] | None = None  # Any: cells
    bins: Sequence[float] | None = None
    tails: tuple[float, float] | None = None

    @classmethod
    def of(cls, plain: object) -> Partition:
        """Return the distribution that an argument describes.

        Raises
        ------
        BadSuite
            If it describes none.
        """
        found = dict(plain) if isinstance(plain, Mapping) else {}
        weights, values, bins = found.get("weights"), found.get("values"), found.get("bins")
        tails = found.get("tail_weights")
        total = sum(weights or ()) + sum(tails or ())
        fits = bool(weights) and (values is None) != (bins is None) and abs(total - 1) < _SUM_CLOSE
        if fits and weights is not None:
            fits = len(weights) == (len(values) if values is not None else len(bins or ()) - 1)
        if fits and bins is not None:
            bins = [_end(end) for end in bins]
            fits = all(low < high for low, high in pairwise(bins))
        if not fits or weights is None:
            raise BadSuite(
                "partition_object is no distribution",
                cure="give weights that add up to 1 with either values, or bins (one more, ascending)",
            )
        return cls(weights, values, bins, tuple(tails) if tails else None)


def _end(end: object) -> float:
    if isinstance(end, str) and end.lower() in {"inf", "-inf", "infinity", "-infinity"}:
        return float(end)
    if isinstance(end, int | float):
        return float(end)
    raise BadSuite(f"partition_object: {end!r} is no end of a bin", cure="write numbers")


@dataclass(frozen=True, slots=True)
class _Divergence:
    partition: Partition
    threshold: float | None
    inside: float
    outside: float

    def finding(self, observed: Weights, expected: Weights) -> Finding:
        found = divergence(observed, expected)
        success = self.threshold is None or (found is not None and found <= self.threshold)
        shown = {"observed": observed.tolist(), "expected": expected.tolist()}
        return Finding(success, found, {"details": {"weights": shown}})


def divergence(observed: Weights, expected: Weights) -> float | None:
    """Return the Kullback-Leibler divergence of weights from others; None where it is infinite or undefined."""
    if observed.sum() <= 0 or expected.sum() <= 0:
        return None
    p, q = observed / observed.sum(), expected / expected.sum()
    there = p > 0
    if (q[there] <= 0).any():
        return None
    return float(np.sum(p[there] * np.log(p[there] / q[there])))


def _kl_divergence(arguments: Arguments, where: Expression | None) -> Measure:
    asked = _Divergence(
        Partition.of(arguments.need("partition_object")),
        arguments.number("threshold"),
        arguments.number("internal_weight_holdout") or 0.0,
        arguments.number("tail_weight_holdout") or 0.0,
    )
    if not (0 <= asked.inside <= 1 and 0 <= asked.outside <= 1 and (asked.threshold or 0) >= 0):
        raise BadSuite("a weight held out is a share, a threshold is not negative", cure="mend the arguments")
    if asked.outside and asked.partition.tails:
        raise BadSuite("tail_weight_holdout and tail_weights exclude each other", cure="give one of them")
    if asked.partition.values is not None:
        return _discrete(arguments, where, asked)
    return _continuous(arguments, where, asked, asked.partition.bins or ())


def _discrete(arguments: Arguments, where: Expression | None, asked: _Divergence) -> Measure:
    if asked.inside:
        raise BadSuite("internal_weight_holdout is for continuous data", cure="leave it out")
    values, weights = asked.partition.values or (), asked.partition.weights

    def judge(found: Numbers) -> Finding:
        counts, total = found["counts"], sum(found["counts"].values())
        unknown = sorted(value for value in counts if value not in values)
        observed = [counts.get(value, 0) / total if total else 0.0 for value in (*values, *unknown)]
        kept = 1 - asked.outside if unknown else 1.0
        expected = [weight * kept for weight in weights] + [asked.outside / len(unknown) for _ in unknown]
        return asked.finding(np.array(observed), np.array(expected))

    return Measure({"counts": Aggregate("value_counts", arguments.column(), where)}, judge)


def _continuous(arguments: Arguments, where: Expression | None, asked: _Divergence, bins: Sequence[float]) -> Measure:
    if arguments.kind() != "number":
        raise BadSuite(f"the column {arguments.need('column')!r} does not hold numbers", cure="give values, not bins")
    if arguments.get("bucketize_data") is False:
        raise BadSuite("bins need bucketize_data", cure="leave bucketize_data out, or give values")
    open_ends = math.isinf(bins[0]), math.isinf(bins[-1])
    if any(open_ends) and (asked.partition.tails or (all(open_ends) and asked.outside)):
        raise BadSuite("a partition with infinite ends has no tails", cure="leave tail weights out")
    value = as_float(arguments.column())
    places = range(len(bins) + 1)
    numbers = {str(place): Aggregate("count", None, _in_bin(value, bins, place, where)) for place in places}

    def judge(found: Numbers) -> Finding:
        counts = np.array([found[str(place)] for place in places], dtype=np.float64)
        total = counts.sum()
        observed = counts / total if total else counts
        expected = _expected(asked, open_ends)
        kept = slice(1 if open_ends[0] else 0, len(bins) if open_ends[1] else len(bins) + 1)
        return asked.finding(observed[kept], expected)

    return Measure(numbers, judge)


def _in_bin(value: Expression, bins: Sequence[float], place: int, where: Expression | None) -> Expression:
    """Return the rows in a span between ends; the first and the last are beyond them, the last inner one is closed."""
    inside = []
    if place > 0:
        inside.append(compare("gt" if place == len(bins) else "ge", value, literal(bins[place - 1])))
    if place < len(bins):
        inside.append(compare("le" if place == len(bins) - 1 else "lt", value, literal(bins[place])))
    condition = inside[0] if len(inside) == 1 else inside[0] & inside[1]
    return sure(condition if where is None else where & condition)


def _expected(asked: _Divergence, open_ends: tuple[bool, bool]) -> Weights:
    weights = np.array(asked.partition.weights, dtype=np.float64) * (1 - asked.outside - asked.inside)
    if asked.inside and (weights == 0).any():
        weights[weights == 0] = asked.inside / int((weights == 0).sum())
    if asked.partition.tails:
        below, above = asked.partition.tails
    else:
        below = above = asked.outside if any(open_ends) else asked.outside / 2
    parts = [*([] if open_ends[0] else [[below]]), weights.tolist(), *([] if open_ends[1] else [[above]])]
    return np.array([weight for part in parts for weight in part])


DISTRIBUTIONS: Mapping[str, Make] = {
    "expect_column_quantile_values_to_be_between": _quantiles,
    "expect_column_distinct_values_to_be_in_set": _distinct(unknown_allowed=False, missing_allowed=True),
    "expect_column_distinct_values_to_contain_set": _distinct(unknown_allowed=True, missing_allowed=False),
    "expect_column_distinct_values_to_equal_set": _distinct(unknown_allowed=False, missing_allowed=False),
    "expect_column_most_common_value_to_be_in_set": _most_common,
    "expect_column_kl_divergence_to_be_less_than": _kl_divergence,
}
