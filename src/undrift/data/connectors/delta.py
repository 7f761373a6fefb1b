"""Delta Lake tables: the files of one version, brought into a folder so that a vacuum cannot take them.

Read without an engine: the log tells the files, the files are plain Parquet. What plain files cannot tell
(deletion vectors, mapped column names) is refused.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import msgspec
import polars as pl

from undrift.blobs.buckets import Bucket, ObjectMissing, is_plain_http_meant
from undrift.core import canonical
from undrift.core.addresses import DELTA, without_secrets
from undrift.core.clock import to_us
from undrift.core.digest import blake3_bytes
from undrift.core.errors import BadInput, MissingExtra, NotFound
from undrift.core.json import JSON
from undrift.data.conform import conform
from undrift.data.origins import Origin
from undrift.data.paths import check_path
from undrift.data.schema import BadSchema, Column, LogicalType, Schema

if TYPE_CHECKING:
    from deltalake import DeltaTable

_NULL_PARTITION = ""


class DeltaUnreadable(BadInput):
    """A Delta table cannot be read as plain Parquet files, or not at all."""

    code = "delta-unreadable"


class DeltaVersionNotFound(NotFound):
    """The log of the table does not tell this version any more, or not yet."""

    code = "delta-version-not-found"


class DeltaFilesGone(NotFound):
    """Files of a version are not there any more: a vacuum took them."""

    code = "delta-files-gone"


@dataclass(frozen=True, slots=True)
class Moment:
    """Which version of a Delta table is meant.

    Attributes
    ----------
    version : int or None
        Its number.
    as_of : datetime or None
        The instant at which it was the newest. With neither: the newest now.
    """

    version: int | None = None
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeltaFile:
    """A file of a version.

    Attributes
    ----------
    name : str
        Its path below the table.
    size_bytes : int
        Its length.
    rows : int or None
        How many rows the log says it has.
    partition : mapping
        Values of the columns by which the table is parted, which the file does not hold.
    """

    name: str
    size_bytes: int
    rows: int | None
    partition: Mapping[str, Any]  # Any: cells


@dataclass(frozen=True, slots=True)
class DeltaVersion:
    """One version of a Delta table.

    Attributes
    ----------
    origin : Origin
        Address, number, time and digest of the list of files.
    schema : Schema
        Its columns.
    files : tuple of DeltaFile
        Sorted by name.
    """

    origin: Origin
    schema: Schema
    files: tuple[DeltaFile, ...]


def look_up(source: str, moment: Moment) -> DeltaVersion:
    """Return what the log of a Delta table says of a version.

    Parameters
    ----------
    source : str
        ``delta:`` and the path or address of the table.
    moment : Moment
        Which version.

    Raises
    ------
    MissingExtra
        If deltalake is not installed.
    DeltaUnreadable
        If there is no Delta table, or one that plain files do not tell.
    DeltaVersionNotFound
        If it has no such version.
    """
    place = source.removeprefix(DELTA)
    with _translated(place, moment):
        table, times = _loaded(place, moment)
        _check_plain(table, source)
        files = _files(table)
    version = table.version()
    origin = Origin(
        "delta",
        without_secrets(source),
        table_version=version,
        committed_us=times.get(version),
        log_digest=_log_digest(files),
    )
    return DeltaVersion(origin, _schema(table, source), files)


def bring(source: str, found: DeltaVersion, folder: Path) -> Path:
    """Write the files of a version into a folder and return it.

    Parameters
    ----------
    source : str
        As for :func:`look_up`.
    found : DeltaVersion
        What it returned.
    folder : Path
        Where the folder is made.

    Raises
    ------
    DeltaFilesGone
        If a file is not there, or has another size than the log says.

    Notes
    -----
    A file that holds all columns is copied byte by byte, so that versions share it. One that does not
    (a parted table, a column added later) is written again with the values that the log tells.
    """
    place = source.removeprefix(DELTA)
    target = folder / "delta"
    for file in found.files:
        here = target / check_path(file.name)
        here.parent.mkdir(parents=True, exist_ok=True)
        _fetch(place, file, here, found.origin)
        _complete(here, file, found.schema)
    return target


@contextmanager
def _translated(place: str, moment: Moment) -> Iterator[None]:
    """Let no error of the library out."""
    try:
        from deltalake.exceptions import DeltaError
    except ModuleNotFoundError as error:
        raise MissingExtra("delta", "reading a Delta table") from error
    shown = without_secrets(place)
    try:
        yield
    except (DeltaError, OSError, ValueError) as error:
        if moment.version is not None and "version" in str(error).lower():
            raise DeltaVersionNotFound(
                f"{shown} has no version {moment.version}, or its log does not tell it any more", cure="say another one"
            ) from error
        first = next(iter(str(error).splitlines()), "")[:200]
        raise DeltaUnreadable(f"{shown} is not readable as a Delta table: {first}", cure="check the address") from error


def _loaded(place: str, moment: Moment) -> tuple[DeltaTable, Mapping[int, int]]:
    """Return the table at the version that is meant, and when each version was committed, in microseconds."""
    from deltalake import DeltaTable

    table = DeltaTable(place, storage_options={"allow_http": "true"} if is_plain_http_meant() else None)
    # Before another version is loaded: deltalake then numbers the history from there.
    times = {int(one["version"]): int(one["timestamp"]) * 1000 for one in table.history() if "timestamp" in one}
    wanted = moment.version if moment.as_of is None else _version_at(times, moment.as_of, without_secrets(place))
    if wanted is not None and wanted != table.version():
        table.load_as_version(wanted)
    return table, times


def _version_at(times: Mapping[int, int], instant: datetime, shown: str) -> int:
    """Return the version that was the newest at an instant."""
    before = [version for version, at_us in times.items() if at_us <= to_us(instant)]
    if not before:
        raise DeltaVersionNotFound(f"{shown} has no version as of {instant.isoformat()}", cure="say a later instant")
    return max(before)


def _check_plain(table: DeltaTable, source: str) -> None:
    shown = without_secrets(source)
    if pl.DataFrame(table.deletion_vectors()).height:
        raise DeltaUnreadable(
            f"{shown} marks rows as deleted beside its files (deletion vectors)",
            cure="have its writer purge them (REORG TABLE ... APPLY (PURGE)), then add that version",
        )
    mapping = table.metadata().configuration.get("delta.columnMapping.mode", "none")
    if mapping != "none":
        raise DeltaUnreadable(
            f"{shown} calls its columns otherwise in its files (column mapping by {mapping})",
            cure="write it again without column mapping",
        )


class _Field(msgspec.Struct):
    name: str
    type: Any  # Any: a word, or the description of a nested type


class _Fields(msgspec.Struct):
    fields: list[_Field]


def _schema(table: DeltaTable, source: str) -> Schema:
    told = msgspec.json.decode(table.schema().to_json(), type=_Fields)
    return Schema(tuple(_column(one, source) for one in told.fields))


def _column(told: _Field, source: str) -> Column:
    kind = told.type if isinstance(told.type, str) else "nested"
    if kind.startswith("decimal("):
        return Column(told.name, "decimal", int(kind[len("decimal(") : -1].split(",")[1]))
    found = _TYPES.get(kind)
    if found is None:
        raise BadSchema(
            f"column {told.name!r} of {without_secrets(source)} is of type {kind}, which no table of undrift holds",
            cure="write it as separate columns, as text or as numbers",
        )
    return Column(told.name, found)


_TYPES: Mapping[str, LogicalType] = {
    "boolean": "bool",
    "byte": "int",
    "short": "int",
    "integer": "int",
    "long": "int",
    "float": "float64",
    "double": "float64",
    "string": "string",
    "binary": "bytes",
    "date": "date",
    "timestamp": "timestamp-utc",
    "timestamp_ntz": "timestamp",
}


def _files(table: DeltaTable) -> tuple[DeltaFile, ...]:
    actions = pl.DataFrame(table.get_add_actions(flatten=False)).to_dicts()
    files = [
        DeltaFile(_name(one["path"]), one["size_bytes"], one.get("num_records"), one.get("partition") or {})
        for one in actions
    ]
    return tuple(sorted(files, key=lambda file: file.name.encode()))


def _name(path: str) -> str:
    """Return the name of a file; the log writes it as a relative URI."""
    if urlsplit(path).scheme or path.startswith("/"):
        raise DeltaUnreadable(
            f"the table has a file of another place ({path[:80]!r})", cure="copy the table; a shallow clone is not read"
        )
    return unquote(path)


def _log_digest(files: Sequence[DeltaFile]) -> str:
    """Return the digest of the list of files; of their statistics only the rows, which all writers tell alike."""
    told: list[JSON] = [[file.name, file.size_bytes, file.rows] for file in files]
    return blake3_bytes(canonical.dumps({"format": "undrift.delta-files/1", "files": told}))


def _fetch(place: str, file: DeltaFile, target: Path, origin: Origin) -> None:
    try:
        if "://" in place:
            Bucket(place).download(file.name, target)
        else:
            shutil.copyfile(Path(place, file.name), target)
    except (ObjectMissing, FileNotFoundError) as error:
        raise _gone(file, origin, "is not there any more: a vacuum took it") from error
    if target.stat().st_size != file.size_bytes:
        raise _gone(file, origin, "was written anew: it has another size than the log says")


def _gone(file: DeltaFile, origin: Origin, why: str) -> DeltaFilesGone:
    return DeltaFilesGone(
        f"version {origin.table_version} of {origin.address} cannot be read: {file.name} {why}",
        cure="add a version whose files are there; versions added before keep their own files",
        file=file.name,
    )


def _complete(path: Path, file: DeltaFile, schema: Schema) -> None:
    """Write a file again when it lacks columns of the table."""
    try:
        held = set(pl.read_parquet_schema(path))
        if held == set(schema.names):
            return
        frame = pl.read_parquet(path, glob=False)
    except pl.exceptions.PolarsError as error:
        raise DeltaUnreadable(f"{file.name} of the table is not readable Parquet", cure="restore the table") from error
    lacking = [column for column in schema.columns if column.name not in held]
    missing = [_constant(column, file.partition.get(column.name)) for column in lacking]
    conform(frame.with_columns(missing), schema).write_parquet(path, compression="zstd", statistics=True)


def _constant(column: Column, value: Any) -> pl.Expr:  # Any: a cell
    kept = None if value == _NULL_PARTITION else value
    return pl.lit(kept).cast(column.dtype).alias(column.name)
