"""Where bad rows go: a Parquet file per batch, private to the store, with the reason beside each row."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from undrift.core.digest import blake3_bytes
from undrift.core.files import make_private, write_atomic

ROW_COLUMN = "_undrift_row"
REASONS_COLUMN = "_undrift_reasons"


@dataclass(frozen=True, slots=True)
class QuarantineRecord:
    """What was held back of a batch.

    Attributes
    ----------
    path : Path
        The Parquet file: the rows as read, their number in the batch, what is wrong with them.
    rows : int
        How many rows it holds.
    digest : str
        Digest of the file.
    whole : bool
        Whether it is the whole batch.
    """

    path: Path
    rows: int
    digest: str
    whole: bool


def quarantine(
    frame: pl.DataFrame,
    reasons: Mapping[int, Sequence[str]],
    path: Path,
    *,
    whole: bool = False,
    conceal: Callable[[pl.DataFrame], pl.DataFrame] = lambda frame: frame,
) -> tuple[pl.DataFrame, QuarantineRecord | None]:
    """Hold back the rows that have reasons, and return the others.

    Parameters
    ----------
    frame : polars.DataFrame
        The batch.
    reasons : mapping of int to sequence of str
        What is wrong, by row number.
    path : Path
        The file to write; its folder is made private when missing.
    whole : bool
        Hold back every row, those without reasons too.
    conceal : callable
        Makes of the rows held back those that are written: personal columns are masked.

    Returns
    -------
    good : polars.DataFrame
        The rows that go on, in order.
    record : QuarantineRecord or None
        What was written; None when there was nothing to hold back.
    """
    told = pl.DataFrame(
        {ROW_COLUMN: list(reasons), REASONS_COLUMN: ["; ".join(texts) for texts in reasons.values()]},
        schema={ROW_COLUMN: pl.UInt32, REASONS_COLUMN: pl.String},
    )
    numbered = frame.with_row_index(ROW_COLUMN)
    kept = pl.Series([], dtype=pl.UInt32) if whole else told.get_column(ROW_COLUMN)
    held = numbered if whole else numbered.filter(pl.col(ROW_COLUMN).is_in(kept.implode()))
    if held.is_empty():
        return frame, None
    good = frame.clear() if whole else numbered.filter(~pl.col(ROW_COLUMN).is_in(kept.implode())).drop(ROW_COLUMN)
    data = _parquet(conceal(held).join(told, on=ROW_COLUMN, how="left", maintain_order="left"))
    make_private(path.parent)
    write_atomic(path, data)
    return good, QuarantineRecord(path, held.height, blake3_bytes(data), whole)


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()
