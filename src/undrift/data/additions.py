"""Adding a version: everything slow first, then one short change that wins or is tried again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from undrift.blobs.store import BlobStore
from undrift.data import parts, repository
from undrift.data.csv_text import BadTable
from undrift.data.manifest import Manifest, Part
from undrift.data.parts import Frozen
from undrift.data.repository import NewVersion
from undrift.data.schema import Schema, SchemaMismatch
from undrift.data.sources import free_path
from undrift.data.stored import StoredVersions
from undrift.data.versions import AddConflict, DatasetVersion, NotATable
from undrift.ledger.actor import Actor
from undrift.ledger.change import Change
from undrift.ledger.ledger import Ledger

_ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class Addition:
    """What is to be added.

    Attributes
    ----------
    name : str
        The dataset.
    parts : tuple of Part
        New files, stored already.
    tag : str or None
        A tag for the version.
    append : bool
        Whether the files come behind those of the newest version, or in their place.
    schema : Schema or None
        A declared schema.
    freeze : bool
        Whether tables get their schema now.
    """

    name: str
    parts: tuple[Part, ...]
    tag: str | None = None
    append: bool = False
    schema: Schema | None = None
    freeze: bool = True


Companion = Callable[[Change, DatasetVersion], None]


class Adder:
    """Makes versions out of stored parts.

    Parameters
    ----------
    ledger : Ledger
        Where versions are recorded.
    blobs : BlobStore
        Where the parts are.
    stored : StoredVersions
        The versions that exist.
    """

    def __init__(self, ledger: Ledger, blobs: BlobStore, stored: StoredVersions) -> None:
        self._ledger = ledger
        self._blobs = blobs
        self._stored = stored

    def add(self, addition: Addition, actor: Actor, companion: Companion | None = None) -> DatasetVersion:
        """Add a version and return it; when it would be the newest one again, return that one.

        Parameters
        ----------
        addition : Addition
            What to add.
        actor : Actor
            Who adds it.
        companion : callable, optional
            Called inside the change with the version, to record what belongs to it.

        Raises
        ------
        AddConflict
            If other writers were faster in every attempt.
        """
        for _ in range(_ATTEMPTS):
            parent = self._stored.newest(addition.name)
            manifest = self._plan(parent, addition)
            if parent is not None and manifest.version_id == parent.version_id:
                return self._keep(parent, addition, actor)
            new = self._describe(parent, manifest, addition)
            self._blobs.put_bytes(manifest.encode())
            try:
                return self._commit(new, addition, actor, companion)
            except AddConflict:
                continue
        raise AddConflict(f"{addition.name!r} changes faster than a version can be added", cure="try again later")

    def _plan(self, parent: DatasetVersion | None, addition: Addition) -> Manifest:
        if parent is None or not addition.append:
            return Manifest(addition.parts)
        manifest = self._stored.manifest(parent)
        for part in _missing_from(manifest, addition.parts):
            manifest = manifest.with_part(replace(part, path=free_path(manifest, part.path)))
        return manifest

    def _describe(self, parent: DatasetVersion | None, manifest: Manifest, addition: Addition) -> NewVersion:
        frozen = self._frozen(parent, manifest, addition)
        return NewVersion(
            name=addition.name,
            version_id=manifest.version_id,
            parent=parent.number if parent else None,
            size_bytes=manifest.size_bytes,
            files=len(manifest.parts),
            schema=frozen.schema if frozen else None,
            rows=frozen.rows if frozen else None,
        )

    def _frozen(self, parent: DatasetVersion | None, manifest: Manifest, addition: Addition) -> Frozen | None:
        if addition.append and parent is not None and parent.schema is not None:
            new = Manifest(manifest.parts[parent.files :])
            _refuse_strangers(new, parent)
            rows = parts.freeze(self._blobs, new, parent.schema).rows
            return Frozen(parent.schema, (parent.rows or 0) + rows)
        if addition.schema is not None:
            return parts.freeze(self._blobs, manifest, addition.schema)
        if not addition.freeze or not parts.is_table(manifest):
            return None
        return self._inferred(parent, manifest)

    def _inferred(self, parent: DatasetVersion | None, manifest: Manifest) -> Frozen:
        """Return the parent's schema where the rows fit it, so that types stay, else a new one."""
        if parent is not None and parent.schema is not None:
            try:
                return parts.freeze(self._blobs, manifest, parent.schema)
            except (SchemaMismatch, BadTable):
                pass
        return parts.freeze(self._blobs, manifest)

    def _commit(self, new: NewVersion, addition: Addition, actor: Actor, companion: Companion | None) -> DatasetVersion:
        with self._ledger.change(actor) as change:
            number = repository.insert_version(change.connection, new, change.at)
            version = _version(new, number, change)
            if companion is not None:
                companion(change, version)
            change.record("data.added", version.ref, _added(version, addition))
            return tag(change, version, addition.tag) if addition.tag else version

    def _keep(self, version: DatasetVersion, addition: Addition, actor: Actor) -> DatasetVersion:
        if addition.tag is None or addition.tag in version.tags:
            return version
        with self._ledger.change(actor) as change:
            return tag(change, version, addition.tag)


def tag(change: Change, version: DatasetVersion, name: str) -> DatasetVersion:
    """Give a version a tag and return it with the tag.

    Raises
    ------
    TagTaken
        If the tag names another version.
    """
    if repository.insert_tag(change.connection, version, name, change.at):
        change.record("data.tagged", version.ref, {"tag": name})
    return replace(version, tags=tuple(sorted({*version.tags, name})))


def _missing_from(manifest: Manifest, new: Sequence[Part]) -> list[Part]:
    """Return the parts whose bytes are not there yet: appending a file twice adds it once."""
    held = {part.contents.digest for part in manifest.parts}
    return [part for part in new if part.contents.digest not in held]


def _refuse_strangers(new: Manifest, parent: DatasetVersion) -> None:
    if not parts.is_table(new):
        names = ", ".join(part.path for part in new.parts)
        raise NotATable(f"{names}: only table files can be appended to the table {parent.name!r}", cure="add a dataset")


def _version(new: NewVersion, number: int, change: Change) -> DatasetVersion:
    return DatasetVersion(
        name=new.name,
        number=number,
        version_id=new.version_id,
        tags=(),
        rows=new.rows,
        bytes=new.size_bytes,
        files=new.files,
        schema=new.schema,
        parent=new.parent,
        created_at=change.at,
        table_digest=None,
    )


def _added(version: DatasetVersion, addition: Addition) -> dict[str, str | int | bool | None]:
    return {
        "version_id": version.version_id,
        "parent": version.parent,
        "appended": addition.append,
        "files": version.files,
        "bytes": version.bytes,
        "rows": version.rows,
        "schema": version.schema.digest if version.schema else None,
    }
