"""Row conditions: which rows an expectation is about, read without ever running what somebody wrote.

One grammar reads what Great Expectations documents for its parsers: pandas' ``query`` (``age > 3 and city in ["a"]``),
its own (``col("age") > 3``, ``col("city").notnull()``) and Spark's SQL (``age > 3 AND city IS NOT NULL``). Where they
differ in meaning, the parser's name decides: ``!=`` and ``not in`` hold for missing values in pandas only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import polars as pl

from undrift.data.quality.arguments import ColumnMissing
from undrift.data.quality.expressions import (
    Comparison,
    Expression,
    all_of,
    any_of,
    as_float,
    calculate,
    column,
    compare,
    is_null,
    is_present,
    literal,
    sure,
    within,
)
from undrift.data.quality.suite import BadSuite
from undrift.data.quality.values import Kind, kind_of, value_of, values_of

PARSERS = ("pandas", "great_expectations", "great_expectations__experimental__", "spark")
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)
    |(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |`(?P<quoted>[^`]+)`
    |(?P<call>\.(?:isnull|isna|notnull|notna)\(\s*\))
    |(?P<word>[A-Za-z_]\w*)
    |(?P<sign><=|>=|==|!=|<>|&&|\|\||[<>=&|~!()\[\],+\-*/])
    )""",
    re.VERBOSE,
)
_COMPARISONS: Mapping[str, Comparison] = {
    "==": "eq", "=": "eq", "!=": "ne", "<>": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge",
}  # fmt: skip
_MIRRORED: Mapping[Comparison, Comparison] = {
    "eq": "eq", "ne": "ne", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le",
}  # fmt: skip
_AND, _OR, _NOT = {"and", "&", "&&"}, {"or", "|", "||"}, {"not", "~", "!"}
_RESERVED = {*_AND, *_OR, *_NOT, "in", "is", "between", "null"}
_WORDS: Mapping[str, bool] = {"true": True, "false": False}


class BadCondition(BadSuite):
    """A row condition cannot be read."""

    code = "bad-row-condition"


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    place: int


@dataclass(frozen=True, slots=True)
class _Term:
    """A value in a condition: a column or a calculation with its kind, or a literal that has none yet."""

    expression: Expression | None
    dtype: pl.DataType = field(default_factory=pl.Null)
    given: Any = None  # Any: a literal of JSON

    @property
    def kind(self) -> Kind:
        return kind_of(self.dtype)


def compile_condition(condition: object, parser: object, dtypes: Mapping[str, pl.DataType]) -> Expression | None:
    """Return the rows for which a condition holds, None for all.

    Parameters
    ----------
    condition : str or mapping or None
        The ``row_condition``: text, or a condition as Great Expectations 1.9 and later write it.
    parser : str or None
        The ``condition_parser``.
    dtypes : mapping
        Types of the table's columns.

    Raises
    ------
    BadCondition
        If it cannot be read; the place is told.
    ColumnMissing
        If the table has not the column.
    """
    if not condition:
        return None
    if parser is not None and parser not in PARSERS:
        raise BadCondition(f"there is no condition_parser {parser!r}", cure=f"write one of {', '.join(PARSERS)}")
    missing_differ = parser in {None, "pandas"}
    if isinstance(condition, Mapping):
        return sure(_Objects(dtypes, missing_differ).read(condition))
    if not isinstance(condition, str):
        raise BadCondition(f"row_condition={condition!r} is no condition", cure="write it as text")
    return sure(_Parser(condition, dtypes, missing_differ).read())


class _Comparing:
    """What both ways of writing conditions compare."""

    def __init__(self, dtypes: Mapping[str, pl.DataType], missing_differ: bool) -> None:
        self._dtypes = dtypes
        self._missing_differ = missing_differ

    def column(self, name: str) -> _Term:
        if name not in self._dtypes:
            raise ColumnMissing(f"row_condition: the table has no column {name!r}", cure="mend the condition")
        return _Term(column(name), self._dtypes[name])

    def compare(self, op: Comparison, left: _Term, right: _Term) -> Expression:
        if left.expression is None:
            op, left, right = _MIRRORED[op], right, left
        if left.expression is None:
            raise BadCondition("row_condition compares two constants", cure="compare a column")
        other = right.expression if right.expression is not None else self._literal(left, right.given)
        if right.expression is not None and right.kind != left.kind:
            raise BadCondition("row_condition compares columns of different kinds", cure="mend the condition")
        found = compare(op, left.expression, other)
        if op == "ne" and self._missing_differ:
            return ~sure(compare("eq", left.expression, other))
        return found

    def contained(self, term: _Term, values: list[Any], *, negated: bool) -> Expression:  # Any: literals of JSON
        if term.expression is None:
            raise BadCondition("row_condition looks for a constant in a list", cure="name a column")
        found = within(term.expression, values_of(values, term.dtype))
        if not negated:
            return found
        return ~sure(found) if self._missing_differ else ~found

    def _literal(self, term: _Term, given: object) -> Expression:
        value = value_of(given, term.kind)
        if value is None:
            raise BadCondition(
                f"row_condition: {given!r} cannot be compared with the column", cure="mend the condition"
            )
        return literal(value)


