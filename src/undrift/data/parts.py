"""The rows of a version: its parts, read one after the other under its schema."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import polars as pl

from undrift.blobs.contents import materialise, single_path
from undrift.blobs.store import BlobStore
from undrift.data import csv_text, csv_types, table_files
from undrift.data.csv_text import BadTable
from undrift.data.manifest import Manifest, Part
from undrift.data.schema import Schema, SchemaMismatch
from undrift.data.table_files import Reading, TableFormat, format_of
from undrift.data.versions import NotATable

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Frozen:
    """The schema of a table and how many rows it has."""

    schema: Schema
    rows: int


def is_table(manifest: Manifest) -> bool:
    """Say whether all files are, by their names, parts of a table."""
    return all(format_of(part.path) for part in manifest.parts)


def freeze(blobs: BlobStore, manifest: Manifest, schema: Schema | None = None) -> Frozen:
    """Return the schema of a table's parts, and their rows.

    Parameters
    ----------
    blobs : BlobStore
        Where the bytes are.
    manifest : Manifest
        The parts.
    schema : Schema, optional
        The schema they must have; by default it is read from Parquet, inferred from all CSV cells.

    Raises
    ------
    NotATable
        If a file is not one of a table.
    BadTable, SchemaMismatch
        If a part cannot be read, or not under the schema.
    """
    _check_table(manifest)
    if schema is None and len(manifest.parts) == 1:
        part = manifest.parts[0]
        with part_path(blobs, part) as path:
            return Frozen(*_named(part, lambda: table_files.infer_schema(path, _format(part))))
    schema = schema or _common_schema(blobs, manifest)
    return Frozen(schema, sum(read_part(blobs, part, schema).height for part in manifest.parts))


def read(blobs: BlobStore, manifest: Manifest, schema: Schema) -> pl.DataFrame:
    """Return all rows, from verified bytes.

    Raises
    ------
    BlobMissing, BlobCorrupt
        If a part's bytes are not there or not right.
    """
    return pl.concat([read_part(blobs, part, schema) for part in manifest.parts])


def batches(blobs: BlobStore, manifest: Manifest, schema: Schema) -> Iterator[pl.DataFrame]:
    """Give the rows part by part."""
    for part in manifest.parts:
        yield read_part(blobs, part, schema)


def scan(blobs: BlobStore, manifest: Manifest, schema: Schema) -> pl.LazyFrame:
    """Return a lazy reader of all rows; bytes are verified now, not when it is collected."""
    return pl.concat([_scan_part(blobs, part, schema) for part in manifest.parts])


def read_part(blobs: BlobStore, part: Part, schema: Schema) -> pl.DataFrame:
    """Return the rows of one part."""
    with part_path(blobs, part) as path:
        return _named(part, lambda: table_files.read(path, _format(part), schema))


def read_part_with_faults(blobs: BlobStore, part: Part, schema: Schema) -> Reading:
    """Return the rows of one part, with the cells that could not be read."""
    with part_path(blobs, part) as path:
        return _named(part, lambda: table_files.read_with_faults(path, _format(part), schema))


@contextmanager
def part_path(blobs: BlobStore, part: Part) -> Iterator[Path]:
    """Give a verified file with the part's bytes: the object itself when it is one piece."""
    single = single_path(blobs, part.contents)
    if single is not None:
        yield single
        return
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, "part")
        materialise(blobs, part.contents, whole)
        yield whole


def _check_table(manifest: Manifest) -> None:
    for part in manifest.parts:
        if format_of(part.path) is None:
            raise NotATable(
                f"{part.path!r} is not a table", cure="tables are .csv, .tsv and .parquet files of one schema"
            )


def _format(part: Part) -> TableFormat:
    found = format_of(part.path)
    if found is None:
        raise NotATable(f"{part.path!r} is not a table", cure="tables are .csv, .tsv and .parquet files")
    return found


def _common_schema(blobs: BlobStore, manifest: Manifest) -> Schema:
    """Return the schema of the first Parquet part, else the one inferred from the cells of all parts."""
    for part in manifest.parts:
        if _format(part) == "parquet":
            with part_path(blobs, part) as path:
                return table_files.infer_schema(path, "parquet")[0]
    texts = [_texts(blobs, part) for part in manifest.parts]
    for frame, part in zip(texts, manifest.parts, strict=True):
        if set(frame.columns) != set(texts[0].columns):
            raise SchemaMismatch(
                f"{manifest.parts[0].path!r} and {part.path!r} have different columns",
                cure="add them as two datasets, or without freezing a schema",
            )
    return csv_types.infer(pl.concat([frame.select(texts[0].columns) for frame in texts]))


def _texts(blobs: BlobStore, part: Part) -> pl.DataFrame:
    with part_path(blobs, part) as path:
        return _named(part, lambda: csv_text.read_text(path, "\t" if _format(part) == "tsv" else ","))


def _scan_part(blobs: BlobStore, part: Part, schema: Schema) -> pl.LazyFrame:
    single = single_path(blobs, part.contents)
    if single is not None and _format(part) == "parquet":
        lazy = table_files.scan_parquet(single, schema)
        if lazy is not None:
            return lazy
    return read_part(blobs, part, schema).lazy()


def _named(part: Part, action: Callable[[], _T]) -> _T:
    """Do something with a part; an error about its content names it."""
    try:
        return action()
    except (BadTable, SchemaMismatch) as error:
        raise type(error)(f"{part.path}: {error.message}", cure=error.cure, path=part.path, **error.fields) from error
