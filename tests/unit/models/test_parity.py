"""The compiled engine answers as the original does, or it is not used."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, PolynomialFeatures, RobustScaler, StandardScaler

from undrift.models import parity
from undrift.models.build import CompiledFile, PackageParts, _draft, compile_engine
from undrift.models.engines import compiled, plan
from undrift.models.engines.base import NotScorable
from undrift.models.engines.plan import PlanBroken
from undrift.models.engines.sklearn import SklearnEngine
from undrift.models.formats import skops
from undrift.models.translation.blocks import NotTranslatable
from undrift.models.translation.pipeline import translate
from undrift.models.translation.rows import one_row

NUMBERS = ["temp", "wind", "hour"]
TEXTS = ["carrier", "wet"]
TREES = 15
CASES: list[tuple[str, Any, str]] = [
    ("logistic-2", LogisticRegression(), "binary"),
    ("logistic-3", LogisticRegression(), "many"),
    ("ridge", Ridge(), "number"),
    ("linear", LinearRegression(), "number"),
    ("forest-2", RandomForestClassifier(TREES, random_state=0, n_jobs=2), "binary"),
    ("forest-3", RandomForestClassifier(TREES, random_state=0), "many"),
    ("forest-r", RandomForestRegressor(TREES, random_state=0), "number"),
    ("extra-3", ExtraTreesClassifier(TREES, random_state=0), "many"),
    ("hist-2", HistGradientBoostingClassifier(max_iter=TREES), "binary"),
    ("hist-3", HistGradientBoostingClassifier(max_iter=TREES), "many"),
    ("hist-r", HistGradientBoostingRegressor(max_iter=TREES), "number"),
    ("hist-abs", HistGradientBoostingRegressor(max_iter=TREES, loss="absolute_error"), "number"),
    ("gradient-2", GradientBoostingClassifier(n_estimators=TREES), "binary"),
    ("gradient-3", GradientBoostingClassifier(n_estimators=TREES), "many"),
    ("gradient-r", GradientBoostingRegressor(n_estimators=TREES), "number"),
    ("base-rate", DummyClassifier(strategy="prior"), "binary"),
    ("median", DummyRegressor(strategy="median"), "number"),
]
Pipe = Callable[..., Pipeline]
TASKS = {"binary": "binary", "many": "multiclass", "number": "regression"}


def _proved(parts: PackageParts) -> CompiledFile | None:
    """Return what the parity gate lets through."""
    original = SklearnEngine(skops.load(skops.dump(parts.model)), parts.inputs)
    return compile_engine(parts, _draft(parts), original)


@pytest.fixture(autouse=True)
def _fewer_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """2,000 rows on splits are enough here; packaging takes 10,000."""
    monkeypatch.setattr(parity, "AT_SPLITS", 2_000)
    monkeypatch.setattr(parity, "STRANGE", 500)
    monkeypatch.setattr(parity, "ONE_BY_ONE", 8)


@pytest.mark.parametrize(("model", "target"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_every_candidate_compiles_to_the_same_answers(
    table: Any, pipeline: Pipe, parts_of: Callable[..., PackageParts], model: Any, target: str
) -> None:
    """On rows of training, on split values and beside them, on nulls, strangers and extremes."""
    fitted = pipeline(model, one_hot="Hist" not in type(model).__name__).fit(table.frame, getattr(table, target))
    found = _proved(parts_of(fitted, TASKS[target]))
    assert found is not None
    assert (found.parity.label_flips, found.parity.replayed) == (0, 400)
    assert found.parity.largest_difference <= 1e-12
    if "Tree" in type(model).__name__ or "Forest" in type(model).__name__ or "Boosting" in type(model).__name__:
        assert found.parity.at_splits == 2_000
        assert found.parity.bit_equal == found.parity.rows - found.parity.refused


@pytest.mark.parametrize("scaler", [MinMaxScaler(clip=True), RobustScaler(), "passthrough"])
@pytest.mark.parametrize("fill", ["mean", "most_frequent", "constant"])
def test_imputers_and_scalers_compile(
    table: Any, parts_of: Callable[..., PackageParts], scaler: Any, fill: str
) -> None:
    """With an indicator of what was missing, and an encoder behind an imputer of texts."""
    texts = make_pipeline(
        SimpleImputer(strategy="most_frequent", missing_values=None),
        OneHotEncoder(drop="if_binary", handle_unknown="ignore"),
    )
    numbers = make_pipeline(scaler, SimpleImputer(strategy=fill, add_indicator=True))
    prepare = ColumnTransformer([("n", numbers, NUMBERS), ("t", texts, ["carrier"])], remainder="passthrough")
    fitted = make_pipeline(prepare, StandardScaler(), LogisticRegression(max_iter=1000)).fit(table.frame, table.binary)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert _proved(parts_of(fitted)) is not None


def test_a_bare_estimator_on_numbers_compiles(table: Any, parts_of: Callable[..., PackageParts]) -> None:
    """Without a ColumnTransformer; columns by name, in the order of fitting."""
    frame = table.frame.select("hour", "wind")
    fitted = RandomForestRegressor(5, random_state=0).fit(frame, table.number)
    inputs = tuple(column for column in table.inputs if column.name in ("wind", "hour"))
    assert _proved(parts_of(fitted, "regression", inputs=inputs)) is not None


def test_what_cannot_be_translated_is_left_to_the_original(table: Any, parts_of: Callable[..., PackageParts]) -> None:
    """A polynomial is not known to the compiled engine."""
    steps = [
        ("fill", SimpleImputer()),
        ("scale", StandardScaler()),
        ("poly", PolynomialFeatures()),
        ("model", LogisticRegression(max_iter=1000)),
    ]
    fitted = Pipeline(steps).fit(table.frame.select(NUMBERS), table.binary)
    inputs = tuple(column for column in table.inputs if column.name in NUMBERS)
    with pytest.raises(NotTranslatable):
        translate(fitted, inputs)
    assert _proved(parts_of(fitted, inputs=inputs)) is None


def test_a_translation_that_errs_on_unknown_categories_is_refused(
    table: Any, pipeline: Pipe, parts_of: Callable[..., PackageParts]
) -> None:
    """The trees' library sends them another way than scikit-learn does; only made-up rows show it."""
    model = HistGradientBoostingClassifier(max_iter=TREES, categorical_features=[3])
    assert _proved(parts_of(pipeline(model, one_hot=False).fit(table.frame, table.binary))) is None


