"""Tables in memory as polars frames: pandas, Arrow, lists of dicts.

pandas and pyarrow are never imported here: an object of theirs brings them along. No value is bent: what a
table of undrift cannot hold is refused with its column.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl

from undrift.core.errors import BadInput
from undrift.data.conform import conform
from undrift.data.schema import freeze
from undrift.data.tabular.objects import BadValue, columns_of, series_of

Table: TypeAlias = Any  # Any: a polars or pandas frame, an Arrow table or batch, or a list of dicts
_NUMPY_DTYPES = {"b", "i", "u", "f"}
_NS_PER_US = 1000


class NoNames(BadInput):
    """A table without column names cannot be matched to a model's inputs."""

    code = "no-column-names"


class BadFrame(BadInput):
    """A table in memory cannot be kept as it is; the column is named."""

    code = "bad-frame"


def as_frame(table: Table, *, keep_index: bool = True) -> pl.DataFrame:
    """Return a table in memory as a polars frame.

    Parameters
    ----------
    table : frame or list of dict
        polars (lazy, too), pandas, anything that exports Arrow, or rows by column name; a key that a row lacks
        is null there.
    keep_index : bool
        Whether the named index of a pandas frame becomes columns, in front. An index without a name that only
        counts rows is left out in any case; another one without a name is refused.

    Raises
    ------
    NoNames
        If it has no column names, such as a numpy array.
    BadFrame
        If two columns have one name, or a column holds what cannot be kept.
    """
    if isinstance(table, pl.DataFrame):
        return table
    if isinstance(table, pl.LazyFrame):
        return table.collect()
    if isinstance(table, list) and all(isinstance(row, dict) for row in table):
        return _from_columns(columns_of(table))
    from_pandas = type(table).__module__.split(".")[0] == "pandas"
    if from_pandas and hasattr(table, "columns"):
        return _from_pandas(table, keep_index=keep_index)
    if not from_pandas and (hasattr(table, "__arrow_c_stream__") or hasattr(table, "__arrow_c_array__")):
        return _from_arrow(table)
    raise NoNames(
        f"a {type(table).__name__} has no column names", cure="pass a frame, or a list of {column: value} rows"
    )


def as_table(table: Table) -> pl.DataFrame:
    """Return a table in memory as a frame whose types are those of a dataset.

    Parameters
    ----------
    table : frame or list of dict
        As for :func:`as_frame`.

    Raises
    ------
    NoNames, BadFrame
        As for :func:`as_frame`; also if moments are finer than microseconds, or it has no rows.
    BadSchema
        If a column holds what no logical type can.
    """
    frame = as_frame(table)
    if not frame.height:
        raise BadFrame("the table has no rows", cure="give a table with rows")
    for column in frame:
        if isinstance(column.dtype, pl.Datetime) and column.dtype.time_unit == "ns":
            _refuse_nanoseconds(column)
        if column.dtype == pl.UInt64 and (column > 2**63 - 1).any():
            raise BadFrame(f"column {column.name!r} holds numbers beyond 64 bits", cure="cast it to text")
    return conform(frame, freeze(frame.schema))


def write_table(table: Table, folder: Path, name: str = "table") -> Path:
    """Return a new Parquet file with a table in memory, which every command takes that takes a file.

    Parameters
    ----------
    table : frame or list of dict
        As for :func:`as_frame`.
    folder : Path
        Where the file is made.
    name : str
        Its name, without an ending.

    Raises
    ------
    NoNames, BadFrame, BadSchema
        As for :func:`as_table`; nothing is then written.
    """
    frame = as_table(table)
    path = folder / f"{name}.parquet"
    frame.write_parquet(path)
    return path


def _from_columns(columns: Mapping[str, list[Any]]) -> pl.DataFrame:  # Any: cells
    for name in columns:
        if not isinstance(name, str):
            raise BadFrame(f"{name!r} is no name of a column", cure="use texts as keys")
    try:
        return pl.DataFrame([series_of(name, _plain(values)) for name, values in columns.items()])
    except BadValue as error:
        raise BadFrame(error.message, cure=error.cure) from error


