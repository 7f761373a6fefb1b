"""Versions and their tags in the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, insert, select, update
from sqlalchemy.exc import IntegrityError

from undrift.core.clock import from_us, to_us
from undrift.core.errors import BadInput
from undrift.core.instants import day_of
from undrift.core.json import JSON
from undrift.core.refs import Ref
from undrift.data.origins import Origin
from undrift.data.schema import Schema
from undrift.data.tables import datasets, tags, versions
from undrift.data.versions import (
    SHORTEST_ID_PREFIX,
    AddConflict,
    AmbiguousVersion,
    DatasetNotFound,
    DatasetVersion,
    TagTaken,
)
from undrift.ledger.chain import Event

_MOST_NAMED = 20
_HEX = frozenset("0123456789abcdef")
BYTES_DROPPED = "data.bytes-dropped"
BYTES_RESTORED = "data.bytes-restored"
"""Events after which a version cannot be read, and can be again."""
_MADE = ("data.added", "data.pulled", "data.branched", "data.merged")
"""Events that make a version."""


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What is known of a version before it has a number.

    Attributes
    ----------
    name : str
        The dataset.
    version_id : str
        Digest of the manifest.
    parent : int or None
        Number of the dataset's newest version, which must still be the newest at commit.
    size_bytes, files : int
        Of all files.
    schema, rows
        Of the table, None for plain files.
    table_digest : str or None
        Digest of its rows, when it is known.
    origin : Origin or None
        Where it came from, when not from files of a workspace.
    """

    name: str
    version_id: str
    parent: int | None
    size_bytes: int
    files: int
    schema: Schema | None
    rows: int | None
    table_digest: str | None = None
    origin: Origin | None = None


def insert_version(connection: Connection, new: NewVersion, at: datetime) -> int:
    """Write a version and return its number.

    Raises
    ------
    AddConflict
        If the dataset has another newest version by now.
    """
    number = _advance(connection, new.name, new.parent or 0)
    write_version(connection, new, number, at)
    return number


def write_version(connection: Connection, new: NewVersion, number: int, at: datetime) -> None:
    """Write the row of a version whose number is the caller's to give.

    Parameters
    ----------
    connection : Connection
        Of an open change.
    new : NewVersion
        The version.
    number : int
        Its number.
    at : datetime
        When it was added.

    Raises
    ------
    IntegrityError
        If the number is taken.
    """
    row = {
        "dataset": new.name,
        "number": number,
        "version_id": new.version_id,
        "parent": new.parent,
        "rows": new.rows,
        "size_bytes": new.size_bytes,
        "files": new.files,
        "schema": new.schema.encode().decode() if new.schema else None,
        "table_digest": new.table_digest,
        "origin": new.origin.encode().decode() if new.origin else None,
        "created_us": to_us(at),
    }
    connection.execute(insert(versions).values(row))
    # Older versions of the same files can be read again.
    connection.execute(update(versions).where(versions.c.version_id == new.version_id).values(is_gone=False))


def insert_tag(connection: Connection, version: DatasetVersion, tag: str, at: datetime) -> bool:
    """Write a tag and say whether it is new.

    Parameters
    ----------
    connection : Connection
        Of an open change.
    version : DatasetVersion
        What it names.
    tag : str
        Checked already.
    at : datetime
        Business time.

    Raises
    ------
    TagTaken
        If the tag names another version.
    """
    query = select(tags.c.number).where(tags.c.dataset == version.name, tags.c.tag == tag)
    number = connection.scalar(query)
    if number == version.number:
        return False
    if number is not None:
        raise _taken(version.name, tag, number)
    row = {"dataset": version.name, "tag": tag, "number": version.number, "created_us": to_us(at)}
    try:
        connection.execute(insert(tags).values(row))
    except IntegrityError as error:
        raise AddConflict(f"the tag {tag!r} was set at the same moment by another writer", cure="try again") from error
    return True


def check_tag_free(connection: Connection, name: str, tag: str) -> None:
    """Refuse a tag that names a version which is not the newest.

    Raises
    ------
    TagTaken
        If it does.
    """
    number = connection.scalar(select(tags.c.number).where(tags.c.dataset == name, tags.c.tag == tag))
    last = connection.scalar(select(datasets.c.last_number).where(datasets.c.name == name))
    if number is not None and number != last:
        raise _taken(name, tag, number)


def set_schema(connection: Connection, version: DatasetVersion, schema: Schema, rows: int) -> bool:
    """Record the frozen schema unless one is recorded, and say whether it was.

    Parameters
    ----------
    connection : Connection
        Of an open change.
    version : DatasetVersion
        Whose schema.
    schema : Schema
        The schema.
    rows : int
        Rows read under it.
    """
    return _set_once(connection, version, "schema", {"schema": schema.encode().decode(), "rows": rows})


