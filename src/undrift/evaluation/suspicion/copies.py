"""Whether a column is the target again, recoded, or a function of it."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
from scipy.optimize import linear_sum_assignment

from undrift.core.json import JSON
from undrift.evaluation.suspicion.found import Suspicion
from undrift.evaluation.suspicion.looked import Codes, Column, Floats, Looked, percent
from undrift.stats.intervals import wilson
from undrift.stats.metrics import auc, mid_ranks

LEAST_AGREEING = 0.93
"""Of each class: a copy may have a few per cent of noise."""
LEAST_AGREEING_BOUND = 0.8
LEAST_RIGHTED = 0.6
LEAST_RANK = 0.998
LEAST_APART = 0.995
FEWEST_VALUES = 20
FEWEST_ROWS = 30
_FEWEST_OF_A_CLASS = 10
_MOST_BUCKETS = 50
_WIDEST_CUT = 10.0
_NEAR = 20
_SLACK = 0.005
_LEAST_FILLED = 0.5
_LEAST_STEM = 4
_GENERIC = frozenset(
    re.findall(r"\w+", "is has was the flag target label class value code text name status type indicator ind bool y")
)
_ENDINGS = re.compile(r"(ed|ing|er|ion|s|d|e)$")


def copies(column: Column, looked: Looked) -> Suspicion | None:
    """Return the suspicion that a column equals the target up to recoding, or is a function of it."""
    if len(looked.y) < FEWEST_ROWS or (~column.missing).mean() < _LEAST_FILLED:
        return None
    if looked.target.task != "regression":
        return _recoded(column, looked) or _cut(column, looked)
    if column.numbers is not None and min(column.distinct, len(np.unique(looked.y[looked.some]))) >= FEWEST_VALUES:
        found = _shifted(column, looked) or _scaled(column, looked) or _monotone(column, looked)
        if found is not None:
            return found
    return _buckets(column, looked)


def resemble(name: str, target: str) -> bool:
    """Return whether two columns' names share a word, apart from endings and from words such as ``flag``."""
    mine, other = _stems(name), _stems(target)
    return any(
        first.startswith(second) or second.startswith(first)
        for first in mine
        for second in other
        if min(len(first), len(second)) >= _LEAST_STEM
    )


def _stems(name: str) -> set[str]:
    words = re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower()
    return {_ENDINGS.sub("", word) or word for word in re.split(r"[\W_]+", words) if word and word not in _GENERIC}


def _recoded(column: Column, looked: Looked) -> Suspicion | None:
    """Return the suspicion that each value stands for one class."""
    if column.codes is None or not looked.classes <= column.distinct + int(column.missing.any()) <= looked.classes + 3:
        return None
    counts = np.zeros((int(column.codes.max()) + 2, looked.classes))
    np.add.at(counts, (column.codes + 1, looked.y.astype(np.int64)), 1.0)
    # Which value stands for which class: the pairing with most rows in agreement.
    value, label = linear_sum_assignment(-counts)
    agreeing, sizes = np.zeros(looked.classes), counts.sum(axis=0)
    agreeing[label] = counts[value, label]
    known = sizes >= _FEWEST_OF_A_CLASS
    if known.sum() < 2 or (agreeing[known] / sizes[known]).min() < LEAST_AGREEING:  # noqa: PLR2004 - two are the least
        return None
    bound = min(wilson(int(a), int(n)).low for a, n in zip(agreeing[known], sizes[known], strict=True))
    righted = 1 - (sizes.sum() - agreeing.sum()) / (sizes.sum() - sizes.max())
    alike = resemble(column.name, looked.target.column)
    if not alike and (righted < LEAST_RIGHTED or bound < LEAST_AGREEING_BOUND):
        return None
    share = float(agreeing.sum() / sizes.sum())
    evidence = (
        f"{column.name!r} is {looked.target.column!r} in other words: each of its values stands for one class in "
        f"{percent(share)} of {int(sizes.sum()):,} rows{looked.sample}"
    ) + ("; the names are alike" if alike else "")
    numbers: dict[str, JSON] = {
        "agreeing": share,
        "least_of_a_class": float((agreeing[known] / sizes[known]).min()),
        "rows": int(sizes.sum()),
        "names_alike": alike,
    }
    return Suspicion(column.name, "copies", evidence, numbers)


def _cut(column: Column, looked: Looked) -> Suspicion | None:
    """Return the suspicion that classes are a number cut into pieces: they meet at the cuts and do not overlap."""
    if column.numbers is None or column.text or column.distinct < FEWEST_VALUES:
        return None
    seen = ~column.missing
    numbers, y = column.numbers[seen], looked.y[seen].astype(np.int64)
    sizes = np.bincount(y, minlength=looked.classes)
    if sizes.min() < FEWEST_VALUES:
        return None
    low = np.array([numbers[y == label].min() for label in range(looked.classes)])
    high = np.array([numbers[y == label].max() for label in range(looked.classes)])
    order = np.argsort(low)
    gaps = low[order][1:] - high[order][:-1]
    ranked = np.unique(numbers)
    steps = [_step(ranked, cut) for cut in high[order][:-1]]
    if (gaps <= 0).any() or (gaps > _WIDEST_CUT * np.array(steps)).any():
        return None
    evidence = (
        f"{looked.target.column!r} is {column.name!r} cut at {looked.classes - 1} value(s): the classes do not overlap "
        f"in any of {len(y):,} rows{looked.sample}"
    )
    return Suspicion(column.name, "derived", evidence, {"cuts": looked.classes - 1, "rows": len(y)})


