"""Model files hold data and names of known types; everything else is refused with one error."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import skops.io
from sklearn.cluster import KMeans
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from undrift.models.formats import skops as safe
from undrift.models.formats.archive import UntrustedModel


def _schema(data: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return dict(json.loads(archive.read("schema.json")))


def _rewritten(data: bytes, change: Callable[[dict[str, Any]], Any]) -> bytes:
    """Return a model's file with its schema changed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(buffer, "w") as out:
        for name in archive.namelist():
            content = archive.read(name)
            if name == "schema.json":
                schema = json.loads(content)
                content = json.dumps(change(schema) or schema).encode()
            out.writestr(name, content)
    return buffer.getvalue()


class _Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.path}",)


def test_a_pickle_is_refused_and_nothing_of_it_runs(tmp_path: Path) -> None:
    """Whatever the protocol."""
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(UntrustedModel):
            safe.load(pickle.dumps(_Evil(tmp_path / "ran"), protocol=protocol))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("loader", ["TypeNode", "FunctionNode", "ObjectNode", "ConstructorFromReduceNode"])
def test_a_file_that_names_a_foreign_function_is_refused(logistic: Pipeline, loader: str) -> None:
    """``posix.system``, wherever it stands."""
    node = {"__class__": "system", "__module__": "posix", "__loader__": loader, "content": {}}

    def plant(schema: dict[str, Any]) -> None:
        schema["content"]["content"]["verbose"] = node

    with pytest.raises(UntrustedModel, match=r"posix\.system|ConstructorFromReduceNode"):
        safe.load(_rewritten(safe.dump(logistic), plant))


@pytest.mark.parametrize("loader", ["MethodNode", "OperatorFuncNode", "CachedNode", "BytesNode", "Strange", 7, None])
def test_a_node_that_can_name_methods_or_operators_is_refused(logistic: Pipeline, loader: object) -> None:
    """Only plain kinds of nodes are loaded."""

    def plant(schema: dict[str, Any]) -> None:
        schema["content"]["content"]["verbose"]["__loader__"] = loader

    with pytest.raises(UntrustedModel):
        safe.load(_rewritten(safe.dump(logistic), plant))


def test_an_allowed_function_does_not_stand_for_a_type(logistic: Pipeline) -> None:
    """And an allowed type not for a function."""
    for loader, module, name in (
        ("ObjectNode", "sklearn.utils.validation", "check_array"),
        ("FunctionNode", "sklearn.pipeline", "Pipeline"),
    ):

        def plant(schema: dict[str, Any], node: tuple[str, str, str] = (loader, module, name)) -> None:
            schema["content"]["content"]["verbose"] = {
                "__loader__": node[0],
                "__module__": node[1],
                "__class__": node[2],
            }

        with pytest.raises(UntrustedModel, match="does not belong"):
            safe.load(_rewritten(safe.dump(logistic), plant))


def test_an_older_protocol_is_refused(logistic: Pipeline) -> None:
    """The file's writer must not choose laxer rules."""
    for protocol in (0, 1, True, 3, "2", None):
        with pytest.raises(UntrustedModel, match="protocol"):
            safe.load(_rewritten(safe.dump(logistic), lambda schema: {**schema, "protocol": protocol}))  # noqa: B023


