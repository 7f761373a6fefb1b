"""Results in the form of Great Expectations."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any, get_args

import polars as pl

from undrift.data.quality.check import Asked, check
from undrift.data.quality.results import Conceal, ResultFormat, openly, validation
from undrift.data.quality.suite import Suite, expect

TABLE = pl.DataFrame(
    {
        "age": [5, None, 200, 300, 200],
        "city": ["a", "b", "b", None, "c"],
        "day": [date(2013, 1, n) for n in range(1, 6)],
    }
)
SUITE = Suite(
    "people",
    (
        expect("expect_column_values_to_be_between", "warn", column="age", max_value=120),
        expect("expect_column_max_to_be_between", column="day", max_value="2013-01-01"),
        expect("expect_column_pair_values_to_be_equal", column_A="age", column_B="age"),
        expect("expect_compound_columns_to_be_unique", column_list=["city", "age"]),
        expect("expect_column_values_to_match_regex", column="age", regex="("),
        expect("expect_column_distinct_values_to_be_in_set", column="city", value_set=["a"]),
    ),
)


def told(form: Any, conceal: Conceal = openly) -> dict[str, Any]:
    return validation(check(TABLE, SUITE, Asked()), SUITE, form, conceal)


def test_a_complete_result_has_the_keys_of_great_expectations() -> None:
    """The first one is that of its documentation."""
    result = told("COMPLETE")["results"][0]
    assert result["success"] is False
    assert result["expectation_config"]["severity"] == "warning"
    assert result["result"] == {
        "element_count": 5,
        "unexpected_count": 3,
        "unexpected_percent": 75.0,
        "partial_unexpected_list": [200, 300, 200],
        "missing_count": 1,
        "missing_percent": 20.0,
        "unexpected_percent_total": 60.0,
        "unexpected_percent_nonmissing": 75.0,
        "partial_unexpected_counts": [{"value": 200, "count": 2}, {"value": 300, "count": 1}],
        "partial_unexpected_index_list": [2, 3, 4],
        "unexpected_list": [200, 300, 200],
        "unexpected_index_list": [2, 3, 4],
    }


def test_shorter_formats_tell_less() -> None:
    """Each has all that the one before has."""
    keys = [set(told(form)["results"][0]["result"]) for form in get_args(ResultFormat)]
    assert keys[0] == set()
    assert keys == sorted(keys, key=len)
    assert all(less < more for less, more in pairwise(keys))


def test_an_expectation_that_cannot_be_judged_has_an_exception_and_no_result() -> None:
    """It stops no other."""
    document = told("SUMMARY")
    broken = document["results"][4]
    assert (broken["success"], broken["result"]) == (False, {})
    assert broken["exception_info"]["raised_exception"] is True
    assert "not a regular expression" in broken["exception_info"]["exception_message"]
    assert document["statistics"] == {
        "evaluated_expectations": 6,
        "successful_expectations": 2,
        "unsuccessful_expectations": 4,
        "success_percent": 200 / 6,
    }


def test_everything_is_json() -> None:
    """Days and decimals too."""
    table = pl.DataFrame({"p": [Decimal("1.5")], "b": [b"x"]})
    suite = Suite("s", (expect("expect_column_max_to_be_between", column="p", max_value=1),))
    assert validation(check(table, suite), suite, "BASIC")["results"][0]["result"] == {"observed_value": 1.5}  # type: ignore[index, call-overload]
    json.dumps(told("COMPLETE"))


def test_personal_cells_are_concealed_wherever_they_stand() -> None:
    """In lists of values, in pairs, in records, as the greatest value and as unknown ones."""
    text = json.dumps(
        told("COMPLETE", lambda column, cell: "hidden" if column in {"age", "city", "day"} else cell)["results"]
    )
    shown = json.loads(text)
    results = json.dumps([one["result"] for one in shown])
    assert "hidden" in results
    assert not {"200", "300", '"b"', '"c"', "2013-01-05"} & set(
        results.replace("[", " ").replace("]", " ").replace(",", " ").split()
    )
