"""Cells of databases become typed columns without a value bent, or are refused with row and column."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID

import polars as pl
import pytest

from undrift.data.connectors.cells import column_of
from undrift.data.connectors.declared import Declared, of_sqlite
from undrift.data.tabular.objects import BadValue


@pytest.mark.parametrize(
    ("declared", "cell", "kept"),
    [
        (Declared("bool"), 1, True),
        (Declared("int"), 2**63 - 1, 2**63 - 1),
        (Declared("float64"), 3, 3.0),
        (Declared("float64", is_single=True), 0.1, 0.10000000149011612),
        (Declared("decimal", 2), 1.1, Decimal("1.10")),
        (Declared("decimal", 2), "2.50", Decimal("2.50")),
        (Declared("decimal"), Decimal("1.25"), Decimal("1.25")),
        (Declared("string"), UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Declared("bytes"), memoryview(b"\x00"), b"\x00"),
        (Declared("date"), "2013-01-31", dt.date(2013, 1, 31)),
        (Declared("timestamp"), "2013-01-31 06:30:00.1", dt.datetime.fromisoformat("2013-01-31T06:30:00.1")),
        (Declared("timestamp-utc"), "2013-01-31T06:30:00+09:00", dt.datetime(2013, 1, 30, 21, 30, tzinfo=dt.UTC)),
        (Declared(), 5, 5),
    ],
)
def test_a_value_of_the_declared_type_is_kept(declared: Declared, cell: Any, kept: Any) -> None:
    """Null stays null beside it."""
    assert column_of("c", [None, cell], declared, 0).to_list() == [None, kept]


@pytest.mark.parametrize(
    ("declared", "cell"),
    [
        (Declared("bool"), 2),
        (Declared("int"), 1.5),
        (Declared("int"), 2**63),
        (Declared("float64"), 2**53 + 1),
        (Declared("float64"), "1.5"),
        (Declared("decimal", 2), 1.125),
        (Declared("decimal"), Decimal("NaN")),
        (Declared("decimal"), Decimal("1e-19")),
        (Declared("decimal", 0), Decimal(10) ** 38),
        (Declared("string"), b"bytes"),
        (Declared("string"), 5),
        (Declared("date"), "31/01/2013"),
        (Declared("timestamp"), "2013-01-31T06:30:00Z"),
        (Declared("timestamp"), "2013-01-31 06:30:00.1234567"),
        (Declared("timestamp-utc"), "2013-01-31 06:30"),
        (Declared(), dt.timedelta(days=1)),
        (Declared(), [1, 2]),
    ],
)
def test_what_would_be_bent_is_refused_with_its_place(declared: Declared, cell: Any) -> None:
    """The cure is a cast in the query."""
    with pytest.raises(BadValue) as caught:
        column_of("c", [None, cell], declared, 100)
    assert (caught.value.row, caught.value.column) == (101, "c")
    assert "CAST" in caught.value.cure


def test_values_of_two_kinds_in_a_column_without_a_type_are_refused() -> None:
    """SQLite lets them stand beside each other."""
    with pytest.raises(BadValue, match="row 2"):
        column_of("c", [1, "one"], Declared(), 0)


@pytest.mark.parametrize(
    ("text", "declared"),
    [
        ("INTEGER", Declared("int")),
        ("VARCHAR(20)", Declared("string")),
        ("DECIMAL(10, 2)", Declared("decimal", 2)),
        ("numeric(10)", Declared("decimal", 0)),
        ("NUMERIC", Declared("decimal")),
        ("DECIMAL_TEXT(38, 4)", Declared("decimal", 4)),
        ("double precision", Declared("float64")),
        ("BLOB", Declared("bytes")),
        ("BOOLEAN", Declared("bool")),
        ("DATE", Declared("date")),
        ("DATETIME", Declared("timestamp")),
        ("TIMESTAMP WITH TIME ZONE", Declared("timestamp-utc")),
        ("", Declared()),
    ],
)
def test_a_sqlite_type_says_what_its_affinity_says(text: str, declared: Declared) -> None:
    """And dates and booleans, which SQLite itself keeps as text and numbers."""
    assert of_sqlite(text) == declared


def test_a_column_of_nothing_has_no_type_yet() -> None:
    """The next batch may tell it."""
    assert column_of("c", [None, None], Declared(), 0).dtype == pl.Null
