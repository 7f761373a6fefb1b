"""Linear models that `undrift up` trains: a row has one answer, whoever asks at the same time, and on every engine."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from undrift.estimators.linear import RowwiseLogistic, RowwiseRidge
from undrift.models.engines import compiled
from undrift.models.engines.sklearn import SklearnEngine
from undrift.models.formats import skops
from undrift.models.formats.archive import UntrustedModel
from undrift.models.signature import InputColumn
from undrift.models.translation.pipeline import translate

RNG = np.random.default_rng(3)
FRAME = pl.DataFrame(RNG.normal(size=(400, 60)) @ RNG.normal(size=(60, 60)), schema=[f"x{n}" for n in range(60)])
NUMBERS = FRAME.to_numpy()
TARGETS = {
    "binary": NUMBERS[:, 0] + NUMBERS[:, 1] > 0,
    "many": np.digitize(NUMBERS[:, 2], [-9, -3, 0, 3, 9]),
    "number": NUMBERS[:, 0] - NUMBERS[:, 5] + RNG.normal(size=400),
}


def fitted(task: str) -> object:
    """Return a pipeline as a candidate is."""
    model = RowwiseRidge() if task == "number" else RowwiseLogistic(max_iter=2000)
    return make_pipeline(StandardScaler(), model).fit(FRAME, TARGETS[task])


@pytest.mark.parametrize("task", TARGETS)
def test_a_row_is_answered_alike_alone_and_among_others(task: str) -> None:
    """A matrix product is not: it adds in another order for other numbers of rows."""
    engine = SklearnEngine(fitted(task), [InputColumn(name, "float") for name in FRAME.columns])
    columns = FRAME.to_dict(as_series=False)
    together = engine.score(columns, 400)
    alone = [engine.score({name: cells[row : row + 1] for name, cells in columns.items()}, 1) for row in range(40)]
    assert np.array_equal(together[:40], np.vstack(alone))


@pytest.mark.parametrize("task", TARGETS)
def test_the_compiled_engine_answers_to_the_last_bit(task: str) -> None:
    """All at once and one by one."""
    model, inputs = fitted(task), [InputColumn(name, "float") for name in FRAME.columns]
    original, engine = SklearnEngine(model, inputs), compiled.CompiledEngine(translate(model, inputs))
    columns = FRAME.to_dict(as_series=False)
    assert np.array_equal(engine.score(columns, 400), original.score(columns, 400))
    one = {name: cells[7:8] for name, cells in columns.items()}
    assert np.array_equal(engine.score(one, 1), original.score(columns, 400)[7:8])


def test_it_is_fitted_as_scikit_learn_fits() -> None:
    """Only the sums are ours: numbers agree to rounding."""
    ours = fitted("number").predict(FRAME)  # type: ignore[attr-defined]
    theirs = make_pipeline(StandardScaler(), Ridge()).fit(FRAME, TARGETS["number"]).predict(FRAME)
    assert np.allclose(ours, theirs, rtol=1e-12)
    scores = fitted("many").predict_proba(FRAME)  # type: ignore[attr-defined]
    logistic = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(FRAME, TARGETS["many"])
    assert np.allclose(scores, logistic.predict_proba(FRAME), atol=1e-12)


def test_it_is_stored_and_read_like_any_other() -> None:
    """The allowed types know it; weights that do not fit together are refused."""
    model = fitted("binary")
    again = skops.load(skops.dump(model))
    assert np.array_equal(again.predict_proba(FRAME), model.predict_proba(FRAME))  # type: ignore[attr-defined]
    model[-1].intercept_ = np.zeros(3)  # type: ignore[index]
    with pytest.raises(UntrustedModel, match="do not fit together"):
        skops.load(skops.dump(model))
