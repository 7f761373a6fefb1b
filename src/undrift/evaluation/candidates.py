"""The models that compete, each one scikit-learn Pipeline that takes raw rows by column name.

They are made of parts that a package can compile: imputation by a constant, scaling, one-hot
encoding, linear models and trees.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal, TypeAlias

import joblib
import numpy as np
import polars as pl
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from undrift.core.errors import BadInput, MissingExtra
from undrift.estimators.lightgbm import LightGBMClassifier, LightGBMRegressor
from undrift.estimators.linear import RowwiseLogistic, RowwiseRidge
from undrift.estimators.prepare import DateParts, HashedWords, Missing
from undrift.estimators.repaired import Repaired
from undrift.evaluation.calibration import Repair
from undrift.evaluation.features import Features, encoded_widths, fed, frequent, word_places
from undrift.evaluation.target import Labels, Target, Task

CandidateName: TypeAlias = Literal["linear", "random_forest", "gradient_boosting", "lightgbm"]
SIMPLEST_FIRST: tuple[str, ...] = ("linear", "random_forest", "gradient_boosting", "lightgbm")
_EXTRAS = ("lightgbm",)
_WITH_GAPS = ("gradient_boosting", "lightgbm")
_MANY_ROWS = 500_000
_MOST_LEAVES = 5_000


class UnknownCandidate(BadInput):
    """The settings name a kind of model that does not exist."""

    code = "unknown-candidate"


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted candidate.

    Attributes
    ----------
    kind : str
        Which candidate.
    model : Pipeline
        Takes the features' columns by name from a polars frame.
    """

    kind: str
    model: Any  # Any: scikit-learn is not typed

    def scores(self, frame: pl.DataFrame, features: Features, target: Target) -> Labels:
        """Return the scores of rows as metrics take them."""
        asked = fed(frame, features)
        answer = self.model.predict if target.task == "regression" else self.model.predict_proba
        with _threads(len(frame)):
            scores = np.asarray(answer(asked), dtype=np.float64)
        return target.scores(scores.reshape(len(frame), -1))

    def repaired(self, repair: Repair) -> Fitted:
        """Return the candidate with its probabilities repaired inside the Pipeline."""
        *steps, (name, model) = self.model.steps
        return Fitted(self.kind, Pipeline([*steps, (name, Repaired(model, repair.method, repair.numbers))]))


