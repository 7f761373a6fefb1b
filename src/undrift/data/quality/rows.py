"""Expectations on rows: each compiles to the rows it concerns and those of them that break it.

NaN counts as missing, as it does for the models. Missing values break only the expectations
about being missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from undrift.data.quality.suite import BadSuite, Expectation


@dataclass(frozen=True, slots=True)
class RowRule:
    """A compiled expectation on rows.

    Attributes
    ----------
    considered : polars.Expr or None
        True for the rows that are judged, never null; None when all are.
    unexpected : polars.Expr
        True for the judged rows that break the expectation; never null.
    """

    considered: pl.Expr | None
    unexpected: pl.Expr


class Arguments:
    """The arguments of an expectation on a table with a known schema.

    Parameters
    ----------
    expectation : Expectation
        Whose arguments.
    dtypes : mapping
        Types of the table's columns.
    """

    def __init__(self, expectation: Expectation, dtypes: Mapping[str, pl.DataType]) -> None:
        self._expectation = expectation
        self._dtypes = dtypes

    def get(self, name: str) -> Any:  # Any: JSON whose form the caller knows
        """Return an argument, None when it is missing."""
        return self._expectation.kwargs.get(name)

    def need(self, name: str) -> Any:  # Any: as in get
        """Return an argument.

        Raises
        ------
        BadSuite
            If it is missing.
        """
        if name not in self._expectation.kwargs:
            raise BadSuite(f"{self._expectation.type} needs the argument {name!r}", cure="add it to the suite")
        return self._expectation.kwargs[name]

    def column(self, argument: str = "column") -> pl.Expr:
        """Return the values of the column that an argument names, with null for NaN."""
        return self.values(self.need(argument))

    def values(self, name: str) -> pl.Expr:
        """Return the values of a column, with null for NaN.

        Raises
        ------
        ColumnMissing
            If the table has no such column.
        """
        if name not in self._dtypes:
            raise ColumnMissing(f"the table has no column {name!r}", cure="deliver the column")
        column = pl.col(name)
        return column.fill_nan(None) if self._dtypes[name].is_float() else column

    def dtype(self, argument: str = "column") -> pl.DataType:
        """Return the type of the column that an argument names."""
        return self._dtypes[self.need(argument)]

    def bound(self, name: str) -> Any:  # Any: a number, a date or an instant, as the column is
        """Return a bound as a value of the column's type, None when it is not given.

        Raises
        ------
        BadSuite
            If it is no value of that type.
        """
        value = self.get(name)
        dtype = self.dtype()
        found = _bound(value, dtype)
        if found is None and value is not None:
            raise BadSuite(
                f"{name}={value!r} is no bound for the column {self.need('column')!r} of type {dtype}",
                cure="write numbers for numbers, ISO 8601 for dates and instants",
            )
        return found

    def text(self) -> pl.Expr:
        """Return the column, which must hold text.

        Raises
        ------
        BadSuite
            If it does not.
        """
        column = self.column()
        if self.dtype() not in {pl.String, pl.Categorical, pl.Enum}:
            raise BadSuite(
                f"{self._expectation.type} is for text, {self.need('column')!r} is {self.dtype()}", cure="drop it"
            )
        return column.cast(pl.String)


def _bound(value: Any, dtype: pl.DataType) -> Any:  # Any: JSON in, a value of the column's type or None out
    if isinstance(value, str):
        return value if dtype == pl.String else _moment(value, dtype)
    fits = isinstance(value, int | float) and dtype.is_numeric()
    return value if fits else None


def _moment(text: str, dtype: pl.DataType) -> date | datetime | None:
    """Return the date or instant of a text, None when it is none or of the other kind."""
    try:
        if dtype == pl.Date:
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    aware = moment.tzinfo is not None
    return moment if isinstance(dtype, pl.Datetime) and aware == (dtype.time_zone is not None) else None


class ColumnMissing(BadSuite):
    """An expectation names a column which the table does not have."""

    code = "column-missing"


def compile_row_rule(expectation: Expectation, dtypes: Mapping[str, pl.DataType]) -> RowRule | None:
    """Return the rule of an expectation on rows, None for other expectations.

    Raises
    ------
    BadSuite
        If an argument is missing or does not fit the table.
    """
    make = _RULES.get(expectation.type)
    return make(Arguments(expectation, dtypes)) if make else None


def _judged(column: pl.Expr, good: pl.Expr) -> RowRule:
    present = column.is_not_null()
    return RowRule(present, present & ~good.fill_null(value=False))


def _not_null(arguments: Arguments) -> RowRule:
    return RowRule(None, arguments.column().is_null())


def _null(arguments: Arguments) -> RowRule:
    return RowRule(None, arguments.column().is_not_null())


def _between(arguments: Arguments) -> RowRule:
    column = arguments.column()
    return _judged(column, _inside(column, arguments, arguments.bound("min_value"), arguments.bound("max_value")))


def _lengths_between(arguments: Arguments) -> RowRule:
    column = arguments.text()
    good = _inside(column.str.len_chars(), arguments, arguments.get("min_value"), arguments.get("max_value"))
    return _judged(column, good)


def _inside(column: pl.Expr, arguments: Arguments, low: Any, high: Any) -> pl.Expr:  # Any: as Arguments.bound
    if low is None and high is None:
        raise BadSuite("a range needs min_value or max_value", cure="give one of them")
    good = pl.lit(value=True)
    if low is not None:
        good &= column > low if arguments.get("strict_min") else column >= low
    if high is not None:
        good &= column < high if arguments.get("strict_max") else column <= high
    return good


def _in_set(arguments: Arguments) -> RowRule:
    column = arguments.column()
    return _judged(column, _member(column, arguments))


def _not_in_set(arguments: Arguments) -> RowRule:
    column = arguments.column()
    return _judged(column, ~_member(column, arguments))


def _member(column: pl.Expr, arguments: Arguments) -> pl.Expr:
    known = [value for value in arguments.need("value_set") if value is not None]
    dtype = arguments.dtype()
    if dtype in {pl.Categorical, pl.Enum}:
        column, dtype = column.cast(pl.String), pl.String()
    values = pl.Series(known, dtype=dtype, strict=False).drop_nulls()
    return column.is_in(values.implode())


def _unique(arguments: Arguments) -> RowRule:
    column = arguments.column()
    return _judged(column, ~column.map_batches(_repeated, return_dtype=pl.Boolean()))


def _unique_together(arguments: Arguments) -> RowRule:
    columns = [arguments.values(name) for name in arguments.need("column_list")]
    return RowRule(None, pl.struct(columns).map_batches(_repeated, return_dtype=pl.Boolean()))


def _repeated(values: pl.Series) -> pl.Series:
    """Return which values occur more than once; counting is four times cheaper than marking them."""
    if values.n_unique() == len(values):
        return pl.Series(values.name, [False], dtype=pl.Boolean).new_from_index(0, len(values))
    return values.is_duplicated()


def _matches(arguments: Arguments) -> RowRule:
    column = arguments.text()
    return _judged(column, column.str.contains(_pattern(arguments)))


def _does_not_match(arguments: Arguments) -> RowRule:
    column = arguments.text()
    return _judged(column, ~column.str.contains(_pattern(arguments)))


def _pattern(arguments: Arguments) -> str:
    pattern = str(arguments.need("regex"))
    try:
        pl.Series([""]).str.contains(pattern)
    except pl.exceptions.ComputeError as error:
        raise BadSuite(f"{pattern!r} is not a regular expression", cure="see the syntax of Rust's regex") from error
    return pattern


def _a_greater_than_b(arguments: Arguments) -> RowRule:
    a, b = arguments.column("column_A"), arguments.column("column_B")
    both = a.is_not_null() & b.is_not_null()
    good = a >= b if arguments.get("or_equal") else a > b
    return RowRule(both, both & ~good.fill_null(value=False))


def _equal(arguments: Arguments) -> RowRule:
    a, b = arguments.column("column_A"), arguments.column("column_B")
    both = a.is_not_null() & b.is_not_null()
    return RowRule(both, both & (a != b).fill_null(value=True))


_RULES: Mapping[str, Callable[[Arguments], RowRule]] = {
    "expect_column_values_to_not_be_null": _not_null,
    "expect_column_values_to_be_null": _null,
    "expect_column_values_to_be_between": _between,
    "expect_column_value_lengths_to_be_between": _lengths_between,
    "expect_column_values_to_be_in_set": _in_set,
    "expect_column_values_to_not_be_in_set": _not_in_set,
    "expect_column_values_to_be_unique": _unique,
    "expect_compound_columns_to_be_unique": _unique_together,
    "expect_column_values_to_match_regex": _matches,
    "expect_column_values_to_not_match_regex": _does_not_match,
    "expect_column_pair_values_a_to_be_greater_than_b": _a_greater_than_b,
    "expect_column_pair_values_to_be_equal": _equal,
}
