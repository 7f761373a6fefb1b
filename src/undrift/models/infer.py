"""Input columns read off a training frame. Needs polars, so the scoring process never imports it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never, cast

import polars as pl

from undrift.core.errors import BadInput
from undrift.models.signature import Columns, ColumnType, InputColumn, Role, Value


class UnsupportedColumn(BadInput):
    """A column's type cannot be asked of a served model."""

    code = "unsupported-column"


def infer_inputs(frame: pl.DataFrame, roles: Mapping[str, Role] | None = None) -> tuple[InputColumn, ...]:
    """Return the input columns of a frame of features.

    Parameters
    ----------
    frame : polars.DataFrame
        The features that a model was fitted with, and nothing else.
    roles : mapping of str to str, optional
        Roles of columns that are not plain features.

    Raises
    ------
    UnsupportedColumn
        For lists, structs, binaries and the like.
    """
    given = roles or {}
    return tuple(
        InputColumn(name, _type_of(name, dtype), _has_gaps(frame[name]), given.get(name, "feature"))
        for name, dtype in frame.schema.items()
    )


def columns_of(frame: pl.DataFrame, inputs: Sequence[InputColumn]) -> Columns:
    """Return a frame's columns as decoded rows hold them: Python values; NaN and what is infinite as None.

    Raises
    ------
    UnsupportedColumn
        If a column cannot be read as the input's type.
    """
    return {column.name: _values(frame[column.name], column) for column in inputs}


def _type_of(name: str, dtype: pl.DataType) -> ColumnType:
    if dtype.is_float() or dtype.is_decimal():
        return "float"
    if dtype.is_integer():
        return "int"
    if dtype == pl.Boolean:
        return "bool"
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return "string"
    if dtype == pl.Date:
        return "date"
    if dtype == pl.Datetime:
        return "datetime"
    raise UnsupportedColumn(
        f"column {name!r} has the type {dtype}, which cannot be asked for in a request",
        cure="turn it into numbers, texts or dates before training, or leave it out",
    )


def _has_gaps(series: pl.Series) -> bool:
    gaps = series.null_count()
    if series.dtype.is_float():
        gaps += int(cast("int", series.is_nan().sum()))
    return gaps > 0


def _values(series: pl.Series, column: InputColumn) -> list[Value]:
    try:
        return _typed(series, column).to_list()
    except (pl.exceptions.PolarsError, ValueError, OverflowError) as error:
        raise UnsupportedColumn(
            f"column {column.name!r} has the type {series.dtype} here, and the model asks for {column.type}",
            cure="give the column its former type back, or retire the model",
        ) from error


def _typed(series: pl.Series, column: InputColumn) -> pl.Series:
    match column.type:
        case "float":
            numbers = series.cast(pl.Float64)
            return numbers.set(~numbers.is_finite(), None)
        case "int":
            return series.fill_nan(None) if series.dtype.is_float() else series.cast(pl.Int64)
        case "bool":
            return series.cast(pl.Boolean)
        case "string":
            return series.cast(pl.String)
        case "date":
            return series.cast(pl.Date)
        case "datetime":
            if getattr(series.dtype, "time_zone", None):
                series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
            return series.cast(pl.Datetime("us"))
        case _:
            assert_never(column.type)
