"""A table with every kind of column: dates, instants, free text, gaps that tell, categories, numbers."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl

from undrift.evaluation.features import Choice, Features, choose_features
from undrift.evaluation.target import Target, read_target

_START = datetime(2023, 1, 1)  # noqa: DTZ001 - a table of instants without a zone
_WORDS = ("broken", "late", "thanks", "invoice", "Größe", "refund", "ok", "again")


def mixed(rows: int = 600, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    day = rng.integers(0, 900, rows)
    second = rng.integers(0, 86_400, rows)
    often = rng.random(rows) < 0.3
    text = [" ".join(rng.choice(_WORDS, size=rng.integers(0, 6))) for _ in range(rows)]
    angry = np.array(["broken" in one for one in text])
    logit = 0.9 * often + 1.5 * angry + 0.8 * (day % 7 >= 5) - 1.2
    return pl.DataFrame(
        {
            "joined": [date(2021, 3, 1) + timedelta(days=int(d)) if d % 11 else None for d in day],
            "seen": [_START + timedelta(days=int(d), seconds=int(s)) for d, s in zip(day, second, strict=True)],
            "said": text,
            "gap": [float(d) if there else None for d, there in zip(day, often, strict=True)],
            "plan": rng.choice(["a", "b", "c"], rows),
            "amount": np.where(rng.random(rows) < 0.1, np.nan, rng.gamma(2, 40, rows)),
            "left": rng.random(rows) < 1 / (1 + np.exp(-logit)),
        }
    )


def read(frame: pl.DataFrame, column: str = "left", **choice: object) -> tuple[Target, Features]:
    target = read_target(frame, column)
    wishes = Choice(reserved={column: "the target"}, codes=target.codes(frame), task=target.task, **choice)  # type: ignore[arg-type]  # fields given by tests
    return target, choose_features(frame, wishes)
