"""Expectations on a whole table or column.

Each compiles to one number and the interval it must be in, or to a fact of the schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from undrift.core.json import JSON
from undrift.data.quality.rows import Arguments, ColumnMissing
from undrift.data.quality.suite import BadSuite, Expectation
from undrift.data.schema import logical_type


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of the table and the interval in which it is expected, bounds None where open."""

    value: pl.Expr
    low: float | None
    high: float | None
    strict_low: bool = False
    strict_high: bool = False

    def holds(self, observed: float | None) -> bool:
        """Say whether a number is as expected; a number that does not exist is not."""
        if observed is None:
            return False
        above = self.low is None or (observed > self.low if self.strict_low else observed >= self.low)
        below = self.high is None or (observed < self.high if self.strict_high else observed <= self.high)
        return above and below


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known from the schema alone."""

    holds: bool
    observed: JSON


def compile_measure(expectation: Expectation, dtypes: Mapping[str, pl.DataType]) -> Measure | None:
    """Return the number that an expectation is about, None for other expectations.

    Raises
    ------
    BadSuite
        If an argument is missing or does not fit the table.
    """
    make = _MEASURES.get(expectation.type)
    if make is None:
        return None
    arguments = Arguments(expectation, dtypes)
    low, high = arguments.get("min_value"), arguments.get("max_value")
    if low is None and high is None:
        raise BadSuite(f"{expectation.type} needs min_value or max_value", cure="give one of them")
    strict = bool(arguments.get("strict_min")), bool(arguments.get("strict_max"))
    return Measure(make(arguments), low, high, *strict)


def judge_schema(expectation: Expectation, dtypes: Mapping[str, pl.DataType]) -> Fact | None:
    """Return the verdict of an expectation on the schema, None for other expectations."""
    judge = _FACTS.get(expectation.type)
    return judge(Arguments(expectation, dtypes), dtypes) if judge else None


def _number(arguments: Arguments) -> pl.Expr:
    column = arguments.column()
    if not arguments.dtype().is_numeric():
        raise BadSuite(f"the column {arguments.need('column')!r} does not hold numbers", cure="drop the expectation")
    return column


def _distinct(arguments: Arguments) -> pl.Expr:
    return arguments.column().drop_nulls().n_unique()


def _distinct_share(arguments: Arguments) -> pl.Expr:
    return _distinct(arguments) / arguments.column().count()


def _present_share(arguments: Arguments) -> pl.Expr:
    return arguments.column().count() / pl.len()


_MEASURES: Mapping[str, Callable[[Arguments], pl.Expr]] = {
    "expect_table_row_count_to_be_between": lambda _: pl.len(),
    "expect_column_mean_to_be_between": lambda arguments: _number(arguments).mean(),
    "expect_column_median_to_be_between": lambda arguments: _number(arguments).median(),
    "expect_column_stdev_to_be_between": lambda arguments: _number(arguments).std(),
    "expect_column_min_to_be_between": lambda arguments: _number(arguments).min(),
    "expect_column_max_to_be_between": lambda arguments: _number(arguments).max(),
    "expect_column_sum_to_be_between": lambda arguments: _number(arguments).sum(),
    "expect_column_unique_value_count_to_be_between": _distinct,
    "expect_column_proportion_of_unique_values_to_be_between": _distinct_share,
    "expect_column_proportion_of_non_null_values_to_be_between": _present_share,
}


def _has_column(arguments: Arguments, dtypes: Mapping[str, pl.DataType]) -> Fact:
    return Fact(arguments.need("column") in dtypes, list(dtypes))


def _ordered_columns(arguments: Arguments, dtypes: Mapping[str, pl.DataType]) -> Fact:
    return Fact(list(arguments.need("column_list")) == list(dtypes), list(dtypes))


def _column_set(arguments: Arguments, dtypes: Mapping[str, pl.DataType]) -> Fact:
    wanted, found = set(arguments.need("column_set")), set(dtypes)
    exact = arguments.get("exact_match") is not False
    return Fact(wanted == found if exact else wanted <= found, list(dtypes))


def _column_type(arguments: Arguments, dtypes: Mapping[str, pl.DataType]) -> Fact:
    name = arguments.need("column")
    if name not in dtypes:
        raise ColumnMissing(f"the table has no column {name!r}", cure="deliver the column")
    found = logical_type(name, dtypes[name])
    return Fact(found == arguments.need("type_"), found)


_FACTS: Mapping[str, Callable[[Arguments, Mapping[str, pl.DataType]], Fact]] = {
    "expect_column_to_exist": _has_column,
    "expect_table_columns_to_match_ordered_list": _ordered_columns,
    "expect_table_columns_to_match_set": _column_set,
    "expect_column_values_to_be_of_type": _column_type,
}
