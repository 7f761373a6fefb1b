"""LightGBM's model text: written without the training data's extremes, checked before LightGBM reads it.

LightGBM follows the child, feature and category numbers of a text without looking at their bounds,
and its reader trusts the sizes that the text states.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from undrift.models.formats.archive import UntrustedModel

_TREE = "Tree="
_END = "end of trees"
_CATEGORIES = "pandas_categorical:"
_MOST_LEAVES = 1 << 24
_CATEGORICAL = 1
_RANGE = re.compile(r"\[[^\]]*\]")
Fields = Mapping[str, str]


def write(estimator: Any) -> bytes:  # Any: LightGBM is not typed
    """Return a fitted estimator's trees as text; the ranges of its columns, which are cells of rows, are left out.

    Raises
    ------
    UntrustedModel
        If it has trees of a form that is not stored.
    """
    head, mark, rest = str(estimator.booster_.model_to_string()).partition(f"\n{_TREE}")
    lines = [_without_ranges(line) for line in head.split("\n")]
    text = "\n".join(lines) + mark + rest
    check(text.encode())
    return text.encode()


def read(data: bytes, state: Mapping[str, object]) -> object:
    """Return the booster of a text.

    Raises
    ------
    UntrustedModel
        If it is not sound.
    """
    check(data)
    import lightgbm

    try:
        booster = lightgbm.Booster(model_str=data.decode())
    except (lightgbm.basic.LightGBMError, ValueError, TypeError, LookupError) as error:
        raise UntrustedModel(f"LightGBM does not read its text ({str(error)[:200]})") from error
    best = state.get("_best_iteration")
    if isinstance(best, int) and best > 0:
        booster.best_iteration = best
    return booster


def check(data: bytes) -> None:
    """Check that every tree of a text ends, and points at nothing outside itself and the model.

    Raises
    ------
    UntrustedModel
        If one does not.
    """
    try:
        _check(data.decode())
    except (ValueError, OverflowError, KeyError, RecursionError) as error:
        raise UntrustedModel(f"its LightGBM text is not sound ({type(error).__name__}: {str(error)[:100]})") from error


def _check(text: str) -> None:
    head, mark, rest = text.partition(f"\n{_TREE}")
    if not head.startswith("tree\n") or not mark:
        raise ValueError("no trees")
    body, mark, tail = (mark[1:] + rest).partition(f"\n{_END}")
    if not mark:
        raise ValueError("no end of trees")
    fields = _fields(head)
    chunks = _chunks(body + "\n", _integers(fields["tree_sizes"]))
    features = int(fields["max_feature_idx"]) + 1
    if not 0 < features < _MOST_LEAVES or len(fields["feature_names"].split(" ")) != features:
        raise ValueError("the number of features")
    per_round = int(fields["num_tree_per_iteration"])
    if per_round < 1 or len(chunks) % per_round or int(fields["num_class"]) not in (per_round, 1):
        raise ValueError("the number of classes")
    for chunk in chunks:
        _check_tree(_fields(chunk), features)
    _check_categories(tail)


def _chunks(body: str, sizes: NDArray[np.int64]) -> list[str]:
    """Return the text of each tree; LightGBM jumps by the stated sizes, so they must be true."""
    data, found, start = body.encode(), [], 0
    for index, size in enumerate(sizes.tolist()):
        chunk = data[start : start + size].decode()
        if size < 1 or not chunk.startswith(f"{_TREE}{index}\n"):
            raise ValueError("the sizes of trees")
        found.append(chunk)
        start += size
    if not found or data[start:].strip():
        raise ValueError("the sizes of trees")
    return found


def _check_tree(fields: Fields, features: int) -> None:
    leaves, categories = int(fields["num_leaves"]), int(fields["num_cat"])
    if not 0 < leaves < _MOST_LEAVES or categories < 0:
        raise ValueError("the number of leaves")
    if fields.get("is_linear", "0") != "0":
        raise UntrustedModel("it has linear trees", cure="fit LightGBM with linear_tree=False")
    _floats(fields["leaf_value"], leaves)
    if leaves == 1:
        return
    nodes = np.arange(leaves - 1)
    for name in ("left_child", "right_child"):
        child = _integers(fields[name], leaves - 1)
        inner = child >= 0
        if bool((child[inner] <= nodes[inner]).any() or (child >= leaves - 1).any() or (child < -leaves).any()):
            raise ValueError("a tree points outside itself")
    split = _integers(fields["split_feature"], leaves - 1)
    if bool(((split < 0) | (split >= features)).any()):
        raise ValueError("a tree asks for a feature that the model does not have")
    kinds = _integers(fields["decision_type"], leaves - 1)
    thresholds = _floats(fields["threshold"], leaves - 1)
    _check_sets(fields, categories, thresholds[(kinds & _CATEGORICAL) != 0])


def _check_sets(fields: Fields, categories: int, used: NDArray[np.float64]) -> None:
    """Check the sets of categories, which thresholds of categorical nodes number."""
    if not categories:
        if used.size:
            raise ValueError("a tree without sets of categories asks for one")
        return
    bounds = _integers(fields["cat_boundaries"], categories + 1)
    bits = _integers(fields["cat_threshold"])
    if bounds[0] != 0 or bool((np.diff(bounds) < 0).any()) or bounds[-1] != len(bits):
        raise ValueError("the sets of categories")
    if bool(((used < 0) | (used >= categories) | (used != np.floor(used))).any()):
        raise ValueError("a tree asks for a set of categories that it does not have")


def _check_categories(tail: str) -> None:
    """Check the categories that pandas had, which LightGBM's Python part reads as JSON."""
    _, mark, line = tail.rpartition(f"\n{_CATEGORIES}")
    found = json.loads(line) if mark else None
    if found is not None and not (isinstance(found, list) and all(isinstance(part, list) for part in found)):
        raise ValueError("the categories of pandas")


def _fields(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.split("\n"):
        name, mark, value = line.partition("=")
        if not mark:
            continue
        if name in found:
            raise ValueError(f"{name[:40]} stands twice")
        found[name] = value
    return found


def _integers(text: str, count: int | None = None) -> NDArray[np.int64]:
    return _counted(np.array(text.split(), dtype=np.int64), count)


def _floats(text: str, count: int) -> NDArray[np.float64]:
    return _counted(np.array(text.split(), dtype=np.float64), count)


def _counted(values: NDArray[Any], count: int | None) -> NDArray[Any]:
    if count is not None and len(values) != count:
        raise ValueError("an array has another length than its tree")
    return values


def _without_ranges(line: str) -> str:
    """Return a line of the head with the smallest and largest value of each column taken out."""
    return _RANGE.sub("none", line) if line.startswith("feature_infos=") else line
