"""Labels from a table: what turned out to be true, joined to predictions by key or by prediction id."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from undrift.core.clock import to_us
from undrift.core.digest import blake3_file
from undrift.core.json import JSON
from undrift.core.labels import label_text
from undrift.endpoints.errors import BadLabels
from undrift.endpoints.plan import ClassLabel
from undrift.endpoints.rooms import EndpointRooms
from undrift.ledger.actor import Actor
from undrift.segments.records import Label, Labelled, encode
from undrift.segments.seal import Seal
from undrift.segments.writer import SegmentWriter

if TYPE_CHECKING:
    import polars as pl

_GROUP = 1_000
_BY_ID = "prediction_id"


@dataclass(frozen=True, slots=True)
class LabelSource:
    """A table of labels and what its columns mean.

    Attributes
    ----------
    path : Path
        The file.
    table : polars.DataFrame
        Its rows.
    on : str
        The column that says what a label is about: the caller's key, or, when it is called
        ``prediction_id``, the prediction's id.
    actual : str
        The column with the truth.
    classes : tuple
        The model's classes; empty when the truth is a number.
    event_time : str or None
        Column with the predictions' event time, which tells apart several of one key.
    """

    path: Path
    table: pl.DataFrame
    on: str
    actual: str
    classes: tuple[ClassLabel, ...] = ()
    event_time: str | None = None


@dataclass(frozen=True, slots=True)
class LabelReport:
    """What became of a table of labels.

    Attributes
    ----------
    rows : int
        Rows of the table.
    added : int
        Labels written.
    without_label, without_key : int
        Rows left out because the truth, or what it is about, is null.
    digest : str
        Digest of the file.
    segments : tuple of str
        Digests of the sealed segments that hold the labels.
    """

    rows: int
    added: int
    without_label: int
    without_key: int
    digest: str
    segments: tuple[str, ...]

    def as_json(self) -> dict[str, JSON]:
        """Return the report as its event keeps it."""
        return {
            "rows": self.rows,
            "added": self.added,
            "without_label": self.without_label,
            "without_key": self.without_key,
            "file": self.digest,
            "segments": self.segments,
        }


def add_labels(rooms: EndpointRooms, endpoint: str, source: LabelSource, actor: Actor) -> LabelReport:
    """Write the labels of a table to an endpoint's feedback and record that it was done.

    The same file added again writes the same labels again; whoever reads them counts each once.

    Parameters
    ----------
    rooms : EndpointRooms
        The project.
    endpoint : str
        Whose predictions the labels are about.
    source : LabelSource
        The table.
    actor : Actor
        Who adds them.

    Raises
    ------
    BadLabels
        If the table lacks a column, or holds a truth that the model cannot answer; nothing is written then.
    """
    table = _table(source)
    digest = blake3_file(source.path)
    labels = list(_labels(table, source))
    seals = _write(rooms, endpoint, labels)
    report = LabelReport(
        rows=table.height,
        added=len(labels),
        without_label=int(table["actual"].null_count()),
        without_key=int(table.filter(table["actual"].is_not_null())["about"].null_count()),
        digest=digest,
        segments=tuple(seal.digest for seal in seals),
    )
    with rooms.ledger.change(actor) as change:
        change.record("label.added", f"endpoint:{endpoint}", report.as_json())
    return report


def keys_of(path: Path, table: pl.DataFrame, on: str) -> list[str]:
    """Return the keys in a table of labels; none when it names predictions by their id."""
    if on == _BY_ID:
        return []
    table = _table(LabelSource(path, table, on=on, actual=on))
    return [str(key) for key in table["about"].drop_nulls().unique().to_list()]


def _write(rooms: EndpointRooms, endpoint: str, labels: list[Labelled]) -> list[Seal]:
    clocks, mask = rooms.clocks, rooms.mask()
    writer = SegmentWriter(rooms.feedback(endpoint), owner="labels", mode="durable", clocks=clocks)
    waiting = iter(labels)
    while group := list(islice(waiting, _GROUP)):
        now_us = to_us(clocks.real.now())
        writer.extend([encode(label.record(now_us, mask)) for label in group])
    return writer.close()


def _table(source: LabelSource) -> pl.DataFrame:
    """Return the columns ``about``, ``actual`` and ``event_us``, row by row."""
    import polars as pl

    table = source.table
    wanted = [source.on, source.actual, *([source.event_time] if source.event_time else [])]
    if absent := [name for name in wanted if name not in table.columns]:
        raise BadLabels(
            f"{source.path.name} has no column {absent[0]!r}", cure=f"choose from {', '.join(table.columns)}"
        )
    moments = pl.lit(_moments(table[source.event_time]) if source.event_time else None, dtype=pl.Int64)
    return table.select(
        pl.col(source.on).cast(pl.String).alias("about"),
        pl.col(source.actual).alias("actual"),
        moments.alias("event_us"),
    )


def _moments(column: pl.Series) -> pl.Series:
    """Return microseconds since 1970 UTC of instants, dates or ISO texts; naive ones are UTC."""
    import polars as pl

    try:
        instants = column.str.to_datetime(time_unit="us", time_zone="UTC") if column.dtype == pl.String else column
        return instants.cast(pl.Datetime("us")).dt.epoch("us")
    except pl.exceptions.PolarsError as error:
        raise BadLabels(
            f"the column {column.name!r} does not hold instants: {error}", cure="write them as 2013-02-01T09:00:00Z"
        ) from error


def _labels(table: pl.DataFrame, source: LabelSource) -> Iterator[Labelled]:
    known = {label_text(label): label for label in source.classes}
    by_id = source.on == _BY_ID
    for row, (about, actual, event_us) in enumerate(table.iter_rows()):
        if about is None or actual is None:
            continue
        truth = _class(actual, known) if source.classes else _number(actual)
        if truth is None:
            raise BadLabels(
                f"row {row + 1} of {source.path.name} has a truth that the model cannot answer",
                cure=f"the model answers {', '.join(map(str, source.classes[:10])) or 'finite numbers'}",
                row=row + 1,
            )
        yield Labelled(about if by_id else None, None if by_id else about, truth, event_us)


def _class(actual: Any, known: dict[str, ClassLabel]) -> Label | None:  # Any: a cell
    text = label_text(actual)
    if text not in known and text.lower() in ("true", "false"):
        text = str(int(text.lower() == "true"))
    return known.get(text)


def _number(actual: Any) -> Label | None:  # Any: a cell
    if isinstance(actual, bool) or not isinstance(actual, int | float):
        return None
    return float(actual) if math.isfinite(actual) else None
