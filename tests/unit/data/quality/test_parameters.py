"""Parameters of suites."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from undrift.data.quality.check import Asked, check
from undrift.data.quality.parameters import ParameterMissing, with_parameters
from undrift.data.quality.suite import BadSuite, Expectation, Suite

CASES: list[tuple[Any, Any]] = [
    ({"$PARAMETER": "rows"}, 100),
    ({"$PARAMETER": "rows * 0.9 - 1"}, 89.0),
    ({"$PARAMETER": "-(rows + 2) / 2"}, -51.0),
    ({"$PARAMETER": "cities"}, ["Rome"]),
    ([1, {"$PARAMETER": "rows"}], [1, 100]),
    ({"$PARAMETER": "old", "$PARAMETER.old": 7}, 7),
]


@pytest.mark.parametrize(("argument", "value"), CASES)
def test_a_parameter_stands_for_a_value_or_a_calculation(argument: Any, value: Any) -> None:
    """Given with the check; an older suite keeps the last one beside the name."""
    found = with_parameters(Expectation("e", {"value": argument}), {"rows": 100, "cities": ["Rome"]})
    assert found.kwargs["value"] == value


@pytest.mark.parametrize("text", ["rows +", "rows ** 2", "cities * 2", "rows / 0", "(rows", "rows rows", "a.b()"])
def test_what_is_no_calculation_is_refused(text: str) -> None:
    """Nothing is run that somebody wrote."""
    with pytest.raises(BadSuite):
        with_parameters(Expectation("e", {"value": {"$PARAMETER": text}}), {"rows": 100, "cities": ["Rome"]})


def test_a_missing_parameter_breaks_its_expectation_only() -> None:
    """It is told by name."""
    with pytest.raises(ParameterMissing, match="'rows'"):
        with_parameters(Expectation("e", {"value": {"$PARAMETER": "rows"}}), {})
    suite = Suite("s", (Expectation("expect_table_row_count_to_equal", {"value": {"$PARAMETER": "rows"}}),))
    table = pl.DataFrame({"a": [1, 2]})
    assert "'rows'" in check(table, suite).results[0].problem
    assert check(table, suite, Asked(parameters={"rows": 2})).verdict == "pass"


def test_the_share_that_must_be_good_can_be_a_parameter() -> None:
    """And must be a share."""
    asked = {"column": "a", "min_value": 2, "mostly": {"$PARAMETER": "share"}}
    suite = Suite("s", (Expectation("expect_column_values_to_be_between", asked),))
    table = pl.DataFrame({"a": [1, 2]})
    assert [check(table, suite, Asked(parameters={"share": share})).verdict for share in (0.5, 0.6)] == ["pass", "fail"]
    assert "mostly=7" in check(table, suite, Asked(parameters={"share": 7})).results[0].problem
    assert check(table, suite).results[0].problem