class _Objects(_Comparing):
    """Reads conditions that are written as objects."""

    def read(self, condition: Mapping[str, Any]) -> Expression:  # Any: JSON
        kind = condition.get("type")
        if kind in {"and", "or"}:
            parts = [self.read(part) for part in condition.get("conditions", ())]
            return all_of(parts) if kind == "and" else any_of(parts)
        if kind == "nullity":
            term = self.column(self._name(condition))
            value = cast("Expression", term.expression)
            return is_null(value) if condition.get("is_null") else is_present(value)
        if kind == "pass_through":
            return _Parser(str(condition.get("pass_through_filter")), self._dtypes, self._missing_differ).read()
        if kind == "comparison":
            return self._comparison(condition)
        raise BadCondition(f"row_condition has the type {kind!r}", cure="write comparison, nullity, and, or")

    def _comparison(self, condition: Mapping[str, Any]) -> Expression:  # Any: JSON
        term, op, given = self.column(self._name(condition)), str(condition.get("operator")), condition.get("parameter")
        if op in {"IN", "NOT_IN"}:
            return self.contained(term, list(given or ()), negated=op == "NOT_IN")
        if op not in _COMPARISONS:
            raise BadCondition(f"row_condition has the operator {op!r}", cure="write == != < <= > >= IN NOT_IN")
        return self.compare(_COMPARISONS[op], term, _Term(None, given=given))

    def _name(self, condition: Mapping[str, Any]) -> str:  # Any: JSON
        named = condition.get("column")
        return str(named.get("name") if isinstance(named, Mapping) else named)


