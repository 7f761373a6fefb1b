"""What expectations are compiled to: a small language that every engine runs with the same meaning.

An expression is a value for each row. Truth has three values, as in SQL: comparing with null gives null, and what
is kept as a mark is made definite with :func:`sure`. An aggregate is one value for the table. The columns of an
engine have null where the table has NaN.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Op: TypeAlias = Literal[
    "column", "literal", "mark",
    "and", "or", "not", "sure", "is_null", "same",
    "eq", "ne", "lt", "le", "gt", "ge", "in", "+", "-", "*", "/", "abs",
    "case", "text", "float", "length", "matches", "judged",
    "repeated", "previous", "mean", "std", "quantile",
]  # fmt: skip
Comparison: TypeAlias = Literal["eq", "ne", "lt", "le", "gt", "ge"]
AggregateKind: TypeAlias = Literal[
    "count", "present", "sum", "mean", "std", "median", "min", "max",
    "distinct", "values", "value_counts", "quantiles", "rows", "first",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Expression:
    """An operation on expressions.

    Attributes
    ----------
    op : Op
        What is done.
    args : tuple of Expression
        With what.
    extra : object
        What is no expression: a name, a value, a pattern, a list of values.
    """

    op: Op
    args: tuple[Expression, ...] = ()
    extra: Any = None  # Any: differs by operation

    def __and__(self, other: Expression) -> Expression:
        if self is TRUE or other is TRUE:
            return other if self is TRUE else self
        return Expression("and", (self, other))

    def __or__(self, other: Expression) -> Expression:
        return Expression("or", (self, other))

    def __invert__(self) -> Expression:
        return Expression("not", (self,))

    @property
    def is_definite(self) -> bool:
        """Whether it is a condition that is never null."""
        if self.op in {"and", "or", "not"}:
            return all(argument.is_definite for argument in self.args)
        return self.op in {"sure", "is_null", "same", "repeated", "mark"} or self is TRUE or self is FALSE

    def columns(self) -> set[str]:
        """Return the names of all columns that it reads."""
        own = {str(self.extra)} if self.op == "column" else set()
        return own.union(*(argument.columns() for argument in self.args))


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One value of a table.

    Attributes
    ----------
    kind : AggregateKind
        ``count`` counts rows, ``present`` values, ``distinct`` different values; ``values`` lists these,
        ``value_counts`` with how often each occurs; ``quantiles`` gives for each share in `extra` the values at the
        places below and above; ``rows`` are row numbers, ``first`` the first `extra` values.
    of : Expression or None
        Of what; null values are left out, but not by ``first``.
    where : Expression or None
        In which rows, by default all.
    extra : object
        As said above; the most rows for ``rows``, None for all.
    """

    kind: AggregateKind
    of: Expression | None = None
    where: Expression | None = None
    extra: Any = None  # Any: differs by kind


@dataclass(frozen=True, slots=True)
class Predicate:
    """A judgement of text that only Python can give; called once for each different text.

    Attributes
    ----------
    name : str
        What it is about.
    holds : callable
        Says whether a text is as expected.
    """

    name: str
    holds: Callable[[str], bool]


def column(name: str) -> Expression:
    """Return the values of a column."""
    return Expression("column", extra=name)


def literal(value: object) -> Expression:
    """Return one value for all rows."""
    return Expression("literal", extra=value)


def mark(name: str) -> Expression:
    """Return a mark that the plan names."""
    return Expression("mark", extra=name)


TRUE = literal(value=True)
FALSE = literal(value=False)


def sure(condition: Expression) -> Expression:
    """Return a condition with false in place of null."""
    return condition if condition.is_definite else Expression("sure", (condition,))


def is_null(value: Expression) -> Expression:
    """Return where a value is missing."""
    return Expression("is_null", (value,))


def is_present(value: Expression) -> Expression:
    """Return where a value is there."""
    return ~is_null(value)


def compare(op: Comparison, left: Expression, right: Expression) -> Expression:
    """Return the comparison of two values of one kind; null where one is missing."""
    return Expression(op, (left, right))


def same(left: Expression, right: Expression) -> Expression:
    """Return where two values are equal, or both missing."""
    return Expression("same", (left, right))


def within(value: Expression, values: Sequence[object]) -> Expression:
    """Return where a value is one of some values of its kind, none of them null."""
    return Expression("in", (value,), tuple(values))


def calculate(op: Literal["+", "-", "*", "/"], left: Expression, right: Expression) -> Expression:
    """Return the result of a calculation."""
    return Expression(op, (left, right))


def absolute(value: Expression) -> Expression:
    """Return a number without its sign."""
    return Expression("abs", (value,))


def case(condition: Expression, value: Expression) -> Expression:
    """Return a value where a condition holds, null elsewhere."""
    return Expression("case", (condition, value))


def as_text(value: Expression) -> Expression:
    """Return a whole number or a category as text."""
    return Expression("text", (value,))


def as_float(value: Expression) -> Expression:
    """Return a number as a float."""
    return Expression("float", (value,))


def length(text: Expression) -> Expression:
    """Return the number of characters."""
    return Expression("length", (text,))


def matches(text: Expression, pattern: str) -> Expression:
    """Return where a portable regular expression is found in a text."""
    return Expression("matches", (text,), pattern)


def judged(text: Expression, predicate: Predicate) -> Expression:
    """Return where a predicate holds; null where there is no text."""
    return Expression("judged", (text,), predicate)


def repeated(values: Sequence[Expression], where: Expression) -> Expression:
    """Return where the values together occur more than once among some rows; nulls are equal to each other."""
    return Expression("repeated", (where, *values))


def previous(value: Expression, where: Expression) -> Expression:
    """Return the value of the row before among some rows, all of which have a value."""
    return Expression("previous", (value, where))


def mean_of(value: Expression, where: Expression) -> Expression:
    """Return the mean over some rows, the same for every row."""
    return Expression("mean", (value, where))


def deviation_of(value: Expression, where: Expression) -> Expression:
    """Return the standard deviation of the sample over some rows, null for fewer than two."""
    return Expression("std", (value, where))


def quantile_of(value: Expression, where: Expression, share: float) -> Expression:
    """Return a quantile over some rows, interpolated between the values around it."""
    return Expression("quantile", (value, where), share)


def all_of(conditions: Iterable[Expression]) -> Expression:
    """Return where every condition holds; everywhere when there is none."""
    found = tuple(conditions)
    return _balanced(found, operator.and_) if found else TRUE


def any_of(conditions: Iterable[Expression]) -> Expression:
    """Return where one of the conditions holds; nowhere when there is none."""
    found = tuple(conditions)
    return _balanced(found, operator.or_) if found else FALSE


def _balanced(found: Sequence[Expression], join: Callable[[Expression, Expression], Expression]) -> Expression:
    """Join conditions as a tree whose depth grows with the logarithm: engines walk it by recursion."""
    if len(found) == 1:
        return found[0]
    middle = len(found) // 2
    return join(_balanced(found[:middle], join), _balanced(found[middle:], join))
