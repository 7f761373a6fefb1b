"""A suite suggested from a profile: what held in the reference, with room for what may come.

Rules, in this order, for each column:

====================  =====================================================================
columns and types     fail: exactly these columns, each of its logical type
missing values        none in the reference: fail, by row. Else warn when their share grows by more
                      than 10 points; fail, whole table, when less than 2 % is left
numbers               fail, by row: within [min - m * range, max + m * range], m = 1, on a side with
                      a heavy tail m = 10 (the extreme lies more than 3 quartile distances
                      beyond the quartile). Where the tails are light also, fail, whole table: the
                      mean within [min - range / 2, max + range / 2]
text with few values  warn, by row: no unknown value. fail, whole table: at most 10 % unknown. Only values
                      of ten rows or more are named; where the reference has rarer ones, twice
                      their share may be unknown
personal columns      neither a range nor a set of values
booleans              nothing: their type says it all
identifiers           all different, by row: fail when the role or name says key or id, else warn
pairs of numbers      fail, whole table: a column that never exceeded another does so in at most
                      10 % of the rows
rows                  fail: at least 1. warn: between 1/100 and 100 times the reference
====================  =====================================================================

Time does not get ranges: dates, instants, columns with the role ``time`` or ``calendar``, and whole
numbers whose name is one of the calendar (``month``, ``hour``, ...) grow or turn by themselves.
Neither do identifiers.

The margins allow a seasonal move as large as the whole range of the reference. They see a unit
error that moves values further than that (temperatures in kelvin for Fahrenheit) row by row, and a
smaller one when the mean leaves its interval (Fahrenheit for Celsius) or a law between two columns
breaks (only one of temperature and dew point converted). They cannot see an error that leaves
every column inside its season: Fahrenheit delivered as Celsius in both columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from undrift.core.errors import BadInput
from undrift.core.json import JSON
from undrift.data.profile import QUANTILES, ColumnProfile, Profile
from undrift.data.quality.suite import Expectation, Severity, Suite, expect

Role: TypeAlias = Literal["time", "calendar", "key", "target", "feature"]

_CALENDAR_WORDS = frozenset(
    "year quarter month week weekday dayofweek dow day dayofyear doy hour minute second date time timestamp epoch season".split()  # noqa: E501, SIM905
)
_KEY_WORDS = frozenset({"id", "key", "uuid", "guid"})
_WORD = re.compile(r"[A-Za-z][a-z]*|[A-Z]+")
_MARGIN = 1.0
_HEAVY_MARGIN = 10.0
_HEAVY_TAIL = 3.0
_MEAN_MARGIN = 0.5
_MISSING_WARN = 0.10
_FEWEST_PRESENT = 0.02
_MOST_CATEGORIES = 200
_FEWEST_ROWS_PER_CATEGORY = 10
_UNKNOWN_SHARE = 0.10
_RARE_FACTOR = 2
_FEWEST_ROWS = 100
_ROW_COUNT_FACTOR = 100
_LAW_SHARE = 0.90
_Q25, _Q75 = QUANTILES.index(0.25), QUANTILES.index(0.75)


def infer_suite(name: str, profile: Profile, roles: Mapping[str, Role] | None = None) -> Suite:
    """Return the suite that a profile suggests; it is for review, nothing is enforced by it yet.

    Parameters
    ----------
    name : str
        Name of the suite.
    profile : Profile
        The reference.
    roles : mapping of str to role, optional
        What columns are for, where their names and types do not tell: ``time`` and ``calendar``
        columns get no ranges, ``key`` columns must be unique, a ``target`` may be missing.

    Raises
    ------
    BadInput
        If a role names a column that the table does not have.
    """
    roles = roles or {}
    known = {column.name for column in profile.columns}
    if unknown := set(roles) - known:
        raise BadInput(f"there is no column {', '.join(sorted(unknown))!r} to have a role", cure="check the names")
    expectations = [*_table(profile), *_types(profile)]
    for column in profile.columns:
        role = roles.get(column.name) or _guess(column)
        expectations += _column(column, profile.rows, role)
    expectations += _laws(profile, roles)
    meta: dict[str, JSON] = {"rows": profile.rows, "inferred": True}
    if personal := [column.name for column in profile.columns if column.personal]:
        meta["personal"] = list(personal)
    return Suite(name, tuple(expectations), meta=meta)


def _guess(column: ColumnProfile) -> Role:
    words = {word.lower() for word in _WORD.findall(column.name)}
    if column.type in {"date", "timestamp", "timestamp-utc"}:
        return "time"
    if column.type == "int" and words & _CALENDAR_WORDS:
        return "calendar"
    return "key" if words & _KEY_WORDS and column.type in {"int", "string"} else "feature"


def _table(profile: Profile) -> Iterable[Expectation]:
    names = [column.name for column in profile.columns]
    low, high = max(1, profile.rows // _ROW_COUNT_FACTOR), max(1, profile.rows) * _ROW_COUNT_FACTOR
    kind = "expect_table_row_count_to_be_between"
    because = f"the reference has {profile.rows} rows"
    yield expect("expect_table_columns_to_match_set", column_set=names)
    yield expect(kind, "fail", "a batch without rows says nothing", min_value=1)
    yield expect(kind, "warn", because, min_value=low, max_value=high)


def _types(profile: Profile) -> Iterable[Expectation]:
    for column in profile.columns:
        yield expect("expect_column_values_to_be_of_type", column=column.name, type_=column.type)


def _column(column: ColumnProfile, rows: int, role: Role) -> Iterable[Expectation]:
    yield from _missing(column, rows, role)
    unique = _unique(column, rows, role)
    if unique is not None:
        yield unique
    elif role not in {"time", "calendar", "key"} and not column.personal:
        yield from _range(column, rows)
        yield from _categories(column, rows)


def _missing(column: ColumnProfile, rows: int, role: Role) -> Iterable[Expectation]:
    if rows == 0 or role == "target":
        return
    kind = "expect_column_values_to_not_be_null"
    if column.missing == 0:
        yield expect(kind, "fail", f"none of {rows} was missing", column=column.name)
        return
    present = 1 - column.missing / rows
    because = f"{100 * (1 - present):.2f} % were missing"
    if present > _MISSING_WARN:
        yield expect(kind, "warn", because, column=column.name, mostly=round(present - _MISSING_WARN, 4))
    if present > 2 * _FEWEST_PRESENT:
        yield expect(kind, "fail", because, column=column.name, mostly=_FEWEST_PRESENT)


def _unique(column: ColumnProfile, rows: int, role: Role) -> Expectation | None:
    present = rows - column.missing
    countable = column.type in {"int", "string"} and role in {"key", "feature"}
    if not countable or column.distinct != present or present < (1 if role == "key" else _FEWEST_ROWS):
        return None
    because = f"all {present} were different"
    severity: Severity = "fail" if role == "key" else "warn"
    return expect("expect_column_values_to_be_unique", severity, because, column=column.name)


def _range(column: ColumnProfile, rows: int) -> Iterable[Expectation]:
    low, high = column.minimum, column.maximum
    if not (column.quantiles and isinstance(low, int | float) and isinstance(high, int | float)) or low == high:
        return  # infinite extremes are texts in a profile: no margin can be given to them
    severity: Severity = "fail" if rows >= _FEWEST_ROWS else "warn"
    left, right = _margins(column, low, high)
    floor = 0.0 if low >= 0 and _HEAVY_MARGIN in {left, right} else _rounded(low - left * (high - low))
    because = "the range of the reference, with room on both sides"
    kind = "expect_column_values_to_be_between"
    ceiling = _rounded(high + right * (high - low))
    yield expect(kind, severity, because, column=column.name, min_value=floor, max_value=ceiling)
    if low >= 0 > floor:
        yield expect(kind, "warn", "the reference has nothing below zero", column=column.name, min_value=0)
    if left == right == _MARGIN:
        yield _mean(column, severity, low, high)


def _mean(column: ColumnProfile, severity: Severity, low: float, high: float) -> Expectation:
    room = _MEAN_MARGIN * (high - low)
    return expect(
        "expect_column_mean_to_be_between",
        severity,
        f"the mean of the reference is {column.mean:g}",
        column=column.name,
        min_value=_rounded(low - room),
        max_value=_rounded(high + room),
    )


def _margins(column: ColumnProfile, low: float, high: float) -> tuple[float, float]:
    """Return how many ranges of room the two sides get."""
    q25, q75 = column.quantiles[_Q25], column.quantiles[_Q75]
    middle = _HEAVY_TAIL * (q75 - q25)
    return (
        _HEAVY_MARGIN if q25 - low > middle else _MARGIN,
        _HEAVY_MARGIN if high - q75 > middle else _MARGIN,
    )


def _rounded(bound: float) -> float:
    """Return a bound with six digits: more would be false precision in a file that people review."""
    return float(f"{bound:.6g}")


def _categories(column: ColumnProfile, rows: int) -> Iterable[Expectation]:
    few = column.distinct <= min(_MOST_CATEGORIES, rows // _FEWEST_ROWS_PER_CATEGORY)
    if column.type != "string" or not few or not column.top:
        return
    frequent = [str(value) for value, count in column.top if count >= _FEWEST_ROWS_PER_CATEGORY]
    rare = sum(count for _, count in column.top if count < _FEWEST_ROWS_PER_CATEGORY) / rows
    if not frequent:
        return
    kind = "expect_column_values_to_be_in_set"
    values = sorted(frequent)
    because = f"the reference has {len(values)} frequent values"
    usual = {} if rare == 0 else {"mostly": round(max(0.0, 1 - _RARE_FACTOR * rare), 4)}
    yield expect(kind, "warn", because, column=column.name, value_set=values, **usual)
    unknown = max(_UNKNOWN_SHARE, _RARE_FACTOR * rare)
    if unknown < 1:
        yield expect(kind, "fail", because, column=column.name, value_set=values, mostly=round(1 - unknown, 4))


def _laws(profile: Profile, roles: Mapping[str, Role]) -> Iterable[Expectation]:
    for low, high in profile.ordered:
        kinds = {roles.get(name) or _guess(profile.column(name)) for name in (low, high)}
        if kinds <= {"feature", "target"} and not (profile.column(low).personal or profile.column(high).personal):
            yield expect(
                "expect_column_pair_values_a_to_be_greater_than_b",
                "fail",
                f"{low} was never greater than {high}",
                column_A=high,
                column_B=low,
                or_equal=True,
                ignore_row_if="either_value_is_missing",
                mostly=_LAW_SHARE,
            )
