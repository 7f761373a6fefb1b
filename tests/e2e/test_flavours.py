"""Every kind of model keeps its answers to the last bit, from the notebook to the endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import undrift
from undrift.loop import hosting

from .doors import Shell, ask

ROWS = 200
FEW: dict[str, Any] = {"n_estimators": 12, "n_jobs": 1, "random_state": 1}


def _frame() -> pd.DataFrame:
    """Return customers as a notebook has them: categories, nullable integers, missing values."""
    rng = np.random.default_rng(11)
    frame = pd.DataFrame(
        {
            "fee": rng.gamma(2.0, 20.0, ROWS),
            "plan": pd.Categorical(rng.choice(["basic", "gold", "new"], ROWS)),
            "calls": pd.array(rng.integers(0, 9, ROWS), dtype="Int64"),
            "paid": pd.array(rng.random(ROWS) < 0.5, dtype="boolean"),
        }
    )
    frame.loc[:7, "plan"] = None
    frame.loc[5:15, "calls"] = pd.NA
    return frame


X = _frame()
Y = np.where(X["fee"] + 20 * (X["plan"] == "gold").to_numpy() > 50, "leaves", "stays")


def _scikit_learn() -> Pipeline:
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    plans = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    prepare = make_column_transformer((numbers, ["fee", "calls"]), (plans, ["plan"]), remainder="drop")
    return make_pipeline(prepare, RandomForestClassifier(**FEW)).fit(X, Y)


FLAVOURS = {
    "sklearn": _scikit_learn,
    "lightgbm": lambda: lightgbm.LGBMClassifier(**FEW, verbose=-1).fit(X, Y),
    "xgboost": lambda: xgboost.XGBClassifier(**FEW, enable_categorical=True).fit(X, (Y == "stays").astype(int)),
}


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """Give an empty folder; what was served in it is stopped afterwards."""
    made = Shell(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_a_model_answers_the_same_numbers_in_the_notebook_loaded_and_served(shell: Shell, flavour: str) -> None:
    """Logged from a pandas frame, loaded by name, asked over HTTP with rows of JSON."""
    model = FLAVOURS[flavour]()
    wanted = model.predict_proba(X).astype(np.float64)
    with undrift.run("churn", project=shell.folder) as run:
        version = run.log_model(model, name="churn", example=X)
    loaded = undrift.load(version.ref, project=shell.folder)
    assert np.array_equal(loaded.predict_proba(X), wanted)
    assert shell.undrift("deploy", version.ref, "--force", "--reason", "conformance").code == 0
    with undrift.Project.open(shell.folder) as project:
        url = hosting.start(project, "churn").url
    rows = [{name: None if pd.isna(cell) else cell for name, cell in row.items()} for row in X.to_dict("records")]
    served = [answer["probability"] for answer in ask(url, {"rows": rows})]
    assert served == wanted[:, 1].tolist()
