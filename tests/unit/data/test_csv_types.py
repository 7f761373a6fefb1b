"""What texts mean."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime

import polars as pl
import pytest

from undrift.data.schema import BadSchema, Column, LogicalType, Schema
from undrift.data.tabular.csv_types import parse
from undrift.data.tabular.inference import infer


def type_of(*cells: str | None) -> LogicalType:
    return infer(pl.DataFrame({"x": cells}, schema={"x": pl.String})).columns[0].type


def values(kind: LogicalType, *cells: str | None) -> list[object]:
    frame, faults = parse(pl.DataFrame({"x": cells}, schema={"x": pl.String}), Schema.of({"x": kind}))
    assert faults == []
    return frame["x"].to_list()


def faults(kind: LogicalType, *cells: str | None) -> list[int]:
    _, found = parse(pl.DataFrame({"x": cells}, schema={"x": pl.String}), Schema.of({"x": kind}))
    return [fault.row for fault in found]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (("1", "-2", None), "int"),
        (("1", "NA"), "int"),
        (("9223372036854775807",), "int"),
        (("9223372036854775808",), "string"),
        (("12345678901234567890", "1.5"), "string"),
        (("007", "8"), "string"),
        (("00.5",), "string"),
        (("+49171",), "string"),
        (("1", "2.5"), "float64"),
        (("1e3", "NaN", "-inf", ".5"), "float64"),
        ((" 1", "2 "), "int"),
        (("true", "False"), "bool"),
        (("0", "1"), "int"),
        (("yes", "no"), "string"),
        (("2013-01-31", ""), "date"),
        (("2013-02-30",), "string"),
        (("2013-1-31",), "date"),
        (("2013-01-31T06:00", "2013-01-31 06:00:01.000017"), "timestamp"),
        (("2013-01-31T06:00Z", "2013-01-31 06:00:01.5+01:00"), "timestamp-utc"),
        (("2013-01-31T06:00Z", "2013-01-31T06:00"), "string"),
        (("2013-01-31T06:00:00.1234567",), "string"),
        (("2013-01-31", "2013-01-31T06:00"), "string"),
        ((None, None), "string"),
        (("NA", None), "string"),
        (("1", "x"), "string"),
        ((), "string"),
    ],
)
def test_a_type_is_one_that_every_cell_has(cells: tuple[str | None, ...], kind: str) -> None:
    """Digits that may be an identifier stay text."""
    assert type_of(*cells) == kind


def test_the_last_of_many_cells_counts() -> None:
    """Inference does not stop at a sample."""
    assert type_of(*["1"] * 5000, "007") == "string"


def test_numbers_are_read() -> None:
    """Missing words are null, NaN is a number that is none."""
    assert values("int", "1", "5.0", "NA", None, "") == [1, 5, None, None, None]
    read = values("float64", "1", "0.1", "-0.0", "1e3", "null", "NaN")
    assert read[:5] == [1.0, 0.1, 0.0, 1000.0, None]
    assert math.isnan(read[5])  # type: ignore[arg-type]


def test_moments_are_read() -> None:
    """To the microsecond; offsets become UTC."""
    assert values("date", "2013-01-31") == [date(2013, 1, 31)]
    assert values("timestamp", "2013-01-31T06:30", "2013-01-31") == [
        datetime(2013, 1, 31, 6, 30),  # noqa: DTZ001
        datetime(2013, 1, 31),  # noqa: DTZ001
    ]
    assert values("timestamp-utc", "2013-01-31 06:30:00.000017-05:00", "2013-01-31T06:30:01Z", None) == [
        datetime(2013, 1, 31, 11, 30, 0, 17, tzinfo=UTC),
        datetime(2013, 1, 31, 6, 30, 1, tzinfo=UTC),
        None,
    ]


def test_missing_words_stay_text_in_a_column_of_text() -> None:
    """Namibia is not nothing."""
    assert values("string", "NA", "", None, "null") == ["NA", "", None, "null"]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("int", "1", "x"),
        ("int", "1", "007"),
        ("int", "1", "1.5"),
        ("int", "1", "1.000"),
        ("int", "1", "9223372036854775808"),
        ("float64", "1.5", "1,5"),
        ("bool", "true", "yes"),
        ("date", "2013-01-31", "31.01.2013"),
        ("date", "2013-01-31", "2013-02-30"),
        ("timestamp", "2013-01-31T06:30", "2013-01-31T06:30Z"),
        ("timestamp-utc", "2013-01-31T06:30Z", "2013-01-31T06:30"),
        ("timestamp-utc", "2013-01-31T06:30Z", "2013-01-31T25:30Z"),
    ],
)
def test_a_cell_of_another_type_is_a_fault(kind: LogicalType, good: str, bad: str) -> None:
    """It is named by its row, the others are read."""
    assert faults(kind, good, None, bad, good) == [2]


def test_a_fault_shows_the_cell() -> None:
    """So that a person finds it."""
    _, (fault,) = parse(pl.DataFrame({"x": ["abc"]}), Schema.of({"x": "int"}))
    assert fault.problem == "'abc' is not a value of type int"


def test_decimals_keep_their_digits_and_bytes_need_parquet() -> None:
    """More digits than the scale has are a fault."""
    schema = Schema((Column("x", "decimal", 2),))
    frame, found = parse(pl.DataFrame({"x": ["1.5", "-0.25", "1.250", "1.255"]}), schema)
    assert [str(value) for value in frame["x"].to_list()] == ["1.50", "-0.25", "1.25", "None"]
    assert [fault.row for fault in found] == [3]
    with pytest.raises(BadSchema):
        parse(pl.DataFrame({"x": ["1"]}), Schema.of({"x": "bytes"}))
