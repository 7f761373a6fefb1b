"""Translating the model at the end of a pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import (
    ElasticNet,
    ElasticNetCV,
    Lasso,
    LassoCV,
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    QuantileRegressor,
    Ridge,
    RidgeCV,
)
from sklearn.utils import get_tags

from undrift.estimators.lightgbm import LightGBMClassifier, LightGBMRegressor
from undrift.estimators.linear import RowwiseLogistic, RowwiseRidge
from undrift.estimators.repaired import Repaired
from undrift.models.engines.plan import Averaged, Boosted, Constant, Head, Linear, Link, Recalibration, array
from undrift.models.formats import boosters, lightgbm_text
from undrift.models.formats.boosters import kind_of
from undrift.models.translation.blocks import NotTranslatable

LINEAR = (ElasticNet, ElasticNetCV, Lasso, LassoCV, LinearRegression, QuantileRegressor, Ridge, RidgeCV)
LOGISTIC = (LogisticRegression, LogisticRegressionCV)
ROWWISE = (RowwiseLogistic, RowwiseRidge)
FORESTS = (ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor)
GRADIENT = (GradientBoostingClassifier, GradientBoostingRegressor)
LIGHTGBM = (LightGBMClassifier, LightGBMRegressor)
_OBJECTIVES: dict[str, Link] = {"binary sigmoid:1": "expit", "regression": "identity", "multiclass": "softmax"}
HISTOGRAM = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)


def head(model: Any) -> Head:  # Any: scikit-learn is not typed
    """Return a fitted estimator as the head of a plan.

    Raises
    ------
    NotTranslatable
        If its kind is not known, or it has several outputs.
    """
    if isinstance(model, LIGHTGBM):
        links: Link = "expit" if model.outputs == 1 else "softmax"
        return _lightgbm(model.booster(), "identity" if isinstance(model, LightGBMRegressor) else links)
    if kind_of(model) in boosters.LIGHTGBM:
        return _lightgbm(model.booster_, _objective(model))
    if getattr(model, "n_outputs_", 1) != 1:
        raise NotTranslatable("a model with several outputs")
    if isinstance(model, (*LINEAR, *LOGISTIC)):
        return _linear(model)
    if isinstance(model, FORESTS):
        outputs = int(getattr(model, "n_classes_", 1))
        return Averaged(_treelite(model), outputs, bool(get_tags(model).input_tags.allow_nan))
    if isinstance(model, (*GRADIENT, *HISTOGRAM)):
        return _boosted(model)
    return _constant(model)


def _linear(model: Any) -> Linear:
    link: Link = "identity"
    if isinstance(model, LOGISTIC):
        link = "expit" if len(model.classes_) == 2 else "softmax"  # noqa: PLR2004 - two classes are binary
    weights, intercept = array(np.atleast_2d(model.coef_)), array(np.atleast_1d(model.intercept_))
    return Linear(weights, intercept, link, isinstance(model, ROWWISE))


def _boosted(model: Any) -> Boosted:
    if isinstance(model, GRADIENT):
        start = model._raw_predict_init(np.zeros((1, model.n_features_in_)))  # noqa: SLF001 - as treelite does
        return Boosted(_treelite(model), array(np.ravel(start)), _link(model), True, False)
    start = np.ravel(model._baseline_prediction)  # noqa: SLF001 - no public name tells it
    return Boosted(_treelite(model), array(start), _link(model), False, True)


def _lightgbm(booster: Any, link: Link) -> Boosted:
    import treelite

    try:
        trees: bytes = treelite.frontend.from_lightgbm(booster).serialize_bytes()
    except (treelite.TreeliteError, ValueError) as error:
        raise NotTranslatable(f"trees that treelite does not take ({error})") from error
    outputs = booster.num_model_per_iteration()
    return Boosted(trees, array(np.zeros(outputs)), link, sees_float32=False, takes_missing=True)


def _objective(model: Any) -> Link:
    """Return the link of LightGBM's own estimator."""
    found = lightgbm_text.objective(model)
    if found not in _OBJECTIVES:
        raise NotTranslatable(f"LightGBM's objective {found!r}")
    return _OBJECTIVES[found]


def recalibration(model: Any) -> tuple[Any, Recalibration | None]:  # Any: scikit-learn is not typed
    """Return the model inside a repair, and the repair; a model that needs none is returned with None."""
    if not isinstance(model, Repaired):
        return model, None
    return model.model, Recalibration(model.method, array(model.numbers))


def _link(model: Any) -> Link:
    name = type(model._loss.link).__name__  # noqa: SLF001 - no public name tells it
    links: dict[str, Link] = {
        "IdentityLink": "identity",
        "LogitLink": "expit",
        "MultinomialLogit": "softmax",
        "LogLink": "exp",
    }
    if name not in links:
        raise NotTranslatable(f"the link {name}")
    return links[name]


def _constant(model: Any) -> Constant:
    if isinstance(model, DummyClassifier) and model.strategy == "prior":
        return Constant(array(model.class_prior_))
    if isinstance(model, DummyRegressor):
        return Constant(array(np.ravel(model.constant_)))
    raise NotTranslatable(f"the model {type(model).__name__}")


def _treelite(model: Any) -> bytes:
    import treelite

    try:
        data: bytes = treelite.sklearn.import_model(model).serialize_bytes()
    except (treelite.TreeliteError, NotImplementedError, ValueError, AssertionError) as error:
        raise NotTranslatable(f"trees that treelite does not take ({error})") from error
    return data