def set_table_digest(connection: Connection, version: DatasetVersion, digest: str) -> bool:
    """Record the table digest unless one is recorded, and say whether it was."""
    return _set_once(connection, version, "table_digest", {"table_digest": digest})


def set_gone(connection: Connection, version: DatasetVersion, *, is_gone: bool) -> None:
    """Record that the bytes of a version, and of those with the same files, went or are back."""
    connection.execute(update(versions).where(versions.c.version_id == version.version_id).values(is_gone=is_gone))


def newest(connection: Connection, name: str) -> DatasetVersion | None:
    """Return the newest version of a dataset, None when there is none."""
    found = _load(connection, _of(name).order_by(versions.c.number.desc()).limit(1))
    return found[0] if found else None


def history(connection: Connection, name: str) -> list[DatasetVersion]:
    """Return all versions of a dataset, newest first."""
    return _load(connection, _of(name).order_by(versions.c.number.desc()))


def names(connection: Connection) -> list[str]:
    """Return the names of all datasets which have a version, sorted."""
    return list(connection.scalars(select(datasets.c.name).where(datasets.c.last_number > 0).order_by(datasets.c.name)))


def find(connection: Connection, ref: Ref, as_of: datetime | None = None) -> DatasetVersion:
    """Return the version that a reference names: by number, tag, prefix of its id or day, or the newest.

    Parameters
    ----------
    connection : Connection
        Of an open snapshot.
    ref : Ref
        The reference.
    as_of : datetime, optional
        The newest version at this instant is meant; the reference then names the dataset only.

    Raises
    ------
    DatasetNotFound
        If there is none.
    AmbiguousVersion
        If a prefix fits several different versions.
    """
    if as_of is not None and ref.selector:
        raise BadInput(f"{ref} names a version, and so does an instant", cure="say one of them")
    found = _candidates(connection, ref) if as_of is None else _at(connection, ref.name, as_of)
    if not found:
        raise _not_found(connection, ref, as_of)
    if len({version.version_id for version in found}) > 1:
        numbers = ", ".join(version.ref for version in found)
        raise AmbiguousVersion(f"{ref} fits several versions: {numbers}", cure="write more digits of the id")
    return found[0]


def get_suite_digest(connection: Connection, name: str) -> str | None:
    """Return the digest of the dataset's suite, None when none is frozen."""
    return connection.scalar(select(datasets.c.suite_digest).where(datasets.c.name == name))


def set_suite_digest(connection: Connection, name: str, digest: str) -> None:
    """Record the dataset's suite.

    Raises
    ------
    DatasetNotFound
        If there is no such dataset.
    """
    changed = connection.execute(update(datasets).where(datasets.c.name == name).values(suite_digest=digest))
    if changed.rowcount == 0:
        raise _not_found(connection, Ref("data", name))


class VersionsProjection:
    """Versions and tags, as the events tell them and as the rows hold them."""

    name = "data"

    def fold(self, events: Iterable[Event]) -> Mapping[str, JSON]:
        """Return ids by version, versions by tag, and ids whose bytes were let go of, from the events."""
        state: dict[str, JSON] = {}
        gone: set[str] = set()
        for event in events:
            if event.erased:
                continue
            if event.kind in _MADE:
                state[event.subject] = event.body["version_id"]
            elif event.kind == "data.tagged":
                name = event.subject.partition("@")[0]
                state[f"{name}@{event.body['tag']}"] = event.subject
            if event.kind == BYTES_DROPPED:
                gone.add(str(event.body["version_id"]))
            elif event.kind in (*_MADE, BYTES_RESTORED):
                gone.discard(str(event.body["version_id"]))
        return {**state, **{f"bytes of {one}": "gone" for one in gone}}

    def stored(self, connection: Connection) -> Mapping[str, JSON]:
        """Return the same from the rows."""
        state: dict[str, JSON] = {}
        for row in connection.execute(select(versions.c.dataset, versions.c.number, versions.c.version_id)):
            state[f"data:{row.dataset}@{row.number}"] = row.version_id
        for row in connection.execute(select(tags.c.dataset, tags.c.tag, tags.c.number)):
            state[f"data:{row.dataset}@{row.tag}"] = f"data:{row.dataset}@{row.number}"
        gone = connection.scalars(select(versions.c.version_id).where(versions.c.is_gone))
        return {**state, **{f"bytes of {one}": "gone" for one in gone}}


