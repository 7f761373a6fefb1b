"""Expectations on one number of a column or of the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeAlias

from undrift.data.quality.arguments import Arguments
from undrift.data.quality.expressions import Aggregate, AggregateKind, Expression, as_float
from undrift.data.quality.rules import Finding, Measure, Numbers
from undrift.data.quality.suite import BadSuite
from undrift.data.quality.values import value_of

# A measure gets its arguments and the rows of its row condition, None for all.
Make: TypeAlias = Callable[[Arguments, Expression | None], Measure]
_VALUE = "value"


def _between(aggregate: Callable[[Arguments, Expression | None], Aggregate]) -> Make:
    def measure(arguments: Arguments, where: Expression | None) -> Measure:
        holds = holds_between(arguments)
        return Measure({_VALUE: aggregate(arguments, where)}, lambda found: holds(found[_VALUE]))

    return measure


def holds_between(arguments: Arguments) -> Callable[[Any], Finding]:  # Any: a number or a cell
    """Return what judges a number by the bounds of an expectation; a number that does not exist is not inside.

    Raises
    ------
    BadSuite
        If no bound is given.
    """
    low, high = arguments.get("min_value"), arguments.get("max_value")
    if low is None and high is None:
        raise BadSuite(f"{arguments.type} needs min_value or max_value", cure="give one of them")
    strict_low, strict_high = bool(arguments.get("strict_min")), bool(arguments.get("strict_max"))

    def holds(observed: Any) -> Finding:  # Any: as above
        if observed is None:
            return Finding(success=False)
        least, most = _like(low, observed), _like(high, observed)
        above = least is None or (observed > least if strict_low else observed >= least)
        below = most is None or (observed < most if strict_high else observed <= most)
        return Finding(bool(above and below), observed)

    return holds


def _like(bound: Any, observed: Any) -> Any:  # Any: JSON in, a value to compare with out
    if bound is None:
        return None
    found = value_of(bound, _kind(observed))
    if found is None:
        raise BadSuite(f"{bound!r} cannot be compared with what was found", cure="write a bound of the column's type")
    return found


def _kind(observed: Any) -> Any:  # Any: a cell in, a Kind out
    if isinstance(observed, bool):
        return "bool"
    if isinstance(observed, str):
        return "text"
    if isinstance(observed, date):
        zone = getattr(observed, "tzinfo", None)
        return "date" if not hasattr(observed, "hour") else ("instant" if zone else "naive")
    return "number"


def _number(arguments: Arguments) -> Expression:
    if arguments.kind() not in {"number", "bool"}:
        raise BadSuite(f"the column {arguments.need('column')!r} does not hold numbers", cure="drop the expectation")
    return as_float(arguments.column())


def _of(kind: AggregateKind, *, numbers: bool) -> Make:
    def aggregate(arguments: Arguments, where: Expression | None) -> Aggregate:
        if numbers:
            return Aggregate(kind, _number(arguments), where)
        for name in ("min_value", "max_value"):
            arguments.bound(name)  # refuses what the column cannot be compared with
        return Aggregate(kind, arguments.column(), where)

    return _between(aggregate)


def _sum(arguments: Arguments, where: Expression | None) -> Aggregate:
    _number(arguments)
    whole = arguments.dtype().is_integer()
    return Aggregate("sum", arguments.column() if whole else _number(arguments), where)


def _distinct(arguments: Arguments, where: Expression | None) -> Aggregate:
    return Aggregate("distinct", arguments.column(), where)


def _distinct_share(arguments: Arguments, where: Expression | None) -> Measure:
    numbers = {"distinct": _distinct(arguments, where), "present": Aggregate("present", arguments.column(), where)}
    return _share(arguments, numbers, "distinct", "present")


def _present_share(arguments: Arguments, where: Expression | None) -> Measure:
    numbers = {"present": Aggregate("present", arguments.column(), where), "rows": Aggregate("count", None, where)}
    return _share(arguments, numbers, "present", "rows")


def _share(arguments: Arguments, numbers: Mapping[str, Aggregate], part: str, whole: str) -> Measure:
    holds = holds_between(arguments)

    def judge(found: Numbers) -> Finding:
        return holds(found[part] / found[whole] if found[whole] else 0.0)

    return Measure(numbers, judge)


def _row_count(_: Arguments, where: Expression | None) -> Aggregate:
    return Aggregate("count", None, where)


def _row_count_equals(arguments: Arguments, where: Expression | None) -> Measure:
    wanted = arguments.number("value")
    return Measure(
        {_VALUE: Aggregate("count", None, where)}, lambda found: Finding(found[_VALUE] == wanted, found[_VALUE])
    )


MEASURES: Mapping[str, Make] = {
    "expect_column_min_to_be_between": _of("min", numbers=False),
    "expect_column_max_to_be_between": _of("max", numbers=False),
    "expect_column_mean_to_be_between": _of("mean", numbers=True),
    "expect_column_median_to_be_between": _of("median", numbers=True),
    "expect_column_stdev_to_be_between": _of("std", numbers=True),
    "expect_column_sum_to_be_between": _between(_sum),
    "expect_column_unique_value_count_to_be_between": _between(_distinct),
    "expect_column_proportion_of_unique_values_to_be_between": _distinct_share,
    "expect_column_proportion_of_non_null_values_to_be_between": _present_share,
    "expect_table_row_count_to_be_between": _between(_row_count),
    "expect_table_row_count_to_equal": _row_count_equals,
}