def check_candidates(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names, simplest first; all that are installed when none is named.

    Raises
    ------
    UnknownCandidate
        If there is no such kind of model.
    MissingExtra
        If it is not installed.
    """
    unknown = [name for name in names if name not in SIMPLEST_FIRST]
    if unknown:
        raise UnknownCandidate(f"there is no candidate {unknown[0]!r}", cure=f"use some of {', '.join(SIMPLEST_FIRST)}")
    absent = [name for name in _EXTRAS if find_spec(name) is None]
    for name in absent:
        if name in names:
            raise MissingExtra(name, f"the candidate {name!r}")
    return tuple(name for name in SIMPLEST_FIRST if (not names and name not in absent) or name in names)


def fit(kind: str, frame: pl.DataFrame, features: Features, target: Target, *, seed: int = 0) -> Fitted:
    """Return a candidate fitted on rows.

    Parameters
    ----------
    kind : str
        One of :data:`SIMPLEST_FIRST`.
    frame : DataFrame
        The rows to learn from, and nothing else: preprocessing learns from them too.
    features : Features
        The columns.
    target : Target
        What to learn.
    seed : int
        Of what is random in fitting.

    Notes
    -----
    Forests are fitted on all cores; the result does not depend on how many there are.
    """
    check_candidates((kind,))
    table = fed(frame, features)
    model = Pipeline(
        [
            ("prepare", _preparation(table, features, scaled=kind == "linear", filled=kind not in _WITH_GAPS)),
            ("model", _MODELS[kind](target.task, len(frame), seed)),
        ]
    )
    with _threads(len(frame)), joblib.parallel_config(backend="threading", n_jobs=os.cpu_count() or 1):
        model.fit(table, target.labels(frame))
    return Fitted(kind, model)


def _threads(rows: int) -> Any:  # Any: the library is not typed
    """Return a context with one OpenMP thread for all but very many rows.

    Its threads wait spinning: beside any other work they make small fits ten times slower.
    """
    return threadpool_limits(1 if rows < _MANY_ROWS else None)


def _preparation(table: pl.DataFrame, features: Features, *, scaled: bool, filled: bool) -> Any:
    steps: list[tuple[str, Any]] = []
    if filled:
        steps.append(("fill", SimpleImputer(strategy="median", keep_empty_features=True)))
    if scaled:
        steps.append(("scale", StandardScaler()))
    bools, texts, words = (features.of_kind(kind) for kind in ("bool", "category", "text"))
    gaps = [feature.name for feature in features.used if feature.tells_missing]
    known = categories(table, texts)
    parts: list[tuple[str, Any, list[str]]] = [
        ("number", Pipeline(steps) if steps else "passthrough", features.of_kind("number")),
        ("bool", _one_hot([[False, True] for _ in bools]), bools),
        ("category", _one_hot(list(known.values())), list(known)),
        ("date", Pipeline([("parts", DateParts()), *steps]), features.of_kind("date", "datetime")),
        ("word", HashedWords(word_places(len(words))), words),
        ("gap", Missing(), gaps),
    ]
    used = [part for part in parts if part[2]]
    return ColumnTransformer(used or [("gap", Missing(), table.columns)])


def categories(table: pl.DataFrame, names: list[str]) -> dict[str, list[str]]:
    """Return the categories that are encoded, bounded over all columns; a column without any is left out."""
    found = {name: frequent(table[name]) for name in names}
    known = {name: texts for name, texts in found.items() if texts}
    widths = encoded_widths([len(texts) for texts in known.values()])
    return {
        name: texts if len(texts) <= width else frequent(table[name], most=width)
        for (name, texts), width in zip(known.items(), widths, strict=True)
    }


def _one_hot(categories: list[Any]) -> Any:
    """Return an encoder for stated categories; nulls and other values are all zeros."""
    return OneHotEncoder(categories=categories, handle_unknown="ignore", sparse_output=False)


def _linear(task: Task, rows: int, seed: int) -> Any:  # noqa: ARG001 - one signature for all
    return RowwiseRidge(alpha=1.0) if task == "regression" else RowwiseLogistic(C=1.0, max_iter=2000)


def _random_forest(task: Task, rows: int, seed: int) -> Any:
    fewest = max(1, min(20, rows // 500), rows // _MOST_LEAVES)
    shape = {"n_estimators": 100, "min_samples_leaf": fewest, "random_state": seed}
    if task == "regression":
        return RandomForestRegressor(max_features=1 / 3, **shape)
    return RandomForestClassifier(max_features="sqrt", **shape)


def _gradient_boosting(task: Task, rows: int, seed: int) -> Any:  # noqa: ARG001 - one signature for all
    # Early stopping would split rows at random, across units.
    shape = {"max_iter": 100, "learning_rate": 0.1, "early_stopping": False, "random_state": seed}
    if task == "regression":
        # What decides is the absolute error unless somebody says otherwise; the other candidates learn the mean.
        return HistGradientBoostingRegressor(loss="absolute_error", **shape)
    return HistGradientBoostingClassifier(**shape)


def _lightgbm(task: Task, rows: int, seed: int) -> Any:  # noqa: ARG001 - one signature for all
    model = LightGBMRegressor if task == "regression" else LightGBMClassifier
    return model(threads=1 if rows < _MANY_ROWS else os.cpu_count() or 1)


_MODELS: Mapping[str, Callable[[Task, int, int], Any]] = {
    "linear": _linear,
    "random_forest": _random_forest,
    "gradient_boosting": _gradient_boosting,
    "lightgbm": _lightgbm,
}
