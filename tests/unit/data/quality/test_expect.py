"""Suites in Python."""

from __future__ import annotations

import inspect
from datetime import date
from pathlib import Path
from typing import get_type_hints

import pandas as pd
import polars as pl
import pytest

import undrift
from undrift import quality
from undrift.data.quality import expect
from undrift.data.quality.report import ChecksFailed
from undrift.data.quality.signatures import SIGNATURES, UnknownExpectation
from undrift.data.quality.suite import BadSuite

FUNCTIONS = {name: function for name, function in inspect.getmembers(expect, inspect.isfunction) if name[0] != "_"}
JUDGED = {name.removeprefix("expect_"): one for name, one in SIGNATURES.items() if one.family != "refused"}


def test_every_expectation_is_a_function_that_editors_complete() -> None:
    """With all its arguments by name."""
    own = {name for name, function in FUNCTIONS.items() if function.__module__ == expect.__name__}
    assert own == set(JUDGED)
    for name, signature in JUDGED.items():
        parameters = inspect.signature(FUNCTIONS[name]).parameters
        more = get_type_hints(FUNCTIONS[name])["more"]
        kinds = more.__args__[0].__annotations__ if hasattr(more, "__args__") else more.__annotations__
        known = ({*parameters} - {"more"}) | {*kinds}
        assert {*signature.names} - known - {
            "mostly",
            "row_condition",
            "condition_parser",
            "min_value",
            "max_value",
        } == set()


def test_a_suite_in_python_is_the_one_in_a_file() -> None:
    """Sets and days become what files hold."""
    made = quality.suite(
        "churn",
        expect.column_values_to_be_between("age", 0, 120, mostly=0.99, severity="warn"),
        expect.column_values_to_be_in_set("city", {"Rome", "Oslo"}, because="two shops"),
        expect.column_max_to_be_between("day", max_value=date(2013, 1, 31)),
    )
    text = """
name: churn
expectations:
  - expect_column_values_to_be_between: {column: age, min_value: 0, max_value: 120, mostly: 0.99}
    severity: warn
  - expect_column_values_to_be_in_set: {column: city, value_set: [Oslo, Rome]}
    because: two shops
  - expect_column_max_to_be_between: {column: day, max_value: 2013-01-31}
"""
    assert made == quality.parse_suite(text, "churn.yaml")


def test_any_table_is_checked_in_one_line(tmp_path: Path) -> None:
    """polars, pandas, rows, a file; the suite may be a file, too."""
    suite = quality.suite("s", expect.column_values_to_be_unique("id"))
    rows = [{"id": 1}, {"id": 2}, {"id": 2}]
    pl.DataFrame(rows).write_csv(tmp_path / "t.csv")
    (tmp_path / "s.yaml").write_text("expectations:\n  - expect_column_values_to_be_unique: {column: id}\n")
    tables = [
        rows,
        pl.DataFrame(rows),
        pl.DataFrame(rows).lazy(),
        pd.DataFrame(rows),
        tmp_path / "t.csv",
        str(tmp_path / "t.csv"),
    ]
    reports = [quality.check(table, suite) for table in tables] + [quality.check(rows, tmp_path / "s.yaml")]
    assert [report.bad_rows.tolist() for report in reports] == [[1, 2]] * 7
    with pytest.raises(ChecksFailed, match="2 of 3 rows break it"):
        reports[0].raise_if_failed()
    quality.check(rows[:2], suite).raise_if_failed()


def test_a_wrong_argument_is_refused_where_it_is_written() -> None:
    """With the nearest name."""
    with pytest.raises(UnknownExpectation, match="mostly"):
        expect.column_values_to_be_null("a", mosty=0.5)  # type: ignore[call-arg]
    with pytest.raises(BadSuite, match="mostly=2"):
        expect.column_values_to_be_null("a", mostly=2)


def test_the_door_is_found_from_the_package() -> None:
    """And loads only when it is opened (tests/house)."""
    assert undrift.quality is quality
