"""Rows that a version holds already, in whatever form they come."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from undrift.data.service import Data
from undrift.data.tabular.reading import Reading
from undrift.ledger.actor import Actor

FRAME = pl.DataFrame({"shop": ["007", "008", "009"], "price": [1.5, None, 2.0]})


@pytest.fixture
def shops(data: Data, ada: Actor, tmp_path: Path) -> Data:
    """Give a dataset that holds a CSV file."""
    FRAME.write_csv(tmp_path / "shops.csv")
    data.add(tmp_path / "shops.csv", "shops", actor=ada)
    return data


def test_the_rows_of_a_version_are_known_again_in_another_form(shops: Data, tmp_path: Path) -> None:
    """As Parquet, and with another delimiter."""
    FRAME.write_parquet(tmp_path / "shops.parquet")
    FRAME.write_csv(tmp_path / "other.csv", separator=";")
    for source, reading in (("shops.parquet", Reading()), ("other.csv", Reading(delimiter=";"))):
        found = shops.holding("shops", tmp_path / source, reading)
        assert found is not None
        assert found.ref == "data:shops@1"


@pytest.mark.parametrize(
    "other",
    [
        FRAME.head(2),
        FRAME.reverse(),
        FRAME.with_columns(price=pl.lit(1.5)),
        FRAME.rename({"price": "cost"}),
        FRAME.with_columns(pl.col("shop").cast(pl.Int64)),
    ],
    ids=["fewer", "other order", "a cell", "a name", "a type"],
)
def test_other_rows_are_other_rows(shops: Data, tmp_path: Path, other: pl.DataFrame) -> None:
    """The order of rows, a cell, a name and a type count."""
    other.write_parquet(tmp_path / "other.parquet")
    assert shops.holding("shops", tmp_path / "other.parquet") is None


def test_a_file_that_cannot_be_read_under_the_schema_is_not_held(shops: Data, tmp_path: Path) -> None:
    """Whoever adds it is told what is wrong with it."""
    (tmp_path / "bad.csv").write_text("shop,price\n007,much\n")
    assert shops.holding("shops", tmp_path / "bad.csv") is None
    assert shops.holding("nothing", tmp_path / "bad.csv") is None
