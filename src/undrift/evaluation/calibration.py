"""Whether probabilities mean what they say, and their repair where they are shown not to.

Both are decided on scores of the rows learnt from, each by a model that has not seen the row's
unit; the holdout has no say, so that the gate judges what was repaired as anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from scipy.stats import distributions
from sklearn.isotonic import IsotonicRegression

from undrift.core.json import JSON
from undrift.estimators.recalibration import CLIP, Floats, Method, logit, problem_of, recalibrated
from undrift.evaluation.rows import Units
from undrift.stats.intervals import TooFewUnits, mean, paired_difference
from undrift.stats.metrics import (
    binary_log_losses,
    brier_losses,
    metric_of,
    multiclass_brier_losses,
    multiclass_log_losses,
)

Outcome: TypeAlias = Literal["calibrated", "repaired", "cannot_tell"]
Fit: TypeAlias = "Callable[[Floats, Floats], Floats | None]"

ALPHA = 0.01
LEVEL = 0.90
FEWEST_UNITS = 20
FEWEST_OF_A_CLASS = 50
FEWEST_FOR_ISOTONIC = 1000
BINS = 10
_MOST_CORNERS = 200
_END_SLOPE = 1e-3
_PARTS = 5


@dataclass(frozen=True, slots=True)
class Repair:
    """How probabilities are repaired; see :func:`undrift.estimators.recalibration.recalibrated`."""

    method: Method
    numbers: Floats

    def __call__(self, probabilities: Floats) -> Floats:
        """Return repaired probabilities, shape (rows, classes)."""
        return recalibrated(self.method, self.numbers, probabilities)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was found, and what was done.

    Attributes
    ----------
    outcome : {"calibrated", "repaired", "cannot_tell"}
        Whether the probabilities were left as they are, because nothing speaks against them or
        nothing can be shown, or repaired.
    reason : str
        One sentence for a person.
    method : str
        Of the repair, or "none".
    before, after : mapping or None
        Log loss, Brier score, expected calibration error and the reliability by bin with
        intervals; ``after`` by repairs that have not seen the rows' units.
    p_value : float or None
        Of the test that probabilities are what happens.
    n, units : int
        Rows and independent units.
    """

    outcome: Outcome
    reason: str
    method: str = "none"
    before: Mapping[str, JSON] | None = None
    after: Mapping[str, JSON] | None = None
    p_value: float | None = None
    n: int = 0
    units: int = 0

    def as_json(self) -> dict[str, JSON]:
        """Return it as a step's output keeps it."""
        return {
            "outcome": self.outcome,
            "reason": self.reason,
            "method": self.method,
            "before": dict(self.before) if self.before else None,
            "after": dict(self.after) if self.after else None,
            "p_value": self.p_value,
            "alpha": ALPHA,
            "test": "score test of intercept, slope and curvature, units independent",
            "n": self.n,
            "units": self.units,
        }


def examine(probabilities: Floats, codes: npt.NDArray[Any], units: Units) -> tuple[Calibration, Repair | None]:
    """Return whether probabilities are calibrated, and the repair where they are shown not to be.

    Parameters
    ----------
    probabilities : array of shape (rows, classes)
        By models that have not seen the rows' units.
    codes : int array
        Index of the class that came true.
    units : int array
        Unit of each row.

    Notes
    -----
    Shown to be off means two things: a score test of the logistic recalibration's intercept,
    slope and curvature (for more than two classes: of the temperature) rejects at 0.01, its
    variance not less than that of sums over units; and repaired probabilities, by repairs fitted on other
    units, have a lower log loss by a 90 % interval. A broken line takes the sigmoid's place from
    1,000 rows of the rarer class on, where its log loss is lower by such an interval.

    References
    ----------
    Cox (1958), Biometrika 45; Platt (1999); Zadrozny and Elkan (2002); Guo et al. (2017), section 4.
    """
    distinct, inverse = np.unique(units, return_inverse=True)
    facts = (len(codes), len(distinct))
    fewest = int(np.bincount(codes.astype(np.int64), minlength=probabilities.shape[1]).min()) if len(codes) else 0
    if len(distinct) < FEWEST_UNITS or fewest < FEWEST_OF_A_CLASS:
        few = f"{len(distinct)} units" if len(distinct) < FEWEST_UNITS else f"{fewest} rows of the rarest class"
        return Calibration("cannot_tell", f"{few} are too few to judge probabilities", n=facts[0], units=facts[1]), None
    rows = _Rows(probabilities, codes.astype(np.int64), inverse)
    p_value, before = rows.p_value(), rows.measures(probabilities)
    if p_value >= ALPHA:
        reason = f"nothing speaks against the probabilities (p = {p_value:.2g})"
        return Calibration("calibrated", reason, before=before, p_value=p_value, n=facts[0], units=facts[1]), None
    found = _best(rows, fewest)
    if found is None:
        reason = f"the probabilities are off (p = {p_value:.2g}), but no repair makes them better by an interval"
        return Calibration("cannot_tell", reason, before=before, p_value=p_value, n=facts[0], units=facts[1]), None
    repair, repaired = found
    after = rows.measures(repaired)
    reason = f"log loss {before['log_loss']:.4g} became {after['log_loss']:.4g} by {_WORDS[repair.method]}"
    return Calibration("repaired", reason, repair.method, before, after, p_value, *facts), repair


