"""Whether two or three columns give a numeric target exactly, as a sum or as a product.

A total stands beside its parts. Such an identity holds to the last digit, so the screen over all
pairs (of at most 200 columns) and triples (of at most 60) looks at correlations of few rows, and
what it finds is checked on all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from undrift.core.json import JSON
from undrift.evaluation.suspicion.found import Suspicion
from undrift.evaluation.suspicion.looked import Codes, Column, Floats, Looked, percent

LEAST_AGREEING = 0.99
_MOST_OF_PAIRS = 200
_MOST_OF_TRIPLES = 60
_FEWEST_ROWS = 50
_FEWEST_VALUES = 3
_SCREEN_ROWS = 2000
_SCREEN_R2 = 0.9999
_MOST_CHECKED = 10
_MOST_MISSING = 0.05
_SAME_SUM = 1e-6
_SAME_PRODUCT = 1e-5


@dataclass(frozen=True, slots=True)
class _Form:
    """Numbers in which the identity would be a straight line: themselves, or their logarithms."""

    how: str
    columns: Sequence[Column]
    x: Floats
    y: Floats


def identities(columns: Sequence[Column], looked: Looked) -> list[Suspicion]:
    """Return a suspicion of each column that takes part in an exact identity for the target."""
    if looked.target.task != "regression":
        return []
    for form in _forms(columns, looked):
        for size, most in ((2, _MOST_OF_PAIRS), (3, _MOST_OF_TRIPLES)):
            found = _exact(form, size, most)
            if found is not None:
                chosen, share = found
                return [_told([form.columns[place] for place in chosen], form, share, looked, mine) for mine in chosen]
    return []


def _forms(columns: Sequence[Column], looked: Looked) -> list[_Form]:
    usable = [
        column
        for column in columns
        if column.numbers is not None
        and not column.text
        and column.distinct >= _FEWEST_VALUES
        and column.missing.mean() <= _MOST_MISSING
    ]
    if len(usable) < 2:  # noqa: PLR2004 - an identity of one column is a copy
        return []
    x = np.column_stack([column.numbers for column in usable if column.numbers is not None])
    whole = np.isfinite(x).all(axis=1)
    x, y = x[whole], looked.y[whole]
    forms = [_Form("the sum of multiples of", usable, x, y)]
    positive = np.flatnonzero((x > 0).all(axis=0))
    if len(positive) > 1 and (y > 0).all():
        kept = [usable[place] for place in positive]
        forms.append(_Form("the product of powers of", kept, np.log(x[:, positive]), np.log(y)))
    return forms if len(y) >= _FEWEST_ROWS and np.ptp(y) > 0 else []


def _exact(form: _Form, size: int, most: int) -> tuple[Codes, float] | None:
    """Return the columns that give the target to the last digit, and in which share of rows."""
    some = np.random.default_rng(0).permutation(len(form.y))[:_SCREEN_ROWS]
    x, y = form.x[some] - form.x[some].mean(axis=0), form.y[some] - form.y[some].mean()
    spread = np.sqrt((x**2).sum(axis=0))
    varying = np.flatnonzero(spread > 1e-12 * np.maximum(1.0, np.abs(form.x[some]).max(axis=0)))
    if len(varying) < size or not (y**2).sum():
        return None
    x = x[:, varying] / spread[varying]
    to_y = x.T @ y / np.sqrt((y**2).sum())
    strongest = np.argsort(-np.abs(to_y), kind="stable")[:most]
    explained, sets = _explained(x[:, strongest], to_y[strongest], size)
    for place in np.argsort(-explained, kind="stable")[:_MOST_CHECKED]:
        if explained[place] < _SCREEN_R2:
            break
        chosen = varying[strongest[sets[place]]]
        share = _agreeing(form, chosen, some)
        if share >= LEAST_AGREEING:
            return chosen, share
    return None


def _explained(x: Floats, to_y: Floats, size: int) -> tuple[Floats, Codes]:
    """Return which share of the target's variance each set of columns explains as a straight line."""
    among = x.T @ x
    sets = np.array(list(combinations(range(len(to_y)), size)), dtype=np.int64).reshape(-1, size)
    matrices = among[sets[:, :, None], sets[:, None, :]] + 1e-10 * np.eye(size)
    right = to_y[sets]
    return (right * np.linalg.solve(matrices, right[:, :, None])[:, :, 0]).sum(axis=1), sets


def _agreeing(form: _Form, chosen: Codes, some: Codes) -> float:
    design = np.column_stack([form.x[:, chosen], np.ones(len(form.y))])
    weights = np.linalg.lstsq(design[some], form.y[some], rcond=None)[0]
    said = design @ weights
    if form.how.startswith("the product"):
        return float((np.abs(np.expm1(said - form.y)) <= _SAME_PRODUCT).mean())
    return float((np.abs(said - form.y) <= _SAME_SUM * np.abs(form.y).max()).mean())


def _told(chosen: list[Column], form: _Form, share: float, looked: Looked, mine: int) -> Suspicion:
    column = form.columns[mine]
    names = [one.name for one in chosen]
    words = " and ".join((", ".join(map(repr, names[:-1])), repr(names[-1])))
    evidence = (
        f"{looked.target.column!r} is {form.how} {words} in {percent(share)} of {len(form.y):,} rows{looked.sample}"
    )
    listed: list[JSON] = [*names]
    return Suspicion(column.name, "derived", evidence, {"together": listed, "agreeing": share, "rows": len(form.y)})
