"""The rows of a version: its parts, read one after the other under its schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias, TypeVar

import polars as pl

from undrift.blobs.assembly import verified_path
from undrift.blobs.store import BlobStore
from undrift.data.damage import told_of
from undrift.data.manifest import Manifest, Part
from undrift.data.schema import Schema, SchemaMismatch
from undrift.data.tabular import table_files, text_tables
from undrift.data.tabular.delimiters import AmbiguousDelimiter
from undrift.data.tabular.reading import NOTHING_SAID, AmbiguousDates, AmbiguousNumbers, Reading
from undrift.data.tabular.table_files import TABLE_ENDINGS, Rows, TableFormat, format_of
from undrift.data.tabular.text_file import BadTable
from undrift.data.tabular.text_tables import TextTable
from undrift.data.versions import NotATable

_T = TypeVar("_T")
Files: TypeAlias = Callable[[Part], AbstractContextManager[Path]]


@dataclass(frozen=True, slots=True)
class Frozen:
    """The schema of a table and how many rows it has."""

    schema: Schema
    rows: int


def is_table(manifest: Manifest) -> bool:
    """Say whether all files are, by their names, parts of a table."""
    return all(format_of(part.path) for part in manifest.parts)


@dataclass(frozen=True, slots=True)
class Wanted:
    """How parts are to be read when they get a schema.

    Attributes
    ----------
    schema : Schema or None
        The schema they must have; by default it is read from Parquet, inferred from all CSV cells.
    reading : Reading
        What the caller says of the files.
    before : Schema or None
        The schema of the version before, which decides what cells leave open.
    """

    schema: Schema | None = None
    reading: Reading = NOTHING_SAID
    before: Schema | None = None


def stored_files(blobs: BlobStore) -> Files:
    """Return what gives the verified file of a stored part."""
    return lambda part: nullcontext(part_path(blobs, part))


def freeze(files: Files, manifest: Manifest, wanted: Wanted) -> Frozen:
    """Return the schema of a table's parts, and their rows.

    Parameters
    ----------
    files : callable
        Gives the file of a part.
    manifest : Manifest
        The parts.
    wanted : Wanted
        How they are to be read.

    Raises
    ------
    NotATable
        If a file is not one of a table.
    BadTable, SchemaMismatch
        If a part cannot be read, or not under the schema.
    AmbiguousDates, AmbiguousNumbers, AmbiguousDelimiter
        If it can be read in two ways.
    """
    _check_table(manifest)
    if wanted.schema is not None:
        return _under(files, manifest, wanted.schema)
    if len(manifest.parts) == 1:
        part = manifest.parts[0]
        with files(part) as path:
            return Frozen(
                *_named(part, lambda: table_files.infer_schema(path, _format(part), wanted.reading, wanted.before))
            )
    return _under(files, manifest, _common_schema(files, manifest, wanted))


def _under(files: Files, manifest: Manifest, schema: Schema) -> Frozen:
    """Return the schema, with the encoding of a part that has another one than those before, and the rows."""
    rows, fallback = 0, schema.csv.fallback
    for part in manifest.parts:
        with files(part) as path:
            counted = table_files.count_rows(path, schema) if _format(part) == "parquet" else None
            if counted is not None:
                rows += counted
                continue
            found = _named(part, lambda path=path, part=part: _whole(path, part, schema))  # type: ignore[misc]
        rows += found.frame.height
        fallback = fallback or found.fallback
    return Frozen(replace(schema, csv=replace(schema.csv, fallback=fallback)), rows)


def _whole(path: Path, part: Part, schema: Schema) -> Rows:
    rows = table_files.read_with_faults(path, _format(part), schema)
    table_files.refuse_faults(rows)
    return rows


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
    return pl.concat([scan_part(blobs, part, schema) for part in manifest.parts])


def read_part(blobs: BlobStore, part: Part, schema: Schema) -> pl.DataFrame:
    """Return the rows of one part; none when all were erased."""
    path = part_path(blobs, part)
    if not path.stat().st_size and blobs.left_of(part.contents.digest) != part.contents.digest:
        return pl.DataFrame(schema=schema.dtypes)
    return _named(part, lambda: table_files.read(path, _format(part), schema))


def read_part_with_faults(blobs: BlobStore, part: Part, schema: Schema) -> Rows:
    """Return the rows of one part, with the cells that could not be read."""
    path = part_path(blobs, part)
    return _named(part, lambda: table_files.read_with_faults(path, _format(part), schema))


def part_path(blobs: BlobStore, part: Part) -> Path:
    """Return a verified, read-only file with the part's bytes.

    Raises
    ------
    BlobMissing, BlobCorrupt
        If they are not there or not right; the error names the part.
    """
    with told_of(part.path):
        return verified_path(blobs, part.contents)


def _check_table(manifest: Manifest) -> None:
    for part in manifest.parts:
        if format_of(part.path) is None:
            raise NotATable(f"{part.path!r} is not a table", cure=f"tables are {TABLE_ENDINGS} files of one schema")


def _format(part: Part) -> TableFormat:
    found = format_of(part.path)
    if found is None:
        raise NotATable(f"{part.path!r} is not a table", cure=f"tables are {TABLE_ENDINGS} files")
    return found


def _common_schema(files: Files, manifest: Manifest, wanted: Wanted) -> Schema:
    """Return the schema of the first Parquet part, else of all JSON lines, else of the cells of all parts."""
    for part in manifest.parts:
        if _format(part) == "parquet":
            with files(part) as path:
                return table_files.infer_schema(path, "parquet", wanted.reading, wanted.before)[0]
    json = [part for part in manifest.parts if _format(part) == "jsonl"]
    chosen = json or manifest.parts  # a key that no JSON line has is a column of nulls
    texts = [_cells(files, part, wanted.reading) for part in chosen]
    first = text_tables.names_of(texts[0])
    for text, part in zip(texts, chosen, strict=True):
        if not json and set(text_tables.names_of(text)) != set(first):
            raise SchemaMismatch(
                f"{chosen[0].path!r} and {part.path!r} have different columns",
                cure="add them as two datasets, or without freezing a schema",
            )
    return text_tables.infer_from(texts, wanted.reading, wanted.before)[0]


def _cells(files: Files, part: Part, reading: Reading) -> TextTable:
    kind = _format(part)
    if kind == "parquet":
        raise AssertionError(f"{part.path} is no text")
    with files(part) as path:
        return _named(part, lambda: text_tables.read_cells(path, kind, reading))


def scan_part(blobs: BlobStore, part: Part, schema: Schema) -> pl.LazyFrame:
    """Return a lazy reader of the rows of one part; its bytes are verified now."""
    if _format(part) == "parquet":
        lazy = table_files.scan_parquet(part_path(blobs, part), schema)
        if lazy is not None:
            return lazy
    return read_part(blobs, part, schema).lazy()


def _named(part: Part, action: Callable[[], _T]) -> _T:
    """Do something with a part; an error about its content names it."""
    try:
        return action()
    except (BadTable, SchemaMismatch, AmbiguousDates, AmbiguousNumbers, AmbiguousDelimiter) as error:
        raise type(error)(f"{part.path}: {error.message}", cure=error.cure, path=part.path, **error.fields) from error