def _step(ranked: Floats, cut: float) -> float:
    """Return the middle distance of neighbours among the numbers around a cut."""
    place = int(np.searchsorted(ranked, cut))
    return float(np.median(np.diff(ranked[max(0, place - _NEAR) : place + _NEAR + 2])))


def _pairs(column: Column, looked: Looked) -> tuple[Floats, Floats]:
    assert column.numbers is not None
    known = np.isfinite(column.numbers)
    return column.numbers[known], looked.y[known]


def _equal(first: Floats, second: Floats) -> float:
    """Return in which share of rows two numbers agree, to the precision of single floats."""
    size = max(float(np.abs(second).max()), 1e-300)
    return float((np.abs(first - second) <= 1e-6 * size).mean())


def _shifted(column: Column, looked: Looked) -> Suspicion | None:
    x, y = _pairs(column, looked)
    for sign in (1.0, -1.0):
        shift = float(np.median(y - sign * x))
        share = _equal(sign * x + shift, y)
        if share >= LEAST_AGREEING and np.ptp(x) > 0:
            how = ("", "negated")[sign < 0] + (", shifted" if _equal(sign * x, y) < LEAST_AGREEING else "")
            evidence = (
                f"{column.name!r} equals {looked.target.column!r}{' (' + how.strip(', ') + ')' if how else ''} in "
                f"{percent(share)} of {len(x):,} rows{looked.sample}"
            )
            return Suspicion(column.name, "copies", evidence, {"agreeing": share, "rows": len(x), "sign": sign})
    return None


def _scaled(column: Column, looked: Looked) -> Suspicion | None:
    x, y = _pairs(column, looked)
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, len(x), (2, 2000))
    apart = x[first] != x[second]
    slopes = (y[first] - y[second])[apart] / (x[first] - x[second])[apart]
    slope = float(np.median(slopes))
    share = _equal(slope * x + float(np.median(y - slope * x)), y)
    if share < LEAST_AGREEING or slope == 0:
        return None
    evidence = (
        f"{looked.target.column!r} is a straight line of {column.name!r} in {percent(share)} of {len(x):,} rows"
        f"{looked.sample}"
    )
    return Suspicion(column.name, "derived", evidence, {"linear": True, "agreeing": share, "rows": len(x)})


def _monotone(column: Column, looked: Looked) -> Suspicion | None:
    assert column.numbers is not None
    some = looked.some[~np.isnan(column.numbers[looked.some])]
    if len(some) < FEWEST_ROWS or abs(_rank(column.numbers[some], looked.y[some])) < LEAST_RANK - _SLACK:
        return None
    x, y = _pairs(column, looked)
    rank = _rank(x, y)
    if abs(rank) < LEAST_RANK:
        return None
    way = "rises" if rank > 0 else "falls"
    evidence = (
        f"{looked.target.column!r} {way} with {column.name!r} almost without exception: rank correlation {rank:.5f} "
        f"over {len(x):,} rows{looked.sample}"
    )
    return Suspicion(column.name, "derived", evidence, {"rank_correlation": rank, "rows": len(x)})


def _rank(x: Floats, y: Floats) -> float:
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    return float(np.corrcoef(mid_ranks(x), mid_ranks(y))[0, 1])


def _buckets(column: Column, looked: Looked) -> Suspicion | None:
    """Return the suspicion that categories are the target cut into pieces."""
    if column.codes is None or not 2 <= column.distinct <= _MOST_BUCKETS:  # noqa: PLR2004 - two pieces are the least
        return None
    groups = [looked.y[column.codes == code] for code in range(column.distinct)]
    groups = sorted((found for found in groups if len(found) >= _FEWEST_OF_A_CLASS), key=np.median)
    if len(groups) < 2 or sum(map(len, groups)) < LEAST_AGREEING * (~column.missing).sum():  # noqa: PLR2004 - as above
        return None
    apart = [_apart(low, high) for low, high in pairwise(groups)]
    if min(apart) < LEAST_APART:
        return None
    evidence = (
        f"{column.name!r} is {looked.target.column!r} cut into {len(groups)} pieces that hardly overlap: neighbours "
        f"are told apart with an AUC of at least {min(apart):.4f} ({len(looked.y):,} rows{looked.sample})"
    )
    numbers: dict[str, JSON] = {"pieces": len(groups), "least_auc": min(apart), "rows": len(looked.y)}
    return Suspicion(column.name, "derived", evidence, numbers)


def _apart(low: Floats, high: Floats) -> float:
    labels: Codes = np.repeat([0, 1], [len(low), len(high)])
    return float(auc(labels.astype(np.float64), np.concatenate([low, high])))
