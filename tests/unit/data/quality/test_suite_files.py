"""Suites in files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from undrift.data.quality.signatures import SIGNATURES, UnknownExpectation
from undrift.data.quality.suite import BadSuite, Suite, expect
from undrift.data.quality.suite_files import SuiteNotFound, parse_suite, read_suite
from undrift.data.quality.suite_yaml import write_yaml

YAML = """\
name: churn            # what it is called
bad_row_limit: 0.1
expectations:
  - expect_column_values_to_be_between: {column: age, min_value: 0, max_value: 120, mostly: 0.99}
    severity: warn
    because: the oldest person ever was 122
  - expect_column_values_to_be_in_set:
      column: country
      value_set: [NO, SE, on, 1e3, 2013-01-31, 012]
  - type: expect_table_row_count_to_be_between
    kwargs: {min_value: 1}
"""


def test_yaml_in_the_short_and_the_long_form() -> None:
    """Comments are for people; each expectation keeps its reason."""
    found = parse_suite(YAML, "churn.yaml")
    assert (found.name, found.bad_row_limit) == ("churn", 0.1)
    age, country, rows = found.expectations
    assert age == expect(
        "expect_column_values_to_be_between",
        "warn",
        "the oldest person ever was 122",
        column="age",
        min_value=0,
        max_value=120,
        mostly=0.99,
    )
    assert rows.kwargs == {"min_value": 1}
    assert country.severity == "fail"


def test_norway_is_no_truth_value() -> None:
    """Nor is a day a number: YAML 1.2's types."""
    values = parse_suite(YAML, "c.yaml").expectations[1].kwargs["value_set"]
    assert values == ["NO", "SE", "on", 1000.0, "2013-01-31", 12]


def test_a_suite_of_great_expectations_loads_unchanged() -> None:
    """Of version 1.x, and of the versions before."""
    one = {
        "name": "s",
        "id": "9e1c",
        "meta": {"great_expectations_version": "1.24.1"},
        "expectations": [
            {
                "id": "1",
                "type": "expect_column_values_to_be_between",
                "severity": "critical",
                "description": None,
                "kwargs": {"column": "age", "min_value": 0, "max_value": 120, "row_condition": "age > 1"},
                "meta": {"owner": "ada"},
                "rendered_content": [],
            }
        ],
    }
    older = {
        "expectation_suite_name": "s",
        "ge_cloud_id": None,
        "data_asset_type": None,
        "evaluation_parameters": {},
        "expectations": [
            {
                "expectation_type": "expect_column_values_to_be_between",
                "kwargs": {"column": "age", "min_value": 0, "max_value": 120, "result_format": "BASIC"},
                "meta": {},
            }
        ],
    }
    for plain in (one, older):
        found = parse_suite(json.dumps(plain), "suite.json")
        assert (found.name, found.expectations[0].severity) == ("s", "fail")
        assert found.expectations[0].kwargs["max_value"] == 120


def test_what_is_written_for_review_reads_back() -> None:
    """The same expectations, those of the table first; from JSON the same digest."""
    suite = parse_suite(YAML, "churn.yaml")
    table, *columns = parse_suite(write_yaml(suite), "again.yaml").expectations
    assert (*columns, table) == suite.expectations
    assert parse_suite(json.dumps(suite.as_json()), "again.json").digest == suite.digest


FAULTS = [
    ("name: s\nexpectations:\n  - expect_column_values_to_be_betwen: {column: a}\n", "line 3", "to_be_between"),
    ("name: s\nexpectations:\n  - expect_column_values_to_be_between: {column: a, max: 1}\n", "line 3", "is max_value"),
    ("expectations:\n  - expect_column_values_to_be_unique: {}\n", "line 2", "needs the argument 'column'"),
    ("expectations:\n  - expect_column_to_exist: {column: a}\n    severty: warn\n", "line 2", "begin each expectation"),
    ("expectations:\n  - expect_column_to_exist: {column: a}\n    severity: loud\n", "line 2", "'loud'"),
    ("expectations:\n  - expect_column_values_to_be_null: {column: a, mostly: 2}\n", "line 2", "mostly=2"),
    ("name: s\nname: t\nexpectations: []\n", "line 2", "comes twice"),
    ("name: [\n", "line 2", "no YAML"),
    ("nam: s\nexpectations: []\n", "s.yaml", "did you mean name"),
    ("expectations: 3\n", "s.yaml", "no suite"),
    ("bad_row_limit: 7\nexpectations: []\n", "s.yaml", "between 0 and 1"),
    ("", "s.yaml", "no suite"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "says"), FAULTS)
def test_a_fault_is_told_with_its_line_and_the_nearest_name(text: str, place: str, says: str) -> None:
    """Before anything is checked."""
    with pytest.raises(BadSuite) as caught:
        parse_suite(text, "s.yaml")
    assert place in caught.value.message
    assert says in str(caught.value)


def test_json_that_is_none_names_its_line() -> None:
    """And an unknown expectation its number."""
    with pytest.raises(BadSuite, match=r"s\.json, line 2"):
        parse_suite('{"name": "s",\n "expectations": [}', "s.json")
    with pytest.raises(UnknownExpectation, match="expectation 1: expect_nothing is not known"):
        parse_suite('{"expectations": [{"type": "expect_nothing"}]}', "s.json")


def test_a_tag_of_python_is_not_obeyed() -> None:
    """A suite is data."""
    with pytest.raises(BadSuite, match="no YAML"):
        parse_suite("expectations: !!python/object/apply:os.system ['true']\n", "s.yaml")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Nor one that is no text."""
    with pytest.raises(SuiteNotFound):
        read_suite(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(BadSuite):
        read_suite(tmp_path / "binary.yaml")


def test_every_expectation_of_great_expectations_core_is_known() -> None:
    """The 64 names of its release 1.24.1."""
    assert len(SIGNATURES) == 64
    suite = Suite("s", (expect("expect_table_row_count_to_equal_other_table", other_table_name="t"),))
    assert parse_suite(json.dumps(suite.as_json()), "s.json").expectations[0].type.endswith("other_table")
