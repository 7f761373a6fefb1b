"""LightGBM's model as text, and the proof that a text only holds trees that stay inside themselves.

LightGBM's reader trusts what it reads. So a text is read here first, strictly: known keys, plain
numbers, children that come after their parents, each node and leaf once, features that exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from undrift.estimators.errors import BadTransformer

Ints = npt.NDArray[np.int64]
MOST_LEAVES = 1 << 16
_OBJECTIVE = re.compile(r"binary sigmoid:1|regression|multiclass num_class:[0-9]{1,4}")
_HEADER = (
    "version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx", "objective",
    "feature_names", "feature_infos",
)  # fmt: skip
_OF_NODES = ("split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child",
             "internal_value", "internal_weight", "internal_count")  # fmt: skip
_OF_LEAVES = ("leaf_value", "leaf_weight", "leaf_count")
_NOT_CATEGORICAL = frozenset({0, 2, 4, 6, 8, 10})
_NUMBERS = re.compile(r"(?:[-+0-9.e ]|inf)*\Z")
"""A node that asks only whether a value is missing has an infinite threshold."""
_PLAIN = re.compile(r"[A-Za-z0-9_:.\[\]\- ]*\Z")
_RANGE = re.compile(r"\[[^\]]*\]")
_END = "end of trees"


def stripped(text: str) -> str:
    """Return LightGBM's text without what does not make the model: sizes, importances, parameters.

    Nor are there the ranges of the columns, whose ends are cells of rows.
    """
    lines = (line for line in text.split(f"\n{_END}", maxsplit=1)[0].splitlines() if not line.startswith(_SKIPPED))
    kept = [_RANGE.sub("none", line) if line.startswith("feature_infos=") else line for line in lines]
    return "\n".join([*kept, "", _END, "", "pandas_categorical:null", ""])


_SKIPPED = ("tree_sizes=", "monotone_constraints=")


def check_text(text: object, features: int, outputs: int) -> None:
    """Check that a text is nothing but trees over so many features with so many outputs.

    Raises
    ------
    BadTransformer
        If it is not.
    """
    if not isinstance(text, str):
        raise _bad("is no text")
    head, *trees = text.split("\nTree=")
    header = _fields(head.removeprefix("tree\n"))
    if not text.startswith("tree\n") or not trees or set(header) - set(_HEADER) or not _is_header(header):
        raise _bad("has another head than ours")
    if _int(header, "max_feature_idx") != features - 1 or _int(header, "num_tree_per_iteration") != outputs:
        raise _bad("is about other features or classes than the estimator")
    last, end, tail = trees[-1].partition(f"\n{_END}\n")
    if not end or tail != "\npandas_categorical:null\n" or len(trees) % outputs:
        raise _bad("does not end as it should")
    for index, tree in enumerate([*trees[:-1], last]):
        number, _, body = tree.partition("\n")
        if number != str(index):
            raise _bad("does not count its trees")
        _check_tree(_fields(body), features)


def splits_of(text: str) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]]:
    """Yield the features and thresholds of each tree's inner nodes."""
    for tree in text.split("\nTree=")[1:]:
        fields = _fields(tree.partition(f"\n{_END}\n")[0].partition("\n")[2])
        if _int(fields, "num_leaves") > 1:
            yield _ints(fields, "split_feature").astype(np.intp), _floats(fields, "threshold")


def _is_header(header: Mapping[str, str]) -> bool:
    plain = all(_PLAIN.match(value) for value in header.values())
    return plain and bool(_OBJECTIVE.fullmatch(header.get("objective", "")))


def _check_tree(tree: Mapping[str, str], features: int) -> None:
    leaves = _int(tree, "num_leaves")
    if not 1 <= leaves <= MOST_LEAVES or _int(tree, "num_cat") or _int(tree, "is_linear"):
        raise _bad("holds a tree of another kind than ours")
    known = {"num_leaves", "num_cat", "is_linear", "shrinkage", *_OF_NODES, *_OF_LEAVES}
    if unknown := set(tree) - known:
        raise _bad(f"holds a tree with {min(unknown)[:40]!r}")
    for name, count in (*((one, leaves - 1) for one in _OF_NODES), *((one, leaves) for one in _OF_LEAVES)):
        if name in tree and len(_floats(tree, name)) != count and not (leaves == 1 and name != "leaf_value"):
            raise _bad("holds a tree whose parts have different sizes")
    if not np.isfinite(_floats(tree, "leaf_value")).all() or len(_floats(tree, "leaf_value")) != leaves:
        raise _bad("holds a leaf without a number")
    if leaves > 1:
        _check_nodes(tree, leaves, features)


def _check_nodes(tree: Mapping[str, str], leaves: int, features: int) -> None:
    split, left, right, kind = (
        _ints(tree, name) for name in ("split_feature", "left_child", "right_child", "decision_type")
    )
    if any(len(one) != leaves - 1 for one in (split, left, right, kind, _floats(tree, "threshold"))):
        raise _bad("holds a tree whose parts have different sizes")
    if split.min() < 0 or split.max() >= features or not set(kind.tolist()) <= _NOT_CATEGORICAL:
        raise _bad("splits on a feature that does not exist, or by categories")
    parents = np.arange(leaves - 1)
    children = np.concatenate([left, right])
    inner, ends = children[children >= 0], ~children[children < 0]
    later = ((left > parents) | (left < 0)).all() and ((right > parents) | (right < 0)).all()
    whole = np.array_equal(np.sort(inner), parents[1:]) and np.array_equal(np.sort(ends), np.arange(leaves))
    if not (later and whole):
        raise _bad("holds a tree that points outside itself")


def _fields(block: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in block.split("\n"):
        key, mark, value = line.partition("=")
        if not line:
            continue
        if not mark or key in found:
            raise _bad("holds a line that is no field, or one twice")
        found[key] = value
    return found


def _int(fields: Mapping[str, str], name: str) -> int:
    value = fields.get(name, "")
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise _bad(f"has no number {name}")
    return int(value)


def _floats(fields: Mapping[str, str], name: str) -> npt.NDArray[np.float64]:
    value = fields.get(name, "")
    if not _NUMBERS.match(value):
        raise _bad(f"has something else than numbers as {name}")
    try:
        return np.array([float(item) for item in value.split()], dtype=np.float64)
    except ValueError:
        raise _bad(f"has something else than numbers as {name}") from None


def _ints(fields: Mapping[str, str], name: str) -> Ints:
    found = _floats(fields, name)
    whole = found.astype(np.int64) if np.isfinite(found).all() and (np.abs(found) < MOST_LEAVES * 16).all() else None
    if whole is None or not (whole == found).all():
        raise _bad(f"has something else than whole numbers as {name}")
    return whole


def _bad(problem: str) -> BadTransformer:
    return BadTransformer(f"a stored LightGBM model {problem}", cure="train the model again")
