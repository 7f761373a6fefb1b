"""What lies between two versions: in files, in columns, in rows. No cell is ever told, only how many differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from undrift.core.errors import BadInput
from undrift.core.json import JSON
from undrift.data import parts
from undrift.data.manifest import Manifest, Part
from undrift.data.schema import Schema, SchemaDiff, compare
from undrift.data.stored import StoredVersions
from undrift.data.versions import DatasetVersion

_COUNT, _OTHER = "\x1fcount", "\x1fother"


class BadKey(BadInput):
    """Columns that are to name rows do not."""

    code = "bad-key"


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What became of files.

    Attributes
    ----------
    added, removed, changed : tuple of str
        Paths.
    moved : tuple of (str, str)
        Paths before and after, of the same bytes.
    same : int
        How many stayed as they were.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    moved: tuple[tuple[str, str], ...]
    same: int


@dataclass(frozen=True, slots=True)
class RowDiff:
    """What became of rows.

    Attributes
    ----------
    added, removed : int
        How many are only in the later, or only in the earlier version.
    changed : int or None
        How many have the same key and other cells; None when no key was named.
    by_column : mapping of str to int
        In how many of the changed rows a column differs.
    compared : tuple of str
        The columns that were compared: those that both have with the same type.
    """

    added: int
    removed: int
    changed: int | None
    by_column: dict[str, int] = field(default_factory=dict)
    compared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diff:
    """What lies between two versions.

    Attributes
    ----------
    before, after : str
        Their references.
    files : FileDiff
        What became of files.
    schema : SchemaDiff or None
        What became of columns; None when one of them has no schema.
    rows : RowDiff or None
        What became of rows; None when that was not asked for.
    """

    before: str
    after: str
    files: FileDiff
    schema: SchemaDiff | None
    rows: RowDiff | None

    def as_json(self) -> dict[str, JSON]:
        """Return it for machines."""
        files, schema, rows = self.files, self.schema, self.rows
        told: dict[str, JSON] = {
            "before": self.before,
            "after": self.after,
            "files": {
                "added": list(files.added),
                "removed": list(files.removed),
                "changed": list(files.changed),
                "moved": [list(pair) for pair in files.moved],
                "same": files.same,
            },
            "schema": None,
            "rows": None,
        }
        if schema is not None:
            retyped: list[JSON] = [list(one) for one in schema.retyped]
            told["schema"] = {
                "added": list(schema.added),
                "removed": list(schema.removed),
                "retyped": retyped,
                "reordered": schema.is_reordered,
            }
        if rows is not None:
            told["rows"] = {
                "added": rows.added,
                "removed": rows.removed,
                "changed": rows.changed,
                "by_column": dict(rows.by_column),
                "compared": list(rows.compared),
            }
        return told


def diff(
    stored: StoredVersions,
    before: DatasetVersion,
    after: DatasetVersion,
    *,
    has_rows: bool = False,
    key: Sequence[str] = (),
) -> Diff:
    """Return what lies between two versions, which may be of different datasets.

    Parameters
    ----------
    stored : StoredVersions
        The versions.
    before, after : DatasetVersion
        The two.
    has_rows : bool
        Whether to compare rows, too.
    key : sequence of str
        Columns that name a row; without them rows are compared as wholes, however often each occurs.

    Raises
    ------
    NotATable
        If rows are to be compared and a version has none.
    BadKey
        If a key column is missing, or names several rows.
    BytesGone, BlobMissing, BlobCorrupt
        If bytes are not there or not right.

    Notes
    -----
    Files that both versions have are not read: their rows are the same.
    """
    old, new = stored.manifest(before), stored.manifest(after)
    schemas = (before.schema, after.schema)
    columns = _columns(*schemas) if schemas[0] is not None and schemas[1] is not None else None
    rows = None
    if has_rows:
        held = (stored.schema(before), stored.schema(after))
        rows = _rows(_unshared(stored, (before, after), (old, new), held), _alike(*held), key)
    return Diff(before.ref, after.ref, _files(old, new), columns, rows)


def _files(old: Manifest, new: Manifest) -> FileDiff:
    was = {part.path: part.contents.digest for part in old.parts}
    now = {part.path: part.contents.digest for part in new.parts}
    gone, come = was.keys() - now.keys(), now.keys() - was.keys()
    places: dict[str, list[str]] = {}
    for path in sorted(gone):
        places.setdefault(was[path], []).append(path)
    moved = tuple((places[now[path]].pop(0), path) for path in sorted(come) if places.get(now[path]))
    both = was.keys() & now.keys()
    return FileDiff(
        added=tuple(sorted(come - {path for _, path in moved})),
        removed=tuple(sorted(gone - {path for path, _ in moved})),
        changed=tuple(sorted(path for path in both if was[path] != now[path])),
        moved=moved,
        same=sum(was[path] == now[path] for path in both),
    )


def _columns(old: Schema | None, new: Schema | None) -> SchemaDiff:
    return compare(_types(old), _types(new))


def _types(schema: Schema | None) -> dict[str, str]:
    """Return types by column, decimals with their digits after the point: other digits are another type of cell."""
    columns = schema.columns if schema else ()
    return {one.name: f"decimal({one.scale})" if one.type == "decimal" else one.type for one in columns}


def _alike(old: Schema, new: Schema) -> tuple[str, ...]:
    """Return the columns that both have with the same type."""
    found = _columns(old, new)
    return tuple(name for name in old.names if name not in {*found.removed, *(one for one, _, _ in found.retyped)})


def _unshared(
    stored: StoredVersions,
    versions: tuple[DatasetVersion, DatasetVersion],
    manifests: tuple[Manifest, Manifest],
    schemas: tuple[Schema, Schema],
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows of files that only one of two versions has, or that they read differently."""
    shared: Counter[str] = Counter()
    if schemas[0] == schemas[1]:
        old, new = (Counter(part.contents.digest for part in manifest.parts) for manifest in manifests)
        shared = old & new
    frames: list[pl.DataFrame] = []
    for version, manifest, schema in zip(versions, manifests, schemas, strict=True):
        pool = _without(manifest, shared)
        with stored.told(version):
            read = [parts.read_part(stored.blobs, part, schema) for part in pool]
        frames.append(pl.concat(read) if read else pl.DataFrame(schema=schema.dtypes))
    return frames[0], frames[1]


