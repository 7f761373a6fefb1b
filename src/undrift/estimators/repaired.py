"""A classifier whose probabilities are repaired by a fixed rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin

from undrift.estimators.errors import BadTransformer
from undrift.estimators.recalibration import Floats, Method, problem_of, recalibrated

Matrix = Any  # Any: scikit-learn hands over what it was given


class Repaired(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is not typed
    """A fitted classifier and the repair of its probabilities.

    Parameters
    ----------
    model : object
        The fitted classifier.
    method : {"sigmoid", "isotonic", "temperature"}
        How they are repaired.
    numbers : array
        As :func:`undrift.estimators.recalibration.recalibrated` takes them.
    """

    def __init__(self, model: Any, method: Method, numbers: Floats) -> None:
        self.model = model
        self.method = method
        self.numbers = numbers

    @property
    def classes_(self) -> npt.NDArray[Any]:
        """The model's classes, in the order of the probabilities."""
        return np.asarray(self.model.classes_)

    @property
    def n_features_in_(self) -> int:
        """How many features the model takes."""
        return int(self.model.n_features_in_)

    def fit(self, matrix: Matrix, y: object) -> Repaired:
        """Return itself with the model fitted again; the repair stays."""
        self.model.fit(matrix, y)
        return self

    def predict_proba(self, matrix: Matrix) -> Floats:
        """Return repaired probabilities, shape (rows, classes)."""
        return recalibrated(self.method, self.numbers, np.asarray(self.model.predict_proba(matrix)))

    def predict(self, matrix: Matrix) -> npt.NDArray[Any]:
        """Return the likeliest class of each row."""
        chosen: npt.NDArray[Any] = self.classes_[self.predict_proba(matrix).argmax(axis=1)]
        return chosen

    def __sklearn_is_fitted__(self) -> bool:
        """Say that it holds a fitted model."""
        return True

    def check(self) -> None:
        """Check that it holds what repairing leaves.

        Raises
        ------
        BadTransformer
            If it does not.
        """
        problem = problem_of(getattr(self, "method", None), getattr(self, "numbers", None))
        if problem:
            raise BadTransformer(f"a stored repair {problem}", cure="train the model again")
