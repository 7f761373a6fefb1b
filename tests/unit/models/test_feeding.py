"""A model is fed in the form in which it answers a request as it answers its owner's own table."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import polars as pl
import pytest
import xgboost
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from undrift.models.engines import sklearn as engine
from undrift.models.feeding import Example, OtherAnswers, find_feed
from undrift.models.formats import model_file
from undrift.models.formats.archive import UntrustedModel
from undrift.models.formats.feed import Feed, FeedColumn
from undrift.models.infer import columns_of, infer_inputs

ROWS = 120
FEW: dict[str, Any] = {"n_estimators": 4, "n_jobs": 1}


def _frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "fee": rng.normal(size=ROWS),
            "plan": pd.Categorical(rng.choice(["basic", "gold", "new"], ROWS)),
            "calls": pd.array(rng.integers(0, 9, ROWS), dtype="Int64"),
            "paid": pd.array(rng.random(ROWS) < 0.5, dtype="boolean"),
            "city": rng.choice(["Rome", "Oslo"], ROWS).astype(object),
        }
    )
    frame.loc[:5, ["plan", "calls", "city"]] = None
    return frame


FRAME = _frame()
Y = (FRAME["fee"] + (FRAME["plan"] == "gold") > 0.3).to_numpy().astype(int)
POLARS = pl.DataFrame({name: [None if pd.isna(v) else v for v in FRAME[name].tolist()] for name in FRAME})


def _form(model: Any, names: list[str]) -> tuple[str, bool]:
    """Return the form found, and whether the stored model then answers bit for bit."""
    given, frame = FRAME[names], POLARS.select(names)
    inputs = infer_inputs(frame)
    feed = find_feed(model, Example(given, frame, inputs))
    loaded = engine.load(model_file.dump(model, feed), inputs)
    scores = loaded.score(columns_of(frame, inputs), ROWS)
    fitted_on = given if hasattr(model, "feature_names_in_") and engine.fitted_names(model) else given.to_numpy()
    return feed.form if feed else "usual", np.array_equal(scores, model.predict_proba(fitted_on))


@pytest.mark.parametrize(
    "model", [lightgbm.LGBMClassifier(**FEW, verbose=-1), xgboost.XGBClassifier(**FEW, enable_categorical=True)]
)
def test_columns_of_categories_reach_a_booster_as_categories(model: BaseEstimator) -> None:
    """With nullable integers and booleans beside them."""
    names = ["fee", "plan", "calls", "paid"]
    assert _form(model.fit(FRAME[names], Y), names) == ("pandas", True)


@pytest.mark.parametrize("model", [lightgbm.LGBMClassifier(**FEW, verbose=-1), xgboost.XGBClassifier(**FEW)])
def test_a_booster_of_numbers_needs_no_frame(model: BaseEstimator) -> None:
    """Whether or not it saw names."""
    assert _form(model.fit(FRAME[["fee"]], Y), ["fee"]) == ("numpy", True)
    assert _form(model.fit(FRAME[["fee"]].to_numpy(), Y), ["fee"]) == ("numpy", True)


def test_a_missing_text_is_what_pandas_calls_missing() -> None:
    """An imputer fitted on pandas fills NaN, and would pass a null of polars on as a category of its own."""
    fill = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    model = make_pipeline(make_column_transformer((fill, ["city"])), LogisticRegression())
    assert _form(model.fit(FRAME[["city"]], Y), ["city"]) == ("pandas", True)


def test_a_model_that_takes_polars_frames_is_stored_as_ever() -> None:
    """Its file names no form."""
    model = make_pipeline(make_column_transformer((OneHotEncoder(), ["paid"])), LogisticRegression())
    assert _form(model.fit(FRAME[["paid"]].astype(bool), Y), ["paid"]) == ("usual", True)


def test_a_category_that_training_has_not_seen_is_answered() -> None:
    """As a missing one is."""
    model = xgboost.XGBClassifier(**FEW, enable_categorical=True).fit(FRAME[["fee", "plan"]], Y)
    inputs = infer_inputs(POLARS.select("fee", "plan"))
    feed = find_feed(model, Example(FRAME[["fee", "plan"]], POLARS.select("fee", "plan"), inputs))
    loaded = engine.load(model_file.dump(model, feed), inputs)
    strange = loaded.score({"fee": [0.1], "plan": ["platinum"]}, 1)
    assert np.array_equal(strange, loaded.score({"fee": [0.1], "plan": [None]}, 1))


def test_a_model_that_refuses_its_own_example_says_so() -> None:
    """Text where it was fitted on numbers."""
    model = LinearRegression().fit(pd.DataFrame({"city": np.arange(ROWS)}), Y)
    with pytest.raises(OtherAnswers, match="fitted with"):
        find_feed(model, Example(FRAME[["city"]], POLARS.select("city"), infer_inputs(POLARS.select("city"))))


def test_a_form_that_is_not_known_is_refused() -> None:
    """A file may name a type of pandas that is on the list, no other."""
    stored = model_file.dump(LinearRegression(), Feed("pandas", (FeedColumn("x", "sparse"),)))
    with pytest.raises(UntrustedModel, match="form"):
        model_file.load(stored)
