"""Versions out of what lies elsewhere: databases, object storage, Delta tables; and tables kept for sharing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from undrift.blobs.progress import Seen, nobody
from undrift.core.addresses import DELTA, kind_of, without_secrets
from undrift.core.errors import BadInput, Conflict
from undrift.core.ids import check_name
from undrift.core.scratch import scratch
from undrift.data.additions import Adder, Addition, tagged
from undrift.data.ahead import Ahead
from undrift.data.as_table import TableForm, as_tables
from undrift.data.connectors.cells import column_of
from undrift.data.connectors.databases import Question, Result, opened
from undrift.data.connectors.spool import Spool, spooled
from undrift.data.origins import Origin
from undrift.data.schema import Schema, SchemaMismatch
from undrift.data.stored import StoredVersions
from undrift.data.table_digest import TableHasher
from undrift.data.table_writer import check_shareable, write_plain
from undrift.data.tabular.objects import BadValue
from undrift.data.tabular.reading import NOTHING_SAID, Reading
from undrift.data.tabular.text_file import BadTable
from undrift.data.versions import DatasetVersion, check_tag
from undrift.data.workspace import EmptySource
from undrift.ledger.actor import Actor

if TYPE_CHECKING:
    from undrift.data.admission import Admission, Admissions


class BadRequest(BadInput):
    """What is asked does not go with the source."""

    code = "bad-request"


class DeltaRewritten(Conflict):
    """A Delta table tells other files for a version than when it was added."""

    code = "delta-rewritten"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of an addition.

    Attributes
    ----------
    name : str
        The dataset.
    tag : str or None
        A tag for the version.
    append : bool
        Whether the rows come behind those of the newest version.
    schema : Schema or None
        A declared schema.
    unread : bool
        Whether files are stored as they are, without finding their types now.
    reading : Reading
        What the caller says of how text files are written.
    as_table : bool
        Whether the rows are kept as Parquet written for sharing, in place of the files.
    question : Question or None
        What to ask a database.
    table_version : int or None
        The version of a Delta table; by default its newest.
    as_of : datetime or None
        The instant whose version of a Delta table is meant.
    new_columns : bool
        Whether the columns may be others than those of the version before, though a suite is frozen.
    """

    name: str
    tag: str | None = None
    append: bool = False
    schema: Schema | None = None
    unread: bool = False
    reading: Reading = NOTHING_SAID
    as_table: bool = False
    question: Question | None = None
    table_version: int | None = None
    as_of: datetime | None = None
    new_columns: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """A version that was added, and what a person should know of it.

    Attributes
    ----------
    version : DatasetVersion
        The version.
    notes : tuple of str
        One line each.
    is_new : bool
        Whether the version was made; else it was the newest one before.
    stored_bytes : int
        How many bytes were new to the store.
    """

    version: DatasetVersion
    notes: tuple[str, ...]
    is_new: bool
    stored_bytes: int


@dataclass(frozen=True, slots=True)
class _Brought:
    """A source as local files."""

    path: Path
    origin: Origin | None = None
    form: TableForm | None = None
    notes: tuple[str, ...] = field(default=())


