"""Whether one column alone predicts nearly perfectly.

Strong is not enough: honest measurements reach an AUC of .98 (the perimeter of a tumour), and a
petal tells three irises apart but for six flowers. A leak leaves hardly any error. So two things
are asked of rows that the rule has not seen: the ranking is nearly perfect for every class, and
nine errors in ten of a guess by the commonest class are gone, by a bound that few rows cannot reach.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import chi2
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from undrift.core.json import JSON
from undrift.evaluation.suspicion.found import Suspicion
from undrift.evaluation.suspicion.looked import FOLDS, Codes, Column, Floats, Looked, Mask, percent
from undrift.stats.metrics import auc

LEAST_AUC = 0.99
LEAST_RIGHTED = 0.9
LEAST_RIGHTED_BOUND = 0.8
LEAST_EXPLAINED = 0.985
"""Of the variance of ranks: with normal errors, about .99 of the numbers' own."""
FEWEST_ROWS = 30
_SCREEN = 0.7
_SCREEN_OF_NUMBERS = 0.95
_LEAVES = 16
_LEAVES_OF_NUMBERS = 256
_LEVEL = 0.975


@dataclass(frozen=True, slots=True)
class Strength:
    """How well a column alone predicts classes, on rows that the rule has not seen.

    Attributes
    ----------
    auc : float
        Area under the curve of each class against the others; the worst of them.
    righted, bound : float
        Which share of the errors of a guess by the commonest class is gone, and the lower end of
        its 95 % interval, over units.
    wrong, guessed_wrong, rows : int
        Wrong rows, wrong rows of that guess, rows.
    """

    auc: float
    righted: float
    bound: float
    wrong: int
    guessed_wrong: int
    rows: int

    @property
    def nearly_perfect(self) -> bool:
        """Whether hardly any error is left."""
        return self.auc >= LEAST_AUC and self.righted >= LEAST_RIGHTED and self.bound >= LEAST_RIGHTED_BOUND

    def as_json(self) -> dict[str, JSON]:
        """Return the numbers."""
        return {
            "auc": self.auc, "errors_righted": self.righted, "errors_righted_low": self.bound, "wrong": self.wrong,
            "wrong_of_the_commonest": self.guessed_wrong, "rows": self.rows,
        }  # fmt: skip


def predicts(column: Column, looked: Looked) -> Suspicion | None:
    """Return the suspicion that a column alone predicts nearly perfectly, None where it does not."""
    if len(looked.y) < FEWEST_ROWS or column.distinct + int(column.missing.any()) < 2:  # noqa: PLR2004 - nothing to tell
        return None
    if looked.target.task == "regression":
        return _of_numbers(column, looked)
    if not _worth_a_look(column, looked):
        return None
    found = strength(column, looked)
    if not found.nearly_perfect:
        return None
    evidence = (
        f"alone, {column.name!r} predicts {looked.target.column!r} with an AUC of {found.auc:.4f} on rows it was not "
        f"fitted on: {found.wrong:,} of {found.rows:,} rows wrong{looked.sample}, where the commonest class is wrong "
        f"on {found.guessed_wrong:,}"
    )
    return Suspicion(column.name, "predicts", evidence, found.as_json())


def strength(column: Column, looked: Looked) -> Strength:
    """Return how well a column alone predicts classes."""
    scores = np.zeros((len(looked.y), looked.classes))
    guessed = np.zeros(len(looked.y))
    for fold in range(FOLDS):
        here = looked.fold == fold
        if here.any() and not here.all():
            scores[here] = _class_scores(column, looked, ~here, here)
            guessed[here] = np.bincount(looked.y[~here].astype(np.int64)).argmax()
    wrong = scores.argmax(axis=1) != looked.y
    guessed_wrong = guessed != looked.y
    worst = min(_auc(looked.y == label, scores[:, label]) for label in range(looked.classes))
    base = max(1, int(guessed_wrong.sum()))
    return Strength(
        auc=worst,
        righted=float(1 - wrong.sum() / base),
        bound=1.0 - _most_wrong(wrong, guessed_wrong, looked) / base,
        wrong=int(wrong.sum()),
        guessed_wrong=int(guessed_wrong.sum()),
        rows=len(looked.y),
    )


def _auc(y: Mask, scores: Floats) -> float:
    return float(auc(y.astype(np.float64), scores)) if 0 < y.sum() < len(y) else 1.0


def _most_wrong(wrong: Mask, guessed_wrong: Mask, looked: Looked) -> float:
    """Return the upper end of how many rows are wrong: units with an error are counted as Poisson."""
    units = len(np.unique(looked.units[wrong]))
    more = float(chi2.ppf(_LEVEL, 2 * units + 2)) / 2 - units
    rows_per_unit = guessed_wrong.sum() / max(1, len(np.unique(looked.units[guessed_wrong])))
    return float(wrong.sum() + more * max(1.0, rows_per_unit))


