"""XGBoost's model JSON, checked before XGBoost reads it.

XGBoost follows the child, feature and category numbers of its trees without looking at their bounds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from undrift.models.formats.archive import UntrustedModel

_MOST_CATEGORIES = 1 << 24
_DEEPEST = 64
Parsed = Mapping[str, Any]  # Any: parsed JSON


def write(estimator: Any) -> bytes:  # Any: XGBoost is not typed
    """Return a fitted estimator's trees as JSON.

    Raises
    ------
    UntrustedModel
        If it is of a form that is not stored.
    """
    data = bytes(estimator.get_booster().save_raw("json"))
    check(data)
    return data


def read(data: bytes, state: Mapping[str, object]) -> object:
    """Return the booster of a JSON text.

    Raises
    ------
    UntrustedModel
        If it is not sound.
    """
    del state  # the text holds the best round
    check(data)
    import xgboost

    booster = xgboost.Booster({"nthread": 1})
    try:
        booster.load_model(bytearray(data))
    except (xgboost.core.XGBoostError, ValueError, TypeError) as error:
        raise UntrustedModel(f"XGBoost does not read its text ({str(error)[:200]})") from error
    return booster


def check(data: bytes) -> None:
    """Check that every tree ends, and points at nothing outside itself and the model.

    Raises
    ------
    UntrustedModel
        If one does not.
    """
    if data[:1] != b"{":
        raise UntrustedModel("its XGBoost text is not JSON")
    try:
        _check(json.loads(data))
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError) as error:
        raise UntrustedModel(f"its XGBoost text is not sound ({type(error).__name__}: {str(error)[:100]})") from error


def _check(parsed: Parsed) -> None:
    learner = parsed["learner"]
    booster = learner["gradient_booster"]
    if booster["name"] not in ("gbtree", "dart"):
        raise UntrustedModel(
            f"it has an XGBoost model of kind {booster['name']!r}", cure='fit it with booster="gbtree"'
        )
    if booster["name"] == "dart" and len(booster["weight_drop"]) != len(booster["gbtree"]["model"]["trees"]):
        raise ValueError("the weights of trees")
    model = (booster["gbtree"] if booster["name"] == "dart" else booster)["model"]
    facts = learner["learner_model_param"]
    trees, features = model["trees"], int(facts["num_feature"])
    if int(facts.get("num_target", 1)) > 1:
        raise UntrustedModel("it answers several numbers at once", cure="fit one model per target")
    groups = max(1, int(facts["num_class"]))
    info = _integers(model["tree_info"], len(trees))
    if int(model["gbtree_model_param"]["num_trees"]) != len(trees) or bool(((info < 0) | (info >= groups)).any()):
        raise ValueError("the number of trees")
    rounds = _integers(model["iteration_indptr"])
    if rounds[0] != 0 or rounds[-1] != len(trees) or bool((np.diff(rounds) < 0).any()):
        raise ValueError("the rounds of trees")
    for number, tree in enumerate(trees):
        if tree["id"] != number:
            raise ValueError("the order of trees")
        _check_tree(tree, features)
    _check_encoding(model.get("cats"), features)


def _check_tree(tree: Parsed, features: int) -> None:
    facts = tree["tree_param"]
    size = int(facts["num_nodes"])
    if size < 1 or int(facts["num_feature"]) != features or int(facts.get("size_leaf_vector", 1)) > 1:
        raise ValueError("the facts of a tree")
    left, right = _integers(tree["left_children"], size), _integers(tree["right_children"], size)
    if bool(((left == -1) != (right == -1)).any()):
        raise ValueError("a node has one child")
    _check_ends(left, right)
    inner = left != -1
    split = _integers(tree["split_indices"], size)[inner]
    if bool(((split < 0) | (split >= features)).any()):
        raise ValueError("a tree asks for a feature that the model does not have")
    parents = _integers(tree["parents"], size)
    nodes = np.flatnonzero(inner)
    if bool((parents[left[inner]] != nodes).any() or (parents[right[inner]] != nodes).any()):
        raise ValueError("a node has another parent than it says")
    for name, values in tree.items():
        if isinstance(values, list) and not name.startswith("categories"):
            np.asarray(values, dtype=np.float64).reshape(size)
    for name in ("split_conditions", "default_left", "base_weights", "loss_changes", "sum_hessian"):
        if not isinstance(tree[name], list):
            raise TypeError(f"the {name} of a tree")
    _check_sets(tree, size)


def _check_ends(left: NDArray[np.int64], right: NDArray[np.int64]) -> None:
    """Walk a tree level by level; a node that is met twice would be walked for ever."""
    met = np.zeros(len(left), dtype=bool)
    level = np.array([0])
    while level.size:
        if bool(met[level].any()):
            raise ValueError("a tree is not a tree")
        met[level] = True
        inner = level[left[level] != -1]
        level = np.concatenate([left[inner], right[inner]])
        if bool(((level < 1) | (level >= len(left))).any()) or len(np.unique(level)) != len(level):
            raise ValueError("a tree points outside itself")


def _check_sets(tree: Parsed, size: int) -> None:
    nodes = _integers(tree.get("categories_nodes", []))
    starts, sizes = (
        _integers(tree.get("categories_segments", []), len(nodes)),
        _integers(tree.get("categories_sizes", []), len(nodes)),
    )
    values = _integers(tree.get("categories", []))
    kinds = _integers(tree.get("split_type", [0] * size), size)
    if bool(((nodes < 0) | (nodes >= size)).any() or ((values < 0) | (values >= _MOST_CATEGORIES)).any()):
        raise ValueError("the sets of categories")
    if bool(((starts < 0) | (sizes < 0) | (starts + sizes > len(values))).any()):
        raise ValueError("the sets of categories")
    if not set(np.flatnonzero(kinds).tolist()) <= set(nodes.tolist()):
        raise ValueError("a tree asks for a set of categories that it does not have")


def _check_encoding(cats: Parsed | None, features: int) -> None:
    """Check the categories of columns, by which XGBoost numbers the categories of a frame."""
    if not cats or not cats["enc"]:
        return
    segments = _integers(cats["feature_segments"], features + 1)
    order = _integers(cats["sorted_idx"], int(segments[-1]))
    if segments[0] != 0 or len(cats["enc"]) != features or bool((np.diff(segments) < 0).any()):
        raise ValueError("the categories of columns")
    for column, count in zip(cats["enc"], np.diff(segments).tolist(), strict=True):
        _check_column(column, count)
    largest = np.repeat(np.diff(segments), np.diff(segments))
    if bool(((order < 0) | (order >= largest)).any()):
        raise ValueError("the order of categories")


def _check_column(column: Parsed, count: int) -> None:
    if "offsets" not in column:
        np.asarray(column["values"], dtype=np.float64).reshape(count)
        return
    offsets, values = _integers(column["offsets"]), _integers(column["values"])
    ends = (offsets[0], offsets[-1]) if len(offsets) else (0, 0)
    if ends != (0, len(values)) or bool((np.diff(offsets) < 0).any()) or max(len(offsets) - 1, 0) != count:
        raise ValueError("the categories of a column")


def _integers(values: object, count: int | None = None) -> NDArray[np.int64]:
    found = np.asarray(values)
    if found.size and found.dtype.kind not in "iu":
        raise ValueError("a number is not whole")
    if found.ndim != 1 or (count is not None and len(found) != count):
        raise ValueError("an array has another length than it should")
    return found.astype(np.int64)
