"""A look at a dataset's newest version without loading what reads and writes the ledger.

Most additions and all looks at the workspace find that nothing changed; they must not wait for imports.
What is looked at is the rows that :mod:`undrift.data.repository` writes, read-only, and only where
the ledger is SQLite.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from undrift.core.clock import from_us
from undrift.core.json import JSON

_NEWEST = """
SELECT version_id, number, rows, size_bytes, files, schema, table_digest, created_us, origin FROM data_versions
WHERE dataset = ? ORDER BY number DESC LIMIT 1
"""
_TAGS = "SELECT tag FROM data_tags WHERE dataset = ? AND number = ? ORDER BY tag"


@dataclass(frozen=True, slots=True)
class Glimpse:
    """The newest version of a dataset.

    Attributes
    ----------
    number : int
        Its number.
    tags : tuple of str
        Its tags.
    shown : dict
        What a command shows of it.
    """

    number: int
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
    try:
        with closing(sqlite3.connect(f"file:{quote(str(store / 'ledger.db'))}?mode=ro", uri=True)) as connection:
            row = connection.execute(_NEWEST, [dataset]).fetchone()
            if row is None:
                return None
            version_id, number, rows, size_bytes, files, schema, table_digest, created_us, origin = row
            tags = tuple(tag for (tag,) in connection.execute(_TAGS, [dataset, number]))
    except sqlite3.Error:  # none there, another layout, damaged: whoever looks properly says so
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
        "gone": False,  # the newest version never is
        "origin": json.loads(origin) if origin else None,
    }
    return Glimpse(number, tags, shown)


def needs_healing(store: Path) -> bool:
    """Say whether stored chunks were found damaged: then files are stored again though nothing changed."""
    index = store / "blobs" / "index.db"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(index))}?mode=ro", uri=True)) as connection:
            found = connection.execute("SELECT 1 FROM chunks WHERE is_damaged = 1 LIMIT 1").fetchone()
    except sqlite3.Error:
        return True
    return found is not None
