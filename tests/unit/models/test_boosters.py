"""LightGBM and XGBoost members are stored as checked text, and answer to the last bit when they come back."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
import xgboost
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from undrift.core.errors import MissingExtra
from undrift.models.build import PackageParts, build_package
from undrift.models.formats import boosters, lightgbm_text, model_file, xgboost_json
from undrift.models.formats.archive import UntrustedModel
from undrift.models.package import open_package

from .conftest import Table, _pipeline

FEW = {"n_estimators": 8, "n_jobs": 1}
QUIET = {**FEW, "verbose": -1}
MUTATIONS = """
import random, sys
import numpy as np
from undrift.core.errors import UndriftError
from undrift.models.formats import lightgbm_text, xgboost_json
kind, path = sys.argv[1:]
text, rows, counts = open(path, "rb").read(), np.random.default_rng(0).normal(size=(50, 3)), [0, 0]
random.seed(1)
for _ in range(2000):
    changed = bytearray(text)
    for _ in range(random.choice([1, 1, 2, 5])):
        at = random.randrange(len(changed))
        how = random.choice(["letter", "cut", "digits"])
        if how == "letter":
            changed[at] = random.choice(b"0123456789-. ,=[]x\\n")
        elif how == "cut":
            del changed[at : at + random.randrange(1, 4)]
        else:
            changed[at:at] = str(random.randrange(10**4)).encode()
    try:
        booster = (lightgbm_text if kind == "light" else xgboost_json).read(bytes(changed), {})
    except UndriftError:
        counts[0] += 1
        continue
    try:
        booster.predict(rows) if kind == "light" else booster.inplace_predict(rows)
    except ValueError:
        pass
    counts[1] += 1
print(*counts)
"""
Rewrite = Callable[[str], str]


def _rows(table: Table) -> np.ndarray[Any, Any]:
    return table.frame.select("temp", "wind", "hour").to_numpy()


@pytest.fixture(scope="module")
def light(table: Table) -> bytes:
    """Give the stored form of a small LightGBM model."""
    return model_file.dump(lightgbm.LGBMClassifier(**QUIET).fit(_rows(table), table.binary))


@pytest.fixture(scope="module")
def extreme(table: Table) -> bytes:
    """Give the stored form of a small XGBoost model."""
    return model_file.dump(xgboost.XGBClassifier(**FEW).fit(_rows(table), table.binary))


def _text(data: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        (name,) = [name for name in archive.namelist() if name[0].isdigit()]
        return archive.read(name).decode()


def _repacked(data: bytes, change: Callable[[str, bytes], bytes | None]) -> bytes:
    """Return a model's archive with its members changed, or left out where the change says None."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(buffer, "w") as out:
        for name in archive.namelist():
            content = change(name, archive.read(name))
            if content is not None:
                out.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "model",
    [
        lightgbm.LGBMClassifier(**QUIET),
        lightgbm.LGBMRegressor(**QUIET),
        xgboost.XGBClassifier(**FEW),
        xgboost.XGBRegressor(**FEW),
        xgboost.XGBRFRegressor(**FEW),
        xgboost.XGBRegressor(**FEW, booster="dart", rate_drop=0.3),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_member_comes_back_with_the_same_answers_and_settings(
    model: BaseEstimator, table: Table, pipeline: Callable[..., Pipeline]
) -> None:
    """Inside a Pipeline, bit for bit."""
    target = table.binary if hasattr(model, "predict_proba") else table.number
    fitted = pipeline(model).fit(table.frame, target)
    again: Any = model_file.load(model_file.dump(fitted))
    ask = "predict_proba" if hasattr(model, "predict_proba") else "predict"
    assert np.array_equal(getattr(fitted, ask)(table.frame), getattr(again, ask)(table.frame))
    assert str(again["model"].get_params()) == str(fitted["model"].get_params())


@pytest.mark.filterwarnings("ignore:The argument 'eval_set'")  # its successor does not take labels of text
def test_text_labels_and_early_stopping_survive(table: Table) -> None:
    """Three classes of text; the best round is the one that answers."""
    rows = _rows(table)
    stop = lightgbm.early_stopping(2, verbose=False)
    model = lightgbm.LGBMClassifier(**{**QUIET, "n_estimators": 200})
    fitted = model.fit(rows[100:], table.many[100:], eval_set=[(rows[:100], table.many[:100])], callbacks=[stop])
    again: Any = model_file.load(model_file.dump(fitted))
    assert again.best_iteration_ == fitted.best_iteration_ < 200
    assert again.predict(rows).tolist() == fitted.predict(rows).tolist()


def test_a_split_on_missing_alone_comes_back() -> None:
    """Its threshold is infinite: every number lies on one side."""
    rng = np.random.default_rng(1)
    x = np.where(rng.random((600, 2)) < 0.3, np.nan, rng.random((600, 2)))
    model = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1).fit(x, np.isnan(x[:, 0]) ^ (rng.random(600) < 0.1))
    assert "inf" in model.booster_.model_to_string()
    again: Any = model_file.load(model_file.dump(model))
    assert np.array_equal(again.predict_proba(x), model.predict_proba(x))


