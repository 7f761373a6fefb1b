"""Where a model is clearly worse: each slice of the holdout against the rest of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from scipy import stats as distributions

from undrift.core.json import JSON
from undrift.evaluation.diagnosis.judged import Floats, Ints, Judged, finite
from undrift.evaluation.diagnosis.losses import Mask, expected, losses, name_of, shares_lose
from undrift.evaluation.diagnosis.slicing import Slicing, slicings
from undrift.evaluation.metrics import value_of
from undrift.stats.clusters import units_of
from undrift.stats.intervals import FEWEST_UNITS

ALPHA = 0.05
MARGIN = 0.05
FEWEST_ROWS = 30
MOST_ROWS = 200_000
MOST_TOLD = 20
_NOTHING = 1e-12


@dataclass(frozen=True, slots=True)
class _Rows:
    """What is known by row."""

    judged: Judged
    loss: Floats
    expected: Floats | None
    codes: Ints
    units: int

    def error(self, influence: Floats, units: int) -> float:
        """Return a cluster-robust standard error from each row's influence, corrected for so many units."""
        by_unit = np.bincount(self.codes, weights=influence, minlength=self.units)
        return float(np.sqrt((by_unit**2).sum() * units / (units - 1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """One slice against the rest; a ``*_t`` is a difference in standard errors."""

    column: str
    name: str
    inside: Mask
    here: float
    rest: float
    error: float
    freedom: float
    skill: tuple[float, float] | None
    skill_t: float
    surprise_t: float

    def quantile(self, tail: float) -> float:
        """Return Student's t quantile for a one-sided error."""
        return float(distributions.t.ppf(1 - tail, self.freedom))

    @property
    def evidence(self) -> float:
        """How many standard errors it is worse by, in the respect in which it is less so."""
        t = (self.here - self.rest) / self.error if self.error > 0 else 0.0
        return t if self.skill is None else min(t, -self.skill_t)

    @property
    def is_surprising(self) -> bool:
        """Whether the model loses more there than its own probabilities say."""
        return self.surprise_t > self.quantile(ALPHA / 2)

    def is_worse(self, margin: float, tested: int) -> bool:
        """Say whether it is clearly worse than the rest."""
        if self.error <= 0.0:
            return False
        low = self.here - self.rest - self.quantile(ALPHA / tested) * self.error
        return low > margin and (self.skill is None or self.skill_t < -self.quantile(ALPHA))


def slices(frame: pl.DataFrame, columns: Sequence[str], judged: Judged, *, seed: int = 0) -> dict[str, JSON]:
    """Return the slices of a holdout, those with the strongest evidence of being worse first.

    Parameters
    ----------
    frame : DataFrame
        The holdout.
    columns : sequence of str
        By which columns it is cut: frequent texts, quarters of numbers, missing ones.
    judged : Judged
        Labels, answers, units.
    seed : int
        Of the sample of units that is looked at where there are more than 200,000 rows.

    Notes
    -----
    Compared is the mean loss of rows (log loss or Brier score; absolute error of numbers), in the slice and in the
    rest, with a cluster-robust interval over units. *Clearly worse* is a slice when (1) the lower bound of the
    difference is above a margin of 5 % of the whole holdout's loss, at a one-sided error of 5 % for all slices
    together (Bonferroni), and (2), of classes, its skill is lower too, by a one-sided 95 % bound. Skill is the share
    of the loss of the slice's own class shares that the model saves: without (2) every slice with more even
    classes would be called worse. Slices of fewer than 30 rows or 8 units are not tested.

    A slice is *surprising* when the model loses more in it than its own probabilities expect (two-sided 95 %, by
    slice): it is over-confident there, where in another slice it may be unsure and say so.
    """
    frame, judged = _bounded(frame, judged, seed)
    codes, units = units_of(judged.units, judged.rows)
    rows = _Rows(judged, losses(judged), expected(judged), codes, units)
    cut_by = [name for name in columns if name not in judged.personal]
    found = [one for cut in slicings(frame, cut_by) for one in _of_column(cut, rows)]
    margin = MARGIN * float(rows.loss.mean())
    worse = [one.is_worse(margin, len(found)) for one in found]
    order = sorted(range(len(found)), key=lambda at: _place(found[at], is_worse=worse[at]))
    told: list[JSON] = [_as_json(found[at], rows, len(found), is_worse=worse[at]) for at in order[:MOST_TOLD]]
    return {
        "loss": name_of(judged),
        "overall": float(rows.loss.mean()),
        "margin": margin,
        "alpha": ALPHA,
        "method": "cluster-robust t over units, Bonferroni over slices",
        "tested": len(found),
        "worse": sum(worse),
        "rows": judged.rows,
        "units": units,
        "unit": judged.unit_name,
        "slices": told,
    }


def _place(one: _Found, *, is_worse: bool) -> tuple[bool, bool, float, str, str]:
    return not is_worse, not (is_worse and one.is_surprising), -one.evidence, one.column, one.name


def _bounded(frame: pl.DataFrame, judged: Judged, seed: int) -> tuple[pl.DataFrame, Judged]:
    """Return at most 200,000 rows, whole units where there are many."""
    if judged.rows <= MOST_ROWS:
        return frame, judged
    codes, count = units_of(judged.units, judged.rows)
    order = np.random.default_rng(seed).permutation(count)
    reached = np.cumsum(np.bincount(codes, minlength=count)[order])
    chosen = order[: max(FEWEST_UNITS, int(np.searchsorted(reached, MOST_ROWS, side="right")))]
    kept = np.flatnonzero(np.isin(codes, chosen))
    return frame[kept], replace(judged, y=judged.y[kept], scores=judged.scores[kept], units=judged.units[kept])


def _of_column(cut: Slicing, rows: _Rows) -> list[_Found]:
    """Return the slices of one column that can be tested."""
    found = []
    for at, name in enumerate(cut.names):
        inside = cut.codes == at
        many = int(inside.sum())
        if min(many, len(inside) - many) < FEWEST_ROWS:
            continue
        sizes = np.bincount(rows.codes[inside], minlength=rows.units).astype(np.float64)
        if np.count_nonzero(sizes) >= FEWEST_UNITS:
            found.append(_against_rest((cut.column, name), inside, sizes, rows))
    return found


def _against_rest(name: tuple[str, str], inside: Mask, sizes: Floats, rows: _Rows) -> _Found:
    here, rest = float(rows.loss[inside].mean()), float(rows.loss[~inside].mean())
    units = int(np.count_nonzero(sizes))
    skill, skill_t = _skill(inside, (here, rest), rows, units)
    return _Found(
        column=name[0],
        name=name[1],
        inside=inside,
        here=here,
        rest=rest,
        error=rows.error(_influence(rows.loss - np.where(inside, here, rest), inside), units),
        # As many degrees of freedom as units of equal size would have: a few large ones make fewer.
        freedom=max(min(float((sizes**2).sum() ** 2 / (sizes**4).sum()) - 1.0, rows.units - 1.0), 1.0),
        skill=skill,
        skill_t=skill_t,
        surprise_t=_surprise(inside, rows, units),
    )


def _influence(residual: Floats, inside: Mask) -> Floats:
    """Return each row's influence on the mean of the slice less the mean of the rest."""
    many = int(inside.sum())
    return np.where(inside, residual / many, -residual / (len(inside) - many))


def _surprise(inside: Mask, rows: _Rows, units: int) -> float:
    """Return by how many standard errors the model loses more in a slice than it expects itself."""
    if rows.expected is None:
        return 0.0
    more = np.where(inside, rows.loss - rows.expected, 0.0) / int(inside.sum())
    mean = float(more.sum())
    error = rows.error(np.where(inside, more - mean / int(inside.sum()), 0.0), units)
    return mean / error if error > 0 else 0.0


def _skill(
    inside: Mask, loss: tuple[float, float], rows: _Rows, units: int
) -> tuple[tuple[float, float] | None, float]:
    """Return the share of loss saved in the slice and in the rest, and the difference in standard errors.

    The loss of the class shares is proper: it does not change, to first order, with the shares themselves, so that
    rows have an influence on it through their own loss alone.
    """
    if rows.judged.task == "regression":
        return None, 0.0
    alone = np.empty(len(inside))
    alone[inside], alone[~inside] = shares_lose(rows.judged, inside), shares_lose(rows.judged, ~inside)
    scale, scale_rest = float(alone[inside].mean()), float(alone[~inside].mean())
    if min(scale, scale_rest) < _NOTHING:  # one class only: nothing can be saved, whatever is lost is lost
        return (-np.inf, np.inf), -np.inf if scale < _NOTHING else np.inf
    here, rest = 1 - loss[0] / scale, 1 - loss[1] / scale_rest
    saved = np.where(inside, (1 - here) * alone / scale, (1 - rest) * alone / scale_rest)
    error = rows.error(_influence(saved - rows.loss / np.where(inside, scale, scale_rest), inside), units)
    return (here, rest), (here - rest) / error if error > 0 else 0.0


def _as_json(one: _Found, rows: _Rows, tested: int, *, is_worse: bool) -> JSON:
    half = one.quantile(ALPHA / tested) * one.error
    judged, inside = rows.judged, one.inside
    means = judged.task in ("binary", "regression")
    difference = one.here - one.rest
    ends: dict[str, JSON] = {"low": difference - half, "high": difference + half, "level": 1 - 2 * ALPHA / tested}
    return {
        "column": one.column,
        "slice": one.name,
        "rows": int(inside.sum()),
        "is_worse": is_worse,
        "is_surprising": one.is_surprising,
        "loss": one.here,
        "rest": one.rest,
        "difference": {"estimate": difference, **ends},
        "expected": None if rows.expected is None else float(rows.expected[inside].mean()),
        "skill": None if one.skill is None else [finite(value) for value in one.skill],
        "metric": [value_of(judged.metric, judged.y[part], judged.scores[part]) for part in (inside, ~inside)],
        "happened": float(judged.y[inside].mean()) if means else None,
        "predicted": float(judged.scores[inside].mean()) if means else None,
    }
