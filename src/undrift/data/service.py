"""Datasets: adding, finding, reading and checking their versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import polars as pl

from undrift.blobs.store import BlobStore
from undrift.core.clock import Clocks
from undrift.core.files import ProjectReadOnly
from undrift.core.ids import check_name
from undrift.core.json import JSON
from undrift.core.refs import Ref
from undrift.data import additions, parts, repository
from undrift.data import checkout as checking_out
from undrift.data.additions import Addition
from undrift.data.checkout import PLAINLY, Manner, Source
from undrift.data.conform import conform
from undrift.data.manifest import Manifest
from undrift.data.parts import Wanted
from undrift.data.personal.masks import Masks
from undrift.data.remotes.known import REMOTES
from undrift.data.rooms import DataParts
from undrift.data.schema import Schema, freeze
from undrift.data.sources import store_frame
from undrift.data.stored import StoredVersions, as_ref
from undrift.data.tabular.reading import NOTHING_SAID, Reading
from undrift.data.versions import DatasetVersion, check_tag
from undrift.ledger.actor import Actor
from undrift.ledger.change import Change
from undrift.ledger.ledger import Ledger

if TYPE_CHECKING:  # what judges rows is imported when it is first used
    from undrift.data.admission import Admission
    from undrift.data.profile import Profile
    from undrift.data.quality.check import Asked, CheckReport
    from undrift.data.quality.infer import Role
    from undrift.data.quality.suite import Suite


class Data(DataParts):
    """The datasets of a project; safe to share between threads, and between processes that hold one each.

    Parameters
    ----------
    ledger : Ledger
        Where versions are recorded.
    blobs : BlobStore
        Where their bytes are.
    clocks : Clocks
        The project's clocks.
    store_dir : Path
        The project's store; ``quarantine/`` in it holds what was held back of batches.
    masks : Masks, optional
        Finds and masks personal columns; by default nothing is masked.

    Attributes
    ----------
    masks : Masks
        The same: ``masks.columns(name, frame)`` are the personal columns of a dataset.
    places : Places
        Which files and folders of the workspace are which version.
    """

    def __init__(  # one room, its parts
        self, ledger: Ledger, blobs: BlobStore, clocks: Clocks, store_dir: Path, masks: Masks | None = None
    ) -> None:
        stored = StoredVersions(ledger, blobs, store_dir / REMOTES)
        super().__init__(stored, clocks, store_dir, replace(masks or Masks(), left_from=stored.left_from))
        self._ledger = ledger
        self._blobs = blobs

    def add(
        self,
        source: Path,
        name: str,
        *,
        actor: Actor,
        tag: str | None = None,
        append: bool = False,
        schema: Schema | Literal["later"] | None = None,
        reading: Reading = NOTHING_SAID,
    ) -> DatasetVersion:
        """Add a file or a folder as the newest version of a dataset, and return the version.

        Parameters
        ----------
        source : Path
            A file, or a folder of which every file becomes a part.
        name : str
            The dataset; it comes into being with its first version.
        actor : Actor
            Who adds it.
        tag : str, optional
            A tag for the version.
        append : bool
            Put the files behind those of the newest version, whose bytes are shared. A file whose bytes
            the version already holds is not added again.
        schema : Schema or "later", optional
            What the columns are; by default they keep the types of the newest version where the
            rows fit, else types are read from the files. With ``"later"`` the files are stored unread.
        reading : Reading
            How text files are written; what it does not say is found in the files and kept with the schema.

        Returns
        -------
        DatasetVersion
            The new version, or the newest one when it holds exactly this already.

        Raises
        ------
        SourceNotFound, UnsafePath
            If there is nothing to add, or a file has a name that it must not have.
        BadTable, SchemaMismatch
            If a table cannot be read, or not under the schema; nothing is then added or stored.
        AmbiguousDates, AmbiguousNumbers, AmbiguousDelimiter
            If a table can be read in two ways; nothing is then added or stored.
        SchemaDrift
            If a suite is frozen and the columns are not those of the newest version; ``intake`` can be told that this
            is meant.
        TagTaken
            If the tag names another version.
        """
        check_name(name, "dataset")
        if tag is not None:
            self._stored.check_tag_free(name, check_tag(tag))
        declared = schema if isinstance(schema, Schema) else None
        addition = Addition(
            name, (), tag, append, declared, freeze=schema != "later", reading=reading, is_workspace=True
        )
        return self._adder.take(source, addition, actor).version

    def add_frame(
        self, frame: pl.DataFrame, name: str, *, actor: Actor, part_name: str = "table.parquet", append: bool = False
    ) -> DatasetVersion:
        """Add a table in memory, kept as Parquet, and return its version.

        Parameters
        ----------
        frame : polars.DataFrame
            The table.
        name : str
            The dataset.
        actor : Actor
            Who adds it.
        part_name : str
            Path of the file within the version, ending in ``.parquet``.
        append : bool
            Put it behind the rows of the newest version, under its schema.

        Raises
        ------
        SchemaMismatch
            If it is appended and does not have the dataset's schema.
        BadSchema
            If a column holds what no logical type can.
        """
        check_name(name, "dataset")
        newest = self._stored.newest(name) if append else None
        schema = newest.schema if newest and newest.schema else freeze(frame.schema)
        with self._blobs.lock.shared():
            stored = store_frame(self._blobs, conform(frame, schema), part_name)
            addition = Addition(name, stored.parts, append=append, stored_bytes=stored.added_bytes)
            return self._adder.add(addition, actor).version

    def admit(
        self, source: Path, name: str, *, actor: Actor, append: bool = True, reading: Reading = NOTHING_SAID
    ) -> Admission:
        """Check a new batch against the dataset's suite and add what is good of it.

        Rows that break a fail-level expectation go to quarantine with the reasons and the rest becomes
        the newest version, unless too many rows are bad or a whole-table expectation
        fails: then the whole batch stays in quarantine and no version is made.

        Parameters
        ----------
        source : Path
            One table file. The same bytes admitted twice are added once.
        name : str
            A dataset with a version and a frozen suite.
        actor : Actor
            Who delivers it.
        append : bool
            Put the batch behind the rows of the newest version, or in their place.
        reading : Reading
            How the file is written, where it is not written like those before.

        Raises
        ------
        DatasetNotFound
            If the dataset has no version.
        BadReading
            If it says of a column what the dataset's schema does not.
        NoSuite
            If no suite is frozen.
        """
        check_name(name, "dataset")
        from undrift.data.admission import Delivery

        return self._admissions.admit(source, Delivery(name, append=append, reading=reading), actor)

    def admissions(self, name: str) -> list[Admission]:
        """Return what became of the batches of a dataset, newest first, without their reports."""
        return self._admissions.history(name)

    def names(self) -> list[str]:
        """Return the names of all datasets."""
        with self._ledger.read() as connection:
            return repository.names(connection)

    def get(self, ref: Ref | str, *, as_of: datetime | None = None) -> DatasetVersion:
        """Return a version by reference: ``data:flights@3``, ``flights@june``, ``flights@3fa8c2`` or ``flights``.

        Parameters
        ----------
        ref : Ref or str
            Selector is a number, a tag, a day, six or more digits of the version's id, or nothing for the newest.
            A day, ``flights@2026-11-01``, means the newest version at its first instant in UTC.
        as_of : datetime, optional
            An instant: the version that was the newest then.

        Raises
        ------
        DatasetNotFound, AmbiguousVersion
            If there is none, or a prefix fits several.
        """
        return self._stored.find(as_ref(ref), as_of)

    def log(self, name: str) -> list[DatasetVersion]:
        """Return all versions of a dataset, newest first.

        Raises
        ------
        DatasetNotFound
            If there is none.
        """
        self._stored.find(Ref("data", name))
        with self._ledger.read() as connection:
            return repository.history(connection, name)

    def tag(self, change: Change, ref: Ref | str, tag: str) -> DatasetVersion:
        """Give a version a tag, for ever, and return it.

        Raises
        ------
        TagTaken
            If the tag names another version.
        """
        version = repository.find(change.connection, as_ref(ref))
        return additions.tag(change, version, check_tag(tag))

    def manifest(self, ref: Ref | str) -> Manifest:
        """Return the files of a version, in the order of their rows."""
        return self._stored.manifest(self.get(ref))

    def checkout(self, ref: Ref | str, target: Path, manner: Manner = PLAINLY) -> Path:
        """Write the files of a version to a file or a new folder, verified, and return where.

        Parameters
        ----------
        ref : Ref or str
            The version.
        target : Path
            Where to write it.
        manner : Manner
            How to write it; by default nothing that exists is replaced.

        Raises
        ------
        BadTarget
            If the target is taken.
        BlobMissing, BlobCorrupt
            If bytes are missing or wrong; nothing is then written.
        """
        version = self.get(ref)
        with self._stored.told(version):
            source = Source(version.name, version.number, self._stored.manifest(version))
            return checking_out.checkout(self._blobs, self.places, source, target, manner)

    def read(self, ref: Ref | str) -> pl.DataFrame:
        """Return all rows of a table, in order, under its frozen schema, from verified bytes.

        Raises
        ------
        NotATable
            If the version holds plain files.
        """
        version = self.get(ref)
        with self._stored.told(version):
            return parts.read(self._blobs, self._stored.manifest(version), self._stored.schema(version))

    def scan(self, ref: Ref | str) -> pl.LazyFrame:
        """Return a lazy reader of all rows; bytes are verified now.

        Raises
        ------
        NotATable
            If the version holds plain files.
        """
        version = self.get(ref)
        with self._stored.told(version):
            return parts.scan(self._blobs, self._stored.manifest(version), self._stored.schema(version))

    def freeze_schema(self, ref: Ref | str, *, actor: Actor, schema: Schema | None = None) -> DatasetVersion:
        """Give a version that was added without a schema the declared or inferred one, once.

        Raises
        ------
        NotATable
            If a file is not one of a table.
        """
        version = self.get(ref)
        if version.schema is not None:
            return version
        frozen = parts.freeze(parts.stored_files(self._blobs), self._stored.manifest(version), Wanted(schema))
        with self._ledger.change(actor) as change:
            repository.set_schema(change.connection, version, frozen.schema, frozen.rows)
            body: dict[str, JSON] = {"schema": frozen.schema.digest, "rows": frozen.rows}
            change.record("data.schema-frozen", version.ref, body)
        return self.get(version.ref)

    def table_digest(self, ref: Ref | str, *, actor: Actor) -> str:
        """Return the digest of a table's rows; it is computed and recorded once.

        Raises
        ------
        NotATable
            If the version holds plain files.
        """
        version = self.get(ref)
        if version.table_digest is not None:
            return version.table_digest
        digest = self._stored.digest(version)
        with self._ledger.change(actor) as change:
            _record_digest(change, version, digest)
        return digest

    def profile(self, ref: Ref | str) -> Profile:
        """Return what a table is like; cells of personal columns are not told."""
        from undrift.data.profiling import profile_table

        version = self.get(ref)
        return profile_table(self.scan(version.ref), version.rows or 0, self.masks, version.name)

    def suggest_suite(self, ref: Ref | str, roles: Mapping[str, Role] | None = None) -> Suite:
        """Return the suite that a version suggests, for review; nothing is enforced by it yet."""
        from undrift.data.quality.infer import infer_suite

        return infer_suite(self.get(ref).name, self.profile(ref), roles)

    def freeze_suite(self, name: str, suite: Suite, *, actor: Actor, reason: str = "") -> str:
        """Make a suite the one that batches of a dataset must pass, and return its digest.

        Parameters
        ----------
        name : str
            The dataset.
        suite : Suite
            The suite.
        actor : Actor
            Who says so.
        reason : str
            Why, for the record; the event also tells what the suites before and after differ in.

        Raises
        ------
        DatasetNotFound
            If there is no such dataset.
        ParameterMissing
            If the suite has parameters: nobody gives their values when a batch is checked.
        """
        from undrift.data import suites
        from undrift.data.quality.parameters import check_complete

        check_complete(suite)
        digest = self._blobs.put_bytes(suite.encode())
        before = self.suite(name)
        with self._ledger.change(actor) as change:
            suites.freeze(change, name, suites.Freezing(suite, digest, before, reason))
        return digest

    def suite(self, name: str) -> Suite | None:
        """Return the suite of a dataset, None when none is frozen."""
        from undrift.data import suites

        with self._ledger.read() as connection:
            return suites.load(connection, self._blobs, name)

    def check(
        self, ref: Ref | str, *, actor: Actor, suite: Suite | None = None, asked: Asked | None = None
    ) -> CheckReport:
        """Return how a version stands against a suite, by default the dataset's; the check is recorded.

        In a project that this account may only read it is not, and the report says so.

        Parameters
        ----------
        ref : Ref or str
            The version.
        actor : Actor
            Who checks it.
        suite : Suite, optional
            What is expected.
        asked : Asked, optional
            What the report is to tell, and who makes it; by default counts, neither row numbers nor values.

        Raises
        ------
        NoSuite
            If no suite is given and none is frozen.
        NotATable
            If the version holds plain files.
        """
        from undrift.data import suites
        from undrift.data.quality.check import COUNTS
        from undrift.data.quality.check import check as check_table

        version = self.get(ref)
        if suite is None:
            with self._ledger.read() as connection:
                suite = suites.need(connection, self._blobs, version.name)
        digest = version.table_digest or self._stored.digest(version)
        report = check_table(self.scan(version.ref), suite, asked or COUNTS)
        try:
            self._blobs.put_bytes(suite.encode())
            report_digest = suites.store_report(self._blobs, report)
            with self._ledger.change(actor) as change:
                if version.table_digest is None:
                    _record_digest(change, version, digest)
                suites.record_check(change, version.ref, report, report_digest)
        except ProjectReadOnly as error:
            return replace(report, not_recorded=error.message)
        return report


def _record_digest(change: Change, version: DatasetVersion, digest: str) -> None:
    repository.set_table_digest(change.connection, version, digest)
    change.record("data.digested", version.ref, {"table_digest": digest})
