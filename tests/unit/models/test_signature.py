"""Rows are read strictly, and every fault says where it is."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from undrift.models.signature import MOST_FAULTS, BadRow, InputColumn, RowDecoder, as_json_value, decode_rows

INPUTS = (
    InputColumn("temp", "float", nullable=True),
    InputColumn("hour", "int"),
    InputColumn("wet", "bool"),
    InputColumn("carrier name", "string"),
    InputColumn("day", "date"),
    InputColumn("at", "datetime"),
)
GOOD: dict[str, Any] = {
    "temp": 3.5, "hour": 7, "wet": True, "carrier name": "UA", "day": "2013-01-31", "at": "2013-01-31T08:00:00+02:00",
}  # fmt: skip


def _bad(**changed: Any) -> BadRow:
    with pytest.raises(BadRow) as caught:
        decode_rows(INPUTS, [GOOD, {**GOOD, **changed}])
    return caught.value


def test_good_rows_become_columns() -> None:
    """Values are of the column's type; an instant is UTC without zone."""
    columns = decode_rows(INPUTS, [GOOD, {**GOOD, "temp": None}])
    assert columns["temp"] == [3.5, None]
    assert columns["day"][0] == date(2013, 1, 31)
    assert columns["at"][0] == datetime(2013, 1, 31, 6)  # noqa: DTZ001 - columns hold UTC without zone
    assert list(columns) == [column.name for column in INPUTS]


def test_an_integer_may_stand_in_a_float_column() -> None:
    """JSON writes 3.0 as 3."""
    value = decode_rows(INPUTS, [{**GOOD, "temp": 3}])["temp"][0]
    assert (value, type(value)) == (3.0, float)


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("temp", "3.5", "wrong-type"),
        ("temp", True, "wrong-type"),
        ("temp", float("nan"), "not-finite"),
        ("temp", float("inf"), "not-finite"),
        ("temp", 10**400, "out-of-range"),
        ("temp", [1.0], "wrong-type"),
        ("hour", 12.0, "wrong-type"),
        ("hour", True, "wrong-type"),
        ("hour", 2**63, "out-of-range"),
        ("hour", None, "null"),
        ("wet", 1, "wrong-type"),
        ("wet", "true", "wrong-type"),
        ("carrier name", 5, "wrong-type"),
        ("carrier name", "\ud800", "bad-text"),
        ("day", "20130131", "bad-text"),
        ("day", "2013-02-30", "bad-text"),
        ("day", "2013-01-31T00:00", "bad-text"),
        ("at", "2013-W05-4", "bad-text"),
        ("at", "0001-01-01T00:00:00+10:00", "bad-text"),
        ("at", 1359619200, "wrong-type"),
    ],
)
def test_a_value_that_does_not_fit_is_a_fault_with_its_path(column: str, value: object, code: str) -> None:
    """The path names row and column."""
    found = _bad(**{column: value})
    name = '["carrier name"]' if " " in column else f".{column}"
    assert (found.path, found.problem) == (f"$.rows[1]{name}", code)


def test_unknown_and_missing_columns_are_faults() -> None:
    """A nullable column must be there too."""
    assert _bad(extra=1).problem == "unknown-column"
    row = {name: value for name, value in GOOD.items() if name != "temp"}
    with pytest.raises(BadRow) as caught:
        RowDecoder(INPUTS).decode_one(row)
    assert (caught.value.path, caught.value.problem) == ("$.row.temp", "missing-column")
    assert caught.value.faults[0].expected == "a finite number or null"


@pytest.mark.parametrize("rows", [None, 5, "rows", {}, [], [None], [[1, 2]], [GOOD, 3]])
def test_what_is_not_a_list_of_rows_is_a_fault(rows: object) -> None:
    """Also an empty one."""
    with pytest.raises(BadRow):
        decode_rows(INPUTS, rows)


def test_only_the_first_faults_are_told() -> None:
    """A thousand bad rows make a short message."""
    with pytest.raises(BadRow) as caught:
        decode_rows(INPUTS, [{**GOOD, "hour": "x", "wet": "y"}] * 1000)
    assert len(caught.value.faults) == MOST_FAULTS


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.binary(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(list(GOOD)) | st.text(max_size=5) | st.integers(), inner, max_size=7)
    ),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(_ANY | st.lists(st.fixed_dictionaries(dict.fromkeys(GOOD, _ANY)), max_size=3))
def test_whatever_comes_in_either_fits_or_is_a_bad_row(rows: Any) -> None:
    """No other error ever leaves the decoder."""
    try:
        columns = decode_rows(INPUTS, rows)
    except BadRow as error:
        assert error.faults  # noqa: PT017 - both ways are right
    else:
        assert {len(values) for values in columns.values()} == {len(rows)}


@settings(max_examples=100, deadline=None)
@given(st.datetimes(), st.dates())
def test_values_written_as_json_are_read_back(at: datetime, day: date) -> None:
    """As golden rows are."""
    row = {**GOOD, "at": as_json_value(at), "day": as_json_value(day)}
    columns = decode_rows(INPUTS, [row])
    assert (columns["at"], columns["day"]) == ([at], [day])
