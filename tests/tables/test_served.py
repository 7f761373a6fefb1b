"""Each table that comes up is answered, over HTTP and from raw rows, exactly as the fitted pipeline answers offline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from threadpoolctl import threadpool_limits

import undrift
from e2e.doors import Shell, ask
from tables.catalogue import WRITERS, expectation
from undrift.loop.notebook import LoadedModel
from undrift.models.engines.sklearn import one_threaded
from undrift.models.formats import skops
from undrift.models.package import MODEL_FILE
from undrift.project import Project

ROWS = 200
QUICK = ("penguins", "anes96", "wine")
COMING_UP = [name for name in WRITERS if expectation(name).up_exit == 0]
TYPES = {"float": pl.Float64, "int": pl.Int64, "bool": pl.Boolean, "string": pl.String, "date": pl.Date}


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """Give an empty folder; what was served in it is stopped afterwards."""
    made = Shell(tmp_path, patience_s=900.0)
    yield made
    made.close()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in COMING_UP]
)
def test_served_numbers_are_the_pipelines_to_the_last_bit(shell: Shell, name: str) -> None:
    """As a caller would send them, as a notebook would ask, and as scikit-learn itself answers: one number."""
    table = WRITERS[name](shell.folder)
    wanted = expectation(name)
    up = shell.undrift("up", table.name, "--target", wanted.target, *wanted.words, "--json")
    assert up.code == 0, up.err
    loaded = undrift.load(up.json["version"], project=shell.folder)
    frame = typed_rows(shell.folder, up.json["data"], loaded)
    served = np.array([scores_of(one, loaded) for one in ask(up.json["url"], {"rows": sent(frame)})])
    assert np.array_equal(served, pipeline_scores(loaded, frame))
    assert np.array_equal(served, notebook_scores(loaded, frame))


def typed_rows(folder: Path, data: str, loaded: LoadedModel) -> pl.DataFrame:
    """Return the table's first rows under its frozen schema, the model's columns of them."""
    with Project.open(folder) as project:
        table = project.data.read(data)
    inputs = loaded.package.manifest.inputs
    never_null = [column.name for column in inputs if not column.nullable]
    return table.select(
        pl.col(column.name).cast(TYPES.get(column.type, pl.Datetime("us"))) for column in inputs
    ).drop_nulls(never_null or None)[:ROWS]


def sent(frame: pl.DataFrame) -> list[dict[str, Any]]:  # Any: JSON
    """Return rows as a caller writes them: dates as text."""
    return [
        {name: cell.isoformat() if hasattr(cell, "isoformat") else cell for name, cell in row.items()}
        for row in frame.to_dicts()
    ]


def scores_of(answer: dict[str, Any], loaded: LoadedModel) -> list[float]:
    """Return the numbers of an answer: a value, the positive class's probability, or all probabilities."""
    if "value" in answer:
        return [answer["value"]]
    if "probability" in answer:
        return [answer["probability"]]
    return [answer["probabilities"][str(label)] for label in loaded.classes]


def pipeline_scores(loaded: LoadedModel, frame: pl.DataFrame) -> np.ndarray[Any, Any]:
    """Return what the stored scikit-learn object says, asked without anything of ours in between."""
    model: Any = one_threaded(skops.load(loaded.package.read(MODEL_FILE)))
    with threadpool_limits(1):
        if loaded.package.manifest.task == "regression":
            return np.asarray(model.predict(frame), dtype=np.float64).reshape(-1, 1)
        return of_positive(loaded, np.asarray(model.predict_proba(frame), dtype=np.float64))


def notebook_scores(loaded: LoadedModel, frame: pl.DataFrame) -> np.ndarray[Any, Any]:
    """Return what :func:`undrift.load` gives."""
    if loaded.package.manifest.task == "regression":
        return np.asarray(loaded.predict(frame)).reshape(-1, 1)
    return of_positive(loaded, loaded.predict_proba(frame))


def of_positive(loaded: LoadedModel, scores: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the positive class's column of two, every column of more."""
    positive = loaded.package.manifest.positive
    return scores if positive is None else scores[:, [positive]]
