"""Suites as text."""

from __future__ import annotations

import json

import pytest

from undrift.data.quality.suite import BadSuite, Suite, expect

SUITE = Suite("flights", (expect("expect_column_values_to_not_be_null", "fail", "none was", column="temp"),), 0.1)


def test_a_suite_comes_back_as_it_was() -> None:
    """Its stored form is canonical JSON, so one suite has one digest."""
    assert Suite.decode(SUITE.encode()) == SUITE
    assert Suite.decode(json.dumps(SUITE.as_json(), indent=2)).digest == SUITE.digest


def test_a_suite_file_of_great_expectations_loads_unchanged() -> None:
    """Unknown keys of its own are left aside, its severities are understood."""
    text = """{"name": "s", "id": "9e1c", "meta": {"great_expectations_version": "1.24.1"}, "notes": null,
      "expectations": [{"id": "1", "type": "expect_column_values_to_be_between", "severity": "critical",
                        "kwargs": {"column": "age", "min_value": 0, "max_value": 120, "mostly": 0.99}, "meta": {}},
                       {"type": "expect_column_to_exist", "severity": "warning", "kwargs": {"column": "age"}}]}"""
    suite = Suite.decode(text)
    assert [expectation.severity for expectation in suite.expectations] == ["fail", "warn"]
    assert suite.expectations[0].mostly == 0.99


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"name": "s", "expectations": [{"kwargs": {}}]}',
        '{"name": "s", "expectations": [{"type": "t", "severity": "loud"}]}',
        '{"name": "s", "expectations": [{"type": "t", "kwargs": {"mostly": 2}}]}',
        '{"name": "s", "bad_row_limit": -1}',
    ],
)
def test_what_is_no_suite_is_refused(text: str) -> None:
    """With a reason, never later in the check."""
    with pytest.raises(BadSuite):
        Suite.decode(text)


def test_a_line_about_an_expectation_reads_the_same_before_and_after_it_is_stored() -> None:
    """The column first, then the bounds from low to high, the share last; one value is one value."""
    given = (
        expect("expect_column_values_to_be_between", mostly=0.9, max_value=9, min_value=1, column="x"),
        expect("expect_column_values_to_be_in_set", column="x", value_set=["a"]),
    )
    told = [one.describe() for one in Suite.decode(Suite("s", given).encode()).expectations]
    assert told == [one.describe() for one in given]
    assert told[0].endswith("(column=x, min_value=1, max_value=9, mostly=0.9)")
    assert told[1].endswith("(column=x, value_set=1 value)")
