"""Batches on their way: kept on disk until all of them are there, because only then a column's type is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from undrift.core.errors import BadInput
from undrift.data.conform import conform
from undrift.data.schema import Schema, freeze

_LARGEST_EXACT_FLOAT = 2**53


class MixedColumn(BadInput):
    """A column holds values of two kinds, in batches far apart."""

    code = "mixed-column"


@dataclass(frozen=True, slots=True)
class Spool:
    """Batches on disk.

    Attributes
    ----------
    files : tuple of Path
        One Parquet file each, in order.
    schema : Schema
        Under which all of them can be read.
    rows : int
        Of all of them.
    """

    files: tuple[Path, ...]
    schema: Schema
    rows: int

    def batches(self, schema: Schema) -> Iterator[pl.DataFrame]:
        """Give the batches under a schema.

        Raises
        ------
        SchemaMismatch
            If their values cannot be held by it exactly.
        """
        for file in self.files:
            yield conform(pl.read_parquet(file, glob=False), schema)


def spooled(batches: Iterable[pl.DataFrame], names: Sequence[str], folder: Path) -> Spool:
    """Write batches to a folder and return them with the schema that holds all of their values.

    Parameters
    ----------
    batches : iterable of polars.DataFrame
        Batches with the same columns, each typed by itself.
    names : sequence of str
        The columns.
    folder : Path
        Where the files are made.

    Raises
    ------
    MixedColumn
        If two batches have values of different kinds in one column.
    """
    dtypes: dict[str, pl.DataType] = dict.fromkeys(names, pl.Null())
    widest: dict[str, int] = dict.fromkeys(names, 0)
    files: list[Path] = []
    rows = 0
    for batch in batches:
        for column in batch:
            dtypes[column.name] = _wider(column.name, dtypes[column.name], column.dtype)
            if column.dtype == pl.Int64:
                widest[column.name] = max(widest[column.name], _largest(column))
        files.append(folder / f"{len(files):06d}.parquet")
        batch.write_parquet(files[-1], compression="lz4")
        rows += batch.height
    for name, dtype in dtypes.items():
        if dtype == pl.Float64 and widest[name] > _LARGEST_EXACT_FLOAT:
            raise _mixed(name, "fractions and whole numbers that no float holds exactly")
    return Spool(tuple(files), freeze(dtypes), rows)


def _largest(column: pl.Series) -> int:
    low, high = column.min(), column.max()
    return max((abs(value) for value in (low, high) if isinstance(value, int)), default=0)


def _wider(name: str, before: pl.DataType, now: pl.DataType) -> pl.DataType:
    """Return the type that holds what two batches have in a column."""
    if now in (before, pl.Null()):
        return before
    if before == pl.Null:
        return now
    if isinstance(before, pl.Decimal) and isinstance(now, pl.Decimal):
        return before if before.scale >= now.scale else now
    numbers = {pl.Int64(), pl.Float64()}
    if {before, now} == numbers:
        return pl.Float64()
    if isinstance(before, pl.Decimal) and now == pl.Int64:
        return before
    if isinstance(now, pl.Decimal) and before == pl.Int64:
        return now
    raise _mixed(name, f"{before} and {now}")


def _mixed(name: str, what: str) -> MixedColumn:
    return MixedColumn(f"column {name!r} holds {what}", cure="cast the column in the query: CAST(col AS text)")
