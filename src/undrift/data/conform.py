"""Bringing a typed table to the types of a schema, without changing a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from undrift.data.schema import Column, LogicalType, Schema, SchemaMismatch, difference, logical_type

_LARGEST_EXACT_FLOAT = 2**53
_NS_PER_US = 1000


def check_columns(schema: Schema, found: Mapping[str, str]) -> None:
    """Check that a table has exactly the columns of a schema, in any order.

    Raises
    ------
    SchemaMismatch
        If it does not; the message tells the difference.
    """
    if set(found) != set(schema.names):
        raise _mismatch(difference(schema, found))


def conform(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """Return a table with the columns, order and types of a schema and the same values.

    Parameters
    ----------
    frame : polars.DataFrame
        A typed table, for instance from Parquet.
    schema : Schema
        The schema to have.

    Raises
    ------
    SchemaMismatch
        If columns are missing or unexpected, or a value cannot be held exactly by its type.
    """
    found = {name: logical_type(name, dtype) for name, dtype in frame.schema.items()}
    check_columns(schema, found)
    return pl.DataFrame([_conformed(frame.get_column(column.name), column) for column in schema.columns])


def _conformed(values: pl.Series, column: Column) -> pl.Series:
    if values.dtype == column.dtype:
        return values
    if values.dtype == pl.Null:
        return values.cast(column.dtype)
    converted = _CONVERSIONS[column.type](values, column)
    if converted is None:
        raise _mismatch(f"changed: {column.name} ({column.type} -> {logical_type(column.name, values.dtype)})")
    return converted


def _mismatch(what: str) -> SchemaMismatch:
    return SchemaMismatch(
        f"the table does not have the frozen schema; {what}",
        cure="deliver the columns and types of the schema, or start another dataset",
    )


def _exactly(values: pl.Series, dtype: pl.DataType) -> pl.Series | None:
    """Return the values in another type if casting them back gives them again."""
    converted = values.cast(dtype, strict=False)
    back = converted.cast(values.dtype, strict=False)
    return converted if back.equals(values) else None


def _ints(values: pl.Series, column: Column) -> pl.Series | None:
    return _exactly(values, column.dtype) if values.dtype.is_numeric() else None


def _floats(values: pl.Series, column: Column) -> pl.Series | None:
    if values.dtype.is_float():
        return values.cast(column.dtype)
    if not values.dtype.is_integer():
        return None
    inside = values.is_between(-_LARGEST_EXACT_FLOAT, _LARGEST_EXACT_FLOAT).all()
    return values.cast(column.dtype) if inside else None


def _decimals(values: pl.Series, column: Column) -> pl.Series | None:
    if not (isinstance(values.dtype, pl.Decimal) or values.dtype.is_integer()):
        return None
    return _exactly(values, column.dtype)


def _texts(values: pl.Series, column: Column) -> pl.Series | None:
    return values.cast(column.dtype) if isinstance(values.dtype, pl.Categorical | pl.Enum) else None


def _moments(values: pl.Series, column: Column) -> pl.Series | None:
    dtype = values.dtype
    if not isinstance(dtype, pl.Datetime) or (dtype.time_zone is None) != (column.type == "timestamp"):
        return None
    if dtype.time_unit == "ns" and (values.to_physical() % _NS_PER_US != 0).any():
        return None
    return (
        values.cast(column.dtype) if dtype.time_zone is None else values.dt.convert_time_zone("UTC").cast(column.dtype)
    )


def _never(_: pl.Series, __: Column) -> pl.Series | None:
    return None


_CONVERSIONS: Mapping[LogicalType, Callable[[pl.Series, Column], pl.Series | None]] = {
    "bool": _never,
    "int": _ints,
    "float64": _floats,
    "decimal": _decimals,
    "string": _texts,
    "bytes": _never,
    "date": _never,
    "timestamp": _moments,
    "timestamp-utc": _moments,
}