@pytest.mark.parametrize("kind", ["float32", "flipped"])
def test_an_engine_that_is_only_nearly_right_is_refused(
    table: Any, pipeline: Pipe, parts_of: Callable[..., PackageParts], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A float32 copy of a boosted model, and one that errs on one split value in a thousand."""
    fitted = pipeline(HistGradientBoostingClassifier(max_iter=TREES), one_hot=False).fit(table.frame, table.binary)
    real = compiled.load

    class Off:
        name = "off"

        def __init__(self, data: bytes) -> None:
            self.inner = real(data)

        def score(self, columns: Any, rows: int) -> Any:
            if kind == "flipped":
                scores = self.inner.score(columns, rows)
                scores[::1000] = scores[::1000, ::-1]
                return scores
            narrow = {
                name: [float(np.float32(v)) if isinstance(v, float) and abs(v) < 1e38 else v for v in values]
                for name, values in columns.items()
            }
            return self.inner.score(narrow, rows)

    monkeypatch.setattr(compiled, "load", Off)
    assert _proved(parts_of(fitted)) is None


def test_both_engines_refuse_the_same_rows(table: Any) -> None:
    """An unknown category, where the encoder was told that this is an error."""
    prepare = ColumnTransformer([("t", OneHotEncoder(handle_unknown="error"), TEXTS), ("n", "passthrough", ["wind"])])
    fitted = make_pipeline(prepare, RandomForestClassifier(3, random_state=0)).fit(table.frame, table.binary)
    engines = (SklearnEngine(fitted, table.inputs), compiled.CompiledEngine(translate(fitted, table.inputs)))
    columns: dict[str, Any] = {"temp": [1.0], "wind": [1.0], "hour": [1], "carrier": ["UA"], "wet": [True]}
    changes: list[dict[str, Any]] = [{"carrier": ["new"]}, {"wind": [1e300]}]
    for change in changes:
        for engine in engines:
            with pytest.raises(NotScorable):
                engine.score({**columns, **change}, 1)
    assert (engines[0].score(columns, 1) == engines[1].score(columns, 1)).all()


def test_one_row_gets_the_same_scores_alone_and_in_a_batch(table: Any, pipeline: Pipe) -> None:
    """Bit by bit for trees."""
    fitted = pipeline(HistGradientBoostingClassifier(max_iter=TREES), one_hot=False).fit(table.frame, table.many)
    engine = compiled.CompiledEngine(translate(fitted, table.inputs))
    columns = {name: table.frame[name].to_list() for name in table.frame.columns}
    batch = engine.score(columns, 400)
    alone = np.concatenate([engine.score(one_row(columns, index), 1) for index in range(400)])
    assert (batch == alone).all()


def test_a_broken_plan_is_refused(table: Any, logistic: Pipeline) -> None:
    """Bytes cut short, another format, sizes that do not fit."""
    good = translate(logistic, table.inputs)
    with pytest.raises(PlanBroken):
        plan.decode(plan.encode(good)[:-9])
    with pytest.raises(PlanBroken):
        compiled.load(b"\x80\x04.")
    with pytest.raises(PlanBroken):
        plan.Array((2, 3), b"12345678").read()


def test_the_model_of_the_caller_is_not_changed(
    table: Any, pipeline: Pipe, parts_of: Callable[..., PackageParts]
) -> None:
    """Though the packaged copy works with one thread."""
    fitted = pipeline(RandomForestClassifier(3, n_jobs=2, random_state=0)).fit(table.frame, table.binary)
    _proved(parts_of(fitted))
    assert fitted.named_steps["model"].n_jobs == 2


def test_a_frame_is_fed_with_the_types_of_the_signature(table: Any, logistic: Pipeline) -> None:
    """The original sees columns by name, whatever their order in the request."""
    columns = {name: table.frame[name].to_list() for name in reversed(table.frame.columns)}
    expected = logistic.predict_proba(table.frame)
    assert isinstance(table.frame, pl.DataFrame)
    assert (SklearnEngine(logistic, table.inputs).score(columns, 400) == expected).all()
