"""Adding a version: everything slow first, then one short change that wins or is tried again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from undrift.blobs.progress import Seen, nobody
from undrift.blobs.store import BlobCorrupt, BlobMissing, BlobStore
from undrift.core.json import JSON
from undrift.data import parts, repository
from undrift.data.agreement import may_stay, under
from undrift.data.ahead import Ahead
from undrift.data.drift import drift, refused
from undrift.data.manifest import Manifest, Part
from undrift.data.origins import Origin
from undrift.data.parts import Files, Frozen, Wanted
from undrift.data.places import Look, Places, said_of
from undrift.data.repository import NewVersion
from undrift.data.schema import Schema, SchemaMismatch
from undrift.data.sources import free_path, places_of, store_source, stored_parts, survey_of
from undrift.data.stored import StoredVersions
from undrift.data.tabular.reading import NOTHING_SAID, Reading
from undrift.data.tabular.table_files import format_of
from undrift.data.tabular.text_file import BadTable
from undrift.data.versions import AddConflict, DatasetVersion, NotATable
from undrift.ledger.actor import Actor
from undrift.ledger.change import Change
from undrift.ledger.ledger import Ledger

_ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class Prepared:
    """What files hold, read where they are; it counts if the same bytes are then added to the same version.

    Attributes
    ----------
    parent : int or None
        The version that was the newest.
    digests : tuple of str
        Of the files that were read.
    frozen : Frozen
        Schema and rows of the version that they make.
    """

    parent: int | None
    digests: tuple[str, ...]
    frozen: Frozen


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
    reading : Reading
        What the caller says of how the files are written.
    prepared : Prepared or None
        What was found when the files were read before they were stored.
    stored_bytes : int
        How many bytes of the files were new to the store.
    origin : Origin or None
        Where the rows came from, when not from files of the workspace.
    table_digest : str
        Digest of the version's rows, when it is known already.
    new_columns : bool
        Whether the columns may be others than those of the version before, though a suite is frozen.
    """

    name: str
    parts: tuple[Part, ...]
    tag: str | None = None
    append: bool = False
    schema: Schema | None = None
    freeze: bool = True
    reading: Reading = NOTHING_SAID
    prepared: Prepared | None = None
    stored_bytes: int = 0
    is_workspace: bool = False

    @property
    def said(self) -> str:
        """How the files are added, as far as it decides what the version is."""
        kind = "append" if self.append else self.schema.digest if self.schema else "" if self.freeze else "later"
        return said_of(kind, self.reading)

    origin: Origin | None = None
    table_digest: str = ""
    new_columns: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """What became of an addition.

    Attributes
    ----------
    version : DatasetVersion
        The version that holds what was added.
    is_new : bool
        Whether it was made; else it was the newest one before.
    stored_bytes : int
        How many bytes were new to the store.
    """

    version: DatasetVersion
    is_new: bool
    stored_bytes: int


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
    places : Places
        Which files and folders of the workspace are which version.
    """

    def __init__(self, ledger: Ledger, blobs: BlobStore, stored: StoredVersions, places: Places) -> None:
        self._ledger = ledger
        self._blobs = blobs
        self._stored = stored
        self._places = places

    def add(self, addition: Addition, actor: Actor, companion: Companion | None = None) -> Made:
        """Add a version; when it would be the newest one again, none is made.

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
        SchemaDrift
            If the columns are not those of the version before, a suite is frozen, and nobody said that this is meant.

        Notes
        -----
        Who calls this shares the store's lock since before the parts were stored.
        """
        for _ in range(_ATTEMPTS):
            parent = self._stored.newest(addition.name)
            manifest = self._plan(parent, addition)
            if parent is not None and manifest.version_id == parent.version_id and _as_before(parent, addition):
                return Made(tagged(self._ledger, parent, addition.tag, actor), False, addition.stored_bytes)
            new = self._describe(parent, manifest, addition)
            self._refuse_drift(parent, new.schema, addition)
            self._blobs.put_bytes(manifest.encode())
            try:
                return Made(self._commit(new, addition, actor, companion), True, addition.stored_bytes)
            except AddConflict:
                continue
        raise AddConflict(f"{addition.name!r} changes faster than a version can be added", cure="try again later")

    def take(
        self, source: Path, addition: Addition, actor: Actor, seen: Seen = nobody, ahead: Ahead | None = None
    ) -> Made:
        """Read a file or folder where it is, store it, and add it.

        Parameters
        ----------
        source : Path
            The file or folder.
        addition : Addition
            What is to be added; its parts are not stored yet.
        actor : Actor
            Who adds it.
        seen : callable
            Told of progress in bytes while the files are stored.
        ahead : Ahead, optional
            Stores the files already, which are not to be read.

        Raises
        ------
        SourceNotFound, UnsafePath, BadTable, SchemaMismatch, SchemaDrift, AddConflict
            As for ``Data.add``; what cannot be read leaves no trace in the store.
        """
        look = ahead.look if ahead else Look.at(source)
        prepared = self.prepare(addition, source) if addition.freeze else addition
        with self._blobs.lock.shared():
            done = ahead.stored() if ahead else None
            stored = stored_parts(*done) if done else store_source(self._blobs, source, seen)
            made = self.add(replace(prepared, parts=stored.parts, stored_bytes=stored.added_bytes), actor)
        if addition.is_workspace:
            digests = {part.path: part.contents.digest for part in stored.parts}
            self._places.record(look.place((addition.name, made.version.number), addition.said, digests))
        return made

    def prepare(self, addition: Addition, source: Path) -> Addition:
        """Read files where they are, so that what cannot be added leaves no trace in the store.

        Parameters
        ----------
        addition : Addition
            What is to be added; its parts are not stored yet.
        source : Path
            The file or folder.

        Returns
        -------
        Addition
            The same with what was found.
        """
        places = places_of(source)
        if not all(map(format_of, places)) and not addition.append and addition.schema is None:
            return addition  # plain files are stored unread
        survey = survey_of(places)
        parent = self._stored.newest(addition.name)
        new = self._new_parts(parent, survey.manifest, addition)
        if not new:
            return addition
        frozen = self._frozen(parent, Manifest(new), addition, survey.files)
        if frozen is None:
            return addition
        self._refuse_drift(parent, frozen.schema, addition)
        digests = tuple(part.contents.digest for part in new)
        return replace(addition, prepared=Prepared(parent.number if parent else None, digests, frozen))

    def _refuse_drift(self, parent: DatasetVersion | None, schema: Schema | None, addition: Addition) -> None:
        if parent is None or addition.append or addition.new_columns:
            return
        told = drift(parent, schema)
        if not told:
            return
        with self._ledger.read() as connection:
            has_suite = repository.get_suite_digest(connection, addition.name) is not None
        if has_suite:
            raise refused(addition.name, told)

    def _new_parts(self, parent: DatasetVersion | None, manifest: Manifest, addition: Addition) -> tuple[Part, ...]:
        """Return the files that must be read: none when the newest version has them, read in the same way."""
        if parent is None:
            return manifest.parts
        if addition.append:
            held = self._stored.manifest(parent)
            return tuple(_missing_from(held, manifest.parts)) if parent.schema is not None else ()
        said = addition.reading
        as_before = parent.schema is not None and addition.schema is None and may_stay(parent.schema, said)
        if as_before and said.delimiter is None and said.encoding is None and self._holds(parent, manifest):
            return ()
        return manifest.parts

    def _holds(self, version: DatasetVersion, manifest: Manifest) -> bool:
        """Say whether a version has exactly these files; one whose list of files is damaged has not."""
        try:
            held = self._stored.manifest(version).parts
        except (BlobCorrupt, BlobMissing):
            return False
        return [(part.path, part.contents.digest) for part in held] == [
            (part.path, part.contents.digest) for part in manifest.parts
        ]

    def _plan(self, parent: DatasetVersion | None, addition: Addition) -> Manifest:
        if parent is None or not addition.append:
            return Manifest(addition.parts)
        manifest = self._stored.manifest(parent)
        for part in _missing_from(manifest, addition.parts):
            manifest = manifest.with_part(replace(part, path=free_path(manifest, part.path)))
        return manifest

    def _describe(self, parent: DatasetVersion | None, manifest: Manifest, addition: Addition) -> NewVersion:
        frozen = self._known(parent, manifest, addition)
        return NewVersion(
            name=addition.name,
            version_id=manifest.version_id,
            parent=parent.number if parent else None,
            size_bytes=manifest.size_bytes,
            files=len(manifest.parts),
            schema=frozen.schema if frozen else None,
            rows=frozen.rows if frozen else None,
            table_digest=addition.table_digest or None,
            origin=addition.origin,
        )

    def _known(self, parent: DatasetVersion | None, manifest: Manifest, addition: Addition) -> Frozen | None:
        """Return what was found when the files were read before, else read them now."""
        behind = parent is not None and addition.append and parent.schema is not None
        new = Manifest(manifest.parts[parent.files :]) if behind and parent else manifest
        prepared = addition.prepared
        digests = tuple(part.contents.digest for part in new.parts)
        if prepared and (prepared.parent, prepared.digests) == (parent.number if parent else None, digests):
            return prepared.frozen
        return self._frozen(parent, new, addition, parts.stored_files(self._blobs))

    def _frozen(self, parent: DatasetVersion | None, new: Manifest, addition: Addition, files: Files) -> Frozen | None:
        """Return schema and rows of the version that new files make; appended ones add to those before."""
        if addition.append and parent is not None and parent.schema is not None:
            _refuse_strangers(new, parent)
            found = parts.freeze(files, new, Wanted(under(parent.schema, addition.reading, appended=True)))
            return Frozen(found.schema, (parent.rows or 0) + found.rows)
        if addition.schema is not None:
            return parts.freeze(files, new, Wanted(under(addition.schema, addition.reading, appended=False)))
        if not addition.freeze or not parts.is_table(new):
            return None
        return self._inferred(parent, new, addition.reading, files)

    def _inferred(self, parent: DatasetVersion | None, manifest: Manifest, reading: Reading, files: Files) -> Frozen:
        """Return the parent's schema where the rows fit it, so that types stay, else a new one."""
        before = parent.schema if parent else None
        if before is not None and may_stay(before, reading):
            try:
                return parts.freeze(files, manifest, Wanted(under(before, reading, appended=False)))
            except (SchemaMismatch, BadTable):
                pass
        return parts.freeze(files, manifest, Wanted(reading=reading, before=before))

    def _commit(self, new: NewVersion, addition: Addition, actor: Actor, companion: Companion | None) -> DatasetVersion:
        with self._ledger.change(actor) as change:
            version = make(change, new)
            if companion is not None:
                companion(change, version)
            change.record("data.added", version.ref, _added(version, addition))
            if version.table_digest is not None:
                change.record("data.digested", version.ref, {"table_digest": version.table_digest})
            return tag(change, version, addition.tag) if addition.tag else version


