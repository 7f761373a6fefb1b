"""A small table with every type of column, and packages made from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from undrift.models.build import PackageParts, PackageRef, build_package
from undrift.models.infer import columns_of, infer_inputs
from undrift.models.signature import InputColumn
from undrift.stats.sketch import ReferenceSketch

WHEN = datetime(2013, 2, 1, tzinfo=UTC)
NUMBERS = ["temp", "wind", "hour"]
TEXTS = ["carrier", "wet"]


@dataclass(frozen=True)
class Table:
    """Features and the three kinds of target."""

    frame: pl.DataFrame
    inputs: tuple[InputColumn, ...]
    binary: np.ndarray[Any, Any]
    many: np.ndarray[Any, Any]
    number: np.ndarray[Any, Any]


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Keep small fits from waiting for each other's threads on busy machines."""
    with threadpool_limits(limits=1):
        yield


@pytest.fixture(scope="session")
def table() -> Table:
    """Give 400 rows: floats with nulls, integers, texts with nulls and a rare one, booleans."""
    rng = np.random.default_rng(7)
    rows = 400
    temp = rng.normal(10, 8, rows)
    hour = rng.integers(0, 24, rows)
    carrier = rng.choice(["AA", "UA", "B6", "rare"], rows, p=[0.4, 0.3, 0.28, 0.02])
    frame = pl.DataFrame(
        {
            "temp": [None if gap else value for gap, value in zip(rng.random(rows) < 0.1, temp.tolist(), strict=True)],
            "wind": rng.gamma(2.0, 5.0, rows),
            "hour": hour,
            "carrier": [None if gap else str(c) for gap, c in zip(rng.random(rows) < 0.05, carrier, strict=True)],
            "wet": rng.random(rows) < 0.3,
        }
    )
    score = 0.08 * (hour - 12) - 0.05 * temp + (carrier == "UA") + rng.normal(0, 1, rows)
    many = np.array(["late", "on time", "early"])[np.digitize(score, [-0.7, 0.7])]
    return Table(frame, infer_inputs(frame), score > 0.3, many, 40 * score)


@pytest.fixture(scope="session")
def pipeline() -> Callable[..., Pipeline]:
    """Give the maker of the usual pipeline around a model."""
    return _pipeline


def _pipeline(model: Any, *, one_hot: bool = True) -> Pipeline:
    encoder = (
        OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=10)
        if one_hot
        else OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2)
    )
    numbers = Pipeline([("fill", SimpleImputer(strategy="median")), ("scale", StandardScaler())])
    return Pipeline(
        [("prepare", ColumnTransformer([("numbers", numbers, NUMBERS), ("texts", encoder, TEXTS)])), ("model", model)]
    )


@pytest.fixture(scope="session")
def parts_of(table: Table) -> Callable[..., PackageParts]:
    """Return parts around a fitted model."""
    types = {column.name: column.type for column in table.inputs}
    columns = columns_of(table.frame, table.inputs)
    sketch = ReferenceSketch.fit(columns, types)

    def make(model: Any, task: str = "binary", **changed: Any) -> PackageParts:
        parts = PackageParts(
            name="delay",
            model=model,
            task=task,  # type: ignore[arg-type]  # a literal given by tests
            inputs=table.inputs,
            sketch=sketch,
            replay=columns,
            created_at=WHEN,
            run="run:01",
            lock="numpy==2.4.6\n",
        )
        return replace(parts, **changed)

    return make


@pytest.fixture(scope="session")
def logistic(table: Table) -> Pipeline:
    """Give a fitted logistic regression."""
    return _pipeline(LogisticRegression()).fit(table.frame, table.binary)


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of packages that tests only read."""
    return tmp_path_factory.mktemp("packages")


@pytest.fixture(scope="session")
def package(logistic: Pipeline, parts_of: Callable[..., PackageParts], packages: Path) -> PackageRef:
    """Give a built package; read only."""
    return build_package(parts_of(logistic), packages)