def _advance(connection: Connection, name: str, expected: int) -> int:
    moved = connection.execute(
        update(datasets)
        .where(datasets.c.name == name, datasets.c.last_number == expected)
        .values(last_number=expected + 1)
    )
    if moved.rowcount:
        return expected + 1
    if expected:
        raise _overtaken(name)
    try:
        connection.execute(insert(datasets).values(name=name, last_number=1))
    except IntegrityError as error:
        raise _overtaken(name) from error
    return 1


def _set_once(connection: Connection, version: DatasetVersion, column: str, values: Mapping[str, object]) -> bool:
    changed = connection.execute(
        update(versions)
        .where(versions.c.dataset == version.name, versions.c.number == version.number)
        .where(versions.c[column].is_(None))
        .values(**values)
    )
    return changed.rowcount > 0


def _of(name: str) -> Select[Any]:  # Any: the row's columns are read by name
    return select(versions).where(versions.c.dataset == name)


def _candidates(connection: Connection, ref: Ref) -> list[DatasetVersion]:
    query = _of(ref.name).order_by(versions.c.number.desc())
    if not ref.selector:
        return _load(connection, query.limit(1))
    if ref.number is not None:
        return _load(connection, query.where(versions.c.number == ref.number))
    tagged = and_(tags.c.dataset == versions.c.dataset, tags.c.number == versions.c.number)
    by_tag = _load(connection, query.join(tags, tagged).where(tags.c.tag == ref.selector))
    day = day_of(ref.selector)
    if not by_tag and day is not None:
        return _at(connection, ref.name, day)
    if by_tag or len(ref.selector) < SHORTEST_ID_PREFIX or not _HEX.issuperset(ref.selector):
        return by_tag
    return _load(connection, query.where(versions.c.version_id.startswith(f"b3:{ref.selector}")))


def _at(connection: Connection, name: str, instant: datetime) -> list[DatasetVersion]:
    """Return the version that was the newest at an instant."""
    query = _of(name).where(versions.c.created_us <= to_us(instant)).order_by(versions.c.number.desc())
    return _load(connection, query.limit(1))


def _load(connection: Connection, query: Select[Any]) -> list[DatasetVersion]:  # Any: as in _of
    rows = connection.execute(query).all()
    if not rows:
        return []
    query_tags = select(tags.c.number, tags.c.tag).where(tags.c.dataset == rows[0].dataset).order_by(tags.c.tag)
    named: dict[int, list[str]] = {}
    for number, tag in connection.execute(query_tags):
        named.setdefault(number, []).append(tag)
    return [_version(row, tuple(named.get(row.number, ()))) for row in rows]


def _version(row: Row[Any], tagged: tuple[str, ...]) -> DatasetVersion:  # Any: as in _of
    return DatasetVersion(
        name=row.dataset,
        number=row.number,
        version_id=row.version_id,
        tags=tagged,
        rows=row.rows,
        bytes=row.size_bytes,
        files=row.files,
        schema=Schema.decode(row.schema) if row.schema else None,
        parent=row.parent,
        created_at=from_us(row.created_us),
        table_digest=row.table_digest,
        origin=Origin.decode(row.origin) if row.origin else None,
        is_gone=row.is_gone,
    )


def _not_found(connection: Connection, ref: Ref, as_of: datetime | None = None) -> DatasetNotFound:
    query = select(versions.c.number).where(versions.c.dataset == ref.name).order_by(versions.c.number)
    numbers = list(connection.scalars(query))
    if not numbers:
        known = ", ".join(names(connection)[:10]) or "none yet"
        return DatasetNotFound(
            f"there is no dataset {ref.name!r} (known: {known})", cure=f"undrift data add PATH --name {ref.name}"
        )
    instant = as_of or day_of(ref.selector)
    if instant is not None:
        return DatasetNotFound(
            f"the dataset {ref.name!r} had no version as of {instant.isoformat()}", cure=f"undrift data log {ref.name}"
        )
    tagged = list(connection.scalars(select(tags.c.tag).where(tags.c.dataset == ref.name).order_by(tags.c.tag)))
    shown = ", ".join(tagged[:_MOST_NAMED]) + (", ..." if len(tagged) > _MOST_NAMED else "")
    return DatasetNotFound(
        f"the dataset {ref.name!r} has no version {ref.selector!r}; "
        f"it has the versions {_in_words(numbers)} and {f'the tags {shown}' if tagged else 'no tags'}",
        cure=f"undrift data log {ref.name}",
    )


def _in_words(numbers: list[int]) -> str:
    """Return sorted numbers as people say them: ``1 to 3, 5``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in runs)


def _overtaken(name: str) -> AddConflict:
    return AddConflict(f"another writer added a version to {name!r} at the same moment", cure="try again")


def _taken(name: str, tag: str, number: int) -> TagTaken:
    return TagTaken(
        f"the tag {tag!r} of {name!r} already names version {number}; tags never move", cure="use a new tag"
    )
