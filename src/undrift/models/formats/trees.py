"""Checking that loaded trees only point inside themselves.

scikit-learn follows the child and feature numbers of a tree without looking at their bounds, so
that a made-up file could read memory or loop for ever the first time it scores.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from undrift.models.formats.archive import UntrustedModel

OWN = "undrift.estimators."
_WALKED = ("sklearn.", OWN, "undrift.models.formats.boosters")
"""Modules whose objects are looked into."""


def check_parts(model: object) -> None:
    """Check every tree inside an estimator, and every part of our own.

    Raises
    ------
    UntrustedModel
        If a child does not come after its parent, or lies outside the tree, or a feature is not
        one of the model's.
    BadTransformer
        If a part of our own holds what fitting never leaves.
    """
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
    from sklearn.tree._tree import Tree

    for owner, item in reachable(model):
        if type(item).__module__.startswith(OWN):
            item.check()  # type: ignore[attr-defined]  # all of our estimators have it
        elif isinstance(item, Tree):
            _check_tree(item, getattr(owner, "n_features_in_", None))
        elif isinstance(item, TreePredictor):
            _check_nodes(item.nodes)
    _check_boosters(model)


def _check_tree(tree: object, features: int | None) -> None:
    left, right = np.asarray(tree.children_left), np.asarray(tree.children_right)  # type: ignore[attr-defined]
    inner = left != -1
    if tree.n_features != features:  # type: ignore[attr-defined]
        raise UntrustedModel("a tree knows another number of features than its estimator")
    _check_children(left[inner], right[inner], np.flatnonzero(inner), len(left))
    _check_features(np.asarray(tree.feature)[inner], int(features))  # type: ignore[attr-defined, arg-type]
    if bool((right[~inner] != -1).any()):
        raise UntrustedModel("a leaf of a tree has a child")


def _check_nodes(nodes: NDArray[np.void]) -> None:
    inner = nodes["is_leaf"] == 0
    _check_children(nodes["left"][inner], nodes["right"][inner], np.flatnonzero(inner), len(nodes))


def _check_children(
    left: NDArray[np.integer], right: NDArray[np.integer], parents: NDArray[np.intp], size: int
) -> None:
    for child in (left, right):
        numbers = child.astype(np.int64)
        if bool(((numbers <= parents) | (numbers >= size)).any()):
            raise UntrustedModel("a tree points outside itself")


def _check_features(features: NDArray[np.integer], count: int) -> None:
    numbers = features.astype(np.int64)
    if bool(((numbers < 0) | (numbers >= count)).any()):
        raise UntrustedModel("a tree asks for a feature that the model does not have")


def _check_boosters(model: object) -> None:
    for _, item in reachable(model):
        for predictors in getattr(item, "_predictors", ()):
            for predictor in predictors:
                nodes = predictor.nodes[predictor.nodes["is_leaf"] == 0]
                _check_features(nodes["feature_idx"], int(item.n_features_in_))  # type: ignore[attr-defined]
                categorical = nodes[nodes["is_categorical"] != 0]
                _check_features(categorical["bitset_idx"], len(predictor.raw_left_cat_bitsets))


def reachable(root: object) -> Iterator[tuple[object, object]]:
    """Yield every object that a model holds, each once, with the one that holds it."""
    seen: set[int] = set()
    waiting: list[tuple[object, object]] = [(root, root)]
    while waiting:
        owner, item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        yield owner, item
        holder = item if hasattr(item, "__dict__") else owner
        waiting.extend((holder, part) for part in _parts(item))


def _parts(item: object) -> Iterable[object]:
    if isinstance(item, Mapping):
        return item.values()
    if isinstance(item, list | tuple):
        return item
    if isinstance(item, np.ndarray):
        return item.ravel().tolist() if item.dtype == object else ()
    return getattr(item, "__dict__", {}).values() if type(item).__module__.startswith(_WALKED) else ()
