"""Expectations on the values of one column: each compiles to the rows that break it.

Missing values, NaN among them, break only the expectations about being missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from undrift.data.quality.arguments import Arguments
from undrift.data.quality.expressions import (
    Expression,
    absolute,
    all_of,
    as_float,
    calculate,
    case,
    compare,
    deviation_of,
    is_null,
    is_present,
    length,
    literal,
    mean_of,
    previous,
    quantile_of,
    repeated,
    sure,
    within,
)
from undrift.data.quality.rules import RowRule
from undrift.data.quality.suite import BadSuite

# A rule gets its arguments and the rows of its row condition.
Make: TypeAlias = Callable[[Arguments, Expression], RowRule]
_WINDOWED = 1.5


def judged_by(arguments: Arguments, where: Expression, good: Expression) -> RowRule:
    """Return the rule by which a column's values that are there must be good."""
    column = arguments.column()
    present = sure(where & is_present(column))
    return RowRule(present & ~sure(good), present, where, (arguments.name(),))


def _not_null(arguments: Arguments, where: Expression) -> RowRule:
    return RowRule(where & is_null(arguments.column()), where, where, (arguments.name(),))


def _null(arguments: Arguments, where: Expression) -> RowRule:
    return RowRule(where & is_present(arguments.column()), where, where, (arguments.name(),))


def _between(arguments: Arguments, where: Expression) -> RowRule:
    low, high = arguments.bound("min_value"), arguments.bound("max_value")
    return judged_by(arguments, where, inside(arguments.column(), arguments, low, high))


def inside(value: Expression, arguments: Arguments, low: Any, high: Any) -> Expression:  # Any: as Arguments.bound
    """Return where a value lies within the bounds of an expectation.

    Parameters
    ----------
    value : Expression
        The value.
    arguments : Arguments
        Say whether bounds are strict.
    low, high : object
        The bounds, None where open.

    Raises
    ------
    BadSuite
        If no bound is given, or they are the wrong way round.
    """
    if low is None and high is None:
        raise BadSuite("a range needs min_value or max_value", cure="give one of them")
    if low is not None and high is not None and low > high:
        raise BadSuite(f"min_value={low} is greater than max_value={high}", cure="change them round")
    bounds = []
    if low is not None:
        bounds.append(compare("gt" if arguments.get("strict_min") else "ge", value, literal(low)))
    if high is not None:
        bounds.append(compare("lt" if arguments.get("strict_max") else "le", value, literal(high)))
    return all_of(bounds)


def _lengths_between(arguments: Arguments, where: Expression) -> RowRule:
    low, high = arguments.number("min_value"), arguments.number("max_value")
    return judged_by(arguments, where, inside(length(arguments.text()), arguments, low, high))


def _length_equals(arguments: Arguments, where: Expression) -> RowRule:
    wanted = arguments.number("value")
    return judged_by(arguments, where, compare("eq", length(arguments.text()), literal(wanted)))


def _in_set(arguments: Arguments, where: Expression) -> RowRule:
    return judged_by(arguments, where, within(arguments.column(), arguments.values("value_set")))


def _not_in_set(arguments: Arguments, where: Expression) -> RowRule:
    return judged_by(arguments, where, ~within(arguments.column(), arguments.values("value_set")))


def _unique(arguments: Arguments, where: Expression) -> RowRule:
    column = arguments.column()
    present = sure(where & is_present(column))
    return judged_by(arguments, where, ~repeated([column], present))


def _increasing(arguments: Arguments, where: Expression) -> RowRule:
    return _in_order(arguments, where, "lt" if arguments.get("strictly") else "le")


def _decreasing(arguments: Arguments, where: Expression) -> RowRule:
    return _in_order(arguments, where, "gt" if arguments.get("strictly") else "ge")


def _in_order(arguments: Arguments, where: Expression, order: Any) -> RowRule:  # Any: a comparison's name
    if arguments.kind() not in {"number", "date", "naive", "instant"}:
        raise BadSuite(f"{arguments.type} is for numbers, dates and instants", cure="drop it")
    column = arguments.column()
    before = previous(column, sure(where & is_present(column)))
    return judged_by(arguments, where, is_null(before) | compare(order, before, column))


def _z_scores(arguments: Arguments, where: Expression) -> RowRule:
    threshold = arguments.number("threshold")
    if threshold is None:
        raise BadSuite(f"{arguments.type} needs a threshold", cure="give the number of standard deviations")
    column = _float(arguments)
    present = sure(where & is_present(column))
    score = _distance(column, mean_of(column, present), deviation_of(column, present))
    if arguments.get("double_sided"):
        return judged_by(arguments, where, _under(absolute(score), abs(threshold)))
    return judged_by(arguments, where, _under(score, threshold))


def _distance(value: Expression, middle: Expression, deviation: Expression) -> Expression:
    """Return how many deviations a value lies from the middle, null where there is no deviation."""
    return case(compare("gt", deviation, literal(0.0)), calculate("/", calculate("-", value, middle), deviation))


def _under(score: Expression, threshold: float) -> Expression:
    return is_null(score) | compare("lt", score, literal(float(threshold)))


def _not_outliers(arguments: Arguments, where: Expression) -> RowRule:
    method = arguments.choice("method", "iqr", "std")
    given = arguments.number("multiplier")
    multiplier = literal(float(_WINDOWED if given is None else given))
    column = _float(arguments)
    present = sure(where & is_present(column))
    if method == "iqr":
        low, high = quantile_of(column, present, 0.25), quantile_of(column, present, 0.75)
        reach = calculate("*", multiplier, calculate("-", high, low))
        fenced = compare("ge", column, calculate("-", low, reach)) & compare("le", column, calculate("+", high, reach))
        return judged_by(arguments, where, fenced)
    middle, reach = mean_of(column, present), calculate("*", multiplier, deviation_of(column, present))
    near = compare("lt", absolute(calculate("-", column, middle)), reach)
    still = compare("le", reach, literal(0.0))
    return judged_by(arguments, where, is_null(reach) | (still & compare("eq", column, middle)) | (~still & near))


def _float(arguments: Arguments) -> Expression:
    if arguments.kind() != "number":
        raise BadSuite(f"the column {arguments.need('column')!r} does not hold numbers", cure="drop the expectation")
    return as_float(arguments.column())


ROW_RULES: Mapping[str, Make] = {
    "expect_column_values_to_not_be_null": _not_null,
    "expect_column_values_to_be_null": _null,
    "expect_column_values_to_be_between": _between,
    "expect_column_value_lengths_to_be_between": _lengths_between,
    "expect_column_value_lengths_to_equal": _length_equals,
    "expect_column_values_to_be_in_set": _in_set,
    "expect_column_values_to_not_be_in_set": _not_in_set,
    "expect_column_values_to_be_unique": _unique,
    "expect_column_values_to_be_increasing": _increasing,
    "expect_column_values_to_be_decreasing": _decreasing,
    "expect_column_value_z_scores_to_be_less_than": _z_scores,
    "expect_column_values_to_not_be_outliers": _not_outliers,
}
