"""Bringing tables to a schema."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import polars as pl
import pytest

from undrift.data.conform import conform
from undrift.data.schema import BadSchema, Column, LogicalType, Schema, SchemaMismatch, freeze


def one(values: pl.Series, kind: LogicalType, scale: int = 0) -> pl.Series:
    return conform(values.alias("x").to_frame(), Schema((Column("x", kind, scale),)))["x"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pl.Series([1, None], dtype=pl.Int8), "int"),
        (pl.Series([1, None], dtype=pl.UInt64), "int"),
        (pl.Series([5.0, None]), "int"),
        (pl.Series([1, None]), "float64"),
        (pl.Series([0.5, None], dtype=pl.Float32), "float64"),
        (pl.Series(["a", None], dtype=pl.Categorical), "string"),
        (pl.Series(["a", None], dtype=pl.Enum(["a", "b"])), "string"),
        (pl.Series([None, None]), "int"),
        (pl.Series([None, None]), "timestamp-utc"),
        (pl.Series([Decimal("1.50")]), "decimal"),
    ],
)
def test_a_value_is_the_same_however_wide_its_type(values: pl.Series, kind: LogicalType) -> None:
    """Widths and dictionaries are not part of a schema."""
    assert one(values, kind, 2 if kind == "decimal" else 0).to_list() == values.to_list()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pl.Series([2**63], dtype=pl.UInt64), "int"),
        (pl.Series([0.5]), "int"),
        (pl.Series([2**53 + 1]), "float64"),
        (pl.Series(["1"]), "int"),
        (pl.Series([1]), "string"),
        (pl.Series([1]), "bool"),
        (pl.Series([datetime(2013, 1, 1)]), "timestamp-utc"),  # noqa: DTZ001
        (pl.Series([datetime(2013, 1, 1, tzinfo=UTC)]), "timestamp"),
        (pl.Series([datetime(2013, 1, 1)]), "date"),  # noqa: DTZ001
        (pl.Series([17], dtype=pl.Int64).cast(pl.Datetime("ns")), "timestamp"),
        (pl.Series([Decimal("1.255")]), "decimal"),
    ],
)
def test_a_value_that_would_change_is_a_mismatch(values: pl.Series, kind: LogicalType) -> None:
    """Nothing is rounded, guessed or shifted."""
    with pytest.raises(SchemaMismatch, match="x"):
        one(values, kind, 2 if kind == "decimal" else 0)


def test_instants_keep_their_moment_in_any_zone_and_unit() -> None:
    """UTC, microseconds."""
    noon = pl.Series([datetime(2013, 7, 1, 12, tzinfo=UTC)]).dt.convert_time_zone("America/New_York")
    assert one(noon.cast(pl.Datetime("ns", "America/New_York")), "timestamp-utc").to_list() == [
        datetime(2013, 7, 1, 12, tzinfo=UTC)
    ]


def test_the_difference_of_columns_is_told() -> None:
    """Missing and unexpected ones by name; order does not matter."""
    schema = Schema.of({"a": "int", "b": "int"})
    assert conform(pl.DataFrame({"b": [1], "a": [2]}), schema).columns == ["a", "b"]
    with pytest.raises(SchemaMismatch, match="missing: b; unexpected: c"):
        conform(pl.DataFrame({"a": [1], "c": [2]}), schema)


@pytest.mark.parametrize("dtype", [pl.List(pl.Int64), pl.Struct({"a": pl.Int64}), pl.Duration, pl.Time])
def test_what_no_logical_type_holds_is_refused(dtype: pl.DataType) -> None:
    """The column is named."""
    with pytest.raises(BadSchema, match="'x'"):
        freeze(pl.DataFrame({"x": []}, schema={"x": dtype}).schema)


def test_a_schema_comes_back_as_it_was() -> None:
    """Its stored form is canonical JSON."""
    schema = Schema((Column("a", "decimal", 3), Column("b", "timestamp-utc")))
    assert Schema.decode(schema.encode()) == schema
    with pytest.raises(BadSchema):
        Schema.decode(b"{}")
