"""Row conditions."""

from __future__ import annotations

import polars as pl
import pytest

from undrift.data.quality.arguments import ColumnMissing
from undrift.data.quality.check import check
from undrift.data.quality.conditions import BadCondition, compile_condition
from undrift.data.quality.suite import Suite, expect

TABLE = pl.DataFrame(
    {
        "n": [1, 2, 3, None],
        "x": [1.5, None, -2.0, 0.0],
        "city": ["a", "b", None, "it's"],
        "two words": [1, 1, 2, 2],
        "ok": [True, False, None, True],
    }
)

CONDITIONS = [
    ("n > 1", "pandas", [1, 2]),
    ("n != 1", "pandas", [1, 2, 3]),
    ("n != 1", "spark", [1, 2]),
    ("n <> 1 AND city IS NOT NULL", "spark", [1]),
    ("city IS NULL OR x = 1.5", "spark", [0, 2]),
    ("n BETWEEN 2 AND 3", "spark", [1, 2]),
    ("n NOT IN (1, 2)", "spark", [2]),
    ("n not in [1, 2]", "pandas", [2, 3]),
    ("city in ['a', \"it's\"]", "pandas", [0, 3]),
    ("`two words` == 2 and not city.isnull()", "pandas", [3]),
    ("(n + 1) * 2 > x - -5", "pandas", [2]),
    ("((n > 1) & ((x < 0) | ok))", "pandas", [2]),
    ("ok", "pandas", [0, 3]),
    ("ok == False", "pandas", [1]),
    ("-1 < x < 1", "pandas", [3]),
    ("2 >= n", "pandas", [0, 1]),
    ("x == n", "pandas", []),
    ('col("city") == "it\'s"', "great_expectations", [3]),
    ('col("two words").notNull()', "great_expectations", None),
    ('col("n").notnull()', "great_expectations", [0, 1, 2]),
]


@pytest.mark.parametrize(("condition", "parser", "rows"), CONDITIONS)
def test_a_condition_chooses_rows(condition: str, parser: str, rows: list[int] | None) -> None:
    """In each of the three ways in which Great Expectations writes them."""
    asked = {"column": "two words", "row_condition": condition, "condition_parser": parser}
    suite = Suite("s", (expect("expect_column_values_to_be_null", **asked),))
    result = check(TABLE, suite).results[0]
    if rows is None:
        assert "row_condition" in result.problem
    else:
        assert (result.rows.tolist(), result.concerned, result.problem) == (rows, len(rows), "")


FAULTS = [
    ("n >", "the end at character 4 ends too soon"),
    ("n", "is no comparison"),
    ("n > 1 n", "'n' at character 7 is one thing too many"),
    ("__import__('os').system('true')", "not expected"),
    ("n > 1; x", "';' at character 6"),
    ("n == 'one'", "cannot be compared with the column"),
    ("n == city", "different kinds"),
    ("1 == 1", "two constants"),
    ("city + 1 > 2", "cannot be calculated"),
    ("n in 3", "no list"),
    ("and", "'and' at character 1"),
]


@pytest.mark.parametrize(("condition", "says"), FAULTS)
def test_what_cannot_be_read_is_told_with_its_place(condition: str, says: str) -> None:
    """Nothing that somebody wrote is ever run."""
    with pytest.raises((BadCondition, ColumnMissing)) as caught:
        compile_condition(condition, "pandas", TABLE.schema)
    assert says in caught.value.message or isinstance(caught.value, ColumnMissing)


def test_a_condition_on_a_column_that_is_not_there() -> None:
    """And a parser that nobody knows."""
    with pytest.raises(ColumnMissing, match="no column 'm'"):
        compile_condition("m > 1", "pandas", TABLE.schema)
    with pytest.raises(BadCondition, match="condition_parser"):
        compile_condition("n > 1", "python", TABLE.schema)


def test_bad_rows_are_those_of_the_condition() -> None:
    """An expectation with a condition condemns no other row."""
    asked = {"column": "x", "row_condition": "n == 2", "condition_parser": "pandas"}
    suite = Suite("s", (expect("expect_column_values_to_not_be_null", **asked),))
    report = check(TABLE, suite)
    assert report.bad_rows.tolist() == [1]
    assert list(report.reasons()) == [1]
