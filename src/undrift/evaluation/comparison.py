"""Comparing candidates by cross-validation, and choosing one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from undrift.core.json import JSON
from undrift.evaluation.baselines import baseline_name, baseline_scores
from undrift.evaluation.candidates import check_candidates, fit
from undrift.evaluation.errors import TooLittleData
from undrift.evaluation.features import Features
from undrift.evaluation.folds import Fold, Folds
from undrift.evaluation.metrics import value_of
from undrift.evaluation.rows import Units
from undrift.evaluation.target import Target
from undrift.stats.intervals import Interval, TooFewUnits, paired_difference
from undrift.stats.metrics import Metric, UndefinedMetric, mid_ranks

Array = npt.NDArray[Any]  # Any: scores are (n,) or (n, k)
TIE_LEVEL = 0.90
_BASELINE = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with everything that judging needs, in one order."""

    frame: pl.DataFrame
    features: Features
    target: Target
    units: Units
    unit_name: str


@dataclass(frozen=True, slots=True)
class CandidateResult:
    """How one candidate did.

    Attributes
    ----------
    kind : str
        Which candidate.
    values : tuple of float or None
        The metric by fold; None where it has no value.
    mean : float
        Mean of these.
    behind : Interval or None
        By how much the best is better, over units; None for the best itself and where there
        are too few units.
    tied : bool
        Whether the data do not show the best to be better.
    """

    kind: str
    values: tuple[float | None, ...]
    mean: float
    behind: Interval | None
    tied: bool

    def as_json(self) -> dict[str, JSON]:
        """Return the result as runs keep it."""
        return {
            "kind": self.kind,
            "values": list(self.values),
            "mean": self.mean,
            "behind": self.behind.as_json() if self.behind else None,
            "tied": self.tied,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """All candidates' results and the choice.

    Attributes
    ----------
    metric, scheme : str
        What was compared, and how the folds were cut.
    results : tuple of CandidateResult
        Simplest candidate first.
    chosen : str
        The simplest candidate that ties with the best.
    reason : str
        One sentence for a person.
    baseline : CandidateResult
        How the base rate, the mean or the median did; it is never chosen.
    """

    metric: str
    scheme: str
    results: tuple[CandidateResult, ...]
    chosen: str
    reason: str
    baseline: CandidateResult

    def as_json(self) -> dict[str, JSON]:
        """Return the comparison as runs keep it."""
        return {
            "metric": self.metric,
            "scheme": self.scheme,
            "results": [result.as_json() for result in self.results],
            "chosen": self.chosen,
            "reason": self.reason,
            "baseline": self.baseline.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is asked and told while candidates are fitted.

    Attributes
    ----------
    go_on : callable
        Called before each fit; may raise to stop.
    tell : callable
        Is told in words how far it is.
    """

    go_on: Callable[[], None] = lambda: None
    tell: Callable[[str], None] = lambda _: None


def usable_folds(table: Table, folds: Folds) -> list[Fold]:
    """Return the folds whose rows to learn from hold every class.

    Raises
    ------
    TooLittleData
        If there is none.
    """
    usable = [fold for fold in folds.folds if _has_all_classes(table, fold)]
    if not usable:
        raise TooLittleData("no fold holds every class to learn from", cure="add rows, or name a candidate")
    return usable


def scores_of(kind: str, table: Table, folds: Sequence[Fold], *, seed: int = 0, watch: Watch | None = None) -> Array:
    """Return a candidate's scores of all folds' rows, each by a model that has not seen its unit.

    Parameters
    ----------
    kind : str
        The candidate.
    table : Table
        The rows; only the folds' positions are looked at.
    folds : sequence of Fold
        Usable ones.
    seed : int
        Of the fits.
    watch : Watch, optional
        Who is asked and told.
    """
    watched, parts = watch or Watch(), []
    for number, fold in enumerate(folds, 1):
        watched.go_on()
        watched.tell(f"fold {number} of {len(folds)}, {len(fold.fit):,} rows")
        fitted = fit(kind, table.frame[fold.fit], table.features, table.target, seed=seed)
        parts.append(fitted.scores(table.frame[fold.score], table.features, table.target))
    return np.concatenate(parts)


def compare(found: Mapping[str, Array], table: Table, folds: Folds, metric: Metric) -> Comparison:
    """Return the comparison of candidates by their scores on the same folds.

    Parameters
    ----------
    found : mapping of str to array
        What :func:`scores_of` gave, by candidate.
    table : Table
        The rows.
    folds : Folds
        What they were fitted and scored on.
    metric : Metric
        What decides.

    Raises
    ------
    TooLittleData
        If the metric has no value on any fold.
    """
    usable = usable_folds(table, folds)
    kinds = check_candidates(tuple(found))
    positions = np.concatenate([fold.score for fold in usable])
    y = table.target.codes(table.frame[positions])
    scored = {_BASELINE: _baseline(table, usable, metric), **{kind: found[kind] for kind in kinds}}
    values = {kind: _by_fold(metric, y, scores, usable) for kind, scores in scored.items()}
    scored = {kind: _comparable(metric, scores, usable) for kind, scores in scored.items()}
    means = {kind: _mean(found) for kind, found in values.items()}
    sign = 1.0 if metric.greater_is_better else -1.0
    best = max(kinds, key=lambda kind: sign * means[kind])
    results = []
    for kind, scores in scored.items():
        behind = None if kind == best else _difference(metric, y, (scored[best], scores), table, positions)
        tied = kind == best or (behind is not None and behind.low <= 0.0)
        results.append(CandidateResult(kind, values[kind], means[kind], behind, tied))
    baseline, *others = results
    chosen = next(result.kind for result in others if result.tied)
    name = baseline_name(table.target.task, metric)
    reason = _reason(others, best, chosen) + (_no_better(baseline, name) if baseline.tied else "")
    return Comparison(metric.name, folds.scheme, tuple(others), chosen, reason, replace(baseline, kind=name))


def _baseline(table: Table, folds: Sequence[Fold], metric: Metric) -> Array:
    """Return what the model that knows the labels' distribution alone says of all folds' rows."""
    target, parts = table.target, []
    for fold in folds:
        codes = target.codes(table.frame[fold.fit])
        parts.append(baseline_scores(target.task, metric, codes, len(fold.score), len(target.classes)))
    return np.concatenate(parts)


def _no_better(baseline: CandidateResult, name: str) -> str:
    if baseline.behind is None:
        return f"; there are too few units to test it against the {name}"
    return f"; the data do not show it to be better than the {name}"


def _has_all_classes(table: Table, fold: Fold) -> bool:
    if table.target.task == "regression":
        return True
    return table.target.classes_in(table.frame[fold.fit]) == len(table.target.classes)


def _comparable(metric: Metric, scores: Array, folds: Sequence[Fold]) -> Array:
    """Return scores that may be pooled over folds.

    Each fold has a model of its own, so a metric of ranks would compare probabilities of
    different models; it sees each row's place within its fold instead. Sums over rows need nothing.
    """
    if metric.parts is not None or metric.task != "binary":
        return scores
    return np.concatenate([mid_ranks(scores[part]) / (part.stop - part.start) for part in _parts(folds)])


def _parts(folds: Sequence[Fold]) -> list[slice]:
    ends = [int(end) for end in np.cumsum([len(fold.score) for fold in folds])]
    return [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def _by_fold(metric: Metric, y: Array, scores: Array, folds: Sequence[Fold]) -> tuple[float | None, ...]:
    return tuple(value_of(metric, y[part], scores[part]) for part in _parts(folds))


def _mean(values: tuple[float | None, ...]) -> float:
    known = [value for value in values if value is not None]
    if not known:
        raise TooLittleData("the metric has no value on any fold", cure="add rows, or choose another metric")
    return float(np.mean(known))


def _difference(
    metric: Metric, y: Array, scores: tuple[Array, Array], table: Table, positions: Array
) -> Interval | None:
    best, other = scores
    try:
        return paired_difference(
            metric, y, best, other, table.units[positions], level=TIE_LEVEL, unit_name=table.unit_name
        )
    except (TooFewUnits, UndefinedMetric):
        return None


def _reason(results: Sequence[CandidateResult], best: str, chosen: str) -> str:
    if chosen != best:
        tie = f"the data do not show it to be better than the simpler {chosen}"
        return f"{best} is best by its mean, but {tie}: ties go to the simplest"
    undecided = [result.kind for result in results if result.kind != best and result.behind is None]
    if undecided:
        return f"{best} is best by its mean; there are too few units to test it against {', '.join(undecided)}"
    return f"{best} is best" + (", and it is the simplest of those that tie" if _ties(results) > 1 else "")


def _ties(results: Sequence[CandidateResult]) -> int:
    return sum(result.tied for result in results)
