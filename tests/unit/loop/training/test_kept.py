"""Columns that the settings keep: what speaks against them is told, without a cell."""

from __future__ import annotations

import numpy as np
import polars as pl

from undrift.core.config import ModelSettings
from undrift.data.personal.columns import Personal
from undrift.evaluation.target import read_target
from undrift.loop.training.kept import NOTHING, against

ROWS = 400


def _table() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    y = rng.random(ROWS) < 0.5
    return pl.DataFrame(
        {
            "y": y,
            "leak": y.astype(int) * 3 + 1,
            "honest": rng.normal(size=ROWS),
            "gaps": np.where(np.arange(ROWS) % 10 == 0, 1.0, np.nan),
            "mail": [f"marker{at}@example.org" for at in range(ROWS)],
        }
    )


def test_each_kept_column_is_told_with_what_speaks_against_it() -> None:
    """A leak, a gap, a personal column, an honest one; no cell of theirs."""
    frame = _table()
    settings = ModelSettings(dataset="d", target="y", keep=("leak", "honest", "gaps", "mail"))
    personal = {"mail": Personal("e-mail", "400 of 400 sampled values")}
    told = against(frame, read_target(frame, "y"), settings, personal)
    assert told["honest"] == NOTHING
    assert told["leak"] not in ("", NOTHING)
    assert "90% of it is missing" in told["gaps"]
    assert "it looks personal (e-mail): 400 of 400 sampled values" in told["mail"]
    assert "marker" not in "".join(told.values())


def test_nothing_is_looked_at_where_nothing_is_kept() -> None:
    """The usual case costs nothing."""
    assert against(pl.DataFrame(), read_target(_table(), "y"), ModelSettings(dataset="d", target="y"), {}) == {}
