"""Letting a new batch in: check, quarantine, add, in one recorded step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

import polars as pl
from sqlalchemy import Connection, Row, insert, select

from undrift.blobs.assembly import read
from undrift.blobs.contents import remember
from undrift.blobs.storing import store_files
from undrift.core.clock import Clocks, from_us, to_us
from undrift.core.digest import blake3_bytes
from undrift.core.errors import UndriftError
from undrift.core.files import make_private, write_atomic
from undrift.core.ids import new_id
from undrift.core.json import JSON
from undrift.core.refs import Ref
from undrift.data import parts, suites
from undrift.data.additions import Adder, Addition
from undrift.data.agreement import under
from undrift.data.anomalies.history import Brought, History
from undrift.data.anomalies.judgement import Judgement
from undrift.data.manifest import Part
from undrift.data.origins import Origin
from undrift.data.paths import check_path
from undrift.data.personal.columns import holds_address
from undrift.data.personal.known import known_columns, personal_of_batch
from undrift.data.quality.check import Asked, CheckReport, check
from undrift.data.quality.quarantine import QuarantineRecord, quarantine
from undrift.data.quality.suite import Suite
from undrift.data.schema import Schema, SchemaMismatch, logical_type
from undrift.data.sources import store_frame
from undrift.data.stored import StoredVersions
from undrift.data.tables import admissions
from undrift.data.tabular import table_files
from undrift.data.tabular.csv_types import CellFault
from undrift.data.tabular.reading import NOTHING_SAID, Reading
from undrift.data.tabular.table_files import TABLE_ENDINGS, format_of
from undrift.data.tabular.text_file import BadTable
from undrift.data.versions import DatasetVersion, NotATable
from undrift.data.workspace import SourceNotFound, missing
from undrift.ledger.actor import Actor
from undrift.ledger.change import Change

Outcome: TypeAlias = Literal["admitted", "refused"]


@dataclass(frozen=True, slots=True)
class Admission:
    """What became of a batch.

    Attributes
    ----------
    id : str
        Its own id.
    name : str
        The dataset.
    outcome : {"admitted", "refused"}
        Whether its good rows became a version.
    version : DatasetVersion or None
        That version; None when the batch was refused.
    report : CheckReport or None
        The check; None when the batch could not be read as the dataset's table, or is told from memory.
    quarantine : QuarantineRecord or None
        What was held back; None when nothing was, or when told from memory.
    rows, bad_rows : int
        Rows of the batch, and how many of them are bad.
    reasons : tuple of str
        Why it was refused; empty when it was not.
    at : datetime or None
        Business time.
    judgement : Judgement or None
        How it stands against the batches before it; None when it was refused by the check, or told from memory.
    known : bool
        Whether the same bytes had been admitted before, so that nothing was added now.
    """

    id: str
    name: str
    outcome: Outcome
    version: DatasetVersion | None
    report: CheckReport | None = None
    quarantine: QuarantineRecord | None = None
    rows: int = 0
    bad_rows: int = 0
    reasons: tuple[str, ...] = ()
    at: datetime | None = None
    judgement: Judgement | None = None
    known: bool = False

    @property
    def admitted(self) -> bool:
        """Whether a version holds the batch's good rows."""
        return self.outcome == "admitted"


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where a batch goes, and how it is written.

    Attributes
    ----------
    name : str
        The dataset.
    append : bool
        Whether it comes behind the rows that are there, or in their place.
    reading : Reading
        What the caller says of the file.
    origin : Origin or None
        Where it came from, when it is no file of a workspace.
    """

    name: str
    append: bool = True
    reading: Reading = NOTHING_SAID
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class _Batch:
    """A batch on its way."""

    id: str
    name: str
    source: Part
    digest: str
    suite: Suite
    stored_bytes: int


@dataclass(frozen=True, slots=True)
class _Judged:
    """A batch that was read and checked."""

    frame: pl.DataFrame
    report: CheckReport
    reasons: Mapping[int, list[str]] = field(default_factory=dict)
    stopped_by: tuple[str, ...] = ()
    personal: frozenset[str] = frozenset()
    judgement: Judgement | None = None
    brought: Brought | None = None

    @property
    def good(self) -> pl.DataFrame:
        """The rows that would go on."""
        if not self.reasons:
            return self.frame
        return self.frame.with_row_index("\x1f").filter(~pl.col("\x1f").is_in(list(self.reasons))).drop("\x1f")


class Admissions:
    """The gate of the datasets.

    Parameters
    ----------
    adder : Adder
        Makes the versions.
    stored : StoredVersions
        The versions that exist.
    clocks : Clocks
        The project's clocks.
    folder : Path
        Where bad rows are kept, one folder for each dataset.
    history : History
        Compares batches with those before them, and knows what is personal in them.
    """

    def __init__(self, adder: Adder, stored: StoredVersions, clocks: Clocks, folder: Path, history: History) -> None:
        self._past = history
        self._masks = history.masks
        self._adder = adder
        self._stored = stored
        self._ledger, self._blobs = stored.ledger, stored.blobs
        self._clocks = clocks
        self._folder = folder

    def admit(self, source: Path, delivery: Delivery, actor: Actor) -> Admission:
        """Check a batch and add what is good of it.

        Parameters
        ----------
        source, actor
            As for ``Data.admit``.
        delivery : Delivery
            Where it goes, and how it is written.
        """
        with self._blobs.lock.shared():
            return self._admit(source, delivery, actor)

    def _admit(self, source: Path, delivery: Delivery, actor: Actor) -> Admission:
        newest = self._stored.find(Ref("data", delivery.name))
        schema = under(self._stored.schema(newest), delivery.reading, appended=True)
        batch = self._receive(source, delivery.name)
        if (known := self._known(batch)) is not None:
            return known
        try:
            reading = parts.read_part_with_faults(self._blobs, batch.source, schema)
        except (BadTable, SchemaMismatch) as error:
            return self._refuse_unread(batch, schema, error, actor)
        judged = _judge(reading.frame, reading.faults, batch.suite, self._personal(batch, reading.frame))
        if not judged.stopped_by and self._past.settings(batch.name).anomalies == "fail":
            brought = _brought(judged, delivery).profiled()
            foreseen = self._past.foresee(batch.name, brought)
            unusual = tuple(f"{one.metric} is out of the ordinary" for one in foreseen.anomalies)
            judged = replace(judged, stopped_by=unusual, judgement=foreseen, brought=brought)
        if judged.stopped_by:
            return self._refuse(batch, judged, actor)
        return self._let_in(batch, judged, actor, delivery)

    def history(self, name: str) -> list[Admission]:
        """Return what became of the batches of a dataset, newest first."""
        query = select(admissions).where(admissions.c.dataset == name).order_by(admissions.c.id.desc())
        with self._ledger.read() as connection:
            rows = connection.execute(query).all()
        return [self._told(row) for row in rows]

    def _receive(self, source: Path, name: str) -> _Batch:
        if not source.is_file():
            if source.is_dir():
                raise SourceNotFound(f"{source} is a folder", cure="a batch is one table file")
            raise missing(source)
        if format_of(source) is None:
            raise NotATable(f"{source.name} is not a table", cure=f"tables are {TABLE_ENDINGS} files")
        with self._ledger.read() as connection:
            suite = suites.need(connection, self._blobs, name)
        path = check_path(source.name)
        stored = store_files(self._blobs, [source])
        part = Part(path, stored.contents[0])
        return _Batch(new_id(self._clocks.business), name, part, part.contents.digest, suite, stored.added_bytes)

    def _known(self, batch: _Batch) -> Admission | None:
        with self._ledger.read() as connection:
            row = _admitted_before(connection, batch)
        return replace(self._told(row), known=True) if row is not None else None

    def _told(self, row: Row[Any]) -> Admission:  # Any: columns are read by name
        version = self._stored.find(Ref("data", row.dataset, str(row.number))) if row.number else None
        return Admission(
            id=row.id,
            name=row.dataset,
            outcome=row.outcome,
            version=version,
            rows=row.rows,
            bad_rows=row.bad_rows,
            at=from_us(row.at_us),
        )

    def _let_in(self, batch: _Batch, judged: _Judged, actor: Actor, delivery: Delivery) -> Admission:
        good, held = quarantine(judged.frame, judged.reasons, self._path(batch), conceal=self._conceal(judged))
        part, stored_bytes = batch.source, batch.stored_bytes
        if held is not None:  # no version will list the batch as it came
            remember(self._blobs, batch.source.contents)
            cleaned = store_frame(self._blobs, good, _cleaned(batch.source.path))
            part, stored_bytes = cleaned.parts[0], stored_bytes + cleaned.added_bytes
        report_digest = suites.store_report(self._blobs, judged.report)
        admission = Admission(
            id=batch.id,
            name=batch.name,
            outcome="admitted",
            version=None,
            report=judged.report,
            quarantine=held,
            rows=judged.frame.height,
            bad_rows=len(judged.reasons),
        )

        recorded: list[datetime] = []

        def record(change: Change, version: DatasetVersion) -> None:
            _record(change, batch, replace(admission, version=version), report_digest)
            recorded.append(change.at)

        addition = Addition(
            batch.name,
            (part,),
            append=delivery.append,
            reading=delivery.reading,
            stored_bytes=stored_bytes,
            origin=delivery.origin,
        )
        version = self._adder.add(addition, actor, record).version
        if not recorded:  # the newest version holds these bytes already
            return replace(admission, version=version, known=True)
        judgement = self._past.look(version.ref, actor, judged.brought or _brought(judged, delivery))
        return replace(admission, version=version, at=recorded[-1], judgement=judgement)

    def _refuse(self, batch: _Batch, judged: _Judged, actor: Actor) -> Admission:
        remember(self._blobs, batch.source.contents)
        _, held = quarantine(judged.frame, judged.reasons, self._path(batch), whole=True, conceal=self._conceal(judged))
        admission = Admission(
            id=batch.id,
            name=batch.name,
            outcome="refused",
            version=None,
            report=judged.report,
            quarantine=held,
            rows=judged.frame.height,
            bad_rows=len(judged.reasons),
            reasons=judged.stopped_by,
            judgement=judged.judgement,
        )
        report_digest = suites.store_report(self._blobs, judged.report)
        with self._ledger.change(actor) as change:
            _record(change, batch, admission, report_digest)
            return replace(admission, at=change.at)

    def _refuse_unread(self, batch: _Batch, schema: Schema, error: UndriftError, actor: Actor) -> Admission:
        """Keep a file that is not the dataset's table."""
        remember(self._blobs, batch.source.contents)
        held = self._concealed_whole(batch, schema) if isinstance(error, SchemaMismatch) else None
        held = held or self._as_it_came(batch)
        admission = Admission(
            batch.id, batch.name, "refused", None, None, held, reasons=(error.message,), at=self._clocks.business.now()
        )
        with self._ledger.change(actor) as change:
            _record(change, batch, admission, batch.digest, unread=error)
        return admission

    def _concealed_whole(self, batch: _Batch, schema: Schema) -> QuarantineRecord | None:
        """Keep the rows of another table with its personal columns masked; None where it has none."""
        table_format = format_of(batch.source.path)
        if table_format is None or self._masks.open_mask() is None:
            return None
        path = parts.part_path(self._blobs, batch.source)
        frame = table_files.read_as_text(path, table_format, schema)
        personal = self._personal(batch, frame)
        if not personal:
            return None
        bare = frame.with_columns(
            pl.col(name).str.strip_chars() for name in personal if frame[name].dtype == pl.String
        )  # as cells of the dataset are masked, so that they join
        conceal = partial(self._masks.concealed, columns=personal)
        return quarantine(bare, {}, self._path(batch), whole=True, conceal=conceal)[1]

    def _as_it_came(self, batch: _Batch) -> QuarantineRecord:
        """Keep the file: there are no rows to speak of, or none of a person."""
        path = self._path(batch).with_suffix(Path(batch.source.path).suffix)
        data = read(self._blobs, batch.source.contents)
        make_private(path.parent)
        write_atomic(path, data)
        return QuarantineRecord(path, 0, blake3_bytes(data), whole=True)

    def _personal(self, batch: _Batch, frame: pl.DataFrame) -> frozenset[str]:
        known = known_columns(self._stored, self._masks, batch.name)
        return frozenset(personal_of_batch(known, frame, batch.suite, self._masks, batch.name))

    def _conceal(self, judged: _Judged) -> Callable[[pl.DataFrame], pl.DataFrame]:
        return lambda rows: self._masks.concealed(rows, judged.personal)

    def _path(self, batch: _Batch) -> Path:
        return self._folder / batch.name / f"{batch.id}.parquet"


