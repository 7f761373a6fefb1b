"""Records as polars tables: what monitoring and people read. Imports polars, so services only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import polars as pl

from undrift.core.masking import Mask
from undrift.segments.records import Cell, ColumnsRecord, FeedbackRecord, PredictionRecord, Record, decode

ROW_PREFIX = "row."

PREDICTION_SCHEMA: Mapping[str, pl.DataType] = {
    "id": pl.String(),
    "received_us": pl.Int64(),
    "event_us": pl.Int64(),
    "key": pl.String(),
    "endpoint": pl.String(),
    "variant": pl.String(),
    "model": pl.String(),
    "version": pl.Int64(),
    "package": pl.String(),
    "generation": pl.Int64(),
    "share_bp": pl.Int64(),
    "scores": pl.List(pl.Float64()),
    "prediction": pl.String(),
    "status": pl.Int64(),
    "latency_us": pl.Int64(),
    "error": pl.String(),
}
FEEDBACK_SCHEMA: Mapping[str, pl.DataType] = {
    "id": pl.String(),
    "prediction_id": pl.String(),
    "key": pl.String(),
    "actual": pl.String(),
    "event_us": pl.Int64(),
    "received_us": pl.Int64(),
}
_TYPES: Mapping[str, pl.DataType] = {
    "float": pl.Float64(),
    "int": pl.Int64(),
    "bool": pl.Boolean(),
    "string": pl.String(),
    "date": pl.Date(),
    "datetime": pl.Datetime("us"),
}


@dataclass(slots=True)
class Collected:
    """The records of some segments, sorted by what they are."""

    predictions: list[PredictionRecord] = field(default_factory=list)
    feedback: list[FeedbackRecord] = field(default_factory=list)
    columns: dict[str, ColumnsRecord] = field(default_factory=dict)

    def add(self, payloads: Iterable[bytes]) -> Collected:
        """Add the records of some payloads."""
        for payload in payloads:
            self.add_record(decode(payload))
        return self

    def add_record(self, record: Record) -> None:
        """Add one record."""
        if isinstance(record, PredictionRecord):
            self.predictions.append(record)
        elif isinstance(record, FeedbackRecord):
            self.feedback.append(record)
        elif isinstance(record, ColumnsRecord):
            self.columns[record.package] = record


def predictions_frame(records: Sequence[PredictionRecord], columns: Mapping[str, ColumnsRecord]) -> pl.DataFrame:
    """Return predictions as a table.

    Parameters
    ----------
    records : sequence of PredictionRecord
        Of any packages.
    columns : mapping of str to ColumnsRecord
        By package: the names and types of its rows.

    Returns
    -------
    pl.DataFrame
        One row per record: the fields of the record, ``prediction`` as JSON text, and the asked
        values as ``row.<name>`` in their logical types (null where a package has no such column,
        or the request was refused before its row was read).
    """
    by_package: dict[str, list[PredictionRecord]] = {}
    for record in records:
        by_package.setdefault(record.package, []).append(record)
    frames = [_package_frame(group, columns.get(package)) for package, group in by_package.items()]
    return join([pl.DataFrame(schema=PREDICTION_SCHEMA), *frames])


def feedback_frame(records: Sequence[FeedbackRecord]) -> pl.DataFrame:
    """Return feedback as a table, ``actual`` as JSON text; repeated feedback is still repeated."""
    data = {name: [getattr(record, name) for record in records] for name in FEEDBACK_SCHEMA}
    data["actual"] = [_json(record.actual) for record in records]
    return pl.DataFrame(data, schema=FEEDBACK_SCHEMA)


def with_masked_keys(table: pl.DataFrame, mask: Mask | None) -> pl.DataFrame:
    """Return a table of records with every key masked; without a mask as it is."""
    if mask is None:
        return table
    raw = table["key"].drop_nulls().unique().to_list()
    return table.with_columns(pl.col("key").replace({key: mask.text(key) for key in raw}))


def join(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return tables under one another; columns that one does not have are null there."""
    return pl.concat(frames, how="diagonal_relaxed")


def _package_frame(records: Sequence[PredictionRecord], columns: ColumnsRecord | None) -> pl.DataFrame:
    data: dict[str, list[object]] = {name: [getattr(r, name) for r in records] for name in PREDICTION_SCHEMA}
    data["prediction"] = [None if r.prediction is None else _json(r.prediction) for r in records]
    frame = pl.DataFrame(data, schema=PREDICTION_SCHEMA)
    if columns is None:
        return frame
    return frame.with_columns(
        _series(f"{ROW_PREFIX}{name}", [None if r.row is None else r.row[place] for r in records], kind)
        for place, (name, kind) in enumerate(zip(columns.columns, columns.types, strict=True))
    )


def _series(name: str, cells: Sequence[Cell], kind: str) -> pl.Series:
    if kind == "date":
        return pl.Series(name, cells, dtype=pl.String()).str.to_date("%Y-%m-%d")
    if kind == "datetime":
        instants = [None if cell is None else datetime.fromisoformat(str(cell)).replace(tzinfo=None) for cell in cells]
        return pl.Series(name, instants, dtype=_TYPES[kind])
    return pl.Series(name, cells, dtype=_TYPES[kind])


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
