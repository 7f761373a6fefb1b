"""Parameters of a run: read from the fitted estimator, and compared with what somebody declared."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from undrift.core import canonical
from undrift.core.digest import blake3_bytes
from undrift.core.json import JSON
from undrift.tracking.facts import Warned

LONGEST_VALUE = 500


def fitted_params(estimator: Any) -> dict[str, JSON]:  # Any: whatever has get_params
    """Return the parameters that an estimator really has, nested ones as ``step__name``.

    Parameters
    ----------
    estimator : object
        A scikit-learn estimator or Pipeline; anything else has none.
    """
    if not hasattr(estimator, "get_params"):
        return {}
    found = estimator.get_params(deep=True)
    return {str(name): as_value(value) for name, value in sorted(found.items())}


def as_value(value: object) -> JSON:
    """Return a parameter as JSON: itself, a list, the name of its type, or a digest when it is long."""
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    if value is None or isinstance(value, bool | str | int):
        plain: JSON = value
    elif isinstance(value, float):
        plain = value if math.isfinite(value) else str(value)
    elif isinstance(value, list | tuple):
        plain = [as_value(item) for item in value]
    elif isinstance(value, Mapping):
        plain = {str(key): as_value(item) for key, item in value.items()}
    elif callable(getattr(value, "item", None)) and getattr(value, "ndim", None) == 0:
        return as_value(value.item())  # type: ignore[attr-defined]  # a numpy scalar, asked above
    elif callable(getattr(value, "tolist", None)):
        return as_value(value.tolist())  # type: ignore[attr-defined]  # an array, asked above
    else:
        return f"{type(value).__module__}.{type(value).__qualname__}"
    text = canonical.dumps(_exact(plain))
    return plain if len(text) <= LONGEST_VALUE else f"{len(text)} bytes, {blake3_bytes(text)}"


def untrue(declared: Mapping[str, JSON], fitted: Mapping[str, JSON]) -> list[Warned]:
    """Return a warning for each declared parameter that the fitted estimator does not bear out.

    A declared name stands for the parameter of the same name, or for the one nested parameter
    that ends with it; names of which the estimator has none are the caller's own and are kept.
    """
    found = []
    for name, value in declared.items():
        names = [known for known in fitted if known == name or known.endswith(f"__{name}")]
        if len(names) == 1 and not _same(fitted[names[0]], value):
            found.append(
                Warned("untrue-param", f"{name} was declared as {value!r}; the fitted model has {fitted[names[0]]!r}")
            )
    return found


def _same(fitted: JSON, declared: JSON) -> bool:
    if isinstance(fitted, bool) or isinstance(declared, bool):
        return fitted is declared
    return fitted == as_value(declared)


def _exact(value: JSON) -> JSON:
    """Return integers beyond JSON's exact range as text."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > canonical.LARGEST_EXACT_INTEGER:
        return str(value)
    if isinstance(value, list):
        return [_exact(item) for item in value]
    return value
