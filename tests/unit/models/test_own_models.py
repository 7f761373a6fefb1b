"""LightGBM's trees and repaired probabilities in a package: compiled, stored as data, refused when forged."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from undrift.estimators.booster_text import check_text
from undrift.estimators.errors import BadTransformer
from undrift.estimators.lightgbm import LightGBMClassifier, LightGBMRegressor
from undrift.evaluation.calibration import Repair
from undrift.evaluation.candidates import Fitted, fit
from undrift.models import parity
from undrift.models.build import build_package
from undrift.models.engines.compiled import CompiledEngine
from undrift.models.formats import skops as safe
from undrift.models.formats.archive import UntrustedModel
from undrift.models.package import open_package
from undrift.models.signature import InputColumn
from undrift.models.translation.pipeline import translate
from unit.evaluation.mixed_tables import mixed, read
from unit.models.test_own_parts import _FRAME, _TARGET, forged, parts_around

pytest.importorskip("lightgbm")
_SIGMOID = Repair("sigmoid", np.array([0.7, -0.2]))
_LINE = Repair("isotonic", np.array([[0.0, 0.3, 1.0], [0.05, 0.4, 0.9]]))


@pytest.fixture(autouse=True)
def _fewer_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parity, "AT_SPLITS", 500)
    monkeypatch.setattr(parity, "STRANGE", 500)
    monkeypatch.setattr(parity, "ONE_BY_ONE", 8)


@pytest.fixture(scope="module")
def boosted() -> Fitted:
    return fit("lightgbm", _FRAME, read(_FRAME, text=("said",))[1], _TARGET)


@pytest.fixture(scope="module")
def text(boosted: Fitted) -> str:
    return str(boosted.model[-1].text_)


@pytest.mark.parametrize("kind", ["linear", "random_forest", "gradient_boosting", "lightgbm"])
@pytest.mark.parametrize("repair", [_SIGMOID, _LINE], ids=["sigmoid", "isotonic"])
def test_a_repaired_model_compiles_to_the_last_bit(kind: str, repair: Repair, tmp_path: Any) -> None:
    """Whatever it repairs."""
    fitted = fit(kind, _FRAME, read(_FRAME, text=("said",))[1], _TARGET).repaired(repair)
    built = build_package(parts_around(fitted.model), tmp_path)
    manifest = open_package(built.path, built.digest).manifest
    assert manifest.engines[0].name == "compiled"
    found = manifest.engines[0].parity
    assert found is not None
    assert found.bit_equal == found.rows - found.refused
    assert ("lightgbm" in manifest.versions) == (kind == "lightgbm")


@pytest.mark.parametrize("classes", [3, 20])
def test_lightgbm_tells_many_classes_apart_and_compiles(classes: int) -> None:
    """One tree by class and round, in the same order."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(900, 4))
    y = np.digitize(x[:, 0] + 0.3 * x[:, 1], np.quantile(x[:, 0], np.linspace(0, 1, classes + 1)[1:-1]))
    model = LightGBMClassifier(rounds=20).fit(x, y)
    assert model.predict_proba(x).shape == (900, classes)
    assert (safe.load(safe.dump(model)).predict_proba(x) == model.predict_proba(x)).all()  # type: ignore[attr-defined]


def test_a_split_on_missing_alone_is_stored_and_compiled_to_the_last_bit() -> None:
    """Its threshold is infinite: every number lies on one side."""
    rng = np.random.default_rng(1)
    x = np.where(rng.random((900, 2)) < 0.3, np.nan, rng.random((900, 2)))
    model = LightGBMClassifier(rounds=5).fit(x, np.isnan(x[:, 0]) ^ (rng.random(900) < 0.1))
    assert "inf" in model.text_
    again, plan = safe.load(safe.dump(model)), translate(model, [InputColumn(name, "float", True) for name in "ab"])
    expected = model.predict_proba(x)
    assert (again.predict_proba(x) == expected).all()  # type: ignore[attr-defined]
    cells = {name: [None if np.isnan(cell) else cell for cell in x[:, place]] for place, name in enumerate("ab")}
    assert (CompiledEngine(plan).score(cells, 900) == expected).all()