def _plain(values: list[Any]) -> list[Any]:  # Any: cells
    """Return cells as Python's own values; numpy's and pandas' scalars know how, and their NA and NaT are missing."""
    return [_cell(value) for value in values]


def _cell(value: Any) -> Any:  # Any: a cell
    kind = type(value)
    home = kind.__module__.split(".")[0]
    if home == "numpy" and hasattr(value, "item"):
        return value.item()
    if home == "pandas":
        if kind.__name__ in ("NAType", "NaTType"):
            return None
        return value.to_pydatetime() if hasattr(value, "to_pydatetime") else value
    return value


def _from_arrow(table: Any) -> pl.DataFrame:  # Any: an object that exports Arrow
    try:
        return pl.DataFrame(table)
    except (pl.exceptions.PolarsError, ValueError, TypeError) as error:
        raise BadFrame(f"the Arrow table cannot be read: {error}", cure="name its columns apart, flatten it") from error


def _from_pandas(table: Any, *, keep_index: bool) -> pl.DataFrame:  # Any: pandas is not a dependency
    if table.columns.nlevels > 1:
        raise BadFrame("the columns have names of several levels", cure="join them: frame.columns.map('_'.join)")
    columns = [*(_index(table.index) if keep_index else ()), *((str(name), table[name]) for name in _names(table))]
    names = [name for name, _ in columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadFrame(f"two columns, or a column and the index, are called {twice!r}", cure="rename one of them")
    return pl.DataFrame([_column(name, values) for name, values in columns])


def _names(table: Any) -> list[Any]:  # Any: pandas is not a dependency
    if not table.columns.is_unique:
        twice = table.columns[table.columns.duplicated()][0]
        raise BadFrame(f"two columns are called {str(twice)!r}", cure="rename one of them")
    return list(table.columns)


def _index(index: Any) -> list[tuple[str, Any]]:  # Any: pandas is not a dependency
    if all(name is not None for name in index.names):
        return [(str(name), index.get_level_values(level).to_series()) for level, name in enumerate(index.names)]
    if index.nlevels == 1 and index.dtype.kind in "iu":
        return []
    raise BadFrame(
        "the index has no name and does more than count the rows",
        cure='name it to keep it: frame.rename_axis("name"), or drop it: frame.reset_index(drop=True)',
    )


def _column(name: str, values: Any) -> pl.Series:  # Any: a pandas series
    """Return a column; NaN is missing, as it is in pandas."""
    dtype = values.dtype
    if getattr(dtype, "kind", "O") in _NUMPY_DTYPES and type(dtype).__module__.startswith("numpy"):
        return pl.Series(name, values.to_numpy(), nan_to_null=True)
    if type(dtype).__name__ == "CategoricalDtype":
        return _column(name, values.astype(dtype.categories.dtype if not values.isna().any() else "object"))
    if type(dtype).__name__ == "ArrowDtype":
        return pl.Series(name, values.array.__arrow_array__())
    if dtype.kind == "M":
        return _moments(name, values)
    if dtype.kind == "m" or type(dtype).__name__ in ("PeriodDtype", "IntervalDtype"):
        raise BadFrame(f"column {name!r} is of type {dtype}, which cannot be kept", cure="write it as numbers or text")
    missing = values.isna().tolist()
    cells = [None if gone else value for gone, value in zip(missing, values.tolist(), strict=True)]
    return _from_columns({name: cells}).to_series()


def _moments(name: str, values: Any) -> pl.Series:  # Any: a pandas series
    zone = getattr(values.dtype, "tz", None)
    unit = getattr(values.dtype, "unit", "ns")
    plain = values.dt.tz_convert("UTC").dt.tz_localize(None) if zone is not None else values
    wanted = "us" if unit == "s" else unit
    series = pl.Series(name, plain.to_numpy().astype(f"datetime64[{wanted}]"))
    return series.dt.replace_time_zone("UTC") if zone is not None else series


def _refuse_nanoseconds(column: pl.Series) -> None:
    if (column.to_physical() % _NS_PER_US != 0).any():
        raise BadFrame(
            f"column {column.name!r} holds moments finer than a microsecond", cure='round it: .dt.round("us")'
        )
