"""Erasing rows of a subject: from the bytes of every version, from quarantine, and from batches that nothing refers to.

A version keeps its id, its number and its manifest; the bytes behind them are what is left.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import or_
from pathlib import Path

import polars as pl
from sqlalchemy import select

from undrift.blobs.assembly import verified_path
from undrift.blobs.collecting import collect
from undrift.blobs.contents import is_there, named, remember
from undrift.blobs.store import BlobStore
from undrift.blobs.storing import store_bytes
from undrift.core.digest import blake3_bytes, blake3_file
from undrift.core.errors import BadInput, UndriftError
from undrift.core.files import write_atomic
from undrift.core.masking import Mask
from undrift.data import repository
from undrift.data.branches import ties
from undrift.data.manifest import Manifest, Part
from undrift.data.parts import part_path
from undrift.data.personal.redaction import Redacted, matches, redact
from undrift.data.references import references
from undrift.data.schema import Schema
from undrift.data.stored import StoredVersions
from undrift.data.tables import admissions
from undrift.data.tabular.table_files import format_of
from undrift.data.versions import DatasetVersion


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose rows are erased.

    Attributes
    ----------
    dataset : str
        The dataset; what holds its rows, too, is looked through with it.
    column : str
        The column that names the subject.
    values : frozenset of str
        What it holds, as text.
    """

    dataset: str
    column: str
    values: frozenset[str]

    def masked(self, mask: Mask) -> Subject:
        """Return the subject as what is masked names it."""
        return Subject(self.dataset, self.column, frozenset(mask.text(value) for value in self.values))


@dataclass(frozen=True, slots=True)
class Change:
    """One file or object that is changed.

    Attributes
    ----------
    where : str
        What it is, for people and events.
    versions : tuple of str
        References of the versions that hold it.
    before, after : str
        Digests; ``after`` is empty when nothing is left.
    removed : int
        Rows taken out.
    apply : callable
        Does it; may be repeated.
    """

    where: str
    versions: tuple[str, ...]
    before: str
    after: str
    removed: int
    apply: Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Held:
    """An object that versions hold as a part."""

    part: Part
    schema: Schema
    versions: tuple[str, ...]


