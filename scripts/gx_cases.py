"""Records what Great Expectations answers to several hundred small cases: the measure of docs/quality.md.

    build/benchmarks-data/bin/python scripts/gx_cases.py tests/contract/gx/cases.json

Run by an interpreter that has Great Expectations (benchmarks/peers.py makes it from requirements/benchmarks-data.txt).
Tables and cases are our own; the file holds both with the answers, so that the test needs nothing but the file.
"""

from __future__ import annotations

import json
import logging
import math
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Case = tuple[str, str, dict[str, Any]]
Table = dict[str, dict[str, Any]]

_NOT = None
PEOPLE: Table = {
    "id": {"type": "int", "values": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 11]},
    "age": {"type": "float", "values": [31.0, _NOT, 45.0, 17.0, 99.0, 31.0, -1.0, _NOT, 62.5, 45.0, 18.0, 0.0]},
    "city": {"type": "text", "values": ["Rome", "Oslo", _NOT, "rome", "", "Oslo", "Żary", "Rome", _NOT, "a b", "Bo\nn", "NY"]},
    "code": {"type": "text", "values": ["a1", "b22", "c333", "d4", "a1", "_x", "é9", "Z", "7", "a_%", "b%", _NOT]},
    "joined": {
        "type": "date",
        "values": ["2013-01-01", "2013-01-05", "2013-01-03", _NOT, "2013-02-28", "2014-01-01", "2012-12-31", "2013-01-01",
                   "2013-06-30", _NOT, "2013-01-02", "2013-01-09"],
    },
    "flag": {"type": "bool", "values": [True, False, True, True, False, False, True, True, True, False, True, True]},
    "low": {"type": "float", "values": [1.0, 2.0, _NOT, 4.0, 5.0, _NOT, 7.0, 8.0, 9.0, 1.0, 1.5, 2.5]},
    "high": {"type": "float", "values": [2.0, 2.0, 3.0, _NOT, 4.0, _NOT, 7.0, 9.0, 10.0, 0.0, 1.5, 3.5]},
    "a": {"type": "int", "values": [1, 1, 2, 3, 5, 8, 0, -1, 4, 2, 1, 7]},
    "b": {"type": "int", "values": [2, 1, 2, 1, 0, 1, 5, 6, 4, 2, 2, 7]},
    "c": {"type": "int", "values": [3, 4, 2, 2, 1, -3, 1, 1, 4, 9, 3, 7]},
    "when": {
        "type": "text",
        "values": ["2013-01-01", "2013-13-01", "Jan 3 2013", "05/06/2013", _NOT, "nothing", "2013-02-30", "2013-01-01",
                   "20130101", "10:30", "2013-01-01T10:00:00", "1"],
    },
    "json": {
        "type": "text",
        "values": ['{"a": 1}', '{"a": "x"}', "[1, 2]", "{", _NOT, "1", '"x"', "null", '{"b": 2}', "NaN", "", "{'a': 1}"],
    },
    "up": {"type": "float", "values": [1.0, 2.0, 2.0, _NOT, 3.0, 2.5, 4.0, 5.0, 5.0, _NOT, 6.0, 7.0]},
}  # fmt: skip
_SPREAD = [round(50 + 12 * math.sin(7.3 * n) + 5 * math.cos(1.7 * n) + (0.01 * n), 4) for n in range(60)]
NUMBERS: Table = {
    "x": {"type": "float", "values": [*_SPREAD, 140.0, -40.0, _NOT, 50.0]},
    "y": {"type": "float", "values": [*[float(n % 5) for n in range(62)], _NOT, 4.0]},
    "n": {"type": "int", "values": [n % 7 for n in range(64)]},
    "same": {"type": "float", "values": [3.0] * 64},
    "group": {"type": "text", "values": [["a", "b", "c", "a"][n % 4] for n in range(63)] + [None]},
    "sorted": {"type": "int", "values": list(range(64))},
    "back": {"type": "int", "values": [64 - n // 2 for n in range(64)]},
    "doc": {
        "type": "text",
        "values": ['{"a": 1}', '{"a": "x"}', "[1, 2]", "null", '{"b": 2}', '{"a": 2, "b": []}', None, "7"] * 8,
    },
}
TABLES: dict[str, Table] = {
    "people": PEOPLE,
    "numbers": NUMBERS,
    "empty": {name: {**column, "values": []} for name, column in PEOPLE.items()},
    "one": {name: {**column, "values": column["values"][:1]} for name, column in PEOPLE.items()},
    "missing": {
        "age": {"type": "float", "values": [_NOT] * 4},
        "low": {"type": "float", "values": [_NOT] * 4},
        "high": {"type": "float", "values": [1.0, _NOT, _NOT, 2.0]},
        "city": {"type": "text", "values": [_NOT] * 4},
        "code": {"type": "text", "values": [_NOT] * 4},
        "id": {"type": "int", "values": [1, 2, 3, 4]},
        "joined": {"type": "date", "values": [_NOT] * 4},
        "up": {"type": "float", "values": [_NOT] * 4},
    },
}
_MOSTLY = [0, 0.5, 0.75, 0.8, 0.9, 1]
_SCHEMAS: list[dict[str, Any]] = [
    {"type": "object"},
    {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
    {"anyOf": [{"type": "array", "minItems": 2}, {"type": "null"}]},
    {"type": "nonsense"},
]
_CONDITIONS = [
    ("age > 20", "pandas"),
    ("age != 31", "pandas"),
    ("city == 'Rome' or city == \"Oslo\"", "pandas"),
    ("city in ['Rome', 'NY'] and not flag == False", "pandas"),
    ("(age >= 18) & (age < 62.5)", "pandas"),
    ("~(id <= 4)", "pandas"),
    ("age.isnull()", "pandas"),
    ("city.notnull() and id not in [1, 5]", "pandas"),
    ("17 < age <= 45", "pandas"),
    ("joined >= '2013-01-03'", "pandas"),
    ("a + b > 5", "pandas"),
    ("id > 100", "pandas"),
    ('col("age") > 20', "great_expectations"),
    ('col("city") == "Rome"', "great_expectations"),
    ('col("age").notnull()', "great_expectations"),
    ('col("id") <= 3', "great_expectations"),
]
_OBJECTS = [
    {"type": "comparison", "column": {"name": "age"}, "operator": "<", "parameter": 40},
    {"type": "comparison", "column": {"name": "city"}, "operator": "IN", "parameter": ["Rome", "Oslo"]},
    {"type": "comparison", "column": {"name": "city"}, "operator": "NOT_IN", "parameter": ["Rome", "Oslo"]},
    {"type": "nullity", "column": {"name": "age"}, "is_null": True},
    {
        "type": "or",
        "conditions": [
            {"type": "comparison", "column": {"name": "id"}, "operator": "==", "parameter": 2},
            {
                "type": "and",
                "conditions": [
                    {"type": "comparison", "column": {"name": "a"}, "operator": ">=", "parameter": 2},
                    {"type": "nullity", "column": {"name": "city"}, "is_null": False},
                ],
            },
        ],
    },
]


def _on_columns() -> Iterator[tuple[str, dict[str, Any]]]:
    """Give expectations on the rows of one column of people."""
    for name in ("id", "age", "city", "code", "joined", "flag", "up"):
        for kind in ("not_be_null", "be_null", "be_unique"):
            yield f"expect_column_values_to_{kind}", {"column": name}
    between = "expect_column_values_to_be_between"
    for bounds in [(0, 60), (None, 45), (17, None), (31, 31), (-1, 99), (60, 0)]:
        for strict in [{}, {"strict_min": True}, {"strict_max": True}, {"strict_min": True, "strict_max": True}]:
            yield between, {"column": "age", "min_value": bounds[0], "max_value": bounds[1], **strict}
    yield between, {"column": "id", "min_value": 2.5, "max_value": 9}
    yield between, {"column": "city", "min_value": "O", "max_value": "S"}
    yield between, {"column": "city", "min_value": "O", "strict_min": True}
    yield between, {"column": "joined", "min_value": "2013-01-02", "max_value": "2013-02-28"}
    yield between, {"column": "joined", "min_value": "2013-01-01", "strict_min": True}
    yield between, {"column": "joined", "max_value": "2013-01-03 00:00:00"}
    for strict in [{}, {"strict_min": True}, {"strict_max": True}]:
        yield (
            between,
            {"column": "joined", "min_value": "2013-01-02T00:00:00", "max_value": "2013-02-28T00:00:00", **strict},
        )
        yield between, {"column": "joined", "min_value": "2013-01-01T00:00:00", **strict}
    yield between, {"column": "age", "min_value": "0", "max_value": "x"}
    yield between, {"column": "city", "min_value": 1, "max_value": 3}
    yield between, {"column": "nowhere", "min_value": 1}
    for kind in ("be_in_set", "not_be_in_set"):
        for name, values in [
            ("city", ["Rome", "Oslo"]), ("city", []), ("city", ["Rome", None]), ("age", [31, 45.0]), ("age", [31, "x"]),
            ("id", [1, 2, 3, 11]), ("id", [1.0, 2.5]), ("flag", [True]), ("code", ["a1", 7]), ("city", ["Bo\nn", ""]),
        ]:  # fmt: skip
            yield f"expect_column_values_to_{kind}", {"column": name, "value_set": values}
    yield "expect_column_values_to_not_be_in_set", {"column": "joined", "value_set": ["2013-01-01", "2013-06-30"]}
    for name in ("up", "id", "age", "joined"):
        for strictly in (None, True):
            yield "expect_column_values_to_be_increasing", {"column": name, "strictly": strictly}
            yield "expect_column_values_to_be_decreasing", {"column": name, "strictly": strictly}
    yield "expect_column_values_to_be_increasing", {"column": "city"}
    lengths = "expect_column_value_lengths_to_be_between"
    for name in ("city", "code", "id"):
        for bounds in [{"min_value": 2, "max_value": 4}, {"min_value": 1}, {"max_value": 2, "strict_max": True}]:
            yield lengths, {"column": name, **bounds}
        yield "expect_column_value_lengths_to_equal", {"column": name, "value": 2}
    yield lengths, {"column": "city"}


def _on_texts() -> Iterator[tuple[str, dict[str, Any]]]:
    regexes = [
        "^[A-Z]", "o", "^$", r"\d", r"^\w+$", r"^\W", r"\s", "e$", r"(?i)rome", r"^(?!R)", r"^[a-d]\d+$", "[^a-z]", ".",
        r"^.{2,4}$", r"a|b", r"\bb\b", r"^Bo.n", r"(?s)^Bo.n", r"n\Z", "%", r"[]x]", r"^[\w]+$", "(", r"^[\d_]", "é",
    ]  # fmt: skip
    for name in ("city", "code"):
        for regex in regexes:
            yield "expect_column_values_to_match_regex", {"column": name, "regex": regex}
            yield "expect_column_values_to_not_match_regex", {"column": name, "regex": regex}
    yield "expect_column_values_to_match_regex", {"column": "id", "regex": "^1"}
    for listed in [["^R", "^O"], ["o", "e"], ["^$"], [r"\d"]]:
        for match_on in ("any", "all"):
            yield (
                "expect_column_values_to_match_regex_list",
                {"column": "city", "regex_list": listed, "match_on": match_on},
            )
        yield "expect_column_values_to_not_match_regex_list", {"column": "code", "regex_list": listed}
    for form in ["%Y-%m-%d", "%d/%m/%Y", "%b %d %Y", "%H:%M", "%Y%m%d", "%Q"]:
        yield "expect_column_values_to_match_strftime_format", {"column": "when", "strftime_format": form}
    yield "expect_column_values_to_match_strftime_format", {"column": "id", "strftime_format": "%Y"}
    for name in ("when", "city", "code", "id"):
        yield "expect_column_values_to_be_dateutil_parseable", {"column": name}
    for name in ("json", "city", "code"):
        yield "expect_column_values_to_be_json_parseable", {"column": name}
    for schema in _SCHEMAS[:2]:
        yield "expect_column_values_to_match_json_schema", {"column": "json", "json_schema": schema}


def _on_records() -> Iterator[tuple[str, dict[str, Any]]]:
    ignored = ("both_values_are_missing", "either_value_is_missing", "neither")
    for pair in [("high", "low"), ("a", "b"), ("id", "age"), ("city", "code"), ("joined", "joined"), ("id", "city")]:
        for ignore in ignored:
            named = {"column_A": pair[0], "column_B": pair[1], "ignore_row_if": ignore}
            yield "expect_column_pair_values_to_be_equal", named
            for or_equal in (None, True):
                yield "expect_column_pair_values_a_to_be_greater_than_b", {**named, "or_equal": or_equal}
    for ignore in ignored:
        for pairs in [[[1, 2], [2, 2]], [[1, None], [5, 0]], []]:
            named = {"column_A": "a", "column_B": "b", "value_pairs_set": pairs, "ignore_row_if": ignore}
            yield "expect_column_pair_values_to_be_in_set", named
        named = {"column_A": "low", "column_B": "high", "ignore_row_if": ignore}
        yield "expect_column_pair_values_to_be_in_set", {**named, "value_pairs_set": [[1.0, 2.0], [None, 3], [4, None]]}
    several = [["a", "b", "c"], ["low", "high"], ["id", "age"], ["city", "code"], ["a", "flag"], ["city", "id"], ["a"]]
    for names in several:
        for ignore in ("all_values_are_missing", "any_value_is_missing", "never"):
            named = {"column_list": names, "ignore_row_if": ignore}
            yield "expect_compound_columns_to_be_unique", named
            yield "expect_select_column_values_to_be_unique_within_record", named
            yield "expect_multicolumn_values_to_be_equal", named
            if set(names) <= {"a", "b", "c", "low", "high", "id", "age"}:
                yield "expect_multicolumn_sum_to_equal", {**named, "sum_total": 6}


def _on_numbers() -> Iterator[tuple[str, str, dict[str, Any]]]:
    bounds = [(0, 10), (None, 50.0), (4, None), (7, 7), (11, 12)]
    stricts: list[dict[str, bool]] = [{}, {"strict_min": True, "strict_max": True}]
    kinds = ["min", "max", "sum", "mean", "median", "stdev", "unique_value_count", "proportion_of_unique_values",
             "proportion_of_non_null_values"]  # fmt: skip
    for kind in kinds:
        for table, name in [("people", "age"), ("people", "id"), ("numbers", "x"), ("numbers", "same"), ("empty", "age"),
                            ("missing", "age"), ("one", "age")]:  # fmt: skip
            for low, high in bounds if table == "people" else bounds[:2]:
                for strict in stricts:
                    yield (
                        table,
                        f"expect_column_{kind}_to_be_between",
                        {"column": name, "min_value": low, "max_value": high, **strict},
                    )
    for kind in ("min", "max"):
        yield "people", f"expect_column_{kind}_to_be_between", {"column": "city", "min_value": "A", "max_value": "Z"}
        limits = {"column": "joined", "min_value": "2012-12-31", "max_value": "2014-01-01"}
        yield "people", f"expect_column_{kind}_to_be_between", limits
        moments = {name: value if name == "column" else f"{value}T00:00:00" for name, value in limits.items()}
        yield "people", f"expect_column_{kind}_to_be_between", moments
        yield "people", f"expect_column_{kind}_to_be_between", {**moments, "strict_min": True, "strict_max": True}
        yield "people", f"expect_column_{kind}_to_be_between", {**limits, "strict_min": True, "strict_max": True}
    yield "people", "expect_column_mean_to_be_between", {"column": "city", "min_value": 0}
    yield "people", "expect_column_mean_to_be_between", {"column": "flag", "min_value": 0.5, "max_value": 0.7}
    yield "people", "expect_column_unique_value_count_to_be_between", {"column": "city", "min_value": 3, "max_value": 8}
    yield "people", "expect_column_unique_value_count_to_be_between", {"column": "joined", "max_value": 3}
    for table, name in [("people", "age"), ("numbers", "x"), ("numbers", "n"), ("numbers", "same"), ("one", "age")]:
        for way in (False, "linear", "lower", "higher", "midpoint", "nearest"):
            ranges = {
                "quantiles": [0.0, 0.05, 0.25, 0.5, 0.9, 1.0],
                "value_ranges": [[None, 20], [None, None], [0, 60], [3, 50], [3, None], [3, 200]],
            }
            named = {"column": name, "quantile_ranges": ranges, "allow_relative_error": way}
            yield table, "expect_column_quantile_values_to_be_between", named
    yield from _on_sets()


def _on_sets() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for kind in ("be_in_set", "contain_set", "equal_set"):
        for table, name, values in [
            ("numbers", "group", ["a", "b", "c"]), ("numbers", "group", ["a", "b"]), ("numbers", "group", ["a", "b", "c", "d"]),
            ("people", "id", [1, 2, 3]), ("people", "id", list(range(1, 12))), ("numbers", "n", [0.0, 1, 2, 3, 4, 5, 6]),
            ("people", "flag", [True, False]), ("people", "city", []), ("people", "joined", ["2013-01-01"]),
            ("missing", "city", ["a"]), ("empty", "city", ["a"]),
        ]:  # fmt: skip
            yield table, f"expect_column_distinct_values_to_{kind}", {"column": name, "value_set": values}
    for ties in (None, True):
        for table, name, values in [
            ("numbers", "group", ["a"]), ("numbers", "group", ["b"]), ("people", "age", [31, 45]), ("people", "city", ["Rome"]),
            ("people", "city", ["Rome", "Oslo"]), ("empty", "city", ["a"]), ("numbers", "n", [0]),
        ]:  # fmt: skip
            named = {"column": name, "value_set": values, "ties_okay": ties}
            yield table, "expect_column_most_common_value_to_be_in_set", named
    yield from _on_divergence()


def _on_divergence() -> Iterator[tuple[str, str, dict[str, Any]]]:
    kl = "expect_column_kl_divergence_to_be_less_than"
    for threshold in (None, 0.01, 0.5):
        for values, weights in [
            (["a", "b", "c"], [0.5, 0.25, 0.25]),
            (["a", "b"], [0.6, 0.4]),
            (["a", "b", "c", "d"], [0.4, 0.2, 0.2, 0.2]),
        ]:
            for holdout in (0, 0.1):
                partition = {"values": values, "weights": weights}
                named = {
                    "column": "group",
                    "partition_object": partition,
                    "threshold": threshold,
                    "tail_weight_holdout": holdout,
                    "internal_weight_holdout": 0,
                }
                yield "numbers", kl, named
        for bins, weights in [
            ([0, 40, 50, 60, 100], [0.2, 0.3, 0.3, 0.2]),
            ([0, 50, 55, 56, 200], [0.5, 0.2, 0.0, 0.3]),
        ]:
            for inside, outside in [(0, 0), (0, 0.05), (0.01, 0.05)]:
                partition = {"bins": bins, "weights": weights}
                named = {
                    "column": "x",
                    "partition_object": partition,
                    "threshold": threshold,
                    "internal_weight_holdout": inside,
                    "tail_weight_holdout": outside,
                }
                yield "numbers", kl, named
    tails = {"bins": [0, 50, 100], "weights": [0.4, 0.5], "tail_weights": [0.05, 0.05]}
    for partition in [tails, {"bins": [0, 50], "weights": [0.4, 0.5]}, {"bins": [50, 0], "weights": [1]}]:
        named = {
            "column": "x",
            "partition_object": partition,
            "threshold": 0.5,
            "tail_weight_holdout": 0,
            "internal_weight_holdout": 0,
        }
        yield "numbers", kl, named


def _on_tables() -> Iterator[tuple[str, dict[str, Any]]]:
    names = list(PEOPLE)
    for low, high in [(12, 12), (None, 11), (13, None), (0, 100)]:
        yield "expect_table_row_count_to_be_between", {"min_value": low, "max_value": high}
        yield "expect_table_column_count_to_be_between", {"min_value": low, "max_value": high}
    for value in (12, 14, 0):
        yield "expect_table_row_count_to_equal", {"value": value}
        yield "expect_table_column_count_to_equal", {"value": value}
    for listed in [names, names[::-1], names[:3], [*names, "x"]]:
        yield "expect_table_columns_to_match_ordered_list", {"column_list": listed}
        for exact in (None, True, False):
            yield "expect_table_columns_to_match_set", {"column_set": listed, "exact_match": exact}
    for name, place in [("id", None), ("age", 1), ("age", 2), ("x", None), ("up", -1), ("up", 99)]:
        yield "expect_column_to_exist", {"column": name, "column_index": place}
    for name in ("id", "age", "city", "flag", "joined"):
        for kind in ("int64", "float64", "str", "bool", "int32", "float", "int"):
            yield "expect_column_values_to_be_of_type", {"column": name, "type_": kind}
        for kinds in [["int64", "float64"], ["str", "bool"], ["int32"]]:
            yield "expect_column_values_to_be_in_type_list", {"column": name, "type_list": kinds}


def _on_spreads() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name in ("x", "y", "same", "n"):
        for threshold in (1, 1.5, 3, -1):
            for sided in (True, False):
                named = {"column": name, "threshold": threshold, "double_sided": sided}
                yield "numbers", "expect_column_value_z_scores_to_be_less_than", named
        for method in ("iqr", "std"):
            for multiplier in (0.5, 1.5, 3):
                named = {"column": name, "method": method, "multiplier": multiplier}
                yield "numbers", "expect_column_values_to_not_be_outliers", named
    for name in ("sorted", "back", "n"):
        yield "numbers", "expect_column_values_to_be_increasing", {"column": name, "strictly": True}
        yield "numbers", "expect_column_values_to_be_decreasing", {"column": name}
    for schema in _SCHEMAS:
        for mostly in (0.2, 1):
            named = {"column": "doc", "json_schema": schema, "mostly": mostly}
            yield "numbers", "expect_column_values_to_match_json_schema", named
    yield "one", "expect_column_value_z_scores_to_be_less_than", {"column": "age", "threshold": 1, "double_sided": True}
    yield "one", "expect_column_values_to_not_be_outliers", {"column": "age", "method": "std"}
    yield "missing", "expect_column_values_to_not_be_outliers", {"column": "age"}


_MIXED: list[tuple[str, dict[str, Any]]] = [
    ("expect_column_values_to_not_be_null", {"column": "age"}),
    ("expect_column_values_to_be_null", {"column": "age"}),
    ("expect_column_values_to_be_between", {"column": "age", "min_value": 18, "max_value": 60}),
    ("expect_column_values_to_be_in_set", {"column": "city", "value_set": ["Rome", "Oslo"]}),
    ("expect_column_values_to_match_regex", {"column": "code", "regex": r"^[a-d]\d"}),
    ("expect_column_values_to_be_unique", {"column": "city"}),
    ("expect_column_values_to_be_increasing", {"column": "up"}),
    ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "high", "column_B": "low"}),
    ("expect_compound_columns_to_be_unique", {"column_list": ["a", "city"]}),
    ("expect_multicolumn_sum_to_equal", {"column_list": ["a", "b", "c"], "sum_total": 6}),
]
_MEASURED: list[tuple[str, dict[str, Any]]] = [
    ("expect_column_mean_to_be_between", {"column": "age", "min_value": 10, "max_value": 60}),
    ("expect_column_max_to_be_between", {"column": "id", "max_value": 9}),
    ("expect_column_unique_value_count_to_be_between", {"column": "city", "max_value": 3}),
    ("expect_table_row_count_to_be_between", {"min_value": 2, "max_value": 8}),
    ("expect_column_distinct_values_to_be_in_set", {"column": "city", "value_set": ["Rome", "Oslo", "NY"]}),
    ("expect_column_proportion_of_unique_values_to_be_between", {"column": "age", "min_value": 0.5, "max_value": 0.9}),
]


def cases() -> Iterator[Case]:
    """Give each case: table, expectation, arguments."""
    for source in (_on_columns, _on_texts, _on_records, _on_tables):
        yield from (("people", *case) for case in source())
    for source in (_on_numbers, _on_spreads):
        yield from source()
    for kind, kwargs in _MIXED:
        yield from (("people", kind, {**kwargs, "mostly": mostly}) for mostly in _MOSTLY)
        yield from ((table, kind, kwargs) for table in ("empty", "one") if table != "missing")
    for kind, kwargs in [*_MIXED, *_MEASURED]:
        for condition, parser in _CONDITIONS:
            yield "people", kind, {**kwargs, "row_condition": condition, "condition_parser": parser}
        yield from (("people", kind, {**kwargs, "row_condition": condition}) for condition in _OBJECTS)
    missing = {"age", "low", "high", "city", "code", "id", "joined", "up"}
    for kind, kwargs in [*_MIXED, *_MEASURED, *_on_texts()]:
        used = {kwargs.get("column"), kwargs.get("column_A"), kwargs.get("column_B")} - {None}
        if used <= missing and "column_list" not in kwargs:
            yield "missing", kind, kwargs


def _frame(table: Table) -> Any:
    import pandas as pd

    made = {}
    for name, column in table.items():
        values, kind = column["values"], column["type"]
        if kind == "date":
            made[name] = pd.to_datetime(pd.Series(values, dtype="object")).astype("datetime64[ns]")
        else:
            dtype = {"int": "int64", "float": "float64", "text": "str", "bool": "bool"}[kind]
            made[name] = pd.Series(values, dtype=dtype)
    return pd.DataFrame(made)


def _batches() -> dict[str, Any]:
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = None
    source = context.data_sources.add_pandas("p")
    made = {}
    for name, table in TABLES.items():
        whole = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe(name)
        made[name] = whole.get_batch({"dataframe": _frame(table)})
    return made


def _answer(batch: Any, kind: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    try:
        expectation = ExpectationConfiguration(type=kind, kwargs=dict(kwargs)).to_domain_obj()
        found = batch.validate(expectation, result_format="COMPLETE").to_json_dict()
    except Exception as error:  # a stranger's library: whatever it raises is its answer
        return {"raises": type(error).__name__}
    information = found.get("exception_info") or {}
    one = information if "raised_exception" in information else next(iter(information.values()), {})
    if one.get("raised_exception"):
        return {"raises": "exception_info"}
    result = found["result"]
    kept = ("element_count", "unexpected_count", "unexpected_percent", "missing_count", "unexpected_index_list", "observed_value",
            "unexpected_percent_total", "missing_percent", "partial_unexpected_list", "partial_missing_list")  # fmt: skip
    return {"success": found["success"], **{name: result[name] for name in kept if name in result}}


def _item(value: Any) -> Any:
    """Return a number of numpy as Python's."""
    return value.item()


def main() -> None:
    """Write the file."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    import great_expectations

    batches = _batches()
    seen: dict[str, Any] = {}
    for table, kind, kwargs in cases():
        given = {name: value for name, value in kwargs.items() if value is not None}
        key = json.dumps([table, kind, given], sort_keys=True, ensure_ascii=False)
        if key not in seen:
            seen[key] = {"table": table, "type": kind, "kwargs": given, "answer": _answer(batches[table], kind, given)}
    lines = ",\n".join(json.dumps(case, ensure_ascii=False, sort_keys=True, default=_item) for case in seen.values())
    tables = json.dumps(TABLES, ensure_ascii=False)
    text = (
        f'{{"great_expectations": "{great_expectations.__version__}",\n"tables": {tables},\n"cases": [\n{lines}\n]}}\n'
    )
    Path(sys.argv[1]).write_text(text, encoding="utf-8")
    print(f"{len(seen)} cases")


if __name__ == "__main__":
    main()
