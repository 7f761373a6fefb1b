"""Expectations on several values of one row, and on rows that must differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from itertools import combinations

from undrift.data.quality.arguments import Arguments
from undrift.data.quality.expressions import (
    FALSE,
    Expression,
    all_of,
    any_of,
    calculate,
    column,
    compare,
    is_null,
    is_present,
    literal,
    repeated,
    same,
    sure,
)
from undrift.data.quality.rows import Make
from undrift.data.quality.rules import RowRule
from undrift.data.quality.suite import BadSuite
from undrift.data.quality.values import kind_of, value_of

_ORDERED = {"number", "text", "date", "naive", "instant", "bool"}
_A_PAIR = 2


def _pair(make: Callable[[Arguments], Expression]) -> Make:
    def rule(arguments: Arguments, where: Expression) -> RowRule:
        names = arguments.name("column_A"), arguments.name("column_B")
        a, b = map(column, names)
        ignored = arguments.choice("ignore_row_if", "both_values_are_missing", "either_value_is_missing", "neither")
        judged = _without(where, [a, b], {"both_values_are_missing": "all", "either_value_is_missing": "any"}, ignored)
        return RowRule(judged & ~sure(make(arguments)), judged, where, names)

    return rule


def _several(make: Callable[[Arguments, Expression], Expression]) -> Make:
    def rule(arguments: Arguments, where: Expression) -> RowRule:
        names = arguments.names()
        ignored = arguments.choice("ignore_row_if", "all_values_are_missing", "any_value_is_missing", "never")
        meaning = {"all_values_are_missing": "all", "any_value_is_missing": "any"}
        judged = _without(where, [column(name) for name in names], meaning, ignored)
        return RowRule(judged & ~sure(make(arguments, judged)), judged, where, tuple(names))

    return rule


def _without(where: Expression, values: list[Expression], meaning: Mapping[str, str], ignored: str) -> Expression:
    """Return the rows that are judged: not those in which too many values are missing."""
    missing = [is_null(value) for value in values]
    if ignored not in meaning:
        return where
    return where & ~(all_of(missing) if meaning[ignored] == "all" else any_of(missing))


def _a_greater_than_b(arguments: Arguments) -> Expression:
    kinds = {arguments.kind("column_A"), arguments.kind("column_B")}
    if len(kinds) > 1 or not kinds <= _ORDERED:
        raise BadSuite(f"{arguments.type}: the columns are of different kinds", cure="compare columns of one kind")
    a, b = arguments.column("column_A"), arguments.column("column_B")
    return compare("ge" if arguments.get("or_equal") else "gt", a, b)


def _equal(arguments: Arguments) -> Expression:
    if arguments.kind("column_A") != arguments.kind("column_B"):
        return FALSE
    return compare("eq", arguments.column("column_A"), arguments.column("column_B"))


def _pair_in_set(arguments: Arguments) -> Expression:
    a, b = arguments.name("column_A"), arguments.name("column_B")
    pairs = arguments.items("value_pairs_set")
    if not all(isinstance(pair, list | tuple) and len(pair) == _A_PAIR for pair in pairs):
        raise BadSuite(f"{arguments.type}: value_pairs_set has an entry that is no pair", cure="write [[a, b], ...]")
    return any_of(_is(arguments, a, left) & _is(arguments, b, right) for left, right in pairs)


def _is(arguments: Arguments, name: str, wanted: object) -> Expression:
    if wanted is None:
        return is_null(column(name))
    value = value_of(wanted, kind_of(arguments.dtypes[name]))
    return FALSE if value is None else sure(compare("eq", column(name), literal(value)))


def _together_unique(arguments: Arguments, judged: Expression) -> Expression:
    return ~repeated([column(name) for name in arguments.names()], judged)


def _all_differ(arguments: Arguments, _: Expression) -> Expression:
    return ~any_of(_same(arguments, a, b) for a, b in combinations(arguments.names(), 2))


def _all_equal(arguments: Arguments, _: Expression) -> Expression:
    first, *others = arguments.names()
    return all_of(_same(arguments, first, other) for other in others)


def _same(arguments: Arguments, a: str, b: str) -> Expression:
    if kind_of(arguments.dtypes[a]) == kind_of(arguments.dtypes[b]):
        return same(column(a), column(b))
    return is_null(column(a)) & is_null(column(b))


def _sum(arguments: Arguments, _: Expression) -> Expression:
    total = arguments.number("sum_total")
    names = arguments.names()
    if total is None or not all(kind_of(arguments.dtypes[name]) == "number" for name in names):
        raise BadSuite(f"{arguments.type} adds numbers", cure="name columns of numbers and give sum_total")
    added = reduce(lambda left, right: calculate("+", left, right), (column(name) for name in names))
    present = all_of(is_present(column(name)) for name in names)
    return present & compare("eq", added, literal(total))


RECORD_RULES: Mapping[str, Make] = {
    "expect_column_pair_values_a_to_be_greater_than_b": _pair(_a_greater_than_b),
    "expect_column_pair_values_to_be_equal": _pair(_equal),
    "expect_column_pair_values_to_be_in_set": _pair(_pair_in_set),
    "expect_compound_columns_to_be_unique": _several(_together_unique),
    "expect_select_column_values_to_be_unique_within_record": _several(_all_differ),
    "expect_multicolumn_values_to_be_equal": _several(_all_equal),
    "expect_multicolumn_sum_to_equal": _several(_sum),
}
