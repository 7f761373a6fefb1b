"""Which columns of a batch are personal, by all that is known of its dataset: a few rows alone tell too little."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from undrift.blobs import assembly
from undrift.blobs.errors import BlobCorrupt, BlobMissing
from undrift.blobs.tombstones import BlobErased
from undrift.data import parts
from undrift.data.manifest import Part
from undrift.data.personal.columns import FEWEST, sampled, suspected_columns
from undrift.data.personal.masks import Masks
from undrift.data.quality.suite import Suite
from undrift.data.schema import Schema
from undrift.data.stored import StoredVersions
from undrift.data.tabular import table_files
from undrift.data.tabular.table_files import format_of
from undrift.data.tabular.text_file import BadTable

_HEAD_BYTES = 1 << 22


@dataclass(frozen=True, slots=True)
class KnownColumns:
    """What the stored rows of a dataset tell of its columns.

    Attributes
    ----------
    names : frozenset of str
        All that were seen; none where there were no rows to look at.
    personal : frozenset of str
        The personal ones.
    plain : frozenset of str
        Those of which enough different values were seen and that are not personal.
    """

    names: frozenset[str] = frozenset()
    personal: frozenset[str] = frozenset()
    plain: frozenset[str] = frozenset()


def known_columns(stored: StoredVersions, masks: Masks, dataset: str) -> KnownColumns:
    """Return what the newest version of a dataset whose bytes are here tells of its columns.

    Parameters
    ----------
    stored : StoredVersions
        The versions.
    masks : Masks
        Finds personal columns.
    dataset : str
        The dataset.

    Notes
    -----
    The first, a middle and the last file of the version are looked at, of a large text file its first 4 MiB: an
    addition must not wait for all that was added before it. Where bytes are missing or damaged nothing is seen.
    """
    version = next((one for one in stored.history(dataset) if one.schema is not None and not one.is_gone), None)
    if version is None or version.schema is None:
        return KnownColumns()
    try:
        held = stored.manifest(version).parts
        chosen = [held[at] for at in sorted({0, len(held) // 2, len(held) - 1})]
        seen = pl.concat([_some_rows(stored, part, version.schema) for part in chosen])
    except (BlobMissing, BlobCorrupt, BlobErased):  # `undrift data fsck` tells; whoever asks takes it for unseen
        return KnownColumns()
    personal = frozenset(masks.columns(dataset, seen))
    if seen.is_empty():
        return KnownColumns()
    varied = (name for name in seen.columns if seen[name].drop_nulls().n_unique() >= FEWEST)
    return KnownColumns(frozenset(seen.columns), personal, frozenset(varied) - personal)


def personal_of_batch(known: KnownColumns, frame: pl.DataFrame, suite: Suite, masks: Masks, dataset: str) -> set[str]:
    """Return the columns of a batch whose cells are not to be kept readable.

    Parameters
    ----------
    known : KnownColumns
        What stored rows tell.
    frame : polars.DataFrame
        The batch.
    suite : Suite
        Its ``meta`` may name personal columns of the table that suggested it.
    masks : Masks
        Finds personal columns; its settings have the last word.
    dataset : str
        Where the batch goes.
    """
    settings = masks.settings(dataset)
    columns = frozenset(frame.columns)
    found = {*suite.personal, *settings.personal, *known.personal, *masks.columns(dataset, frame)}
    found |= suspected_columns(sampled(frame.lazy(), frame.height), columns - known.plain)
    if not known.names:
        found |= {name for name in columns if frame[name].dtype == pl.String}
    elif known.personal - columns:  # one that is missing may be there under another name
        found |= columns - known.names
    return (found & columns) - set(settings.not_personal)


def _some_rows(stored: StoredVersions, part: Part, schema: Schema) -> pl.DataFrame:
    """Return some rows of a part; a large text file is read only at its beginning."""
    table_format = format_of(part.path)
    if table_format not in ("parquet", None) and part.contents.size_bytes > _HEAD_BYTES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "head")
            path.write_bytes(_head(stored, part, quoted=table_format != "jsonl"))
            try:
                frame = table_files.read_with_faults(path, table_format, schema).frame
            except BadTable:  # its records cannot be told apart by their bytes: packed, UTF-16, a stray quote
                pass
            else:
                return sampled(frame.lazy(), frame.height)
    lazy = parts.scan_part(stored.blobs, part, schema)
    return sampled(lazy, int(lazy.select(pl.len()).collect().item()))


def _head(stored: StoredVersions, part: Part, *, quoted: bool) -> bytes:
    """Return the records at the beginning of a text file; a line end in a quoted cell ends none."""
    head = bytearray()
    for piece in assembly.pieces(stored.blobs, part.contents):
        head += piece
        if len(head) >= _HEAD_BYTES:
            break
    letters = np.frombuffer(head, dtype=np.uint8)[:_HEAD_BYTES]
    ends = np.flatnonzero(letters == ord("\n"))
    if quoted:
        ends = ends[np.cumsum(letters == ord('"'))[ends] % 2 == 0]
    return bytes(head[: int(ends[-1]) + 1]) if len(ends) else b""
