"""Which columns tell the same."""

from __future__ import annotations

from typing import cast

import numpy as np
import polars as pl

from undrift.core.json import JSON
from undrift.evaluation.diagnosis.judged import Floats

STRONG = 0.8
_MOST_NAMED = 3


def partners(frame: pl.DataFrame) -> dict[str, list[JSON]]:
    """Return for each column the columns that go with it (association of .8 or more, at most three), strongest first.

    Notes
    -----
    Numbers, dates and booleans are compared by the correlation of ranks (nulls in the middle); a column of texts
    stands for the ranks' mean of its texts (the correlation ratio), or against another column of texts for how well
    the commonest partner of each text hits (Goodman and Kruskal's lambda, the larger of both directions).
    """
    texts = [name for name in frame.columns if frame[name].dtype in (pl.String, pl.Categorical, pl.Enum)]
    others = [name for name in frame.columns if name not in texts]
    strength: dict[tuple[str, str], float] = {}
    ranks = {name: _ranks(frame[name]) for name in others}
    if len(others) > 1:
        with np.errstate(invalid="ignore", divide="ignore"):
            matrix = np.nan_to_num(np.corrcoef(np.stack([ranks[name] for name in others])))
        for i, one in enumerate(others):
            for j, other in enumerate(others[:i]):
                strength[one, other] = abs(float(matrix[i, j]))
    codes = {
        name: frame[name].cast(pl.String).fill_null("").rank("dense").to_numpy().astype(np.int64) for name in texts
    }
    for i, text in enumerate(texts):
        for name in others:
            strength[text, name] = _ratio(codes[text], ranks[name])
        for other in texts[:i]:
            strength[text, other] = max(_lambda(codes[text], codes[other]), _lambda(codes[other], codes[text]))
    return {name: _strongest(name, strength) for name in frame.columns}


def _strongest(name: str, strength: dict[tuple[str, str], float]) -> list[JSON]:
    found = [
        (value, other if one == name else one)
        for (one, other), value in strength.items()
        if name in (one, other) and value >= STRONG
    ]
    kept = sorted(found, key=lambda one: (-one[0], one[1]))[:_MOST_NAMED]
    return [{"column": column, "strength": round(value, 2)} for value, column in kept]


def _ranks(values: pl.Series) -> Floats:
    ranked = values.to_physical().cast(pl.Float64).fill_nan(None).rank("average")
    return cast("Floats", ranked.fill_null(ranked.mean() or 0.0).to_numpy())


def _ratio(codes: np.ndarray[tuple[int], np.dtype[np.int64]], ranks: Floats) -> float:
    """Return the correlation ratio: how much of the ranks' spread lies between texts, corrected for their number."""
    sizes = np.bincount(codes)
    held = sizes > 0
    means = np.bincount(codes, weights=ranks)[held] / sizes[held]
    total = float(((ranks - ranks.mean()) ** 2).sum())
    between = float((sizes[held] * (means - ranks.mean()) ** 2).sum())
    n, k = len(ranks), int(held.sum())
    if total == 0.0 or n <= k:
        return 0.0
    return float(max(0.0, 1.0 - (1.0 - between / total) * (n - 1) / (n - k)) ** 0.5)


def _lambda(
    codes: np.ndarray[tuple[int], np.dtype[np.int64]], other: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> float:
    pairs, counts = np.unique(np.stack([codes, other]), axis=1, return_counts=True)
    best = np.zeros(int(codes.max()) + 1)
    np.maximum.at(best, pairs[0], counts)
    most = float(np.bincount(other).max())
    return (float(best.sum()) - most) / (len(codes) - most) if len(codes) > most else 0.0
