"""Table files of any kind, written again as Parquet of which later versions share most."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from undrift.data.additions import Adder, Addition
from undrift.data.schema import Schema
from undrift.data.sources import places_of
from undrift.data.stored import StoredVersions
from undrift.data.table_digest import TableHasher
from undrift.data.table_writer import BATCH_ROWS, write_shareable
from undrift.data.tabular import table_files
from undrift.data.tabular.table_files import TABLE_ENDINGS, format_of
from undrift.data.versions import NotATable


@dataclass(frozen=True, slots=True)
class TableForm:
    """What is known of rows that were written as a table.

    Attributes
    ----------
    schema : Schema
        Under which they were read.
    digest : str
        Their table digest.
    """

    schema: Schema
    digest: str


def as_tables(adder: Adder, stored: StoredVersions, addition: Addition, source: Path, target: Path) -> TableForm:
    """Write the table files of a source as Parquet, each under its own name, and return what they hold.

    Parameters
    ----------
    adder : Adder
        Decides under which schema they are read.
    stored : StoredVersions
        The versions that exist.
    addition : Addition
        What is to be added.
    source : Path
        The file or folder.
    target : Path
        An empty folder.

    Raises
    ------
    NotATable
        If a file is none.
    BadTable, SchemaMismatch, AmbiguousDates, AmbiguousNumbers, AmbiguousDelimiter
        As for ``Data.add``.
    MissingExtra
        If pyarrow is not installed.
    """
    places = places_of(source)
    for path in places:
        if format_of(path) is None:
            raise NotATable(f"{path!r} is not a table", cure=f"tables are {TABLE_ENDINGS} files")
    schema = _schema(adder, stored, addition, source)
    hasher = TableHasher(schema)
    for path, file in places.items():
        kind = format_of(path)
        assert kind is not None, path
        written = target / parquet_path(path)
        written.parent.mkdir(parents=True, exist_ok=True)
        write_shareable(table_files.batches(file, kind, schema, BATCH_ROWS), written, hasher)
    return TableForm(schema, hasher.digest())


def _schema(adder: Adder, stored: StoredVersions, addition: Addition, source: Path) -> Schema:
    prepared = adder.prepare(addition, source).prepared
    if prepared is not None:
        return prepared.frozen.schema
    newest = stored.newest(addition.name)  # it holds exactly these files, read in this way
    if newest is None:
        raise NotATable(f"{source} holds no table", cure=f"tables are {TABLE_ENDINGS} files")
    return stored.schema(newest)


def parquet_path(path: str) -> str:
    """Return where the rows of a table file lie when they are kept as Parquet."""
    plain = PurePosixPath(path)
    stem = plain.stem if plain.suffix.lower() != ".gz" else PurePosixPath(plain.stem).stem
    return str(plain.with_name(f"{stem}.parquet"))
