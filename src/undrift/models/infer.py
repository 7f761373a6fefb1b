"""Input columns read off a training frame. Needs polars, so the scoring process never imports it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

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
    """Return a frame's columns as decoded rows hold them: Python values, NaN as None."""
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
    match column.type:
        case "float":
            series = series.cast(pl.Float64).fill_nan(None)
        case "string":
            series = series.cast(pl.String)
        case "datetime":
            if getattr(series.dtype, "time_zone", None):
                series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
            series = series.dt.cast_time_unit("us")
        case _:
            pass
    return series.to_list()
