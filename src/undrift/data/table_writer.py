"""Tables as Parquet files: written from batches in bounded memory, and in a way that a later version can share."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from undrift.core.errors import MissingExtra
from undrift.data.row_groups import row_groups
from undrift.data.table_digest import TableHasher

BATCH_ROWS = 1 << 17


def can_share() -> bool:
    """Say whether tables can be written for sharing: it needs pyarrow."""
    return importlib.util.find_spec("pyarrow") is not None


def check_shareable() -> None:
    """Check that tables can be written for sharing, before anything slow is done.

    Raises
    ------
    MissingExtra
        If pyarrow is not installed.
    """
    if not can_share():
        raise MissingExtra("tables", "keeping a table as Parquet for sharing")


def write_shareable(batches: Iterable[pl.DataFrame], path: Path, hasher: TableHasher) -> None:
    """Write a table so that versions which differ in few rows share most of their bytes.

    Parameters
    ----------
    batches : iterable of polars.DataFrame
        The rows, exactly under the hasher's schema.
    path : Path
        The file to make.
    hasher : TableHasher
        Takes the rows, too.

    Raises
    ------
    MissingExtra
        If pyarrow is not installed.
    """
    check_shareable()
    import pyarrow.parquet as pq

    with pq.ParquetWriter(path, _arrow(pl.DataFrame(schema=hasher.schema.dtypes)).schema, **_OPTIONS) as writer:
        for group in row_groups(_hashed(batches, hasher)):
            writer.write_table(_arrow(group), row_group_size=group.height)


def write_plain(batches: Iterable[pl.DataFrame], path: Path, hasher: TableHasher, folder: Path) -> None:
    """Write a table as Parquet without pyarrow.

    Parameters
    ----------
    batches : iterable of polars.DataFrame
        The rows, exactly under the hasher's schema.
    path : Path
        The file to make.
    hasher : TableHasher
        Takes the rows, too.
    folder : Path
        For batches on their way.
    """
    files: list[Path] = []
    for number, batch in enumerate(batches):
        hasher.update(batch)
        files.append(folder / f"{number:06d}.plain.parquet")
        batch.write_parquet(files[-1], compression="lz4", statistics=False)
    lazy = pl.scan_parquet(files, glob=False) if files else pl.LazyFrame(schema=hasher.schema.dtypes)
    lazy.sink_parquet(path, compression="zstd", statistics=True, row_group_size=BATCH_ROWS, maintain_order=True)
    for file in files:
        file.unlink()


def _hashed(batches: Iterable[pl.DataFrame], hasher: TableHasher) -> Iterator[pl.DataFrame]:
    for batch in batches:
        hasher.update(batch)
        yield batch


def _arrow(frame: pl.DataFrame) -> Any:  # Any: pyarrow ships no types
    """Return a group in one piece: the writer looks at its dictionaries after each piece, which shows in the bytes."""
    return frame.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())


# pyarrow's content-defined pages are left off: their state runs on over the ends of row groups, so that after an
# inserted row no group is the same again (measured: 23 % new bytes in place of 11 %). Dictionaries are a quarter of the
# usual size: a group is small, and a column of distinct values only grows by one.
_OPTIONS: dict[str, Any] = {  # Any: pyarrow's own keywords
    "compression": "zstd",
    "compression_level": 3,
    "dictionary_pagesize_limit": 1 << 18,
    "store_schema": False,
}