def test_deep_nesting_is_refused() -> None:
    """Without running out of stack."""
    for depth in (600, 100_000):
        text = '{"protocol": 2, "content": ' + "[" * depth + "]" * depth + "}"
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as out:
            out.writestr("schema.json", text)
        with pytest.raises(UntrustedModel):
            safe.load(buffer.getvalue())


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_strange_archives_are_refused(logistic: Pipeline) -> None:
    """Two members of one name, members that nobody named, paths, half a file."""
    good = safe.dump(logistic)
    for name in ("schema.json", "1.npy", "../x.npy", "/etc/passwd", "evil.bin"):
        buffer = io.BytesIO(good)
        with zipfile.ZipFile(buffer, "a") as archive:
            archive.writestr(name, b"{}")
        with pytest.raises(UntrustedModel):
            safe.load(buffer.getvalue())
    for data in (b"", b"PK\x03\x04", good[: len(good) // 2]):
        with pytest.raises(UntrustedModel):
            safe.load(data)


def test_arrays_of_objects_are_never_unpickled(logistic: Pipeline, tmp_path: Path) -> None:
    """A planted ``.npy`` with a pickle inside is refused by the reader of arrays."""
    evil = io.BytesIO()
    np.save(evil, np.array([_Evil(tmp_path / "ran")], dtype=object), allow_pickle=True)
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(safe.dump(logistic))) as archive, zipfile.ZipFile(buffer, "w") as out:
        for name in archive.namelist():
            out.writestr(name, evil.getvalue() if name.endswith(".npy") else archive.read(name))
    with pytest.raises(UntrustedModel):
        safe.load(buffer.getvalue())
    assert not (tmp_path / "ran").exists()


def test_types_that_are_not_on_our_list_are_refused_also_when_the_library_trusts_them() -> None:
    """When written and when read: skops trusts KMeans and every numpy function by default."""
    with pytest.raises(UntrustedModel, match="KMeans"):
        safe.dump(KMeans(n_clusters=2, n_init=1).fit(np.arange(8.0).reshape(4, 2)))
    with pytest.raises(UntrustedModel):
        safe.load(skops.io.dumps(KMeans()))
    with pytest.raises(UntrustedModel):
        safe.dump(FunctionTransformer(np.fromfile))
    with pytest.raises(UntrustedModel):
        safe.dump(FunctionTransformer(lambda x: x))


def test_a_function_of_numpy_that_only_computes_is_stored() -> None:
    """What notebooks do to skewed columns."""
    stored: Any = safe.load(safe.dump(FunctionTransformer(np.log1p)))
    assert stored.transform(np.array([[1.0]])) == np.log1p(1.0)


@pytest.mark.parametrize("what", [FunctionTransformer(lambda x: x), FunctionTransformer(_schema), _Evil(Path())])
def test_code_of_ones_own_is_refused_by_name_and_with_the_cure(what: object) -> None:
    """Which part it is, and what to put in its place."""
    with pytest.raises(UntrustedModel, match=r"lambda|_schema|_Evil") as refused:
        safe.dump(Pipeline([("mine", what)]))
    assert "FunctionTransformer(np.log1p)" in refused.value.cure


@pytest.mark.parametrize("fault", ["child", "feature", "loop"])
def test_trees_that_point_outside_themselves_are_refused(fault: str) -> None:
    """They would read other memory, or run for ever, when they score."""
    rows, labels = np.random.default_rng(0).normal(size=(80, 3)), np.arange(80) % 2
    forest = RandomForestClassifier(2, random_state=0).fit(rows, labels)
    histogram = HistGradientBoostingClassifier(max_iter=2).fit(rows, labels)
    tree = forest.estimators_[0].tree_
    state = tree.__getstate__()
    column, value = {"child": ("left_child", 10**6), "feature": ("feature", 99), "loop": ("right_child", 0)}[fault]
    state["nodes"][column][0] = value
    tree.__setstate__(state)
    nodes = histogram._predictors[0][0].nodes
    nodes[{"child": "left", "feature": "feature_idx", "loop": "right"}[fault]][0] = value
    for model in (forest, histogram):
        with pytest.raises(UntrustedModel, match="tree"):
            safe.load(safe.dump(model))


def test_one_fitted_model_has_one_form(logistic: Pipeline) -> None:
    """Bytes do not depend on memory addresses or on time."""
    assert safe.dump(logistic) == safe.dump(logistic)


def test_a_model_answers_the_same_after_storing(logistic: Pipeline, table: Any) -> None:
    """In every bit."""
    frame: pl.DataFrame = table.frame
    again: Any = safe.load(safe.dump(logistic))
    assert (again.predict_proba(frame) == logistic.predict_proba(frame)).all()
