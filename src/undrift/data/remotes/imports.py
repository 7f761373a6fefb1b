"""Versions that come from a remote, in the database."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from undrift.core.clock import to_us
from undrift.core.json import JSON
from undrift.core.refs import Ref
from undrift.data import repository
from undrift.data.manifest import Manifest
from undrift.data.remotes.records import Record
from undrift.data.repository import NewVersion
from undrift.data.tables import datasets, versions
from undrift.data.versions import AddConflict, DatasetVersion
from undrift.ledger.change import Change


@dataclass(frozen=True, slots=True)
class Slot:
    """The number that a version of a remote has here, or would get.

    Attributes
    ----------
    number : int
        The number.
    is_held : bool
        Whether that version is here already.
    """

    number: int
    is_held: bool


def slot_for(connection: Connection, record: Record) -> Slot:
    """Return the number of a version here: its own where that is free, else the next one.

    A version with the same bytes that was added at the same time is the same one, whatever its number. One
    whose number is taken is the same as any with its bytes, and else gets the next number.
    """
    columns = (versions.c.number, versions.c.version_id, versions.c.created_us)
    rows = connection.execute(select(*columns).where(versions.c.dataset == record.dataset).order_by(versions.c.number))
    held = {row.number: (row.version_id, row.created_us) for row in rows}
    born = [number for number, birth in held.items() if birth == (record.version_id, to_us(record.created_at))]
    if born:
        return Slot(record.number if record.number in born else born[-1], is_held=True)
    if record.number not in held:
        return Slot(record.number, is_held=False)
    same = [number for number, (version_id, _) in held.items() if version_id == record.version_id]
    return Slot(same[-1], is_held=True) if same else Slot(max(held) + 1, is_held=False)


def import_version(change: Change, record: Record, manifest: Manifest, remote: str) -> DatasetVersion:
    """Write a version of a remote and return it; it keeps the time at which it was added where it came from.

    Parameters
    ----------
    change : Change
        An open change.
    record : Record
        What the remote knows of it.
    manifest : Manifest
        Its files, which are all in the store.
    remote : str
        Where it came from.

    Raises
    ------
    AddConflict
        If another writer was faster.
    """
    connection = change.connection
    slot = slot_for(connection, record)
    if not slot.is_held:
        _insert(connection, record, manifest, slot.number)
        body: dict[str, JSON] = {
            "version_id": record.version_id,
            "number_there": record.number,
            "remote": remote,
            "files": len(manifest.parts),
            "bytes": manifest.size_bytes,
            "rows": record.rows,
            "schema": record.schema.digest if record.schema else None,
        }
        change.record("data.pulled", f"data:{record.dataset}@{slot.number}", body)
    return repository.find(connection, Ref("data", record.dataset, str(slot.number)))


def _insert(connection: Connection, record: Record, manifest: Manifest, number: int) -> None:
    last = connection.scalar(select(datasets.c.last_number).where(datasets.c.name == record.dataset))
    try:
        if last is None:
            connection.execute(insert(datasets).values(name=record.dataset, last_number=number))
        elif number > last:
            moved = connection.execute(
                update(datasets)
                .where(datasets.c.name == record.dataset, datasets.c.last_number == last)
                .values(last_number=number)
            )
            if not moved.rowcount:
                raise _overtaken(record)
        repository.write_version(connection, _new(connection, record, manifest, number), number, record.created_at)
    except IntegrityError as error:
        raise _overtaken(record) from error


def _new(connection: Connection, record: Record, manifest: Manifest, number: int) -> NewVersion:
    before = select(versions.c.number).where(
        versions.c.dataset == record.dataset, versions.c.version_id == record.parent_id, versions.c.number < number
    )
    return NewVersion(
        name=record.dataset,
        version_id=record.version_id,
        parent=connection.scalar(before.order_by(versions.c.number.desc()).limit(1)) if record.parent_id else None,
        size_bytes=manifest.size_bytes,
        files=len(manifest.parts),
        schema=record.schema,
        rows=record.rows,
        table_digest=record.table_digest,
        origin=record.origin,
    )


def _overtaken(record: Record) -> AddConflict:
    return AddConflict(f"another writer added a version to {record.dataset!r} at the same moment", cure="pull again")
