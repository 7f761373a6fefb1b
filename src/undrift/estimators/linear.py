"""Linear models whose answer to a row is the same to the last bit, whatever rows are asked with it."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.utils.validation import check_is_fitted, validate_data

from undrift.estimators.errors import BadTransformer
from undrift.estimators.sums import Floats, weighted_sums

Matrix = Any  # Any: scikit-learn hands over what it was given


class _Rowwise:
    """What both have in common: the weights that fitting leaves."""

    coef_: Floats
    intercept_: Floats

    def check(self) -> None:
        """Check that it holds what fitting leaves.

        Raises
        ------
        BadTransformer
            If it does not.
        """
        weights, intercept = (np.asarray(getattr(self, name, None)) for name in ("coef_", "intercept_"))
        outputs = np.atleast_2d(weights).shape[0]
        numbers = all(array.dtype.kind == "f" and bool(np.isfinite(array).all()) for array in (weights, intercept))
        if not numbers or weights.ndim not in (1, 2) or np.atleast_1d(intercept).shape != (outputs,):
            raise BadTransformer(
                f"a stored {type(self).__name__} has weights that do not fit together", cure="train the model again"
            )

    def _sums(self, matrix: Matrix) -> Floats:
        check_is_fitted(self)
        numbers = validate_data(self, matrix, reset=False)
        return weighted_sums(numbers, np.atleast_2d(self.coef_), np.atleast_1d(self.intercept_))


class RowwiseLogistic(_Rowwise, LogisticRegression):  # type: ignore[misc]  # scikit-learn is not typed
    """scikit-learn's LogisticRegression, fitted as it is, with sums that do not depend on other rows."""

    def decision_function(self, X: Matrix) -> Floats:  # noqa: N803 - scikit-learn's name
        """Return the log odds, shape (rows,), or the classes' scores, shape (rows, classes)."""
        scores = self._sums(X)
        return scores[:, 0] if scores.shape[1] == 1 else scores


class RowwiseRidge(_Rowwise, Ridge):  # type: ignore[misc]  # scikit-learn is not typed
    """scikit-learn's Ridge, fitted as it is, with sums that do not depend on other rows."""

    def predict(self, X: Matrix) -> Floats:  # noqa: N803 - scikit-learn's name
        """Return the predicted numbers, shape (rows,)."""
        return self._sums(X)[:, 0]