class DatasetErasure:
    """Finds what of a dataset must change so that a subject is gone.

    Parameters
    ----------
    stored : StoredVersions
        The versions.
    quarantine : Path
        The folder of what was held back of batches.
    """

    def __init__(self, stored: StoredVersions, quarantine: Path) -> None:
        self._stored = stored
        self._blobs: BlobStore = stored.blobs
        self._quarantine = quarantine

    def changes(self, subject: Subject, mask: Mask) -> Iterator[Change]:
        """Give what must change; nothing is changed until a change is applied."""
        names = self.family(subject.dataset)
        yield from self._of_versions(subject, names)
        for name in names:
            alike = replace(subject, dataset=name)
            yield from self._of_batches(alike)
            yield from self._of_quarantine(alike, mask)

    def family(self, dataset: str) -> tuple[str, ...]:
        """Return the dataset and those that hold its rows, too: its branches, what it left from, what was merged."""
        with self._stored.ledger.read() as connection:
            return ties.family(connection, dataset)

    def unsearched(self, dataset: str) -> list[str]:
        """Return the versions in which nobody can look for a row: with other files than tables, or with bytes gone."""
        return [
            version.ref
            for name in self.family(dataset)
            for version in self._versions(name)
            if version.is_gone
            or version.schema is None
            or not all(format_of(part.path) for part in self._stored.manifest(version).parts)
        ]

    def gone(self, dataset: str) -> list[str]:
        """Return those of them whose bytes were let go of here; remotes may hold them."""
        return [one.ref for name in self.family(dataset) for one in self._versions(name) if one.is_gone]

    def knows(self, subject: Subject) -> bool:
        """Say whether any version has the column."""
        return any(
            version.schema is not None and version.schema.type_of(subject.column) is not None
            for name in self.family(subject.dataset)
            for version in self._versions(name)
        )

    def unreferenced(self, dataset: str, before_us: int | None = None) -> list[str]:
        """Return digests of delivered batches that no version holds, of batches before an instant."""
        query = select(admissions.c.source_digest).where(admissions.c.dataset == dataset)
        if before_us is not None:
            query = query.where(admissions.c.at_us < before_us)
        with self._stored.ledger.read() as connection:
            delivered = {digest for digest in connection.scalars(query) if is_there(self._blobs, digest)}
            names = repository.names(connection) if delivered else []
        held = {
            part.contents.digest
            for name in names
            for version in self._versions(name)
            if not version.is_gone
            for part in self._stored.manifest(version).parts
        }
        return sorted(delivered - held)

    def purge(self) -> None:
        """Delete the bytes of everything that was erased, and whatever else nothing refers to.

        Raises
        ------
        BlobMissing, BlobCorrupt
            If the manifest of a version cannot be read; nothing is then deleted.
        StoreInUse
            If others add to the store for too long.

        Notes
        -----
        Erased files share chunks with what is left of them and with other versions, so their bytes lie in
        packs until this has rewritten them. May be killed at any point and repeated.
        """
        with self._blobs.lock.alone():
            collect(self._blobs, references(self._stored))

    def _versions(self, dataset: str) -> list[DatasetVersion]:
        with self._stored.ledger.read() as connection:
            return repository.history(connection, dataset)

    def _of_versions(self, subject: Subject, names: Sequence[str]) -> Iterator[Change]:
        for held in self._held(names).values():
            path = part_path(self._blobs, held.part)
            redacted = redact(path, held.part.path, held.schema, subject.column, subject.values)
            if redacted is not None:
                yield self._replaced(held, redacted)

    def _held(self, names: Sequence[str]) -> Mapping[str, _Held]:
        """Return the parts of some datasets' tables by the digest of what is left of them."""
        found: dict[str, _Held] = {}
        every = [one for name in names for one in reversed(self._versions(name)) if not one.is_gone]
        for version in every:
            manifest: Manifest = self._stored.manifest(version)
            for part in manifest.parts if version.schema is not None else ():
                left = self._blobs.left_of(part.contents.digest)
                if left is None or version.schema is None:
                    continue
                before = found[left].versions if left in found else ()
                found[left] = _Held(part, version.schema, (*before, version.ref))
        return found

    def _replaced(self, held: _Held, redacted: Redacted) -> Change:
        before = self._blobs.left_of(held.part.contents.digest) or held.part.contents.digest
        after = blake3_bytes(redacted.data)

        def apply() -> None:
            with self._blobs.lock.shared():
                left = store_bytes(self._blobs, redacted.data).contents[0]
                remember(self._blobs, left)
                self._blobs.erase(before, left.digest)

        return Change(f"data {held.part.path}", held.versions, before, after, redacted.removed, apply)

    def _of_batches(self, subject: Subject) -> Iterator[Change]:
        """Give batches that nothing refers to and that hold the subject, or cannot be read: they go whole."""
        schema = next((one.schema for one in self._versions(subject.dataset) if one.schema is not None), None)
        for digest in self.unreferenced(subject.dataset):
            found = self._in_batch(digest, schema, subject)
            if found is not None:
                yield Change("delivered batch", (), digest, "", found, partial(self._blobs.erase, digest, None))

    def _in_batch(self, digest: str, schema: Schema | None, subject: Subject) -> int | None:
        """Return how many rows of a batch are the subject's, None when none is; 0 when nobody can read it."""
        is_read = False
        for name in self._names_of(digest):
            if schema is None:
                break
            try:
                found = redact(self._path_of(digest), name, schema, subject.column, subject.values)
            except UndriftError:
                continue
            if found is not None:
                return found.removed
            is_read = True
        return None if is_read else 0

    def _names_of(self, digest: str) -> tuple[str, ...]:
        """Return the names a batch may have had: how it was called is not kept, so every format is tried."""
        return ("batch.parquet",) if _is_parquet(self._path_of(digest)) else ("batch.csv", "batch.jsonl")

    def _path_of(self, digest: str) -> Path:
        return verified_path(self._blobs, named(self._blobs, digest))

    def _of_quarantine(self, subject: Subject, mask: Mask) -> Iterator[Change]:
        folder = self._quarantine / subject.dataset
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            where = f"quarantine/{subject.dataset}/{path.name}"
            before = blake3_file(path)
            if path.suffix != ".parquet" or not _is_parquet(path):
                if _mentions(path.read_bytes(), subject.values):
                    yield Change(where, (), before, "", 0, partial(path.unlink, missing_ok=True))
                continue
            table = pl.read_parquet(path)
            values = subject.values | subject.masked(mask).values
            # A batch with other columns than the dataset may hold the subject under another name.
            columns = [subject.column] if subject.column in table.columns else table.columns
            looked = (matches(table[name], values) for name in columns if not table[name].dtype.is_nested())
            gone = reduce(or_, looked, pl.repeat(value=False, n=table.height, eager=True))
            if gone.any():
                yield _rewritten(where, before, path, table.filter(~gone), int(gone.sum()))


def _rewritten(where: str, before: str, path: Path, rest: pl.DataFrame, removed: int) -> Change:
    buffer = io.BytesIO()
    rest.write_parquet(buffer, compression="zstd")
    data = buffer.getvalue()
    return Change(where, (), before, blake3_bytes(data), removed, partial(write_atomic, path, data))


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _mentions(data: bytes, values: Collection[str]) -> bool:
    """Say whether a file that could not be read as a table holds a value, in the encodings people use."""
    return any(value.encode(code, "ignore") in data for value in values for code in ("utf-8", "cp1252", "utf-16-le"))


class NoSuchColumn(BadInput):
    """No version of the dataset has the column that is to name the subject."""

    code = "no-such-column"