def _judge(frame: pl.DataFrame, faults: tuple[CellFault, ...], suite: Suite, personal: frozenset[str]) -> _Judged:
    """Check a batch; whole-table expectations are judged on the rows that would go on."""
    report = check(frame, suite, Asked(examples=0))
    reasons: dict[int, list[str]] = {}
    for fault in faults:
        reasons.setdefault(fault.row, []).append(f"{fault.column}: {_problem(fault, personal)}")
    for row, texts in report.reasons().items():
        reasons.setdefault(row, []).extend(texts)
    changed = _changed_types(frame, faults)
    share = len(reasons) / frame.height if frame.height else 0.0
    if share > suite.bad_row_limit:
        told = f"{len(reasons)} of {frame.height} rows are bad ({100 * share:.1f} %), the limit is"
        stopped = (f"{told} {100 * suite.bad_row_limit:g} %",)
        return _Judged(frame, report, reasons, (*changed, *stopped, *report.table_failures), personal)
    stopped_by = report.table_failures
    judged = _Judged(frame, report, reasons, stopped_by, personal)
    if stopped_by and reasons:
        return replace(judged, stopped_by=check(judged.good, suite).table_failures)
    return judged


def _brought(judged: _Judged, delivery: Delivery) -> Brought:
    return Brought(judged.good, "batch" if delivery.append else "table", judged.personal)