class _Parser(_Comparing):
    """Reads conditions that are written as text, by recursive descent."""

    def __init__(self, text: str, dtypes: Mapping[str, pl.DataType], missing_differ: bool) -> None:
        super().__init__(dtypes, missing_differ)
        self._text = text
        self._tokens = _tokens(text)
        self._next = 0

    def read(self) -> Expression:
        found = self._either()
        if self._next < len(self._tokens):
            raise self._fault("is one thing too many")
        return found

    def _either(self) -> Expression:
        found = self._both()
        while self._take(_OR):
            found = found | self._both()
        return found

    def _both(self) -> Expression:
        found = self._negated()
        while self._take(_AND):
            found = found & self._negated()
        return found

    def _negated(self) -> Expression:
        if self._take(_NOT):
            return ~sure(self._negated()) if self._missing_differ else ~self._negated()
        return self._condition()

    def _condition(self) -> Expression:
        before = self._next
        if self._take({"("}):
            inner = self._attempt(self._either)
            # After the bracket of a calculation a comparison goes on.
            if inner is not None and self._take({")"}) and self._peek() not in {*_COMPARISONS, "+", "-", "*", "/"}:
                return inner
            self._next = before
        return self._comparison()

    def _attempt(self, action: Callable[[], Expression]) -> Expression | None:
        try:
            return action()
        except ColumnMissing:
            raise
        except BadCondition:
            return None

    def _comparison(self) -> Expression:
        left = self._sum()
        if left.expression is not None and (special := self._special(left, left.expression)) is not None:
            return special
        found: list[Expression] = []
        while (sign := self._peek()) in _COMPARISONS:
            self._next += 1
            right = self._sum()
            found.append(self.compare(_COMPARISONS[sign], left, right))
            left = right
        if found:
            return all_of(found)
        if left.kind == "bool" and left.expression is not None:
            return left.expression
        raise self._fault("is no comparison")

    def _special(self, term: _Term, value: Expression) -> Expression | None:
        """Return what is said of a value without a sign of comparison: being null, in a list, between two others."""
        if self._next < len(self._tokens) and self._tokens[self._next].kind == "call":
            call = self._tokens[self._next].text
            self._next += 1
            return is_null(value) if call.startswith(".isn") else is_present(value)
        if self._take({"is"}):
            negated = self._take({"not"})
            if not self._take({"null", "none"}):
                raise self._fault("is not NULL")
            return is_present(value) if negated else is_null(value)
        negated = self._peek() == "not"
        if negated:
            self._next += 1
        if self._take({"in"}):
            return self.contained(term, self._list(), negated=negated)
        if self._take({"between"}):
            low = self._sum()
            if not self._take({"and"}):
                raise self._fault("is not AND")
            inside = self.compare("ge", term, low) & self.compare("le", term, self._sum())
            return ~inside if negated else inside
        if negated:
            raise self._fault("is neither IN nor BETWEEN")
        return None

    def _list(self) -> list[Any]:  # Any: literals of JSON
        if not self._take({"[", "("}):
            raise self._fault("is no list")
        found = []
        while not self._take({"]", ")"}):
            term = self._sum()
            if term.expression is not None:
                raise self._fault("is no constant")
            found.append(term.given)
            self._take({","})
        return found

    def _sum(self) -> _Term:
        left = self._product()
        while (sign := self._peek()) in {"+", "-"}:
            self._next += 1
            left = self._calculated(sign, left, self._product())
        return left

    def _product(self) -> _Term:
        left = self._value()
        while (sign := self._peek()) in {"*", "/"}:
            self._next += 1
            left = self._calculated(sign, left, self._value())
        return left

    def _calculated(self, sign: str, left: _Term, right: _Term) -> _Term:
        terms = [self._numeric(term) for term in (left, right)]
        op = cast("Literal['+', '-', '*', '/']", sign)
        return _Term(calculate(op, *terms), pl.Float64())

    def _numeric(self, term: _Term) -> Expression:
        if term.expression is not None and term.kind == "number":
            return as_float(term.expression)
        if term.expression is None and isinstance(term.given, int | float):
            return literal(float(term.given))
        raise self._fault("cannot be calculated with")

    def _value(self) -> _Term:
        if self._take({"-"}):
            term = self._value()
            return _Term(None, given=-term.given) if term.expression is None else self._calculated("*", term, _MINUS)
        if self._take({"("}):
            term = self._sum()
            if not self._take({")"}):
                raise self._fault("is no closing bracket")
            return term
        if self._next >= len(self._tokens):
            raise self._fault("ends too soon")
        token = self._tokens[self._next]
        self._next += 1
        return self._named(token)

    def _named(self, token: _Token) -> _Term:
        if token.kind in {"number", "text"}:
            return _Term(None, given=_constant(token))
        lowered = token.text.lower()
        if lowered in {"col", "date"} and self._take({"("}):
            return self._called(lowered)
        if token.kind == "quoted" or (token.kind == "word" and token.text in self._dtypes):
            return self.column(token.text)
        if lowered in _WORDS:
            return _Term(None, given=_WORDS[lowered])
        if token.kind == "word" and lowered not in _RESERVED:
            return self.column(token.text)
        self._next -= 1
        raise self._fault("is not expected")

    def _called(self, name: str) -> _Term:
        token = self._tokens[self._next] if self._next < len(self._tokens) else _Token("", "", len(self._text))
        self._next += 1
        if token.kind != "text" or not self._take({")"}):
            raise self._fault("is no name in quotes")
        text = _unquoted(token.text)
        return self.column(text) if name == "col" else _Term(None, given=text)

    def _peek(self) -> str:
        if self._next >= len(self._tokens):
            return ""
        token = self._tokens[self._next]
        return token.text.lower() if token.kind in {"word", "sign"} else ""

    def _take(self, words: set[str]) -> bool:
        if self._peek() not in words:
            return False
        self._next += 1
        return True

    def _fault(self, what: str) -> BadCondition:
        there = self._next < len(self._tokens)
        place = self._tokens[self._next].place if there else len(self._text)
        named = repr(self._tokens[self._next].text) if there else "the end"
        return BadCondition(
            f"row_condition {self._text!r}: {named} at character {place + 1} {what}",
            cure="write comparisons of columns, joined by and, or, not",
        )


_MINUS = _Term(None, given=-1)


def _tokens(text: str) -> list[_Token]:
    found, place = [], 0
    end = len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None:
            at = place + len(text[place:]) - len(text[place:].lstrip())
            raise BadCondition(
                f"row_condition {text!r}: {text[at]!r} at character {at + 1} is not expected",
                cure="write comparisons of columns, joined by and, or, not",
            )
        kind = str(match.lastgroup)
        found.append(_Token(kind, match[kind], match.start(kind)))
        place = match.end()
    return found


def _constant(token: _Token) -> int | float | str:
    if token.kind == "text":
        return _unquoted(token.text)
    return float(token.text) if set(token.text) & set(".eE") else int(token.text)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])
