"""Checking a table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from polars.io.plugins import register_io_source

from undrift.data.quality.check import CheckReport, CheckResult, check
from undrift.data.quality.suite import Expectation, Suite, expect

TABLE = pl.DataFrame(
    {
        "id": [1, 2, 2, None, 5],
        "temp": [10.0, float("nan"), 99.0, None, -1.0],
        "low": [9.0, 1.0, 100.0, 2.0, -2.0],
        "city": ["Rome", "rome", None, "", "Oslo"],
        "day": [date(2013, 1, n) for n in range(1, 6)],
        "at": [datetime(2013, 1, n, tzinfo=UTC) for n in range(1, 6)],
    }
)


def run(kind: str, severity: Any = "fail", **kwargs: Any) -> CheckResult:
    return check(TABLE, Suite("s", (expect(kind, severity, **kwargs),))).results[0]


def report(*expectations: Expectation, limit: float = 0.05) -> CheckReport:
    return check(TABLE, Suite("s", expectations, limit))


ROWS = [
    ("expect_column_values_to_not_be_null", {"column": "temp"}, 5, [1, 3]),
    ("expect_column_values_to_be_null", {"column": "city"}, 5, [0, 1, 3, 4]),
    ("expect_column_values_to_be_between", {"column": "temp", "min_value": 0, "max_value": 50}, 3, [2, 4]),
    ("expect_column_values_to_be_between", {"column": "temp", "min_value": 10, "strict_min": True}, 3, [0, 4]),
    ("expect_column_values_to_be_between", {"column": "temp", "max_value": 99, "strict_max": True}, 3, [2]),
    ("expect_column_values_to_be_between", {"column": "day", "min_value": "2013-01-03"}, 5, [0, 1]),
    ("expect_column_values_to_be_between", {"column": "at", "max_value": "2013-01-03T00:00:00+00:00"}, 5, [3, 4]),
    ("expect_column_values_to_be_between", {"column": "city", "min_value": "S"}, 4, [0, 3, 4]),
    ("expect_column_values_to_be_in_set", {"column": "city", "value_set": ["Rome", "Oslo"]}, 4, [1, 3]),
    ("expect_column_values_to_be_in_set", {"column": "id", "value_set": [1, 2]}, 4, [4]),
    ("expect_column_values_to_be_in_set", {"column": "id", "value_set": []}, 4, [0, 1, 2, 4]),
    ("expect_column_values_to_not_be_in_set", {"column": "id", "value_set": [2, None]}, 4, [1, 2]),
    ("expect_column_values_to_be_unique", {"column": "id"}, 4, [1, 2]),
    ("expect_compound_columns_to_be_unique", {"column_list": ["id", "city"]}, 5, []),
    ("expect_column_values_to_match_regex", {"column": "city", "regex": "^[A-Z]"}, 4, [1, 3]),
    ("expect_column_values_to_not_match_regex", {"column": "city", "regex": "o"}, 4, [0, 1, 4]),
    ("expect_column_value_lengths_to_be_between", {"column": "city", "min_value": 1}, 4, [3]),
    (
        "expect_column_pair_values_a_to_be_greater_than_b",
        {"column_A": "temp", "column_B": "low", "or_equal": True, "ignore_row_if": "either_value_is_missing"},
        3,
        [2],
    ),
    ("expect_column_pair_values_to_be_equal", {"column_A": "id", "column_B": "low"}, 5, [0, 1, 2, 3, 4]),
]


@pytest.mark.parametrize(("kind", "kwargs", "considered", "rows"), ROWS)
def test_each_expectation_on_rows_names_the_rows_that_break_it(
    kind: str, kwargs: dict[str, Any], considered: int, rows: list[int]
) -> None:
    """Missing values, NaN among them, are judged only by expectations about missing."""
    result = run(kind, **kwargs)
    assert (result.considered, result.rows.tolist(), result.success) == (considered, rows, not rows)
    assert result.unexpected == len(rows)


MEASURES = [
    ("expect_table_row_count_to_be_between", {"min_value": 5, "max_value": 5}, 5),
    ("expect_column_mean_to_be_between", {"column": "temp", "min_value": 36, "max_value": 36}, 36.0),
    ("expect_column_median_to_be_between", {"column": "temp", "max_value": 10}, 10.0),
    (
        "expect_column_stdev_to_be_between",
        {"column": "id", "min_value": 1.7, "max_value": 1.8},
        pytest.approx(1.732, abs=1e-3),
    ),
    ("expect_column_min_to_be_between", {"column": "temp", "min_value": -1}, -1.0),
    ("expect_column_max_to_be_between", {"column": "temp", "max_value": 99}, 99.0),
    ("expect_column_sum_to_be_between", {"column": "id", "min_value": 10, "max_value": 10}, 10),
    ("expect_column_unique_value_count_to_be_between", {"column": "id", "max_value": 3}, 3),
    ("expect_column_proportion_of_unique_values_to_be_between", {"column": "id", "max_value": 0.75}, 0.75),
    ("expect_column_proportion_of_non_null_values_to_be_between", {"column": "temp", "min_value": 0.6}, 0.6),
]


@pytest.mark.parametrize(("kind", "kwargs", "observed"), MEASURES)
def test_each_expectation_on_a_number_tells_the_number(kind: str, kwargs: dict[str, Any], observed: Any) -> None:
    """Bounds belong to the interval unless they are strict."""
    result = run(kind, **kwargs)
    assert (result.success, result.observed) == (True, observed)
    strict = {"strict_min": True, "strict_max": True}
    if kind != "expect_column_stdev_to_be_between":
        assert not run(kind, **kwargs, **strict).success


def test_expectations_on_the_schema() -> None:
    """Names, their order, their types."""
    names = list(TABLE.columns)
    assert run("expect_column_to_exist", column="temp").success
    assert not run("expect_column_to_exist", column="wind").success
    assert run("expect_table_columns_to_match_set", column_set=names[::-1]).success
    assert run("expect_table_columns_to_match_set", column_set=names[:1], exact_match=False).success
    assert not run("expect_table_columns_to_match_set", column_set=names[:1]).success
    assert not run("expect_table_columns_to_match_ordered_list", column_list=names[::-1]).success
    assert run("expect_column_values_to_be_of_type", column="at", type_="timestamp-utc").success
    assert run("expect_column_values_to_be_of_type", column="temp", type_="int").observed == "float64"


def test_a_broken_schema_is_told_by_its_difference() -> None:
    """With a guess of what was renamed."""
    told = run("expect_table_columns_to_match_set", column_set=["id", "temps", "low", "city", "day", "at"]).told()
    assert told.endswith("missing: temps; unexpected: temp; perhaps renamed: temps -> temp")
    told = run(
        "expect_table_columns_to_match_ordered_list", column_list=["id", "low", "temp", "city", "day", "at"]
    ).told()
    assert told.endswith("column 2 is temp and should be low, and 1 more places differ")


def test_mostly_lets_a_share_of_the_judged_values_break_it() -> None:
    """3 values are judged, 1 breaks."""
    assert run("expect_column_values_to_be_between", column="temp", max_value=50, mostly=0.66).success
    assert not run("expect_column_values_to_be_between", column="temp", max_value=50, mostly=0.67).success


FAULTY = [
    ("expect_column_values_to_be_between", {"column": "wind", "min_value": 0}, "no column 'wind'"),
    ("expect_column_values_to_be_between", {"column": "temp"}, "needs min_value"),
    ("expect_column_values_to_be_between", {"column": "temp", "min_value": "cold"}, "no bound"),
    ("expect_column_values_to_be_between", {"column": "at", "min_value": "2013-01-01T00:00"}, "no bound"),
    ("expect_column_values_to_match_regex", {"column": "temp", "regex": "x"}, "is for text"),
    ("expect_column_values_to_match_regex", {"column": "city", "regex": "("}, "regular expression"),
    ("expect_column_mean_to_be_between", {"column": "city", "min_value": 0}, "does not hold numbers"),
    ("expect_column_mean_to_be_between", {"column": "temp"}, "needs min_value"),
    ("expect_column_values_to_be_unique", {}, "needs the argument 'column'"),
    ("expect_the_unexpected", {}, "is not known"),
    ("expect_table_row_count_to_equal_other_table", {"other_table_name": "t"}, "is not judged here"),
    (
        "expect_column_values_to_be_between",
        {"column": "city", "min_value": "2013", "parse_strings_as_datetimes": True},
        "parse_strings_as_datetimes",
    ),
]


@pytest.mark.parametrize(("kind", "kwargs", "says"), FAULTY)
def test_an_expectation_that_cannot_be_judged_is_broken_and_stops_no_other(
    kind: str, kwargs: dict[str, Any], says: str
) -> None:
    """A missing column is a finding, not a crash."""
    found = report(expect(kind, **kwargs), expect("expect_column_to_exist", column="temp"))
    assert says in found.results[0].problem
    assert [result.success for result in found.results] == [False, True]
    assert found.table_failures


def test_a_suite_is_one_scan() -> None:
    """However many expectations, the table is read once."""
    scans = []

    def source(*_: object) -> Iterator[pl.DataFrame]:
        scans.append(1)
        yield TABLE

    lazy = register_io_source(source, schema=TABLE.schema)
    expectations = tuple(expect(kind, **kwargs) for kind, kwargs, *_ in [*ROWS, *MEASURES])
    found = check(lazy, Suite("s", expectations))
    assert len(found.results) == len(expectations)
    assert len(scans) == 1


def test_bad_rows_are_those_of_fail_level_without_mostly() -> None:
    """Warnings and shares condemn no row."""
    found = report(
        expect("expect_column_values_to_be_between", column="temp", max_value=50),
        expect("expect_column_values_to_not_be_null", column="id"),
        expect("expect_column_values_to_be_unique", "warn", column="id"),
        expect("expect_column_values_to_not_be_null", column="temp", mostly=0.5),
    )
    assert found.bad_rows.tolist() == [2, 3]
    assert list(found.reasons()) == [2, 3]
    assert found.verdict == "fail"


def test_the_verdict_is_that_of_the_gravest_broken_expectation() -> None:
    """Pass, warn or fail."""
    good = expect("expect_column_to_exist", column="temp")
    warn = expect("expect_column_values_to_be_unique", "warn", column="id")
    fail = expect("expect_column_to_exist", column="wind")
    assert [report(*some).verdict for some in [(), (good,), (good, warn), (warn, fail)]] == [
        "pass",
        "pass",
        "warn",
        "fail",
    ]


def test_too_many_bad_rows_stop_the_rest() -> None:
    """Exactly the limit does not."""
    bad = expect("expect_column_values_to_be_between", column="temp", max_value=50)
    assert report(bad, limit=0.2).stop_reasons == ()
    assert "1 of 5 rows are bad (20.0 %), the limit is 19 %" in report(bad, limit=0.19).stop_reasons[0]


def test_a_report_on_paper_holds_no_cell() -> None:
    """Counts, names and digests only; examples are for the screen."""
    found = report(expect("expect_column_values_to_match_regex", column="city", regex="^$"))
    assert found.results[0].examples == ("Rome", "rome", "Oslo")
    assert "Rome" not in str(found.as_json())


def test_an_empty_table_breaks_only_what_is_about_being_there() -> None:
    """No row is bad where there is none."""
    suite = Suite("s", tuple(expect(kind, **kwargs) for kind, kwargs, *_ in ROWS))
    assert check(TABLE.clear(), suite).verdict == "pass"
    one = Suite("s", (expect("expect_table_row_count_to_be_between", min_value=1),))
    assert check(TABLE.clear(), one).verdict == "fail"
