"""The versions that exist, and what is kept of them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

from undrift.blobs.store import BlobStore
from undrift.core.errors import BadInput
from undrift.core.refs import Ref, parse
from undrift.data import parts, repository
from undrift.data.branches import ties
from undrift.data.damage import told_of
from undrift.data.manifest import Manifest
from undrift.data.remotes.known import pull_of, pull_of_unknown
from undrift.data.schema import Schema
from undrift.data.table_digest import TableHasher
from undrift.data.versions import BytesGone, DatasetNotFound, DatasetVersion, NotATable
from undrift.ledger.ledger import Ledger


class StoredVersions:
    """Read access to versions, their manifests and rows.

    Parameters
    ----------
    ledger : Ledger
        Where versions are recorded.
    blobs : BlobStore
        Where their bytes are.
    remotes : Path
        Where remotes keep what is known of them here.
    """

    def __init__(self, ledger: Ledger, blobs: BlobStore, remotes: Path) -> None:
        self.ledger = ledger
        self.blobs = blobs
        self._remotes = remotes

    def newest(self, name: str) -> DatasetVersion | None:
        """Return the newest version of a dataset, None when there is none."""
        with self.ledger.read() as connection:
            return repository.newest(connection, name)

    def names(self) -> list[str]:
        """Return the names of all datasets."""
        with self.ledger.read() as connection:
            return repository.names(connection)

    def history(self, name: str) -> list[DatasetVersion]:
        """Return all versions of a dataset, newest first; none when there is no such dataset."""
        with self.ledger.read() as connection:
            return repository.history(connection, name)

    def every(self) -> list[DatasetVersion]:
        """Return all versions of all datasets, as they are at one moment."""
        with self.ledger.read() as connection:
            return [one for name in repository.names(connection) for one in repository.history(connection, name)]

    def left_from(self, name: str) -> str | None:
        """Return the dataset that a branch left from, None for one that is no branch."""
        with self.ledger.read() as connection:
            found = ties.left_from(connection, name)
        return found[1].dataset if found else None

    def find(self, ref: Ref, as_of: datetime | None = None) -> DatasetVersion:
        """Return the version that a reference names, or the newest one at an instant.

        Raises
        ------
        DatasetNotFound, AmbiguousVersion
            If there is none, or a prefix fits several. Where a remote is known to have it, the cure is the pull.
        """
        try:
            with self.ledger.read() as connection:
                return repository.find(connection, ref, as_of)
        except DatasetNotFound as error:
            command = pull_of_unknown(self._remotes, ref) if as_of is None else None
            raise DatasetNotFound(error.message, cure=command or error.cure) from error

    def check_tag_free(self, name: str, tag: str) -> None:
        """Refuse a tag which is taken, before anything slow is done; the commit decides again.

        Raises
        ------
        TagTaken
            If the tag names a version that is not the newest.
        """
        with self.ledger.read() as connection:
            repository.check_tag_free(connection, name, tag)

    def manifest(self, version: DatasetVersion) -> Manifest:
        """Return the files of a version, from verified bytes.

        Raises
        ------
        BytesGone
            If the version's bytes were let go of.
        BlobMissing, BlobCorrupt
            If the manifest is not there or damaged.
        """
        if version.is_gone:
            perhaps = f"undrift data pull {version.name}@{version.number}, if a remote has them; or add its files again"
            raise BytesGone(
                f"the bytes of {version.ref} were let go of: undrift history {version.ref}",
                cure=pull_of(self._remotes, version) or perhaps,
            )
        with self.told(version):
            return Manifest.decode(self.blobs.read_bytes(version.version_id))

    def told(self, version: DatasetVersion) -> AbstractContextManager[None]:
        """Name a version in errors about missing or damaged bytes of it, and where a remote has them the pull."""
        return told_of(version.ref, lambda: pull_of(self._remotes, version))

    def is_whole(self, version: DatasetVersion) -> bool:
        """Say whether a version has all of its rows: of erased ones it holds none, though its digest counts them."""
        tombstones = self.blobs.tombstones
        return not any(tombstones.has(part.contents.digest) for part in self.manifest(version).parts)

    def schema(self, version: DatasetVersion) -> Schema:
        """Return the frozen schema of a version.

        Raises
        ------
        NotATable
            If it has none.
        """
        if version.schema is None:
            raise NotATable(
                f"{version.ref} has no frozen schema, so it has no rows to read",
                cure="freeze its schema, if it is a table",
            )
        return version.schema

    def digest(self, version: DatasetVersion) -> str:
        """Return the table digest of a version, computed from verified bytes."""
        schema = self.schema(version)
        hasher = TableHasher(schema)
        with self.told(version):
            for batch in parts.batches(self.blobs, self.manifest(version), schema):
                hasher.update(batch)
        return hasher.digest()


def as_ref(ref: Ref | str) -> Ref:
    """Return a reference to data.

    Raises
    ------
    BadInput
        If it names another kind of thing.
    """
    found = parse(ref, "data") if isinstance(ref, str) else ref
    if found.kind != "data":
        raise BadInput(f"{found} does not name data", cure="write data:NAME@VERSION")
    return found