def tagged(ledger: Ledger, version: DatasetVersion, name: str | None, actor: Actor) -> DatasetVersion:
    """Return a version that exists with the tag that somebody asks for, which it gets if it has it not yet.

    Parameters
    ----------
    ledger : Ledger
        Where it is recorded.
    version : DatasetVersion
        The version.
    name : str or None
        The tag; None asks for none.
    actor : Actor
        Who asks.

    Raises
    ------
    TagTaken
        If the tag names another version.
    """
    if name is None or name in version.tags:
        return version
    with ledger.change(actor) as change:
        return tag(change, version, name)


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


def _as_before(parent: DatasetVersion, addition: Addition) -> bool:
    """Say whether files that the newest version holds would be read as they are there."""
    if addition.prepared is None or parent.schema is None:
        return True
    was, found = parent.schema, addition.prepared.frozen.schema
    return was.columns == found.columns and was.csv.letters == found.csv.letters


def _refuse_strangers(new: Manifest, parent: DatasetVersion) -> None:
    if not parts.is_table(new):
        names = ", ".join(part.path for part in new.parts)
        raise NotATable(f"{names}: only table files can be appended to the table {parent.name!r}", cure="add a dataset")


def make(change: Change, new: NewVersion) -> DatasetVersion:
    """Write a version within a change, and return it.

    Raises
    ------
    AddConflict
        If the dataset has another newest version by now.
    """
    number = repository.insert_version(change.connection, new, change.at)
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
        table_digest=new.table_digest,
        origin=new.origin,
    )


def facts_of(version: DatasetVersion) -> dict[str, JSON]:
    """Return what every event tells that makes a version."""
    return {
        "version_id": version.version_id,
        "files": version.files,
        "bytes": version.bytes,
        "rows": version.rows,
        "schema": version.schema.digest if version.schema else None,
    }


def _added(version: DatasetVersion, addition: Addition) -> dict[str, JSON]:
    origin: dict[str, JSON] = {"origin": version.origin.told()} if version.origin else {}
    return {
        **origin,
        **facts_of(version),
        "parent": version.parent,
        "appended": addition.append,
        "stored_bytes": addition.stored_bytes,
    }
