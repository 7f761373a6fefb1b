"""Whether a version holds the rows of a file already, however either is written."""

from __future__ import annotations

from pathlib import Path

from undrift.data.agreement import may_stay, under
from undrift.data.schema import Schema, SchemaMismatch
from undrift.data.stored import StoredVersions
from undrift.data.table_digest import TableHasher
from undrift.data.table_writer import BATCH_ROWS
from undrift.data.tabular.reading import Reading
from undrift.data.tabular.table_files import batches, count_rows, format_of
from undrift.data.tabular.text_file import BadTable
from undrift.data.versions import DatasetVersion


def holding(stored: StoredVersions, name: str, source: Path, reading: Reading) -> DatasetVersion | None:
    """Return the newest version of a dataset when it holds exactly the rows of a file, in their order, else None.

    Parameters
    ----------
    stored : StoredVersions
        The versions that exist.
    name : str
        The dataset; there may be none yet.
    source : Path
        A table file of any format.
    reading : Reading
        What the caller says of how it is written.
    """
    newest = stored.newest(name)
    if newest is None or newest.schema is None or newest.is_gone or not may_stay(newest.schema, reading):
        return None
    counted = count_rows(source, newest.schema) if format_of(source) == "parquet" else None
    if counted is not None and counted != newest.rows:
        return None
    found = _digest(source, under(newest.schema, reading, appended=False))
    if found is None or found != (newest.table_digest or stored.digest(newest)):
        return None
    return newest if stored.is_whole(newest) else None  # else the file would bring erased rows back


def _digest(source: Path, schema: Schema) -> str | None:
    """Return the table digest of a file under a schema, None when it is no table of that schema."""
    table_format = format_of(source)
    if table_format is None:
        return None
    hasher = TableHasher(schema)
    try:
        for batch in batches(source, table_format, schema, BATCH_ROWS):
            hasher.update(batch)
    except (SchemaMismatch, BadTable):
        return None
    return hasher.digest()
