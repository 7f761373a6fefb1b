"""What expectations written in Python take, besides their own arguments."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any, Literal, TypeAlias, TypedDict

from undrift.core.json import JSON
from undrift.data.quality.signatures import check_arguments
from undrift.data.quality.suite import Expectation, Severity, normal

Value: TypeAlias = bool | int | float | str | date | datetime
Bound: TypeAlias = Value | None
Values: TypeAlias = Collection[Value | None]
IgnoreRow: TypeAlias = Literal["both_values_are_missing", "either_value_is_missing", "neither"]
IgnoreRecord: TypeAlias = Literal["all_values_are_missing", "any_value_is_missing", "never"]
_NOTES = ("severity", "because")


class Noted(TypedDict, total=False):
    """What every expectation takes: what breaking it means, and where it comes from."""

    severity: Severity
    because: str


class OnNumbers(Noted, total=False):
    """For expectations on numbers of a table: the rows that they are about."""

    row_condition: str | Mapping[str, JSON]
    condition_parser: Literal["pandas", "great_expectations", "spark"]


class OnRows(OnNumbers, total=False):
    """For expectations on rows: the share of values which must be as expected."""

    mostly: float


class _Strict(TypedDict, total=False):
    strict_min: bool
    strict_max: bool


class BetweenSchema(Noted, _Strict, total=False):
    """For bounds of the schema."""


class BetweenNumbers(OnNumbers, _Strict, total=False):
    """For bounds of a number."""


class BetweenRows(OnRows, _Strict, total=False):
    """For bounds of values."""


class LikeRows(OnRows, total=False):
    """For lists of patterns of SQL."""

    escape: str


class PairRows(OnRows, total=False):
    """For pairs of columns: rows that are not judged."""

    ignore_row_if: IgnoreRow


class RecordRows(OnRows, total=False):
    """For several columns: rows that are not judged."""

    ignore_row_if: IgnoreRecord


class Divergence(OnNumbers, total=False):
    """For distributions: weight for what was never seen."""

    tail_weight_holdout: float
    internal_weight_holdout: float
    bucketize_data: bool


def made(kind: str, more: Mapping[str, Any], **arguments: object) -> Expectation:  # Any: a TypedDict's values
    """Return an expectation.

    Parameters
    ----------
    kind : str
        Its name.
    more : mapping
        What all of its kind take.
    **arguments
        Its own arguments; None is one that is not given.

    Raises
    ------
    BadSuite, UnknownExpectation
        If an argument is wrong.
    """
    given = {**arguments, **{name: value for name, value in more.items() if name not in _NOTES}}
    kwargs = {name: _plain(value) for name, value in given.items() if value is not None}
    because = str(more.get("because", ""))
    expectation = Expectation(kind, kwargs, more.get("severity", "fail"), {"because": because} if because else {})
    check_arguments(expectation)
    return normal(expectation)


def _plain(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(_plain, value), key=str)
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