def test_the_smallest_and_largest_cells_of_training_are_not_in_the_file(table: Table, light: bytes) -> None:
    """LightGBM writes the range of each column beside its trees."""
    wind = table.frame["wind"]
    assert f"{wind.max()!r}" not in _text(light)
    assert f"{wind.min()!r}" not in _text(light)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["light", "extreme"])
def test_no_made_up_text_ends_the_process(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> None:
    """Thousands of texts with a few letters changed: each is refused, or answers."""
    (tmp_path / "text").write_bytes(_text(request.getfixturevalue(kind)).encode())
    command = [sys.executable, "-c", MUTATIONS, kind, str(tmp_path / "text")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    refused, answered = map(int, done.stdout.splitlines()[-1].split())
    assert refused > 500
    assert answered > 100


def test_a_plain_model_is_a_plain_skops_file(logistic: Pipeline) -> None:
    """So that its digest stays what it was."""
    assert not model_file.is_archive(model_file.dump(logistic))


LIGHT_LIES: dict[str, Rewrite] = {
    "a child before its parent": lambda text: re.sub(r"left_child=\S+", "left_child=0", text, count=1),
    "a child beyond the tree": lambda text: re.sub(r"right_child=\S+", "right_child=99", text, count=1),
    "a leaf beyond the tree": lambda text: re.sub(r"right_child=\S+", "right_child=-99", text, count=1),
    "a feature beyond the model": lambda text: re.sub(r"split_feature=\S+", "split_feature=3", text, count=1),
    "too few leaves": lambda text: re.sub(r"leaf_value=\S+ ", "leaf_value=", text, count=1),
    "more leaves than there are": lambda text: re.sub(r"num_leaves=\d+", "num_leaves=4000", text, count=1),
    "a set of categories": lambda text: re.sub(r"decision_type=\d+", "decision_type=1", text, count=1),
    "sizes of trees": lambda text: text.replace("version=", "tree_sizes=99999\nversion=", 1),
    "a word for a number": lambda text: text.replace("split_gain=", "split_gain=x", 1),
    "a strange field": lambda text: text.replace("is_linear=0", "is_linear=0\nleaf_const=1", 1),
    "a field less": lambda text: re.sub(r"threshold=.*\n", "", text, count=1),
    "parameters of training": lambda text: text + "\nparameters:\n[x\nend of parameters\n",
    "a field twice": lambda text: text.replace("num_cat=0", "num_cat=0\nnum_cat=0", 1),
    "no end": lambda text: text.replace("end of trees", "", 1),
    "no trees": lambda text: text.partition("Tree=")[0],
}


@pytest.mark.parametrize("lie", LIGHT_LIES)
def test_a_lightgbm_text_that_points_outside_itself_is_refused(light: bytes, lie: str) -> None:
    """LightGBM itself would follow the number, jump by the size, or end the process."""
    with pytest.raises(UntrustedModel):
        lightgbm_text.check(LIGHT_LIES[lie](_text(light)).encode())


def _plant(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    def plant(parsed: dict[str, Any]) -> None:
        model = parsed["learner"]["gradient_booster"]["model"]
        *way, last = path.split(".")
        place: Any = model
        for step in way:
            place = place[int(step) if step.isdigit() else step]
        place[int(last) if last.isdigit() else last] = value

    return plant


XGBOOST_LIES = {
    "a child that is its parent": _plant("trees.0.left_children.0", 0),
    "a child beyond the tree": _plant("trees.0.right_children.0", 10_000),
    "two parents of one child": _plant("trees.0.right_children.0", 1),
    "one child": _plant("trees.0.right_children.0", -1),
    "a feature beyond the model": _plant("trees.0.split_indices.0", 77),
    "a group beyond the model": _plant("tree_info.0", 5),
    "more nodes than there are": _plant("trees.0.tree_param.num_nodes", "100000"),
    "a set of categories": _plant("trees.0.split_type.0", 1),
    "another parent": _plant("trees.0.parents.1", 2),
    "too few parents": _plant("trees.0.parents", []),
    "too few conditions": _plant("trees.0.split_conditions", []),
    "rounds beyond the trees": _plant("iteration_indptr.1", 400),
    "fractions": _plant("trees.0.left_children.0", 1.5),
    "nothing": _plant("trees", None),
}


@pytest.mark.parametrize("lie", XGBOOST_LIES)
def test_an_xgboost_text_that_points_outside_itself_is_refused(extreme: bytes, lie: str) -> None:
    """XGBoost itself would follow the number."""
    parsed = json.loads(_text(extreme))
    XGBOOST_LIES[lie](parsed)
    with pytest.raises(UntrustedModel):
        xgboost_json.check(json.dumps(parsed).encode())


@pytest.mark.parametrize("lost", ["model.json", "rest.skops", "1.lightgbm.txt"])
def test_an_archive_that_lacks_a_part_is_refused(light: bytes, lost: str) -> None:
    """And so is one that was cut off."""
    with pytest.raises(UntrustedModel):
        model_file.load(_repacked(light, lambda name, data: None if name == lost else data))
    with pytest.raises(UntrustedModel):
        model_file.load(light[: len(light) // 2])


def test_a_member_of_another_kind_than_its_text_is_refused(light: bytes, extreme: bytes) -> None:
    """The list of members, the stand-in and the text must agree."""
    other = _text(extreme).encode()
    with pytest.raises(UntrustedModel):
        model_file.load(_repacked(light, lambda name, data: other if name.endswith(".txt") else data))


@pytest.mark.parametrize("name", ["predict_proba", "booster_", "__class__", "_Booster"])
def test_an_attribute_cannot_stand_before_code(light: bytes, name: str) -> None:
    """A method, a property, a class: none of them is a plain attribute of a fitted estimator."""
    standin = boosters.Standin("lightgbm.LGBMClassifier", 1, {name: 1})
    with pytest.raises(UntrustedModel, match="not an attribute"):
        boosters.put_together(standin, _text(light).encode())


REFUSED = {
    "linear trees": (lightgbm.LGBMRegressor(**QUIET, linear_tree=True), "linear_tree=False"),
    "a linear booster": (xgboost.XGBRegressor(**FEW, booster="gblinear"), "gbtree"),
    "an objective of one's own": (xgboost.XGBRegressor(**FEW, objective=lambda a, b: (b - a, 0 * a + 1)), "by name"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_stored_is_refused_with_the_cure(table: Table, case: str) -> None:
    """When it is written, not when somebody needs it."""
    model, cure = REFUSED[case]
    rows = np.nan_to_num(_rows(table))
    with pytest.raises(UntrustedModel, match=cure):
        model_file.dump(model.fit(rows, table.number))


def test_a_missing_library_is_named_with_the_extra(light: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the model is loaded, not where it was made."""
    monkeypatch.setitem(__import__("sys").modules, "lightgbm", None)
    with pytest.raises(MissingExtra, match=r"undrift\[lightgbm\]"):
        model_file.load(light)


@pytest.mark.parametrize("model", [lightgbm.LGBMClassifier(**QUIET), lightgbm.LGBMRegressor(**QUIET)])
def test_lightgbm_is_served_without_lightgbm_where_every_bit_agrees(
    model: BaseEstimator, table: Table, parts_of: Callable[..., PackageParts], tmp_path: Path
) -> None:
    """By treelite, on split values and beside them."""
    is_number = isinstance(model, lightgbm.LGBMRegressor)
    fitted = _pipeline(model, one_hot=False).fit(table.frame, table.number if is_number else table.binary)
    built = build_package(parts_of(fitted, "regression" if is_number else "binary"), tmp_path)
    best = open_package(built.path, built.digest).manifest.engines[0]
    assert best.name == "compiled"
    assert best.parity is not None
    assert best.parity.bit_equal + best.parity.refused == best.parity.rows


def test_an_objective_that_is_not_translated_serves_with_the_original(
    table: Table, parts_of: Callable[..., PackageParts], tmp_path: Path
) -> None:
    """Counts are exponents of sums."""
    model = lightgbm.LGBMRegressor(**QUIET, objective="poisson")
    fitted = _pipeline(model).fit(table.frame, np.abs(table.number))
    built = build_package(parts_of(fitted, "regression"), tmp_path)
    assert [engine.name for engine in open_package(built.path, built.digest).manifest.engines] == ["sklearn"]


def test_a_package_with_a_member_states_its_library(
    table: Table, parts_of: Callable[..., PackageParts], pipeline: Callable[..., Pipeline], tmp_path: Path
) -> None:
    """And answers its golden rows."""
    fitted = pipeline(xgboost.XGBClassifier(**FEW)).fit(table.frame, table.binary)
    built = build_package(parts_of(fitted), tmp_path)
    package = open_package(built.path, built.digest)
    assert package.manifest.versions["xgboost"] == xgboost.__version__
    assert package.check_golden() == 0.0
