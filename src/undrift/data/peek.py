"""A look at a version of a dataset without loading what reads and writes the ledger.

Most additions and all looks at the workspace find that nothing changed, and a checkout only needs the id of its
version: they must not wait for imports. What is looked at is the rows that :mod:`undrift.data.repository` writes,
read-only, and only where the ledger is SQLite.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from undrift.core.clock import from_us
from undrift.core.errors import UndriftError
from undrift.core.json import JSON
from undrift.core.refs import Ref
from undrift.core.sqlite_files import open_to_read

_COLUMNS = "version_id, number, rows, size_bytes, files, schema, table_digest, created_us, is_gone, origin"
_NEWEST = f"SELECT {_COLUMNS} FROM data_versions WHERE dataset = ? ORDER BY number DESC LIMIT 1"  # noqa: S608
_NUMBERED = f"SELECT {_COLUMNS} FROM data_versions WHERE dataset = ? AND number = ?"  # noqa: S608
_TAGGED = f"""
SELECT {_COLUMNS} FROM data_versions WHERE dataset = ?1
AND number = (SELECT number FROM data_tags WHERE dataset = ?1 AND tag = ?2)
"""  # noqa: S608
_TAGS = "SELECT tag FROM data_tags WHERE dataset = ? AND number = ? ORDER BY tag"


@dataclass(frozen=True, slots=True)
class Glimpse:
    """A version of a dataset.

    Attributes
    ----------
    number : int
        Its number.
    version_id : str
        Its id.
    tags : tuple of str
        Its tags.
    shown : dict
        What a command shows of it.
    """

    number: int
    version_id: str
    tags: tuple[str, ...]
    shown: dict[str, JSON]


def newest(store: Path, dataset: str) -> Glimpse | None:
    """Return the newest version of a dataset; None when there is none, or when a proper look is needed.

    Parameters
    ----------
    store : Path
        The project's store.
    dataset : str
        Its name.
    """
    return _glimpse(store, dataset, _NEWEST, [dataset])


def named(store: Path, ref: Ref) -> Glimpse | None:
    """Return the version that a number, a tag or nothing names, if its bytes are here; else None: look properly.

    Parameters
    ----------
    store : Path
        The project's store.
    ref : Ref
        The version.
    """
    if ref.number is not None:
        found = _glimpse(store, ref.name, _NUMBERED, [ref.name, ref.number])
    elif ref.selector:
        found = _glimpse(store, ref.name, _TAGGED, [ref.name, ref.selector])
    else:
        found = newest(store, ref.name)
    return None if found is None or found.shown["gone"] else found


def _glimpse(store: Path, dataset: str, query: str, values: Sequence[str | int]) -> Glimpse | None:
    try:
        with closing(open_to_read(store / "ledger.db")) as connection:
            row = connection.execute(query, values).fetchone()
            if row is None:
                return None
            version_id, number, rows, size_bytes, files, schema, table_digest, created_us, is_gone, origin = row
            tags = tuple(tag for (tag,) in connection.execute(_TAGS, [dataset, number]))
            connection.refuse_changed()
    except (sqlite3.Error, UndriftError, OSError):  # none there, damaged: whoever looks properly says so
        return None
    shown: dict[str, JSON] = {
        "ref": f"data:{dataset}@{number}",
        "version_id": version_id,
        "tags": list(tags),
        "rows": rows,
        "bytes": size_bytes,
        "files": files,
        "table_digest": table_digest,
        "created_at": from_us(created_us).isoformat(),
        "schema": json.loads(schema) if schema else None,
        "gone": bool(is_gone),
        "origin": json.loads(origin) if origin else None,
    }
    return Glimpse(number, version_id, tags, shown)


def needs_healing(store: Path) -> bool:
    """Say whether stored chunks were found damaged: then files are stored again though nothing changed."""
    index = store / "blobs" / "index.db"
    try:
        with closing(open_to_read(index)) as connection:
            found = connection.execute("SELECT 1 FROM chunks WHERE is_damaged = 1 LIMIT 1").fetchone()
    except (sqlite3.Error, UndriftError, OSError):
        return True
    return found is not None
