"""Compaction of sealed segments into Parquet by day, and reading both as one.

The index, replaced atomically, is the one truth about which segments a Parquet part stands
for. A process that dies leaves parts that no index names (the next compaction removes them),
or segments that the index has absorbed (readers pass over them): each record is read once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec
import polars as pl

from undrift.core.clock import Clock, RealClock, from_us, to_us
from undrift.core.digest import blake3_file
from undrift.core.errors import Fault
from undrift.core.files import FileLock, make_private, replacing, write_atomic
from undrift.core.ids import IdSource
from undrift.core.masking import Mask
from undrift.segments.folder import SEAL, SEALED, SegmentFile, listing, path_of
from undrift.segments.reader import payloads_of
from undrift.segments.records import FeedbackRecord, PredictionRecord
from undrift.segments.tables import (
    FEEDBACK_SCHEMA,
    PREDICTION_SCHEMA,
    Collected,
    feedback_frame,
    join,
    predictions_frame,
    with_masked_keys,
)

FORMAT = "undrift.parquet/1"
Kind: TypeAlias = Literal["predictions", "feedback"]

FOLDER = "parquet"
_INDEX = "index.json"
LOCK = "compact.lock"
_BATCH_BYTES = 64 * 1024 * 1024
_PART_ROWS = 500_000
_READ_TRIES = 20
_DAY_US = timedelta(days=1) // timedelta(microseconds=1)


class UnsteadyFolder(Fault):
    """Segments were dropped again and again while they were being read."""

    code = "unsteady-segments"


class Part(msgspec.Struct, frozen=True):
    """One Parquet file: the records of one kind, day and package.

    Attributes
    ----------
    file : str
        Path below the folder's ``parquet``.
    kind : {"predictions", "feedback"}
        What it holds.
    day : str
        UTC day of ``event_us``, or of ``received_us`` where there is none.
    package : str
        The package that was asked; empty for feedback.
    rows : int
        Its rows.
    digest : str
        BLAKE3 of its bytes.
    """

    file: str
    kind: Kind
    day: str
    package: str
    rows: int
    digest: str


class Index(msgspec.Struct, frozen=True):
    """Which parts count, and which segments they stand for."""

    parts: list[Part] = []
    absorbed: list[str] = []
    format: str = FORMAT


@dataclass(frozen=True, slots=True)
class Compacted:
    """What one compaction did."""

    segments: int
    records: int


@dataclass(frozen=True, slots=True)
class Span:
    """Part of a log, by the instant it is about (``event_us``, else ``received_us``); the end is not in it."""

    since_us: int | None = None
    until_us: int | None = None

    def has_day(self, day: str) -> bool:
        """Say whether any instant of a day can be in the span."""
        start = _day_start_us(day)
        after = self.since_us is None or start + _DAY_US > self.since_us
        return after and (self.until_us is None or start < self.until_us)

    def cut(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the rows that lie in the span."""
        about = pl.coalesce("event_us", "received_us")
        if self.since_us is not None:
            frame = frame.filter(about >= self.since_us)
        return frame if self.until_us is None else frame.filter(about < self.until_us)


def compact(folder: Path, clock: Clock | None = None) -> Compacted:
    """Bring the sealed segments of a folder into Parquet.

    Parameters
    ----------
    folder : Path
        A folder of prediction or feedback segments.
    clock : Clock, optional
        Dates the names of new parts.

    Returns
    -------
    Compacted
        How many segments and records were new.

    Notes
    -----
    May be killed at any moment and called by several processes: one works, the others wait. The
    segments stay until :func:`drop_compacted`, because tails may still be reading them.
    """
    make_private(folder / FOLDER)
    segments = records = 0
    with FileLock(folder / FOLDER / LOCK):
        sweep(folder)
        for batch in _batches(folder):
            records += _absorb(folder, batch, IdSource(clock or RealClock()))
            segments += len(batch)
    return Compacted(segments, records)


def drop_compacted(folder: Path, before_us: int) -> int:
    """Delete segments which Parquet stands for and which did not change since an instant; return how many.

    Tails which have not read them yet will not see them any more: choose the instant so that
    every consumer is past it.
    """
    if not (folder / FOLDER).is_dir():
        return 0
    with FileLock(folder / FOLDER / LOCK):
        index = read_index(folder)
        absorbed = set(index.absorbed)
        files = [file for file in listing(folder) if file.name in absorbed]
        old = {file.name for file in files if file.changed_us < before_us}
        for name in old:
            path_of(folder, name, SEAL).unlink(missing_ok=True)
            path_of(folder, name, SEALED).unlink()
        write_index(folder, Index(index.parts, sorted({file.name for file in files} - old)))
    return len(old)


def read_predictions(
    folder: Path, span: Span | None = None, package: str | None = None, mask: Mask | None = None
) -> pl.DataFrame:
    """Return logged predictions, from Parquet and from segments not yet compacted, each once.

    Parameters
    ----------
    folder : Path
        The endpoint's prediction segments.
    span : Span, optional
        Only predictions about this span.
    package : str, optional
        Only those of one package, whose columns then have one type each.
    mask : Mask, optional
        Masks keys that older records hold as they came, so that they join with those that came masked.

    Returns
    -------
    pl.DataFrame
        As :func:`undrift.segments.tables.predictions_frame`, by ``id``.
    """
    span = span or Span()

    def from_segments(found: Collected) -> pl.DataFrame:
        asked = [record for record in found.predictions if package in (None, record.package)]
        return predictions_frame(asked, found.columns)

    def wanted(part: Part) -> bool:
        return part.kind == "predictions" and span.has_day(part.day) and package in (None, part.package)

    frames = _both(folder, wanted, from_segments)
    table = span.cut(join([pl.DataFrame(schema=PREDICTION_SCHEMA), *frames])).sort("id")
    return with_masked_keys(table, mask)