def _class_scores(column: Column, looked: Looked, fit: Mask, score: Mask) -> Floats:
    y = looked.y.astype(np.int64)
    if column.numbers is None or column.text:
        return _shares(column, y, (fit, score), looked.classes)
    tree = DecisionTreeClassifier(max_leaf_nodes=max(_LEAVES, 2 * looked.classes), min_samples_leaf=3, random_state=0)
    tree.fit(column.numbers[fit, None], y[fit])
    found = np.zeros((int(score.sum()), looked.classes))
    found[:, tree.classes_] = tree.predict_proba(column.numbers[score, None])
    return found


def _shares(column: Column, y: Codes, parts: tuple[Mask, Mask], classes: int) -> Floats:
    """Return the classes' shares in a row's category; one that was not seen has everybody's."""
    codes = column.frequent
    fit, score = parts
    prior = np.bincount(y[fit], minlength=classes) / fit.sum()
    if codes is None:
        return np.tile(prior, (int(score.sum()), 1))
    places = codes + 1
    counts = np.zeros((int(places.max()) + 1, classes))
    np.add.at(counts, (places[fit], y[fit]), 1.0)
    shares = (counts + prior) / (counts.sum(axis=1, keepdims=True) + 1)
    return np.asarray(shares[places[score]])


def _worth_a_look(column: Column, looked: Looked) -> bool:
    """Return whether a column tells classes apart on the few rows that it is fitted to itself."""
    some = looked.some
    y = looked.y[some].astype(np.int64)
    if column.numbers is None or column.text:
        codes = column.frequent
        if codes is None:
            return False
        counts = np.zeros((int(codes.max()) + 2, looked.classes))
        np.add.at(counts, (codes[some] + 1, y), 1.0)
        right = counts.max(axis=1).sum()
    else:
        tree = DecisionTreeClassifier(max_leaf_nodes=max(_LEAVES, 2 * looked.classes), random_state=0)
        numbers = column.numbers[some, None]
        right = (tree.fit(numbers, y).predict(numbers) == y).sum()
    commonest = np.bincount(y).max()
    return bool(len(y) - right <= (1 - _SCREEN) * (len(y) - commonest))


def explained(column: Column, looked: Looked) -> float:
    """Return which share of the variance of the target's ranks a column alone explains, on rows it was not fitted on.

    Of ranks, not of the numbers: one outlier can hold most of the variance of a price.
    """
    ranks = looked.ranks
    said = np.full(len(ranks), 0.5)
    for fold in range(FOLDS):
        fit, score = np.flatnonzero(looked.fold != fold), np.flatnonzero(looked.fold == fold)
        if len(fit) and len(score):
            said[score] = _said(column, ranks, fit, score)
    return _r2(ranks, said)


def _of_numbers(column: Column, looked: Looked) -> Suspicion | None:
    if not _smooth(column, looked):
        return None
    share = explained(column, looked)
    if share < LEAST_EXPLAINED:
        return None
    evidence = (
        f"alone, {column.name!r} explains {percent(share)} of how {looked.target.column!r} orders "
        f"{len(looked.y):,} rows{looked.sample}, each by a rule that was not fitted on it"
    )
    return Suspicion(column.name, "predicts", evidence, {"rank_r2": share, "rows": len(looked.y)})


def _smooth(column: Column, looked: Looked) -> bool:
    """Return whether neighbours in a column are neighbours in the target, by von Neumann's ratio."""
    some = looked.some
    ranks = looked.ranks[some]
    if column.numbers is None:
        return _r2(ranks, _said(column, looked.ranks, some, some)) >= _SCREEN_OF_NUMBERS
    steps = np.diff(ranks[np.argsort(column.numbers[some], kind="stable")])
    return bool(1 - (steps**2).mean() / (2 * ranks.var()) >= _SCREEN_OF_NUMBERS)


def _said(column: Column, y: Floats, fit: Codes, score: Codes) -> Floats:
    if column.numbers is not None:
        tree: Any = DecisionTreeRegressor(max_leaf_nodes=_LEAVES_OF_NUMBERS, random_state=0)
        return np.asarray(tree.fit(column.numbers[fit, None], y[fit]).predict(column.numbers[score, None]))
    codes = column.frequent
    if codes is None:
        return np.full(len(score), y[fit].mean())
    places = codes + 1
    counts = np.bincount(places[fit], minlength=int(places.max()) + 1)
    sums = np.bincount(places[fit], weights=y[fit], minlength=len(counts))
    return np.asarray(((sums + y[fit].mean()) / (counts + 1))[places[score]])


def _r2(y: Floats, said: Floats) -> float:
    spread = float(((y - y.mean()) ** 2).sum())
    return 1 - float(((y - said) ** 2).sum()) / spread if spread else 0.0
