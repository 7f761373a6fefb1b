"""What a model leans on: how much worse it gets when one column's cells are dealt out anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import polars as pl
from scipy import stats as distributions

from undrift.core.json import JSON
from undrift.evaluation.diagnosis.associations import partners
from undrift.evaluation.diagnosis.judged import TOO_FEW, Array, Ints, Judged
from undrift.stats.clusters import ClusterEstimate, Units, estimate_from, units_of
from undrift.stats.intervals import FEWEST_UNITS, Interval
from undrift.stats.metrics import UndefinedMetric

Scorer: TypeAlias = Callable[[pl.DataFrame], Array]

LEVEL = 0.95
METHOD = "permutation, jackknife-t over units"
_FEWEST_MINORITY = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much work importance may be; counted in rows, not in seconds, so that it is the same again.

    Attributes
    ----------
    rows, fewest_rows : int
        So many rows are sampled: fewer where there are many columns, up to five times as many where a class is rare.
    scored : int
        So many rows are scored in all, over columns and repeats, as far as the other bounds let it.
    most_repeats : int
        No column is dealt out more often.
    most_columns : int
        Of more columns the first are looked at.
    seed : int
        Of the sample and the permutations.
    """

    rows: int = 2000
    fewest_rows: int = 500
    scored: int = 24_000
    most_repeats: int = 5
    most_columns: int = 200
    seed: int = 0

    def sample(self, columns: int) -> int:
        """Return how many rows are sampled for so many columns."""
        return min(self.rows, max(self.fewest_rows, self.scored // max(1, columns)))

    def repeats(self, rows: int, columns: int) -> int:
        """Return how often each column is dealt out."""
        return max(1, min(self.most_repeats, self.scored // (rows * max(1, columns))))


def importance(
    frame: pl.DataFrame,
    names: Sequence[str],
    judged: Judged,
    score: Scorer,
    effort: Effort = Effort(),
) -> dict[str, JSON]:
    """Return for each raw column the drop in the gate's metric when its cells are permuted, most important first.

    Parameters
    ----------
    frame : DataFrame
        The holdout as it came in, before any preparation.
    names : sequence of str
        The columns that the model learnt from.
    judged : Judged
        Labels, units and the metric.
    score : callable
        The stored model: from rows to scores as metrics take them; called once a column and once before.
    effort : Effort
        Bounds of the work, and its seed.

    Notes
    -----
    A drop is the mean over repeats. Its interval adds two variances: the jackknife over units of that mean, and the
    scatter of the repeats over their number. Columns that tell the same share their importance: each alone can be
    missed. They are named as ``goes_with``.

    References
    ----------
    Breiman (2001), Machine Learning 45; Fisher, Rudin, Dominici (2019), JMLR 20(177).
    """
    rng = np.random.default_rng(effort.seed)
    looked = list(names)[: effort.most_columns]
    kept = _sampled(judged, effort.sample(len(looked)), rng)
    rows = frame[kept]
    part = replace(judged, y=judged.y[kept], units=judged.units[kept], scores=score(rows))
    repeats = effort.repeats(len(kept), len(looked))
    if part.metric.parts is None and part.metric.name != "auc":
        repeats = min(repeats, 2)  # without sums by unit the jackknife computes the metric 50 times anew
    found = [_column(rows, name, part, score, rng.permuted(_places(repeats, len(kept)), axis=1)) for name in looked]
    together = partners(rows.select(looked))
    columns: list[JSON] = [
        {"column": name, "drop": drop.as_json(), "goes_with": together[name]}
        for name, drop in sorted(zip(looked, found, strict=True), key=lambda one: (-one[1].estimate, one[0]))
    ]
    return {
        "metric": judged.metric.name,
        "rows": len(kept),
        "of_rows": judged.rows,
        "repeats": repeats,
        "columns": columns,
        "not_looked_at": len(names) - len(looked),
    }


def _places(repeats: int, rows: int) -> Ints:
    return np.tile(np.arange(rows), (repeats, 1))


def _sampled(judged: Judged, wanted: int, rng: np.random.Generator) -> Ints:
    """Return positions of a plain random sample, larger where a class would have fewer than 100 rows in it."""
    if judged.task == "binary":
        rare = min(judged.y.mean(), 1 - judged.y.mean())
        wanted = int(max(wanted, min(_FEWEST_MINORITY / max(rare, 1e-9), 5 * wanted)))
    if judged.rows <= wanted:
        return np.arange(judged.rows)
    return np.sort(rng.choice(judged.rows, wanted, replace=False))


def _column(rows: pl.DataFrame, name: str, part: Judged, score: Scorer, dealt: Ints) -> Interval:
    """Return the drop of one column, all its repeats scored in one call."""
    stacked = pl.concat([rows.with_columns(rows[name].gather(order)) for order in dealt])
    answers = np.split(score(stacked), len(dealt))
    codes, count = units_of(part.units, part.rows)
    if count < FEWEST_UNITS:
        return _bare(part, answers, count)
    units = Units(codes, count)
    better = part.metric.greater_is_better
    try:
        made = [
            estimate_from(part.metric, part.y, (part.scores, worse) if better else (worse, part.scores), units)
            for worse in answers
        ]
    except UndefinedMetric:
        return _bare(part, answers, count)
    return _pooled(made, part, count)


def _pooled(made: Sequence[ClusterEstimate], part: Judged, count: int) -> Interval:
    estimates = np.array([one.estimate for one in made])
    mean = replace(made[0], estimate=float(estimates.mean()), left_out=np.mean([one.left_out for one in made], axis=0))
    scatter = float(estimates.var(ddof=1)) / len(made) if len(made) > 1 else 0.0
    half = float(distributions.t.ppf((1 + LEVEL) / 2, mean.freedom)) * (mean.standard_error**2 + scatter) ** 0.5
    return Interval(
        mean.estimate, mean.estimate - half, mean.estimate + half, LEVEL, METHOD, part.rows, count, part.unit_name
    )


def _bare(part: Judged, answers: Sequence[Array], count: int) -> Interval:
    """Return the drop without an interval; zero where the metric has no value on these rows."""
    sign = 1.0 if part.metric.greater_is_better else -1.0
    try:
        drops = [sign * (part.metric(part.y, part.scores) - part.metric(part.y, worse)) for worse in answers]
    except UndefinedMetric:
        drops = [0.0]
    drop = float(np.mean(drops))
    return Interval(drop, drop, drop, 0.0, TOO_FEW, part.rows, count, part.unit_name)
