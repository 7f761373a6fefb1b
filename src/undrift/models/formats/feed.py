"""In which form a model takes its rows: some answer otherwise, or not at all, when the form is another one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from undrift.core.errors import MissingExtra

Form: TypeAlias = Literal["polars", "numpy", "pandas"]
Category: TypeAlias = bool | int | float | str
PLAIN_DTYPES = frozenset(
    {
        *("float16", "float32", "float64", "Float32", "Float64", "bool", "boolean", "object", "str", "string"),
        *(f"{sign}nt{bits}" for sign in ("i", "ui", "I", "UI") for bits in (8, 16, 32, 64)),
        *(f"datetime64[{unit}]" for unit in ("s", "ms", "us", "ns")),
    }
)
"""pandas' types that rows are laid out in; ``category`` is the one beside them."""


class FeedColumn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one column lies in a pandas frame; ``categories`` belong to the type ``category``."""

    name: str
    dtype: str
    categories: tuple[Category, ...] = ()
    ordered: bool = False


class Feed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The form of the rows.

    Attributes
    ----------
    form : {"polars", "numpy", "pandas"}
        A frame of polars or pandas, or a matrix of numbers.
    columns : tuple of FeedColumn
        For pandas: every column in order.
    """

    form: Form
    columns: tuple[FeedColumn, ...] = ()


def feed_of(table: Any) -> Feed | None:  # Any: a pandas frame, which is not a dependency
    """Return the form of a pandas frame; None when a column is of a type that no request can be laid out in."""
    columns = tuple(_columns(table))
    return None if any(column is None for column in columns) else Feed("pandas", tuple(c for c in columns if c))


def pandas_frame(feed: Feed, columns: Mapping[str, Sequence[object]]) -> Any:  # Any: pandas is not a dependency
    """Return decoded rows as the pandas frame that a model was fitted with; unknown categories are missing.

    Raises
    ------
    MissingExtra
        If pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingExtra("pandas", "asking a model that was fitted on a pandas frame") from error

    laid = {}
    for column in feed.columns:
        values = columns[column.name]
        if column.dtype == "category":
            known = set(column.categories)
            cells = [value if value in known else None for value in values]
            laid[column.name] = pd.Series(
                pd.Categorical(cells, categories=list(column.categories), ordered=column.ordered)
            )
        else:
            laid[column.name] = pd.Series(values, dtype=column.dtype)
    return pd.DataFrame(laid)


def _columns(table: Any) -> Iterator[FeedColumn | None]:
    for name in table.columns:
        dtype = table[name].dtype
        categories = getattr(dtype, "categories", None)
        if categories is not None and str(dtype) == "category":
            found = tuple(categories.tolist())
            plain = all(isinstance(value, bool | int | float | str) for value in found)
            yield FeedColumn(str(name), "category", found, bool(dtype.ordered)) if plain else None
        else:
            yield FeedColumn(str(name), str(dtype)) if str(dtype) in PLAIN_DTYPES else None