def _changed_types(frame: pl.DataFrame, faults: tuple[CellFault, ...]) -> tuple[str, ...]:
    """Return what is wrong with columns most of whose cells are no values of their type: the type changed."""
    counts = Counter(fault.column for fault in faults)
    told = []
    for name, unread in counts.items():
        cells = unread + frame.height - frame[name].null_count()
        if unread > cells / 2:
            kind = logical_type(name, frame.schema[name])
            told.append(f"the column {name!r} is no longer {kind}: {unread} of its {cells} cells cannot be read as one")
    return tuple(told)


def _problem(fault: CellFault, personal: frozenset[str]) -> str:
    """Return what is wrong with a cell; of a personal one without its text."""
    is_hidden = fault.column in personal or holds_address(fault.problem)
    return "it is no value of the column's type" if is_hidden else fault.problem


def _admitted_before(connection: Connection, batch: _Batch) -> Row[Any] | None:  # Any: columns are read by name
    query = (
        select(admissions)
        .where(admissions.c.dataset == batch.name, admissions.c.source_digest == batch.digest)
        .where(admissions.c.outcome == "admitted")
    )
    return connection.execute(query).first()


def _cleaned(path: str) -> str:
    return str(Path(path).with_suffix(".parquet"))


def _record(
    change: Change, batch: _Batch, admission: Admission, report_digest: str, unread: UndriftError | None = None
) -> None:
    held = admission.quarantine
    row = {
        "id": batch.id,
        "dataset": batch.name,
        "source_digest": batch.digest,
        "outcome": admission.outcome,
        "number": admission.version.number if admission.version else None,
        "rows": admission.rows,
        "bad_rows": admission.bad_rows,
        "report_digest": report_digest,
        "quarantine": f"{batch.name}/{held.path.name}" if held else None,
        "at_us": to_us(change.at),
    }
    change.connection.execute(insert(admissions).values(row))
    subject = f"data:{batch.name}"
    told: dict[str, JSON] = {"admission": batch.id, "batch": batch.digest, "rows": admission.rows}
    if admission.report is not None:
        suites.record_check(change, subject, admission.report, report_digest)
    if held is not None:
        change.record(
            "data.quarantined", subject, {**told, "held": held.rows, "whole": held.whole, "file": held.digest}
        )
    if admission.outcome == "refused":
        change.record("data.refused", subject, {**told, "bad_rows": admission.bad_rows, **_why(admission, unread)})


def _why(admission: Admission, unread: UndriftError | None) -> dict[str, JSON]:
    """Return why a batch was refused, without a cell: messages about unreadable text may hold some."""
    if unread is not None:
        return {"code": unread.code, **({"why": [unread.message]} if isinstance(unread, SchemaMismatch) else {})}
    return {"code": "check-failed", "why": list(admission.reasons)}