def test_lightgbm_does_not_depend_on_threads() -> None:
    """The same text from one and two."""
    x = np.random.default_rng(0).normal(size=(2000, 5))
    first, second = (LightGBMRegressor(threads=count).fit(x, x[:, 0] ** 2).text_ for count in (1, 2))
    assert first == second


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("left_child=", "left_child=70000 "),
        ("right_child=", "right_child=-400 "),
        ("split_feature=", "split_feature=100000 "),
        ("num_leaves=", "num_leaves=9"),
        ("num_cat=0", "num_cat=1"),
        ("is_linear=0", "is_linear=1"),
        ("version=v4", "version=v4\ntree_sizes=1 2 3"),
        ("objective=binary sigmoid:1", "objective=custom"),
        ("end of trees", "end of trees\nparameters:\n[data: /etc/passwd]"),
        ("leaf_value=", "leaf_value=nan "),
        ("decision_type=2", "decision_type=1"),
        ("Tree=1\n", "Tree=7\n"),
        ("max_feature_idx=", "max_feature_idx=9"),
        ("threshold=", "threshold=__import__('os') "),
        ("tree\n", ""),
    ],
)
def test_a_forged_text_is_refused_before_lightgbm_reads_it(boosted: Fitted, text: str, old: str, new: str) -> None:
    """Its reader trusts what it reads, so that ours must not."""
    assert old in text
    model = boosted.model[-1]
    check_text(text, model.n_features_in_, 1)
    with pytest.raises(BadTransformer):
        check_text(text.replace(old, new, 1), model.n_features_in_, 1)


def test_a_circle_of_nodes_is_refused(boosted: Fitted, text: str) -> None:
    """A child that is its own grandparent would be followed for ever."""
    line = next(line for line in text.splitlines() if line.startswith("left_child="))
    circle = " ".join(["left_child=0", *line.split()[1:]])
    with pytest.raises(BadTransformer, match="outside itself"):
        check_text(text.replace(line, circle, 1), boosted.model[-1].n_features_in_, 1)


def test_a_package_whose_trees_were_changed_is_refused(boosted: Fitted) -> None:
    """When the file is loaded, not when the first row comes."""

    def plant(node: Any) -> None:
        state = node["content"]["content"]
        if "text_" in state:
            state["text_"]["content"] = json.dumps("tree\nversion=v4\n")

    with pytest.raises(UntrustedModel, match="LightGBM"):
        safe.load(forged(safe.dump(boosted.model), plant))


def test_no_type_of_lightgbm_stands_in_the_file(boosted: Fitted) -> None:
    """Only our own estimator, with a text."""
    with zipfile.ZipFile(io.BytesIO(safe.dump(boosted.model))) as archive:
        schema = archive.read("schema.json").decode()
    assert '"__module__": "lightgbm' not in schema
    assert '"__module__":"lightgbm' not in schema


@pytest.mark.parametrize(
    "repair",
    [
        Repair("sigmoid", np.array([-1.0, 0.0])),
        Repair("sigmoid", np.array([np.nan, 0.0])),
        Repair("isotonic", np.array([[0.0, 1.0], [0.9, 0.1]])),
        Repair("isotonic", np.array([[0.0, 1.0], [0.0, 7.0]])),
        Repair("temperature", np.array([1.0, 2.0])),
        Repair("shift", np.array([1.0])),  # type: ignore[arg-type]  # forged
    ],
)
def test_a_repair_that_would_turn_answers_around_is_refused(boosted: Fitted, repair: Repair) -> None:
    """In the stored model; the compiled engine refuses it by the same rule."""
    with pytest.raises(UntrustedModel, match="repair"):
        safe.load(safe.dump(boosted.repaired(repair).model))


@pytest.mark.parametrize("make", [lambda x, y: LightGBMRegressor(rounds=5).fit(x, y)])
def test_a_regression_of_trees_is_stored_and_answers_alike(make: Callable[..., Any]) -> None:
    """With outliers in the target."""
    x = mixed()["amount"].fill_nan(0).to_numpy().reshape(-1, 1)
    y = np.where(np.arange(len(x)) % 97 == 0, 1e9, x[:, 0])
    model = make(x, y)
    assert (safe.load(safe.dump(model)).predict(x) == model.predict(x)).all()  # type: ignore[attr-defined]