def read_feedback(folder: Path, span: Span | None = None, mask: Mask | None = None) -> pl.DataFrame:
    """Return feedback in order of arrival; what was sent twice is there once, as it first came.

    Parameters
    ----------
    folder, span, mask
        As for :func:`read_predictions`.
    """
    span = span or Span()

    def wanted(part: Part) -> bool:
        return part.kind == "feedback" and span.has_day(part.day)

    frames = _both(folder, wanted, lambda found: feedback_frame(found.feedback))
    table = join([pl.DataFrame(schema=FEEDBACK_SCHEMA), *frames])
    ordered = span.cut(table).sort("received_us", maintain_order=True)
    return with_masked_keys(ordered.unique("id", keep="first", maintain_order=True), mask)


def read_index(folder: Path) -> Index:
    """Return a folder's index; an empty one when nothing was compacted yet."""
    try:
        return msgspec.json.decode((folder / FOLDER / _INDEX).read_bytes(), type=Index)
    except FileNotFoundError:
        return Index()


def _both(
    folder: Path, wanted: Callable[[Part], bool], from_segments: Callable[[Collected], pl.DataFrame]
) -> list[pl.DataFrame]:
    """Return the tables of one consistent view; files that vanish while it is read mean a newer view."""
    for _ in range(_READ_TRIES):
        files = listing(folder)  # before the index: what it absorbs later is still read here
        index = read_index(folder)
        absorbed = set(index.absorbed)
        try:
            parts = [pl.read_parquet(folder / FOLDER / part.file) for part in index.parts if wanted(part)]
            found = Collected()
            for file in files:
                if file.name not in absorbed:
                    found.add(payloads_of(folder, file.name))
        except FileNotFoundError:
            continue
        return [*parts, from_segments(found)]
    raise UnsteadyFolder(f"the segments of {folder.name} changed while they were read", cure="try again")


def _batches(folder: Path) -> list[list[SegmentFile]]:
    """Return the sealed segments that no part stands for, in groups that fit in memory."""
    absorbed = set(read_index(folder).absorbed)
    batches: list[list[SegmentFile]] = []
    room = 0
    for file in listing(folder):
        if not file.sealed or file.name in absorbed:
            continue
        if room < file.size or not batches:
            batches.append([])
            room = _BATCH_BYTES
        batches[-1].append(file)
        room -= file.size
    return batches


def _absorb(folder: Path, batch: Sequence[SegmentFile], ids: IdSource) -> int:
    """Write the parts of some segments, then the index that counts them."""
    found = Collected()
    for file in batch:
        found.add(payloads_of(folder, file.name))
    index = read_index(folder)
    parts = list(index.parts)
    for (kind, day, package), fresh in _frames(found).items():
        old = next((part for part in parts if _takes_more(part, kind, day, package)), None)
        if old is not None:
            parts.remove(old)
        whole = join([pl.read_parquet(folder / FOLDER / old.file), fresh]) if old else fresh
        parts.append(
            write_part(folder, Part(f"{day}/{ids.next()}.parquet", kind, day, package, whole.height, ""), whole)
        )
    write_index(folder, Index(parts, sorted({*index.absorbed, *(file.name for file in batch)})))
    sweep(folder)
    return len(found.predictions) + len(found.feedback)


def _takes_more(part: Part, kind: Kind, day: str, package: str) -> bool:
    return (part.kind, part.day, part.package) == (kind, day, package) and part.rows < _PART_ROWS


def _frames(found: Collected) -> dict[tuple[Kind, str, str], pl.DataFrame]:
    predictions: dict[tuple[str, str], list[PredictionRecord]] = {}
    for record in found.predictions:
        predictions.setdefault((_day_of(record), record.package), []).append(record)
    feedback: dict[str, list[FeedbackRecord]] = {}
    for label in found.feedback:
        feedback.setdefault(_day_of(label), []).append(label)
    frames: dict[tuple[Kind, str, str], pl.DataFrame] = {
        ("predictions", day, package): predictions_frame(records, found.columns)
        for (day, package), records in predictions.items()
    }
    frames.update({("feedback", day, ""): feedback_frame(labels) for day, labels in feedback.items()})
    return frames


def write_part(folder: Path, part: Part, frame: pl.DataFrame) -> Part:
    """Write the file of a part and return the part with its digest; the index does not name it yet.

    Parameters
    ----------
    folder : Path
        A folder of segments.
    part : Part
        The part.
    frame : DataFrame
        Its rows.
    """
    path = folder / FOLDER / part.file
    make_private(path.parent)
    with replacing(path) as unfinished:
        frame.write_parquet(unfinished, compression="zstd")
    return msgspec.structs.replace(part, digest=blake3_file(path))


def write_index(folder: Path, index: Index) -> None:
    """Replace a folder's index; only the holder of the lock may."""
    write_atomic(folder / FOLDER / _INDEX, msgspec.json.encode(index))


def sweep(folder: Path) -> None:
    """Remove parts that the index does not name; only the holder of the lock may."""
    named = {part.file for part in read_index(folder).parts}
    root = folder / FOLDER
    for path in root.glob("*/*.parquet*"):
        if path.relative_to(root).as_posix() not in named:
            path.unlink()


def _day_of(record: PredictionRecord | FeedbackRecord) -> str:
    about = record.received_us if record.event_us is None else record.event_us
    return from_us(about).date().isoformat()


def _day_start_us(day: str) -> int:
    return to_us(datetime.fromisoformat(day).replace(tzinfo=UTC))