class Intake:
    """Adds from addresses.

    Parameters
    ----------
    stored : StoredVersions
        The versions that exist.
    adder : Adder
        Makes new ones.
    gate : callable
        Gives the gate of the datasets, when it is needed.
    folder : Path
        Where rows are kept on their way into the store.
    """

    def __init__(self, stored: StoredVersions, adder: Adder, gate: Callable[[], Admissions], folder: Path) -> None:
        self._stored = stored
        self._adder = adder
        self._gate = gate
        self._folder = folder

    def add(self, source: str, asked: Asked, actor: Actor, seen: Seen = nobody, ahead: Ahead | None = None) -> Taken:
        """Add what lies at an address as the newest version of a dataset.

        Parameters
        ----------
        source : str
            A path, ``sqlite:///FILE``, ``postgresql://...``, ``s3://BUCKET/KEY`` (or ``gs://``, ``az://``; a slash at
            the end means everything below), or ``delta:PLACE``.
        asked : Asked
            What is asked.
        actor : Actor
            Who adds it.
        seen : callable
            Told of progress in bytes while files are stored.
        ahead : Ahead, optional
            Stores the files of a path already, which are not to be read.

        Raises
        ------
        BadAddress, BadRequest
            If nothing is read from such addresses, or in this way.
        BadQuery, SourceUnreachable, BucketUnreachable, ObjectMissing
            If the source does not give it.
        BadValue, BadTable, SchemaMismatch
            If a value cannot be kept exactly, or not under the schema; nothing is then added or stored.
        MissingExtra
            If a library is missing.
        """
        check_name(asked.name, "dataset")
        if asked.tag is not None:
            self._stored.check_tag_free(asked.name, check_tag(asked.tag))
        with self._brought(source, asked) as brought:
            form = brought.form
            addition = Addition(
                asked.name,
                (),
                asked.tag,
                append=asked.append,
                schema=form.schema if form else asked.schema,
                freeze=not asked.unread,
                reading=asked.reading,
                is_workspace=kind_of(source) == "file" and not asked.as_table,
                origin=brought.origin,
                table_digest=form.digest if form and not self._is_behind(asked) else "",
                new_columns=asked.new_columns,
            )
            same = self._same(addition)
            if same is not None:
                version = tagged(self._stored.ledger, same, asked.tag, actor)
                return Taken(version, (f"{same.ref} holds exactly these rows",), is_new=False, stored_bytes=0)
            made = self._adder.take(brought.path, addition, actor, seen, ahead)
            known = asked.append and not made.is_new
            notes = (
                *brought.notes,
                *((f"{made.version.ref} has these bytes already: no row was added",) if known else ()),
            )
            return Taken(made.version, notes, made.is_new, made.stored_bytes)

    def admit(self, source: str, asked: Asked, actor: Actor) -> Admission:
        """Check what lies at an address against the dataset's suite and add what is good of it.

        Parameters
        ----------
        source, asked, actor
            As for :meth:`add`; the source is one table.

        Raises
        ------
        DatasetNotFound, NoSuite, NotATable
            As for ``Data.admit``.
        """
        from undrift.data.admission import Delivery

        check_name(asked.name, "dataset")
        with self._brought(source, replace(asked, as_table=False)) as brought:
            delivery = Delivery(asked.name, append=asked.append, reading=asked.reading, origin=brought.origin)
            return self._gate().admit(brought.path, delivery, actor)

    def _is_behind(self, asked: Asked) -> bool:
        return asked.append and self._stored.newest(asked.name) is not None

    def _same(self, addition: Addition) -> DatasetVersion | None:
        """Return the newest version when it holds exactly these rows, however its files are written."""
        newest = self._stored.newest(addition.name)
        if newest is None or not addition.table_digest or newest.table_digest != addition.table_digest:
            return None
        columns = addition.schema.columns if addition.schema else ()
        if newest.schema is None or newest.schema.columns != columns:
            return None
        # Erased rows that come again are refused by the store, which says why.
        return newest if self._stored.is_whole(newest) else None

    @contextmanager
    def _brought(self, source: str, asked: Asked) -> Iterator[_Brought]:
        kind = kind_of(source)
        _check(source, asked)
        if asked.as_table:
            check_shareable()
        if kind == "file" and not asked.as_table:
            yield _Brought(Path(source))
            return
        with scratch(self._folder) as folder:
            if kind == "database":
                yield self._table_of(source, asked, folder)
                return
            brought = self._files_of(source, asked, folder)
            yield self._as_table(brought, asked, folder) if asked.as_table else brought

    def _files_of(self, source: str, asked: Asked, folder: Path) -> _Brought:
        """Return files that lie elsewhere as local ones."""
        kind = kind_of(source)
        if kind == "file":
            return _Brought(Path(source))
        if kind == "objects":
            from undrift.data.connectors.objects import download

            got = download(source, folder)
            return _Brought(got.path, got.origin)
        from undrift.data.connectors import delta

        found = delta.look_up(source, delta.Moment(asked.table_version, asked.as_of))
        self._refuse_rewritten(asked.name, found.origin)
        if not found.files:
            raise EmptySource(f"version {found.origin.table_version} of {source} has no rows", cure="add another one")
        return _Brought(delta.bring(source, found, folder), found.origin, TableForm(found.schema, ""))

    def _refuse_rewritten(self, name: str, origin: Origin) -> None:
        """Refuse a Delta table whose log tells another list of files for a version than it did before."""
        for version in self._stored.history(name):
            held = version.origin
            if held is None or (held.address, held.table_version) != (origin.address, origin.table_version):
                continue
            if held.log_digest != origin.log_digest:
                raise DeltaRewritten(
                    f"{origin.address} was made anew: its version {origin.table_version} is no longer what "
                    f"{version.ref} was made of",
                    cure=f"add it under another name; {version.ref} keeps the rows of then",
                )

    def _table_of(self, address: str, asked: Asked, folder: Path) -> _Brought:
        """Return a table of a database as one Parquet file."""
        if asked.question is None:
            raise BadRequest("a database was not asked for anything", cure='say --table NAME, or --query "select ..."')
        with opened(address, asked.question) as result:
            spool = spooled(_frames(result), result.names, folder)
            statement = result.statement
        if not spool.rows:
            raise BadTable("the result has columns and no rows", cure="ask for rows")
        notes = () if statement.order else (_UNORDERED,)
        origin = Origin("database", without_secrets(address), query=statement.text)
        form = self._written(spool, asked, folder)
        return _Brought(folder / f"{asked.name}.parquet", origin, form, notes)

    def _written(self, spool: Spool, asked: Asked, folder: Path) -> TableForm:
        """Write the rows under the schema of the dataset where they fit it, else under their own."""
        newest = self._stored.newest(asked.name)
        before = newest.schema if newest else None
        wanted = asked.schema or before
        must_fit = asked.schema is not None or (asked.append and before is not None)
        if wanted is not None and (must_fit or set(wanted.names) == set(spool.schema.names)):
            try:
                return self._write(spool, wanted, asked, folder)
            except SchemaMismatch:
                if must_fit:
                    raise
        return self._write(spool, spool.schema, asked, folder)

    def _write(self, spool: Spool, schema: Schema, asked: Asked, folder: Path) -> TableForm:
        target = folder / f"{asked.name}.parquet"
        hasher = TableHasher(schema)
        if asked.as_table:
            from undrift.data.table_writer import write_shareable

            write_shareable(spool.batches(schema), target, hasher)
        else:
            write_plain(spool.batches(schema), target, hasher, folder)
        return TableForm(schema, hasher.digest())

    def _as_table(self, brought: _Brought, asked: Asked, folder: Path) -> _Brought:
        addition = Addition(
            asked.name,
            (),
            append=asked.append,
            schema=asked.schema,
            reading=asked.reading,
            new_columns=asked.new_columns,
        )
        target = folder / "tables"
        target.mkdir()
        form = as_tables(self._adder, self._stored, addition, brought.path, target)
        written = list(target.rglob("*.parquet"))
        path = written[0] if len(written) == 1 and written[0].parent == target else target
        return replace(brought, path=path, form=form)


