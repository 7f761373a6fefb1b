"""Every candidate gives finite scores on the shapes that real tables have."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import polars as pl
import pytest

from undrift.core.errors import MissingExtra
from undrift.evaluation import candidates
from undrift.evaluation.candidates import SIMPLEST_FIRST, check_candidates, fit
from undrift.evaluation.features import Choice, choose_features
from undrift.evaluation.target import read_target

_KINDS = [kind for kind in SIMPLEST_FIRST if kind != "lightgbm" or find_spec("lightgbm")]


def _table(rows: int, columns: int, y: np.ndarray) -> pl.DataFrame:
    x = np.random.default_rng(0).normal(size=(rows, columns))
    x[:, 0] += np.nan_to_num(np.asarray(y, dtype=float)) / (np.std(y) or 1)
    return pl.DataFrame({**{f"x{index}": x[:, index] for index in range(columns)}, "y": y})


def _tables() -> dict[str, pl.DataFrame]:
    rng = np.random.default_rng(1)
    outliers = rng.normal(size=400)
    outliers[::50] *= 1e7
    return {
        "one in a hundred": _table(1500, 4, (np.arange(1500) % 100 == 0).astype(int)),
        "twenty classes": _table(1000, 4, rng.integers(0, 20, 1000)),
        "outliers": _table(400, 4, outliers),
        "wide": _table(150, 200, rng.integers(0, 2, 150)),
        "tiny": _table(80, 3, rng.integers(0, 2, 80)),
        "constant here": _table(200, 3, rng.integers(0, 2, 200)),
    }


@pytest.mark.parametrize("name", list(_tables()))
@pytest.mark.parametrize("kind", _KINDS)
def test_a_candidate_is_sane_on_the_shapes_of_real_tables(kind: str, name: str) -> None:
    """Rare classes, many classes, outliers, more columns than rows, few rows, a column constant in its fold."""
    frame = _tables()[name]
    target = read_target(frame, "y")
    features = choose_features(frame, Choice(reserved={"y": "the target"}))
    known = frame.with_columns(x1=0.0) if name == "constant here" else frame
    scores = fit(kind, known, features, target).scores(frame, features, target)
    assert np.isfinite(scores).all()
    assert len(scores) == len(frame)


def test_a_candidate_that_is_not_installed_is_not_offered_and_named_when_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the extra that installs it."""
    monkeypatch.setattr(candidates, "find_spec", lambda name: None)
    assert "lightgbm" not in check_candidates(())
    with pytest.raises(MissingExtra, match="lightgbm"):
        check_candidates(("lightgbm",))
