"""Do probabilities mean what they say; are numbers right on average."""

from __future__ import annotations

import numpy as np

from undrift.core.json import JSON
from undrift.evaluation.diagnosis.judged import TOO_FEW, Array, Floats, Ints, Judged, numbers, score_bins, share
from undrift.stats.intervals import FEWEST_UNITS, Interval, mean

_QUANTILES = (0.1, 0.5, 0.9)
_HISTOGRAM_BINS = 24


def calibration(judged: Judged) -> dict[str, JSON]:
    """Return, by bins of about as many rows, what was predicted on average and what happened, with intervals.

    Notes
    -----
    Of a multiclass model the answered class is looked at: how sure it was, how often it was right. A bin counts as
    *off* when the interval of what happened leaves out what was predicted; of 10 bins that are right, half a bin is
    off by chance.
    """
    said, happened, about = _said(judged)
    codes, count = score_bins(said)
    bins: list[JSON] = []
    offs = 0
    for at in range(count):
        inside = codes == at
        found = _happened(happened[inside], judged.units[inside], judged)
        predicted = float(said[inside].mean())
        off = bool(found.level) and not found.low <= predicted <= found.high
        bins.append({"predicted": predicted, "happened": found.as_json(), "rows": int(inside.sum()), "off": off})
        offs += off
    gap = _happened_gap(said, happened, judged)
    return {"about": about, "bins": bins, "off": offs, "gap": gap.as_json()}


def residuals(judged: Judged) -> dict[str, JSON] | None:
    """Return how far a regression is off: quantiles by bin of the prediction, and a histogram; None for classes.

    Notes
    -----
    No row is told: a bin holds at least 20 of them, and what is told is how far predictions were off, not the values.
    The histogram spans the middle 98 %; what lies outside is counted at its ends.
    """
    if judged.task != "regression":
        return None
    off = judged.y - judged.scores
    codes, count = score_bins(judged.scores)
    bins: list[JSON] = []
    for at in range(count):
        low, middle, high = np.quantile(off[codes == at], _QUANTILES)
        predicted = float(judged.scores[codes == at].mean())
        bins.append({"predicted": predicted, "low": float(low), "middle": float(middle), "high": float(high)})
    ends = np.quantile(off, (0.01, 0.99))
    edges = np.linspace(ends[0], ends[1] if ends[1] > ends[0] else ends[0] + 1.0, _HISTOGRAM_BINS + 1)
    counts, _ = np.histogram(np.clip(off, edges[0], edges[-1]), edges)
    return {"quantiles": list(_QUANTILES), "bins": bins, "edges": numbers(edges), "counts": counts.tolist()}


def _said(judged: Judged) -> tuple[Floats, Floats, str]:
    if judged.task == "multiclass":
        answered = judged.scores.argmax(axis=1)
        right = np.asarray(answered == judged.y, dtype=np.float64)
        return judged.scores.max(axis=1), right, "the answered class"
    about = "the number" if judged.task == "regression" else "the positive class"
    return np.asarray(judged.scores, dtype=np.float64), np.asarray(judged.y, dtype=np.float64), about


def _happened(values: Array, units: Ints, judged: Judged) -> Interval:
    if judged.task != "regression":
        return share(values, units, judged.unit_name)
    return _mean(values, units, judged.unit_name)


def _happened_gap(said: Floats, happened: Floats, judged: Judged) -> Interval:
    return _mean(happened - said, judged.units, judged.unit_name)


def _mean(values: Array, units: Ints, unit_name: str) -> Interval:
    count = len(np.unique(units))
    if count < FEWEST_UNITS:
        alone = float(np.mean(values))
        return Interval(alone, alone, alone, 0.0, TOO_FEW, len(values), count, unit_name)
    return mean(values, units, unit_name=unit_name)
