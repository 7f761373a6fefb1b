"""A suite suggested from a profile: what held in the reference, with room for what may come.

Rules, in this order, for each column:

====================  =====================================================================
columns and types     fail: exactly these columns, each of its logical type
missing values        none in the reference: fail, by row. Else warn when their share is half as large
                      again, or 5 standard errors larger; fail, whole table, when less than 2 % is left
numbers               as :mod:`undrift.data.quality.bounds` says: a warning beyond the room that the tail
                      asks for, a fault, by row, beyond twice that; never below zero for a measure. Where tails are
                      light, the mean: warn outside of the quartiles, fail outside of the nearer bounds. Where
                      they are heavy, fail when less than half of the values lie around the quartiles
flags                 whole numbers 0 and 1, both often: fail, by row: nothing else
text with few values  warn, by row: no unknown value. fail, whole table: at most 10 % unknown. Only values
                      of ten rows or more are named; as many rows as the rarer ones had, and 4
                      standard errors more, may be unknown
text of one length    warn, by row: all of that length
personal columns      neither a range nor a set of values
booleans              nothing: their type says it all
identifiers           all different, by row: fail when the role or name says key or id; warn when they look
                      like one: whole numbers without gaps or in order, texts of one length
pairs of numbers      fail, whole table: a column that never exceeded another does so in at most
                      10 % of the rows
rows                  fail: at least 1. warn: between 1/100 and 100 times the reference
====================  =====================================================================

Time does not get ranges: dates, instants, columns with the role ``time`` or ``calendar``, and whole
numbers whose name is one of the calendar (``month``, ``hour``, ...) grow or turn by themselves.
Neither do identifiers. Below 100 rows bounds of numbers warn only.

Each expectation says in ``because`` what was seen: counts, shares and quartiles, no extremes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from undrift.core.errors import BadInput
from undrift.core.json import JSON
from undrift.data.profile import ColumnProfile, Profile
from undrift.data.quality.bounds import Bounds, bounds_of
from undrift.data.quality.suite import Expectation, Severity, Suite, expect

Role: TypeAlias = Literal["time", "calendar", "key", "target", "feature"]

_CALENDAR_WORDS = frozenset(
    "year quarter month week weekday dayofweek dow day dayofyear doy hour minute second date time timestamp epoch season".split()  # noqa: E501, SIM905
)
_KEY_WORDS = frozenset({"id", "key", "uuid", "guid"})
_WORD = re.compile(r"[A-Za-z][a-z]*|[A-Z]+")
_OF_ONE_PERSON = frozenset({"e-mail", "phone", "IBAN", "payment card", "national number"})
_MISSING_FACTOR = 1.5
_MISSING_ERRORS = 5
_FEWEST_PRESENT = 0.02
_MOST_CATEGORIES = 200
_FEWEST_ROWS_PER_CATEGORY = 10
_UNKNOWN_SHARE = 0.10
_UNKNOWN_ERRORS = 4
_FEWEST_ROWS = 100
_ROW_COUNT_FACTOR = 100
_LAW_SHARE = 0.90
_BULK = 0.5
_WITHIN = "expect_column_values_to_be_between"
_WHOLE = 2**53
_SPELT = 1000


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
    if (unique := _unique(column, rows, role)) is not None:
        yield unique
    elif role not in {"time", "calendar", "key"} and not column.personal:
        yield from _flags(column, rows) or _numbers(column, rows)
        yield from _categories(column, rows) or _lengths(column)


def _missing(column: ColumnProfile, rows: int, role: Role) -> Iterable[Expectation]:
    if rows == 0 or role == "target":
        return
    kind = "expect_column_values_to_not_be_null"
    if column.missing == 0:
        yield expect(kind, "fail", f"none of {rows:,} was missing", column=column.name)
        return
    share = column.missing / rows
    because = f"{column.missing:,} of {rows:,} were missing ({_percent(share)})"
    allowed = max(_MISSING_FACTOR * share, share + _MISSING_ERRORS * math.sqrt(share * (1 - share) / rows))
    if allowed < 1:
        yield expect(kind, "warn", because, column=column.name, mostly=_mostly(allowed))
    if 1 - share > 2 * _FEWEST_PRESENT:
        yield expect(kind, "fail", because, column=column.name, mostly=_FEWEST_PRESENT)


def _unique(column: ColumnProfile, rows: int, role: Role) -> Expectation | None:
    present = rows - column.missing
    countable = column.type in {"int", "string"} and role in {"key", "feature"}
    is_strict = column.order in {"rising", "falling"}
    all_differ = is_strict or (column.distinct == present and column.distinct_error == 0)
    if not (countable and all_differ) or present < (1 if role == "key" else _FEWEST_ROWS):
        return None
    if role != "key" and not (is_strict or _looks_like_keys(column)):
        return None
    severity: Severity = "fail" if role == "key" else "warn"
    return expect("expect_column_values_to_be_unique", severity, f"all {present:,} were different", column=column.name)


def _looks_like_keys(column: ColumnProfile) -> bool:
    low, high = column.minimum, column.maximum
    if isinstance(low, int) and isinstance(high, int):
        return high - low + 1 == column.distinct
    return column.personal in _OF_ONE_PERSON or _is_of_one_length(column)


def _is_of_one_length(column: ColumnProfile) -> bool:
    return column.text is not None and column.text.shortest == column.text.longest


def _flags(column: ColumnProfile, rows: int) -> list[Expectation]:
    if column.type != "int" or column.distinct != 2 or (column.minimum, column.maximum) != (0, 1):  # noqa: PLR2004
        return []
    ones = (column.mean or 0.0) * (rows - column.missing)
    zeros = rows - column.missing - ones
    if rows < _FEWEST_ROWS or ones * ones / zeros < _FEWEST_ROWS_PER_CATEGORY * 2:
        return []  # a count that is seldom above zero may be 2 in the next batch
    because = f"only 0 and 1 in {rows:,} rows, {_percent(column.mean or 0.0)} of them 1"
    return [expect("expect_column_values_to_be_in_set", "fail", because, column=column.name, value_set=[0, 1])]


def _numbers(column: ColumnProfile, rows: int) -> Iterable[Expectation]:
    bounds = bounds_of(column, rows)
    if bounds is None:
        return
    severity: Severity = "fail" if rows >= _FEWEST_ROWS else "warn"
    seen = "few values were seen"
    if severity == "fail":
        seen = f"half of the values lie between {_told(bounds.middle[0])} and {_told(bounds.middle[1])}"
    yield expect(_WITHIN, severity, f"{seen}; beyond this a value is hardly true", **_between(column, bounds.far))
    if severity == "fail" and bounds.near != bounds.far:
        nearer = [None if one == other else one for one, other in zip(bounds.near, bounds.far, strict=True)]
        yield expect(_WITHIN, "warn", _nearer(bounds, seen), **_between(column, nearer))
    yield from _location(column, bounds, severity, seen)


def _nearer(bounds: Bounds, seen: str) -> str:
    return "values end there" if bounds.ends else f"{seen}; beyond this a value is unusual"


def _location(column: ColumnProfile, bounds: Bounds, severity: Severity, seen: str) -> Iterable[Expectation]:
    if bounds.mean is None:
        if bounds.bulk is not None:
            because = f"{seen}; a mean would follow the tail"
            yield expect(_WITHIN, severity, because, mostly=_BULK, **_between(column, bounds.bulk))
        return
    kind, because = "expect_column_mean_to_be_between", f"the mean was {_told(column.mean or 0.0)}"
    yield expect(kind, "warn", because, **_between(column, bounds.mean))
    if severity == "fail":
        yield expect(kind, severity, because, **_between(column, bounds.near))


def _between(column: ColumnProfile, bounds: Iterable[float | None]) -> dict[str, JSON]:
    names = ("min_value", "max_value")
    plain = {name: _plain(one) for name, one in zip(names, bounds, strict=True) if one is not None}
    return {"column": column.name, **plain}


def _plain(bound: float) -> float | int:
    return int(bound) if bound.is_integer() and abs(bound) < _WHOLE else bound


def _categories(column: ColumnProfile, rows: int) -> list[Expectation]:
    few = column.distinct <= min(_MOST_CATEGORIES, rows // _FEWEST_ROWS_PER_CATEGORY)
    if column.type != "string" or not few or not column.top:
        return []
    frequent = sorted(str(value) for value, count in column.top if count >= _FEWEST_ROWS_PER_CATEGORY)
    if not frequent:
        return []
    counted = column.top_rows - column.missing * column.top_rows / rows
    rare = sum(count for _, count in column.top if count < _FEWEST_ROWS_PER_CATEGORY)
    rarer = f", rarer ones in {_percent(rare / counted)} of the rows" if rare else ""
    because = f"{len(frequent)} frequent value{'s' * (len(frequent) > 1)}{rarer}"
    allowed = (rare + _UNKNOWN_ERRORS * math.sqrt(2 * rare + 1)) / counted if rare else 0.0
    found = []
    kind = "expect_column_values_to_be_in_set"
    if allowed < 1:
        usual: dict[str, JSON] = {"mostly": _mostly(allowed)} if allowed else {}
        found.append(expect(kind, "warn", because, column=column.name, value_set=[*frequent], **usual))
    if (unknown := max(_UNKNOWN_SHARE, 2 * allowed)) < 1:
        found.append(expect(kind, "fail", because, column=column.name, value_set=[*frequent], mostly=_mostly(unknown)))
    return found


def _lengths(column: ColumnProfile) -> Iterable[Expectation]:
    text = column.text
    if text is not None and text.looked_at >= _FEWEST_ROWS and _is_of_one_length(column):
        kind, because = "expect_column_value_lengths_to_equal", f"all had {text.longest} characters"
        yield expect(kind, "warn", because, column=column.name, value=text.longest)


def _mostly(allowed: float) -> float:
    """Return the share that must hold when another may not, with three digits and rounded down."""
    return math.floor(round(1000 * (1 - allowed), 6)) / 1000


def _told(number: float) -> str:
    """Return a number with four digits or as a whole number."""
    return f"{number:,.0f}" if abs(number) >= _SPELT else f"{number:.4g}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


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
