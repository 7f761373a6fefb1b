"""Erasing records: out of sealed segments, where every other record keeps its place, and out of Parquet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import msgspec
import polars as pl

from undrift.core.clock import RealClock
from undrift.core.digest import blake3_bytes
from undrift.core.files import FileLock, fsync_folder, make_private, write_atomic
from undrift.core.ids import IdSource
from undrift.segments import parquet
from undrift.segments.folder import SEAL, SEALED, TORN, SegmentFile, listing, path_of
from undrift.segments.frames import MAGIC, frame
from undrift.segments.parquet import Index, Part
from undrift.segments.reader import payloads_of
from undrift.segments.records import ColumnsRecord, ErasedRecord, decode, erased
from undrift.segments.seal import Seal, read_seal
from undrift.segments.tables import Collected, feedback_frame, predictions_frame


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What becomes of one file.

    Attributes
    ----------
    where : str
        The file, below the store; the same when the work is repeated after a kill.
    before, after : str
        Digests of its bytes; ``after`` is empty when the file goes.
    removed : int
        Rows or records taken out that are not taken out of another file too.
    """

    where: str
    before: str
    after: str
    removed: int


Note: TypeAlias = Callable[[Rewrite], None]
"""Writes durably down what is about to be done; called before it is done."""

Doomed: TypeAlias = Callable[[pl.DataFrame], pl.Series]
"""Says of each row of a table of records whether it is to be erased."""


def erase(folder: Path, doomed: Doomed, note: Note, is_looked_at: Callable[[str], bool] = lambda _: True) -> int:
    """Erase records of a folder of prediction or feedback segments and return how many.

    Parameters
    ----------
    folder : Path
        Of one endpoint's segments, below the store.
    doomed : callable
        Which records.
    note : callable
        Is told of every file before it is changed.
    is_looked_at : callable
        Says of a segment's name or a part's day whether it can hold such records.

    Notes
    -----
    May be killed at any point and repeated. Open segments are left alone: seal what dead writers left
    first. Half-written ends, kept beside their segments, are deleted: they may hold anything.
    """
    if not folder.is_dir():
        return 0
    make_private(folder / parquet.FOLDER)
    with FileLock(folder / parquet.FOLDER / parquet.LOCK):
        parquet.sweep(folder)
        for torn in folder.glob(f"*{TORN}"):
            torn.unlink()
        absorbed = set(parquet.read_index(folder).absorbed)
        files = [file for file in listing(folder) if file.sealed and is_looked_at(file.name)]
        removed = sum(_from_segment(folder, file, doomed, note, counted=file.name not in absorbed) for file in files)
        return removed + sum(
            _from_part(folder, part, doomed, note)
            for part in parquet.read_index(folder).parts
            if is_looked_at(part.day)
        )


def open_with(folder: Path, doomed: Doomed) -> list[str]:
    """Return the open segments that hold such records: their writers are alive."""
    names = [file.name for file in listing(folder) if not file.sealed]
    return [name for name in names if _doomed_ids(payloads_of(folder, name), doomed)]


def _from_segment(folder: Path, file: SegmentFile, doomed: Doomed, note: Note, *, counted: bool) -> int:
    payloads = payloads_of(folder, file.name)
    ids = _doomed_ids(payloads, doomed)
    seal = read_seal(folder, file.name)
    rewritten = [_without(payload, ids) for payload in payloads]
    data = MAGIC + b"".join(frame(payload) for payload in rewritten)
    digest = blake3_bytes(data)
    if not ids:
        is_cut = any(isinstance(decode(payload), ErasedRecord) for payload in payloads)
        if is_cut and seal is not None and seal.digest != digest:  # killed between the file and its seal
            _write_seal(folder, seal, digest)
        return 0
    path = path_of(folder, file.name, SEALED)
    is_empty = not any(_is_fact(payload) for payload in rewritten)
    removed = sum(old is not new for old, new in zip(payloads, rewritten, strict=True)) if counted else 0
    before = seal.digest if seal is not None else blake3_bytes(path.read_bytes())
    note(Rewrite(_name(folder, path), before, "" if is_empty else digest, removed))
    if is_empty:
        path_of(folder, file.name, SEAL).unlink(missing_ok=True)
        path.unlink()
        fsync_folder(folder)
        return removed
    write_atomic(path, data)
    if seal is not None:
        _write_seal(folder, seal, digest)
    return removed


def _write_seal(folder: Path, seal: Seal, digest: str) -> None:
    write_atomic(path_of(folder, seal.segment, SEAL), msgspec.json.encode(msgspec.structs.replace(seal, digest=digest)))


def _doomed_ids(payloads: Sequence[bytes], doomed: Doomed) -> set[str]:
    found = Collected().add(payloads)
    by_package: dict[str, list[pl.DataFrame]] = {"": [feedback_frame(found.feedback)]}
    for package in {record.package for record in found.predictions}:
        mine = [record for record in found.predictions if record.package == package]
        by_package[package] = [predictions_frame(mine, found.columns)]
    return {
        identifier
        for tables in by_package.values()
        for table in tables
        if table.height
        for identifier in table.filter(doomed(table))["id"].to_list()
    }


def _without(payload: bytes, ids: set[str]) -> bytes:
    record = decode(payload)
    if isinstance(record, ColumnsRecord | ErasedRecord) or record.id not in ids:
        return payload
    return erased(len(payload))


def _is_fact(payload: bytes) -> bool:
    return not isinstance(decode(payload), ColumnsRecord | ErasedRecord)


def _from_part(folder: Path, part: Part, doomed: Doomed, note: Note) -> int:
    """Write a part again without the records, then the index that names it, then delete the old file."""
    path = folder / parquet.FOLDER / part.file
    table = pl.read_parquet(path)
    gone = doomed(table)
    removed = int(gone.sum())
    if not removed:
        return 0
    rest = table.filter(~gone)
    new = None
    if rest.height:
        fresh = f"{part.day}/{IdSource(RealClock()).next()}.parquet"
        new = parquet.write_part(folder, msgspec.structs.replace(part, file=fresh, rows=rest.height), rest)
    note(Rewrite(_name(folder, path), part.digest, new.digest if new else "", removed))
    index = parquet.read_index(folder)
    parts = [new if one.file == part.file else one for one in index.parts]
    parquet.write_index(folder, Index([one for one in parts if one is not None], index.absorbed))
    parquet.sweep(folder)
    return removed


def _name(folder: Path, path: Path) -> str:
    """Return a file's path below the store: predictions/ENDPOINT/..."""
    return path.relative_to(folder.parents[1]).as_posix()
