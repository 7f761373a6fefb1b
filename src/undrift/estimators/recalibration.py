"""Probabilities moved to where they belong: the arithmetic, with numpy alone.

Ranks stay as they are: a sigmoid with a rising slope, a rising broken line and a temperature
keep the order of rows (the first two) or of a row's classes (the last).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Method: TypeAlias = Literal["sigmoid", "isotonic", "temperature"]
CLIP = 1e-9


def logit(p: Floats) -> Floats:
    """Return ln(p / (1 - p)) of probabilities limited to [1e-9, 1 - 1e-9]."""
    limited = np.clip(p, CLIP, 1.0 - CLIP)
    return np.log(limited) - np.log1p(-limited)


def recalibrated(method: Method, numbers: Floats, probabilities: Floats) -> Floats:
    """Return repaired probabilities.

    Parameters
    ----------
    method : {"sigmoid", "isotonic", "temperature"}
        How.
    numbers : array
        ``(slope, intercept)`` over the logit of the second class; ``(2, k)``, both rising, the
        corners of a broken line over its probability; or ``(t,)``, the power of each probability.
    probabilities : array of shape (rows, classes)
        What the model says; two classes but for the temperature.
    """
    match method:
        case "sigmoid":
            slope, intercept = numbers
            return _both(1.0 / (1.0 + np.exp(-(slope * logit(probabilities[:, 1]) + intercept))))
        case "isotonic":
            return _both(np.interp(probabilities[:, 1], numbers[0], numbers[1]))
        case "temperature":
            raised = numbers[0] * np.log(np.clip(probabilities, CLIP, 1.0))
            powers = np.exp(raised - raised.max(axis=1, keepdims=True))
            shares: Floats = powers / powers.sum(axis=1, keepdims=True)
            return shares


def problem_of(method: object, numbers: object) -> str:
    """Return what is wrong with a stored repair, "" when nothing is."""
    if method not in ("sigmoid", "isotonic", "temperature"):
        return "names a method that does not exist"
    if not isinstance(numbers, np.ndarray) or numbers.dtype != np.float64 or not np.isfinite(numbers).all():
        return "holds no numbers"
    if method == "isotonic":
        is_line = numbers.ndim == 2 and numbers.shape[0] == 2 and numbers.shape[1] > 1  # noqa: PLR2004 - x and y
        rises = is_line and bool((np.diff(numbers) > 0).all()) and numbers.min() >= 0 and numbers.max() <= 1
        return "" if rises else "holds no rising line"
    shape = (2,) if method == "sigmoid" else (1,)
    return "" if numbers.shape == shape and numbers[0] > 0 else "would turn the order around"


def _both(positive: Floats) -> Floats:
    return np.column_stack((1.0 - positive, positive))
