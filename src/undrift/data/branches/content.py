"""What a merge would make: files of both sides and, where files conflict, rows of both; nothing is stored by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from undrift.blobs.store import BlobStore
from undrift.blobs.storing import store_files
from undrift.core.scratch import scratch
from undrift.data import parts
from undrift.data.as_table import parquet_path
from undrift.data.branches.columns import merge_schemas
from undrift.data.branches.conflicts import NO_CONFLICTS, Conflicts, Side
from undrift.data.branches.files import merge_files
from undrift.data.branches.rows import RowMerge, Rows, Rule, merge_rows
from undrift.data.diff import BadKey
from undrift.data.manifest import Manifest, Part
from undrift.data.paths import check_path
from undrift.data.schema import Schema, SchemaMismatch
from undrift.data.sources import free_path, store_frame
from undrift.data.stored import StoredVersions
from undrift.data.table_digest import TableHasher
from undrift.data.table_writer import can_share, write_shareable
from undrift.data.tabular.text_file import BadTable
from undrift.data.versions import DatasetVersion, NotATable


@dataclass(frozen=True, slots=True)
class Sides:
    """The three versions that a merge is made of."""

    base: DatasetVersion
    ours: DatasetVersion
    theirs: DatasetVersion


@dataclass(frozen=True, slots=True)
class Content:
    """Files and rows of a version that is not made yet.

    Attributes
    ----------
    before, after : tuple of Part
        Stored files, before and behind the rows.
    rows : RowMerge or None
        Rows that will be one file; None when all files are stored already.
    path : str
        The path of that file.
    schema : Schema or None
        Under which all of it is read.
    conflicts : Conflicts
        What both sides changed in different ways.
    """

    before: tuple[Part, ...]
    after: tuple[Part, ...] = ()
    rows: RowMerge | None = None
    path: str = ""
    schema: Schema | None = None
    conflicts: Conflicts = NO_CONFLICTS

    def scan(self, blobs: BlobStore, schema: Schema) -> pl.LazyFrame:
        """Return a lazy reader of all rows, in their order."""
        pieces = [parts.scan(blobs, Manifest(self.before), schema)] if self.before else []
        pieces += [self.rows.frame.lazy()] if self.rows is not None else []
        pieces += [parts.scan(blobs, Manifest(self.after), schema)] if self.after else []
        return pl.concat(pieces) if pieces else pl.LazyFrame(schema=schema.dtypes)

    def batches(self, blobs: BlobStore, schema: Schema) -> Iterator[pl.DataFrame]:
        """Give all rows, in their order, file by file."""
        yield from parts.batches(blobs, Manifest(self.before), schema)
        if self.rows is not None:
            yield self.rows.frame
        yield from parts.batches(blobs, Manifest(self.after), schema)

    def store(self, blobs: BlobStore, folder: Path) -> tuple[Manifest, int]:
        """Store what is not stored yet and return all files, and how many bytes were new.

        Rows are written for sharing where that can be done: a merge of few rows then stores little of a long table.
        """
        if self.rows is None:
            return Manifest((*self.before, *self.after)), 0
        if can_share():
            with scratch(folder) as room:
                file = room / "merged.parquet"
                write_shareable([self.rows.frame], file, TableHasher(Schema(self.rows.columns)))
                stored = store_files(blobs, [file])
            part, added_bytes = Part(check_path(self.path), stored.contents[0]), stored.added_bytes
        else:
            made = store_frame(blobs, self.rows.frame, self.path)
            part, added_bytes = made.parts[0], made.added_bytes
        return Manifest((*self.before, part, *self.after)), added_bytes


def merged(stored: StoredVersions, sides: Sides, rule: Rule) -> Content:
    """Return what three versions make up.

    Parameters
    ----------
    stored : StoredVersions
        The versions.
    sides : Sides
        The three.
    rule : Rule
        How.

    Raises
    ------
    BytesGone, BlobMissing, BlobCorrupt
        If bytes are not there or not right.
    NotATable, BadKey, SchemaMismatch
        If rows are to be merged and cannot be, or files of both sides do not go together.
    UnsafePath
        If files of both sides would be one file where case is ignored.
    """
    manifests = tuple(stored.manifest(one) for one in (sides.base, sides.ours, sides.theirs))
    by_files = _by_files(sides, manifests, rule.take)
    if not rule.key:
        return by_files
    for one in (sides.base, sides.ours, sides.theirs):
        stored.schema(one)
    if not by_files.conflicts.total and _is_whole(stored.blobs, by_files, rule.key):
        return by_files
    return _by_rows(stored, sides, manifests, rule)


def count_rows(blobs: BlobStore, content: Content, ours: DatasetVersion, held: Manifest) -> int | None:
    """Return how many rows there are; files that our side has, too, are not read again where nothing was erased.

    Parameters
    ----------
    blobs : BlobStore
        The store.
    content : Content
        What is counted.
    ours : DatasetVersion
        The newest version of the target, whose rows are known.
    held : Manifest
        Its files.

    Raises
    ------
    SchemaMismatch, BadTable
        If a file cannot be read under the schema.
    """
    schema = content.schema
    if schema is None:
        return None
    if schema != ours.schema or ours.rows is None or not blobs.tombstones.is_empty():
        return sum(batch.height for batch in content.batches(blobs, schema))
    kept, was = (Counter(one.contents.digest for one in group) for group in (_stored(content), held.parts))
    come, gone = kept - was, was - kept
    rows = ours.rows + (content.rows.frame.height if content.rows is not None else 0)
    rows += sum(_height(blobs, part, schema) for part in _each(_stored(content), come))
    return rows - sum(_height(blobs, part, schema) for part in _each(held.parts, gone))


def _by_files(sides: Sides, manifests: Sequence[Manifest], take: Side | None) -> Content:
    base, ours, theirs = manifests
    is_table = sides.ours.is_table and sides.theirs.is_table
    files = merge_files(base, ours, theirs, take=take, is_table=is_table)
    schema = merge_schemas(sides.base.schema, sides.ours.schema, sides.theirs.schema, take)
    conflicts = Conflicts.of(files.conflicts) + Conflicts.of(schema.conflicts)
    return Content(Manifest(files.parts).parts, schema=schema.schema, conflicts=conflicts)


def _by_rows(stored: StoredVersions, sides: Sides, manifests: Sequence[Manifest], rule: Rule) -> Content:
    """Merge the rows of all files but for those that all three have and read in the same way."""
    schemas = [stored.schema(one) for one in (sides.base, sides.ours, sides.theirs)]
    shared: set[str] = set()
    if schemas[0] == schemas[1] == schemas[2]:
        shared = set.intersection(*({part.contents.digest for part in one.parts} for one in manifests))
    pools = [tuple(part for part in one.parts if part.contents.digest not in shared) for one in manifests]
    base, ours, theirs = (
        Rows(_read(stored.blobs, pool, schema), schema) for pool, schema in zip(pools, schemas, strict=True)
    )
    rows = merge_rows(base, ours, theirs, rule)
    before, after = _around(manifests[1], {part.path for part in pools[1]})
    named = (pools[1] or pools[2] or pools[0])[0].path
    schema = Schema(rows.columns, schemas[1].csv)
    path = free_path(Manifest((*before, *after)), parquet_path(named))
    content = Content(before, after, rows, path, schema, rows.conflicts)
    if shared and _names_several(content.scan(stored.blobs, schema), rule.key):
        raise BadKey(f"{', '.join(rule.key)} names several rows of what is merged", cure="name more columns")
    return content


def _around(ours: Manifest, pooled: set[str]) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Return the files that stand before the first one whose rows were merged, and those behind it."""
    first = next((at for at, part in enumerate(ours.parts) if part.path in pooled), len(ours.parts))
    kept = [(at, part) for at, part in enumerate(ours.parts) if part.path not in pooled]
    return tuple(part for at, part in kept if at < first), tuple(part for at, part in kept if at > first)