@dataclass(frozen=True, slots=True)
class _Rows:
    """Scores, outcomes and units (numbered from 0) of the same rows."""

    probabilities: Floats
    codes: npt.NDArray[np.int64]
    units: npt.NDArray[np.intp]

    @property
    def is_binary(self) -> bool:
        return bool(self.probabilities.shape[1] == 2)  # noqa: PLR2004 - that is what binary means

    def p_value(self) -> float:
        """Return the p-value of the score test.

        The variance is the one that calibrated probabilities imply, larger by as much as the
        sums over units vary more than that. (Sums over units alone are heavy-tailed: with 60
        units a test that rests on them was wrong in 7 % of null samples where 1 % was stated.)
        """
        values, implied = self._binary_scores() if self.is_binary else self._temperature_scores()
        count, width = int(self.units.max()) + 1, values.shape[1]
        sums = np.column_stack([np.bincount(self.units, column, count) for column in values.T])
        precision, total = np.linalg.pinv(implied), sums.sum(axis=0)
        spread = max(1.0, float(np.trace(precision @ (sums.T @ sums))) / width)
        return float(distributions.chi2.sf(total @ precision @ total / spread, width))

    def _binary_scores(self) -> tuple[Floats, Floats]:
        """Return each row's slopes of the log likelihood, and the variance that they should have in sum."""
        p = self.probabilities[:, 1]
        z = logit(p)
        spread = z.std()
        steps = (z - z.mean()) / spread if spread > 0 else z * 0
        design = np.column_stack([np.ones(len(z)), steps, steps**2 - 1])[:, : 3 if spread > 0 else 1]
        return (self.codes - p)[:, None] * design, design.T @ (design * np.maximum(p * (1 - p), CLIP)[:, None])

    def _temperature_scores(self) -> tuple[Floats, Floats]:
        logs = np.log(np.clip(self.probabilities, CLIP, 1.0))
        said = logs[np.arange(len(logs)), self.codes]
        middle = (self.probabilities * logs).sum(axis=1)
        implied = (self.probabilities * logs**2).sum() - (middle**2).sum()
        return (said - middle)[:, None], np.array([[max(float(implied), CLIP)]])

    def losses(self, probabilities: Floats) -> tuple[Floats, Floats]:
        """Return log losses and Brier losses by row."""
        if self.is_binary:
            return binary_log_losses(self.codes, probabilities[:, 1]), brier_losses(self.codes, probabilities[:, 1])
        return multiclass_log_losses(self.codes, probabilities), multiclass_brier_losses(self.codes, probabilities)

    def measures(self, probabilities: Floats) -> dict[str, JSON]:
        """Return what reports show; of many classes the likeliest one's probability is looked at."""
        logs, squares = self.losses(probabilities)
        likeliest = probabilities.argmax(axis=1)
        said = probabilities[:, 1] if self.is_binary else probabilities.max(axis=1)
        happened = self.codes == 1 if self.is_binary else likeliest == self.codes
        bins = _reliability(said, happened.astype(np.float64), self.units)
        off = sum(one["share"] * abs(one["said"] - one["happened"]) for one in bins)
        shown: list[JSON] = [{**one} for one in bins]
        return {"log_loss": float(logs.mean()), "brier": float(squares.mean()), "ece": float(off), "bins": shown}

    def better(self, first: Floats, second: Floats) -> bool:
        """Say whether the first probabilities have a lower log loss than the second by an interval."""
        metric = metric_of("log_loss" if self.is_binary else "multiclass_log_loss")
        a, b = (one[:, 1] if self.is_binary else one for one in (first, second))
        try:
            return bool(paired_difference(metric, self.codes, a, b, self.units, level=LEVEL).low > 0)
        except TooFewUnits:
            return False

    def crossed(self, method: Method) -> Floats | None:
        """Return probabilities repaired by fits on other units."""
        repaired = np.empty_like(self.probabilities)
        for part in range(_PARTS):
            mine = self.units % _PARTS == part
            repair = _fitted(method, self.probabilities[~mine], self.codes[~mine])
            if repair is None:
                return None
            repaired[mine] = repair(self.probabilities[mine])
        return repaired


_WORDS: Mapping[str, str] = {
    "sigmoid": "a sigmoid over their log odds",
    "isotonic": "a rising broken line",
    "temperature": "a temperature",
}