_UNORDERED = "the rows have the order that the database gave them, which it does not promise again: --order-by COL"


def _frames(result: Result) -> Iterator[pl.DataFrame]:
    """Give the batches of a result as frames.

    Raises
    ------
    BadTable
        If a cell cannot be kept exactly; row and column are named.
    """
    first = 0
    for rows in result.batches:
        columns = zip(*rows, strict=True)
        try:
            yield pl.DataFrame(
                [
                    column_of(name, cells, declared, first)
                    for name, declared, cells in zip(result.names, result.declared, columns, strict=True)
                ]
            )
        except BadValue as error:
            raise BadTable(error.message, cure=error.cure) from error
        first += len(rows)


def _check(source: str, asked: Asked) -> None:
    kind = kind_of(source)
    if asked.question is not None and kind != "database":
        raise BadRequest("--table, --query and --order-by are for databases", cure="leave them out")
    if (asked.table_version is not None or asked.as_of is not None) and kind != "delta":
        raise BadRequest("--version and --as-of are for Delta tables", cure=f"write {DELTA}{without_secrets(source)}")
    if asked.table_version is not None and asked.as_of is not None:
        raise BadRequest("--version and --as-of say the same in two ways", cure="say one of them")
    if asked.unread and (kind in ("database", "delta") or asked.as_table):
        raise BadRequest("--unread is for files that are kept as they are", cure="leave it out")
