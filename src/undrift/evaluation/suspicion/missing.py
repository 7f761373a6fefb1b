"""Whether a column is filled, or missing, only for one class.

A cancellation date stands only with those who cancelled. Asked is how many rows of other classes
are among the filled (or the missing) ones, against how many would be there if filling had nothing
to do with the target.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import binom

from undrift.core.json import JSON
from undrift.evaluation.suspicion.found import Suspicion
from undrift.evaluation.suspicion.looked import Column, Floats, Looked, Mask, percent

MOST_OF_EXPECTED = 0.1
MOST_CHANCE = 1e-6
"""Of one column and class: two hundred columns and twenty classes are asked both ways."""
LEAST_OF_CLASS = 0.05
_SAME_NUMBER = 0.05


def filled(column: Column, looked: Looked) -> Suspicion | None:
    """Return the suspicion that a column is filled or missing only for one class, None where it is not."""
    share = column.missing.mean()
    if share in (0.0, 1.0):
        return None
    y, words = _classes(looked)
    if y is None:
        return None
    for what, mask in (("filled", ~column.missing), ("missing", column.missing)):
        inside = np.bincount(y[mask].astype(np.int64), minlength=int(y.max()) + 1)
        label = int(inside.argmax())
        if _only(mask, y == label, looked):
            return _told(column, looked, (what, mask, y == label), words)
    return None


def _classes(looked: Looked) -> tuple[Floats | None, tuple[str, str]]:
    """Return the classes and words for one and for the others; a number that recurs is one against all others."""
    if looked.target.task != "regression":
        return looked.y, ("rows of one class", "the other classes")
    values, counts = np.unique(looked.y, return_counts=True)
    commonest = values[counts.argmax()]
    if counts.max() < _SAME_NUMBER * len(looked.y):
        return None, ("", "")
    return (looked.y == commonest).astype(np.float64), ("rows on one side of the commonest value", "the other side")


def _only(mask: Mask, mine: Mask, looked: Looked) -> bool:
    """Return whether so few rows of other classes are among these that it is neither chance nor a tendency."""
    others = mask & ~mine
    expected = mask.sum() * (~mine).mean()
    if mask[mine].mean() < LEAST_OF_CLASS or others.sum() > MOST_OF_EXPECTED * expected:
        return False
    units, units_of_others = (len(np.unique(looked.units[part])) for part in (mask, others))
    return bool(binom.cdf(units_of_others, units, (~mine).mean()) <= MOST_CHANCE)


def _told(column: Column, looked: Looked, found: tuple[str, Mask, Mask], words: tuple[str, str]) -> Suspicion:
    what, mask, mine = found
    rows, others = int(mask.sum()), int((mask & ~mine).sum())
    expected = rows * float((~mine).mean())
    evidence = (
        f"{column.name!r} is {what} only for {words[0]} of {looked.target.column!r}: of {rows:,} rows where it is "
        f"{what}, {others:,} are of {words[1]}, {expected:,.0f} would be if that had nothing to do with it; it is "
        f"{what} for {percent(float(mask[mine].mean()))} of the one and {percent(float(mask[~mine].mean()))} of the "
        f"others{looked.sample}"
    )
    numbers: dict[str, JSON] = {
        "what": what,
        "rows": rows,
        "rows_of_others": others,
        "expected_of_others": expected,
        "share_of_the_class": float(mask[mine].mean()),
        "share_of_others": float(mask[~mine].mean()),
    }
    return Suspicion(column.name, "filled", evidence, numbers)