def _read(blobs: BlobStore, pool: Sequence[Part], schema: Schema) -> pl.DataFrame:
    return parts.read(blobs, Manifest(tuple(pool)), schema) if pool else pl.DataFrame(schema=schema.dtypes)


def _names_several(rows: pl.LazyFrame, key: Sequence[str]) -> bool:
    return bool(rows.select(pl.struct(key).is_duplicated().any()).collect().item())


def _is_whole(blobs: BlobStore, content: Content, key: Sequence[str]) -> bool:
    """Say whether files of both sides are one table in which the key names each row."""
    if content.schema is None or not set(key) <= set(content.schema.names):
        return False
    try:
        return not _names_several(content.scan(blobs, content.schema), key)
    except (SchemaMismatch, BadTable):  # files of one side do not have the columns of the other: their rows may
        return False


def _stored(content: Content) -> tuple[Part, ...]:
    return (*content.before, *content.after)


def _each(found: Sequence[Part], counts: Counter[str]) -> Iterator[Part]:
    """Give files, each as often as is said."""
    left = counts.copy()
    for part in found:
        if left[part.contents.digest] > 0:
            left[part.contents.digest] -= 1
            yield part


def _height(blobs: BlobStore, part: Part, schema: Schema) -> int:
    return parts.read_part(blobs, part, schema).height


def need_table(version: DatasetVersion) -> Schema:
    """Return the schema of a version that is to be checked.

    Raises
    ------
    NotATable
        If it has none.
    """
    if version.schema is None:
        raise NotATable(f"{version.ref} has no frozen schema, so it cannot be checked", cure="--no-check")
    return version.schema
