"""Tables for the tests of evaluation: scikit-learn's own, and one ordered in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from sklearn import datasets

START = datetime(2024, 1, 1, tzinfo=UTC)


def bundled(name: str) -> pl.DataFrame:
    loaded: Any = getattr(datasets, f"load_{name}")()
    frame = pl.DataFrame(loaded.data, schema=[str(column) for column in loaded.feature_names])
    return frame.with_columns(pl.Series("target", loaded.target))


def by_day(days: int = 40, per_day: int = 60, seed: int = 0, *, label_delay_hours: float = 2.0) -> pl.DataFrame:
    """Rows of whole days with an effect of the day, a number with nulls, a text, a bool, a rare text."""
    rng = np.random.default_rng(seed)
    rows = days * per_day
    day = np.repeat(np.arange(days), per_day)
    x = rng.normal(size=rows)
    kind = rng.choice(["air", "sea", "road"], size=rows)
    holiday = rng.random(rows) < 0.3
    logit = 1.2 * x + 0.8 * (kind == "sea") - 0.5 + rng.normal(scale=0.4, size=days)[day]
    at = [START + timedelta(days=int(d), minutes=int(m)) for d, m in zip(day, rng.integers(0, 1440, rows), strict=True)]
    frame = pl.DataFrame(
        {
            "id": np.arange(rows),
            "at": at,
            "x": np.where(rng.random(rows) < 0.1, np.nan, x),
            "count": rng.integers(0, 9, rows),
            "kind": kind,
            "rare": ["code-" + str(i) if i < 15 else "usual" for i in range(rows)],
            "holiday": holiday,
            "late": rng.random(rows) < 1 / (1 + np.exp(-logit)),
        }
    ).with_columns(pl.col("x").fill_nan(None), known=pl.col("at") + timedelta(hours=label_delay_hours))
    return frame.sort("at")
