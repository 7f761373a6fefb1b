"""Which engine runs a check: polars in memory, DuckDB where a table is larger than a share of it."""

from __future__ import annotations

import os
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, TypeAlias

import polars as pl

from undrift.data.quality import duckdb_engine, polars_engine
from undrift.data.quality.plan import Answers, Plan

EngineName: TypeAlias = Literal["auto", "polars", "duckdb"]
# A Parquet file, or what polars reads lazily.
Source: TypeAlias = Path | pl.LazyFrame
_SHARE = 0.25
_MOST = 0.5
_UNPACKED = 5  # a Parquet file in memory, compared with the file


def run(source: Source, plan: Plan, engine: EngineName, memory_limit: int | None = None) -> Answers:
    """Return what a plan asks of a table.

    Parameters
    ----------
    source : Path or polars.LazyFrame
        A Parquet file, or a table; DuckDB is given a table through a temporary file.
    plan : Plan
        What is asked.
    engine : {"auto", "polars", "duckdb"}
        Who answers; ``auto`` decides by the size of a file.
    memory_limit : int, optional
        Bytes that DuckDB may use, by default half of what is free.

    Raises
    ------
    MissingExtra
        If DuckDB is asked for and not installed.
    """
    if engine == "polars" or (engine == "auto" and not _is_large(source)):
        return polars_engine.run(lazy(source), plan)
    limit = int(_free_bytes() * _MOST) if memory_limit is None else memory_limit
    if isinstance(source, Path):
        return duckdb_engine.run(source, plan, limit)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table.parquet")
        source.sink_parquet(path)
        return duckdb_engine.run(path, plan, limit)


def lazy(source: Source) -> pl.LazyFrame:
    """Return a table as polars reads it."""
    return pl.scan_parquet(source, glob=False) if isinstance(source, Path) else source


def _is_large(source: Source) -> bool:
    """Say whether a file, unpacked, would take more than a share of the memory that is free."""
    if not isinstance(source, Path) or find_spec("duckdb") is None:
        return False
    return source.stat().st_size * _UNPACKED > _free_bytes() * _SHARE


def _free_bytes() -> int:
    """Return the memory that can be had: pages of files that the system keeps are given up for it."""
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        for line in meminfo.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