def _best(rows: _Rows, fewest: int) -> tuple[Repair, Floats] | None:
    """Return the simplest repair that makes probabilities better, and what it makes of them."""
    found: tuple[Repair, Floats] | None = None
    first: Method = "sigmoid" if rows.is_binary else "temperature"
    methods: tuple[Method, ...] = (first, "isotonic") if rows.is_binary and fewest >= FEWEST_FOR_ISOTONIC else (first,)
    best = rows.probabilities
    for method in methods:
        repaired, repair = rows.crossed(method), _fitted(method, rows.probabilities, rows.codes)
        if repaired is not None and repair is not None and rows.better(repaired, best):
            found, best = (repair, repaired), repaired
    return found


def _fitted(method: Method, probabilities: Floats, codes: npt.NDArray[np.int64]) -> Repair | None:
    """Return the repair fitted on some rows; None where it would turn the order around."""
    fits: Mapping[Method, Fit] = {"sigmoid": _sigmoid, "isotonic": _isotonic, "temperature": _temperature}
    numbers = fits[method](probabilities, codes.astype(np.float64))
    return None if numbers is None or problem_of(method, numbers) else Repair(method, numbers)


def _sigmoid(probabilities: Floats, codes: Floats) -> Floats | None:
    """Return slope and intercept of the logistic regression on the log odds, by Newton's method."""
    design = np.column_stack([logit(probabilities[:, 1]), np.ones(len(codes))])
    found: Floats = np.array([1.0, 0.0])
    for _ in range(50):
        p = expit(design @ found)
        weighted = design * np.maximum(p * (1 - p), 1e-12)[:, None]
        step = np.linalg.pinv(design.T @ weighted) @ (design.T @ (codes - p))
        found += np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-10:  # noqa: PLR2004 - as near as float64 tells
            return found
    return None


def _temperature(probabilities: Floats, codes: Floats) -> Floats | None:
    """Return the power that gives the lowest log loss, by Newton's method."""
    logs = np.log(np.clip(probabilities, CLIP, 1.0))
    said = logs[np.arange(len(logs)), codes.astype(np.int64)]
    power = 1.0
    for _ in range(50):
        shares = recalibrated("temperature", np.array([power]), probabilities)
        middle = (shares * logs).sum(axis=1)
        spread = float(((shares * logs**2).sum(axis=1) - middle**2).sum())
        step = float((said - middle).sum()) / max(spread, 1e-12)
        power += float(np.clip(step, -power / 2, 2.0))
        if abs(step) < 1e-10:  # noqa: PLR2004 - as near as float64 tells
            return np.array([power])
    return None


def _isotonic(probabilities: Floats, codes: Floats) -> Floats | None:
    """Return the corners of a rising line through the middles of the isotonic blocks.

    Steps would make ties of rows that the model tells apart. The ends rise a little, for the same.
    """
    p = probabilities[:, 1]
    cuts = np.unique(np.quantile(p, np.linspace(0, 1, _MOST_CORNERS + 1)))
    place = np.searchsorted(cuts[1:-1], p, side="right")
    sizes = np.bincount(place, minlength=len(cuts))
    there = sizes > 0
    x, y = (np.bincount(place, one, len(cuts))[there] / sizes[there] for one in (p, codes))
    levels = IsotonicRegression(y_min=0.0, y_max=1.0).fit(x, y, sample_weight=sizes[there]).predict(x)
    blocks, inverse = np.unique(levels, return_inverse=True)
    if len(blocks) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    weights = np.bincount(inverse, sizes[there])
    middles = np.bincount(inverse, x * sizes[there]) / weights
    low, high = blocks[0] * (1 - _END_SLOPE), blocks[-1] + (1 - blocks[-1]) * _END_SLOPE
    line = np.array([[0.0, *middles, 1.0], [low, *blocks, high]])
    rises = np.append(True, (np.diff(line) > 0).all(axis=0))
    kept: Floats = np.ascontiguousarray(line[:, rises])
    return kept


def _reliability(said: Floats, happened: Floats, units: npt.NDArray[np.intp]) -> list[dict[str, float]]:
    """Return by bin of equally many rows what was said and what happened, with an interval over units."""
    cuts = np.unique(np.quantile(said, np.linspace(0, 1, BINS + 1)[1:-1]))
    place = np.searchsorted(cuts, said, side="right")
    found = []
    for index in np.unique(place):
        here = place == index
        one = {"said": float(said[here].mean()), "happened": float(happened[here].mean()), "share": float(here.mean())}
        try:
            interval = mean(happened[here], units[here])
            one.update(low=max(0.0, interval.low), high=min(1.0, interval.high))
        except TooFewUnits:
            one.update(low=0.0, high=1.0)
        found.append({**one, "n": int(here.sum())})
    return found
