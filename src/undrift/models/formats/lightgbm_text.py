"""LightGBM's model text: written without the training data's extremes, checked before LightGBM reads it.

LightGBM follows the child, feature and category numbers of a text without looking at their bounds.
Where the text states the sizes of its trees it jumps by them, and reads the trees in threads whose
errors end the process; so the sizes are left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sized
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from undrift.models.formats.archive import UntrustedModel

_TREE = "Tree="
_SIZES = "tree_sizes="
_END = "end of trees"
_CATEGORIES = "pandas_categorical:"
_MOST_LEAVES = 1 << 24
_CATEGORICAL = 1
_NUMBERS = re.compile(r"(?:-?[0-9]+(?:\.[0-9]+)?(?:e[+-][0-9]+)?(?: |\Z))*\Z")
_THRESHOLDS = re.compile(r"(?:-?(?:inf|[0-9]+(?:\.[0-9]+)?(?:e[+-][0-9]+)?)(?: |\Z))*\Z")
"""A node that asks only whether a value is missing has an infinite one."""
_OF_TREES = ("Tree", "num_leaves", "num_cat", "is_linear", "shrinkage")
_OF_LEAVES = ("leaf_value", "leaf_weight", "leaf_count")
_OF_NODES = [
    "split_feature",
    "split_gain",
    "threshold",
    "decision_type",
    "left_child",
    "right_child",
    "internal_value",
    "internal_weight",
    "internal_count",
]
_RANGE = re.compile(r"\[[^\]]*\]")
Counted = TypeVar("Counted", bound=Sized)
Fields = Mapping[str, str]


def write(estimator: Any) -> bytes:  # Any: LightGBM is not typed
    """Return a fitted estimator's trees as text.

    The ranges of its columns, which are cells of rows, are left out, and so is what LightGBM
    writes after the trees: importances and parameters of training.

    Raises
    ------
    UntrustedModel
        If it has trees of a form that is not stored.
    """
    head, mark, rest = str(estimator.booster_.model_to_string()).partition(f"\n{_TREE}")
    trees, end, tail = rest.partition(f"\n{_END}\n")
    _, categories, line = tail.rpartition(f"\n{_CATEGORIES}")  # what stands before is of use to training only
    lines = [_without_ranges(line) for line in head.split("\n") if not line.startswith(_SIZES)]
    text = "\n".join(lines) + mark + trees + end + categories + line
    check(text.encode())
    return text.encode()


def objective(estimator: Any) -> str:  # Any: LightGBM is not typed
    """Return the objective of a fitted estimator as its text states it; what follows from its classes is left out."""
    head = str(estimator.booster_.model_to_string(num_iteration=1)).partition(f"\n{_TREE}")[0]
    if "average_output" in head.split("\n"):
        return "the mean of trees"
    return re.sub(r" num_class:[0-9]+$", "", _fields(head).get("objective", "a function"))


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
    if _SIZES.rstrip("=") in fields:
        raise ValueError("the sizes of trees are stated")
    chunks = _chunks(body)
    features = int(fields["max_feature_idx"]) + 1
    if not 0 < features < _MOST_LEAVES or len(fields["feature_names"].split(" ")) != features:
        raise ValueError("the number of features")
    per_round = int(fields["num_tree_per_iteration"])
    if per_round < 1 or len(chunks) % per_round or int(fields["num_class"]) not in (per_round, 1):
        raise ValueError("the number of classes")
    for chunk in chunks:
        _check_tree(_fields(chunk), features)
    _check_categories(tail)


def _chunks(body: str) -> list[str]:
    """Return the text of each tree."""
    chunks = [f"{_TREE}{chunk}" for chunk in body.removeprefix(_TREE).split(f"\n{_TREE}")]
    for index, chunk in enumerate(chunks):
        if not chunk.startswith(f"{_TREE}{index}\n"):
            raise ValueError("the order of trees")
    return chunks


def _check_tree(fields: Fields, features: int) -> None:
    """Check one tree; LightGBM ends the process when it meets a word in the place of a number."""
    leaves, categories = int(fields["num_leaves"]), int(fields["num_cat"])
    if fields.get("is_linear", "0") != "0":
        raise UntrustedModel("it has linear trees", cure="fit LightGBM with linear_tree=False")
    if not 0 < leaves < _MOST_LEAVES or not 0 <= categories < leaves:
        raise ValueError("the number of leaves")
    lengths = _lengths(leaves, categories)
    for name, value in fields.items():
        if name not in lengths or not (_THRESHOLDS if name == "threshold" else _NUMBERS).match(value):
            raise ValueError(f"the field {name[:40]} of a tree")
        _counted(value.split(), lengths[name])
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


def _lengths(leaves: int, categories: int) -> dict[str, int | None]:
    """Return the length of each field of a tree; None where another field states it."""
    lengths: dict[str, int | None] = dict.fromkeys(_OF_TREES, 1)
    lengths |= dict.fromkeys(_OF_LEAVES, leaves) | dict.fromkeys(_OF_NODES, leaves - 1)
    return lengths | ({"cat_boundaries": categories + 1, "cat_threshold": None} if categories else {})


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
    """Check that nothing follows but the categories that pandas had, which LightGBM's Python part reads as JSON."""
    if not tail.startswith(f"\n\n{_CATEGORIES}") and tail.strip():
        raise ValueError("something stands after the trees")
    found = json.loads(tail.removeprefix(f"\n\n{_CATEGORIES}")) if tail.strip() else None
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


def _counted(values: Counted, count: int | None) -> Counted:
    if count is not None and len(values) != count:
        raise ValueError("an array has another length than its tree")
    return values


def _without_ranges(line: str) -> str:
    """Return a line of the head with the smallest and largest value of each column taken out."""
    return _RANGE.sub("none", line) if line.startswith("feature_infos=") else line