def _without(manifest: Manifest, shared: Counter[str]) -> list[Part]:
    """Return the files of a version but for those shared, each as often as it is."""
    left, kept = shared.copy(), []
    for part in manifest.parts:
        if left[part.contents.digest]:
            left[part.contents.digest] -= 1
        else:
            kept.append(part)
    return kept


def _rows(frames: tuple[pl.DataFrame, pl.DataFrame], names: tuple[str, ...], key: Sequence[str]) -> RowDiff:
    old, new = (frame.select(names) for frame in frames)
    if not key:
        return _as_multiset(old, new, names)
    for column in key:
        if column not in names:
            raise BadKey(f"no column {column!r} is in both versions with one type", cure=f"columns: {', '.join(names)}")
    for frame in (old, new):
        if frame.select(pl.struct(key).is_duplicated().any()).item():
            raise BadKey(f"{', '.join(key)} names several rows", cure="name more columns, or compare without --key")
    both = old.join(new, on=list(key), how="inner", suffix=_OTHER, nulls_equal=True)
    others = [name for name in names if name not in key]
    differ = both.select(pl.col(name).ne_missing(pl.col(f"{name}{_OTHER}")) for name in others)
    changed = int(differ.select(pl.any_horizontal(others).sum()).item() or 0) if others else 0
    by_column = {name: int(differ[name].sum()) for name in others if differ[name].any()}
    return RowDiff(new.height - both.height, old.height - both.height, changed, by_column, names)


def _as_multiset(old: pl.DataFrame, new: pl.DataFrame, names: tuple[str, ...]) -> RowDiff:
    if not names:
        return RowDiff(new.height, old.height, None)
    signed = pl.concat([old.with_columns(pl.lit(-1).alias(_COUNT)), new.with_columns(pl.lit(1).alias(_COUNT))])
    sums = signed.group_by(names).agg(pl.col(_COUNT).sum())[_COUNT]
    added, removed = sums.filter(sums > 0).sum(), sums.filter(sums < 0).sum()
    return RowDiff(int(added), -int(removed), None, compared=names)
