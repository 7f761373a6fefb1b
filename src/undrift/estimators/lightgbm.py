"""LightGBM as estimators that store as text: no pickle, and nothing of it is read unchecked."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from undrift.core.errors import MissingExtra
from undrift.estimators.booster_text import check_text, stripped
from undrift.estimators.errors import BadTransformer

Floats = npt.NDArray[np.float64]
_BINARY = 2


class _Boosted(BaseEstimator):  # type: ignore[misc]  # scikit-learn is not typed
    """What both have in common.

    Parameters
    ----------
    rounds : int
        Rounds of boosting.
    learning_rate : float
        Shrinkage of each round.
    leaves, fewest_rows : int
        Most leaves of a tree, fewest rows of a leaf.
    threads : int
        Of fitting; the result does not depend on it.

    Attributes
    ----------
    text_ : str
        The fitted model.
    """

    def __init__(
        self,
        *,
        rounds: int = 100,
        learning_rate: float = 0.1,
        leaves: int = 31,
        fewest_rows: int = 20,
        threads: int = 1,
    ) -> None:
        self.rounds = rounds
        self.learning_rate = learning_rate
        self.leaves = leaves
        self.fewest_rows = fewest_rows
        self.threads = threads

    @property
    def outputs(self) -> int:
        """How many numbers the trees give by row."""
        return 1

    def raw(self, matrix: npt.ArrayLike) -> Floats:
        """Return the sums of the trees, shape (rows, outputs)."""
        numbers = np.asarray(matrix, dtype=np.float64)
        found = self.booster().predict(numbers, raw_score=True, num_threads=1)
        return np.asarray(found, dtype=np.float64).reshape(len(numbers), -1)

    def check(self) -> None:
        """Check that it holds what :meth:`fit` leaves; a pipeline may also hold an unfitted one."""
        if "_loaded" in self.__dict__:
            raise BadTransformer("a stored LightGBM model brings a loaded one", cure="train the model again")
        if hasattr(self, "text_"):
            check_text(self.text_, int(getattr(self, "n_features_in_", 0)), self.outputs)

    def _train(self, matrix: npt.ArrayLike, labels: Floats, objective: dict[str, Any]) -> None:  # Any: settings
        library = _library()
        numbers = np.asarray(matrix, dtype=np.float64)
        settings = {
            **objective,
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.fewest_rows,
            "num_threads": self.threads,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }
        booster = library.train(settings, library.Dataset(numbers, label=labels, free_raw_data=True), self.rounds)
        self.n_features_in_ = numbers.shape[1]
        self.text_ = stripped(booster.model_to_string())
        self.__dict__.pop("_loaded", None)

    def booster(self) -> Any:  # Any: LightGBM's booster
        """Return LightGBM's own object, made of the text."""
        if "_loaded" not in self.__dict__:
            self.check()
            self._loaded = _library().Booster(model_str=self.text_)
        return self._loaded

    def __getstate__(self) -> dict[str, Any]:
        """Return what is stored: all but the loaded model, which is made of the text."""
        return {name: value for name, value in self.__dict__.items() if name != "_loaded"}

    def __sklearn_is_fitted__(self) -> bool:
        """Say whether it was fitted."""
        return hasattr(self, "text_")


class LightGBMClassifier(ClassifierMixin, _Boosted):  # type: ignore[misc]  # scikit-learn is not typed
    """Boosted trees for classes."""

    @property
    def outputs(self) -> int:
        """One number for two classes, else one by class."""
        return 1 if len(self.classes_) == _BINARY else len(self.classes_)

    def fit(self, matrix: npt.ArrayLike, y: npt.ArrayLike) -> LightGBMClassifier:
        """Return itself, fitted."""
        self.classes_, codes = np.unique(np.asarray(y), return_inverse=True)
        several = {"objective": "multiclass", "num_class": len(self.classes_)}
        objective = {"objective": "binary"} if len(self.classes_) == _BINARY else several
        self._train(matrix, codes.astype(np.float64), objective)
        return self

    def predict_proba(self, matrix: npt.ArrayLike) -> Floats:
        """Return probabilities, shape (rows, classes)."""
        raw = self.raw(matrix)
        if self.outputs == 1:
            positive = expit(raw[:, 0])
            return np.column_stack((1.0 - positive, positive))
        powers = np.exp(raw - raw.max(axis=1, keepdims=True))
        shares: Floats = powers / powers.sum(axis=1, keepdims=True)
        return shares

    def predict(self, matrix: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return the likeliest class of each row."""
        chosen: npt.NDArray[Any] = self.classes_[self.predict_proba(matrix).argmax(axis=1)]
        return chosen


class LightGBMRegressor(RegressorMixin, _Boosted):  # type: ignore[misc]  # scikit-learn is not typed
    """Boosted trees for numbers."""

    def fit(self, matrix: npt.ArrayLike, y: npt.ArrayLike) -> LightGBMRegressor:
        """Return itself, fitted."""
        self._train(matrix, np.asarray(y, dtype=np.float64), {"objective": "regression"})
        return self

    def predict(self, matrix: npt.ArrayLike) -> Floats:
        """Return numbers, shape (rows,)."""
        return self.raw(matrix)[:, 0]


def _library() -> Any:  # Any: LightGBM is not typed
    try:
        import lightgbm
    except ImportError as error:
        raise MissingExtra("lightgbm", "a LightGBM model") from error
    return lightgbm
