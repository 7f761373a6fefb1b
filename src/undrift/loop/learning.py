"""Labelled answers become rows to learn from: what was asked, and what turned out to be true."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

import msgspec
import polars as pl
from msgspec import structs

from undrift.core.config import ModelSettings
from undrift.core.digest import blake3_bytes
from undrift.core.errors import CannotTell, UndriftError
from undrift.core.files import FileLock
from undrift.core.json import JSON
from undrift.core.labels import label_text
from undrift.data.conform import conform
from undrift.data.quality.check import check
from undrift.data.schema import Column, Schema
from undrift.data.versions import DatasetVersion
from undrift.endpoints.state import EndpointState, VersionRef
from undrift.ledger.actor import Actor
from undrift.loop.watching import version_of
from undrift.models.signature import InputColumn
from undrift.monitoring.spans import Span
from undrift.monitoring.traffic import Folders, Traffic, read
from undrift.project import Project
from undrift.segments.tables import ROW_PREFIX

LEARNT = "label.learnt"
_EVER = datetime(1900, 1, 1, tzinfo=UTC)


class NotLearnable(CannotTell):
    """The labelled answers do not make rows of the dataset."""

    code = "not-learnable"


@dataclass(frozen=True, slots=True)
class Learnt:
    """What became of the labelled answers of an endpoint.

    Attributes
    ----------
    data : str
        The newest version of the dataset.
    rows : int
        Rows that were appended to it.
    known : int
        Labelled answers that had been appended before.
    left_out : int
        Labelled answers whose rows break the dataset's checks.
    """

    data: str
    rows: int
    known: int
    left_out: int

    def as_json(self) -> dict[str, JSON]:
        """Return this for machines."""
        return {"data": self.data, "rows": self.rows, "known": self.known, "left_out": self.left_out}


@dataclass(frozen=True, slots=True)
class Keys:
    """The callers' keys in clear, as a file of labels holds them.

    Attributes
    ----------
    column : str
        Its column; rows get the keys in the dataset's column of that name, when the settings name none.
    clear : mapping of str to str
        The keys by what stands for them in the log.
    """

    column: str = ""
    clear: Mapping[str, str] = field(default_factory=dict)


NO_KEYS = Keys()


def learn_from_answers(project: Project, endpoint: EndpointState, actor: Actor, keys: Keys = NO_KEYS) -> Learnt:
    """Append the labelled answers of an endpoint to its model's dataset, each once, and say how many.

    Parameters
    ----------
    project : Project
        The project.
    endpoint : EndpointState
        Its live version, and the one before, are looked at.
    actor : Actor
        Who wants it.
    keys : Keys
        What the log does not tell: with them only the answers about these keys become rows, and have
        their keys; without them all do, and have none.

    Raises
    ------
    NotLearnable
        If a row of the dataset cannot be made of an answer, or the dataset's checks refuse such rows.

    Notes
    -----
    A row holds what the model was asked with, the truth, and the moment and key of the request where
    the settings name columns for them; other columns are null, because nobody sent them. Which answers
    were appended is kept by their ids, so that a label that comes twice makes one row; a key that was
    asked about twice at one event time makes one row as well.
    """
    with FileLock(project.store / "learning.lock"):  # two at once would each append the same answers
        return _learn(project, endpoint, actor, keys)


def _learn(project: Project, endpoint: EndpointState, actor: Actor, keys: Keys) -> Learnt:
    settings = project.settings.model(endpoint.stable.model)
    data = project.data.get(settings.dataset)
    if data.schema is None:
        raise NotLearnable(f"{data.ref} is no table", cure=f"undrift data check {data.name} --freeze")
    if settings.key is None and keys.column in data.schema.names:
        settings = structs.replace(settings, key=keys.column)
    known = _learnt_before(project, endpoint)
    parts = [_labelled(project, endpoint, one) for one in (endpoint.stable, endpoint.previous) if one is not None]
    _refuse_unlike(project, endpoint, settings)
    table = pl.concat([part.table for part in parts], how="diagonal_relaxed")
    fresh = table.filter(~pl.col("id").is_in(list(known)))
    if keys.clear:  # the keys of other labels are not known in clear: those wait for their own file, or for none
        fresh = fresh.filter(pl.col("key").is_in(list(keys.clear)))
    asked = _once(fresh)
    is_number = parts[0].version.task == "regression"
    truths = None if is_number else _spelling(project, data, settings)
    frame = _as_rows(asked, data.schema, settings, truths, keys.clear)
    good = _good(project, data, frame)
    rows, ids = frame.filter(good), fresh.join(asked.filter(~good), on="id", how="anti")["id"].to_list()
    left_out, before = frame.height - rows.height, table.filter(pl.col("id").is_in(list(known))).height
    if not rows.height:
        return Learnt(data.ref, 0, before, left_out)
    name = f"answers-{blake3_bytes(''.join(ids).encode()).partition(':')[2][:12]}.parquet"
    added = project.data.add_frame(rows, settings.dataset, actor=actor, part_name=name, append=True)
    _record(project, endpoint, actor, Learnt(added.ref, rows.height, before, left_out), ids)
    return Learnt(added.ref, rows.height, before, left_out)


def _once(table: pl.DataFrame) -> pl.DataFrame:
    """Return the newest answer about each key at each event time, and all that carried no key."""
    keyed = table.filter(pl.col("key").is_not_null()).unique(["key", "event_us"], keep="last", maintain_order=True)
    return pl.concat([keyed, table.filter(pl.col("key").is_null())]).sort("about_us", "id")


def _labelled(project: Project, endpoint: EndpointState, served: VersionRef) -> Traffic:
    version = version_of(project, project.registry.get(served.ref))
    span = Span(0, _EVER, project.clocks.business.now() + timedelta(days=3650))
    return read(Folders.below(project.store, endpoint.name), version, span).answered().labelled()


def _refuse_unlike(project: Project, endpoint: EndpointState, settings: ModelSettings) -> None:
    """Refuse what would be learnt wrongly: masks in place of values, rows that belong together unseen."""
    inputs: tuple[InputColumn, ...] = project.registry.open(project.registry.get(endpoint.stable.ref)).manifest.inputs
    whole = f"append whole rows: undrift data add FILE --name {settings.dataset} --append"
    masked = [column.name for column in inputs if column.role == "personal"]
    if masked and project.settings.privacy.mask:
        raise NotLearnable(f"the log holds masks of {', '.join(masked)} and not what was asked", cure=whole)
    told = {*(column.name for column in inputs), settings.key, settings.time, "day", "row", None}
    if settings.unit not in told:
        raise NotLearnable(f"rows belong together by {settings.unit!r}, which requests do not carry", cure=whole)


def _spelling(project: Project, data: DatasetVersion, settings: ModelSettings) -> dict[str, object]:
    """Return the dataset's own spelling of each class by its text."""
    frame = project.data.scan(data.ref).select(pl.col(settings.target).drop_nulls().unique()).collect()
    return {label_text(value): value for value in sorted(frame[settings.target].to_list(), key=str)}


def _as_rows(
    table: pl.DataFrame,
    schema: Schema,
    settings: ModelSettings,
    truths: Mapping[str, object] | None,
    keys: Mapping[str, str],
) -> pl.DataFrame:
    """Return labelled answers as rows of a dataset; what was not asked is null."""
    columns = []
    for column in schema.columns:
        asked = f"{ROW_PREFIX}{column.name}"
        if column.name == settings.target:
            values = _truth(table["actual"], column, truths)
        elif asked in table.columns:
            values = table[asked]
        elif column.name in (settings.time, settings.label_time):
            about = "about_us" if column.name == settings.time else "received_us"
            values = pl.from_epoch(table[about], time_unit="us")
        elif column.name == settings.key:
            clear = [keys.get(key) if key is not None else None for key in table["key"].to_list()]
            values = pl.Series(column.name, clear, dtype=pl.String)
        else:
            values = pl.Series(column.name, [None] * table.height, dtype=column.dtype)
        columns.append(_fitted(values.alias(column.name), column))
    try:
        return conform(pl.DataFrame(columns), schema)
    except UndriftError as error:
        raise NotLearnable(f"answers do not make rows of the dataset: {error.message}", cure=error.cure) from error


def _fitted(values: pl.Series, column: Column) -> pl.Series:
    """Return moments as their column holds them, and keys as numbers where it holds numbers."""
    if isinstance(column.dtype, pl.Datetime) and isinstance(values.dtype, pl.Datetime):
        return values.dt.replace_time_zone(column.dtype.time_zone)
    if column.dtype == pl.Date and isinstance(values.dtype, pl.Datetime):
        return values.dt.date()
    if values.dtype == pl.String and column.dtype != pl.String:
        return values.cast(column.dtype, strict=False)
    return values


def _truth(actual: pl.Series, column: Column, truths: Mapping[str, object] | None) -> pl.Series:
    said: Iterable[bool | float | str] = (msgspec.json.decode(text) for text in actual.to_list())
    if truths is None:
        return pl.Series(column.name, [float(one) for one in said], dtype=pl.Float64)
    return pl.Series(column.name, [truths.get(label_text(one)) for one in said], dtype=column.dtype)


def _good(project: Project, data: DatasetVersion, frame: pl.DataFrame) -> pl.Series:
    """Return which rows the dataset's checks let in, when they let in any."""
    suite = project.data.suite(data.name)
    good = pl.Series([True] * frame.height, dtype=pl.Boolean)
    if suite is None or not frame.height:
        return good
    report = check(frame, suite)
    if report.stop_reasons:
        unknown = [name for name in frame.columns if frame[name].null_count() == frame.height]
        without = f" (answers carry no {', '.join(unknown)})" if unknown else ""
        cure = f"undrift data suite {data.name} shows the checks; change them where the world has moved"
        raise NotLearnable(
            f"the checks of data:{data.name} refuse the answers as rows{without}: {report.stop_reasons[0]}",
            cure=f"append whole rows: undrift data add FILE --name {data.name} --append" if unknown else cure,
        )
    bad = [int(row) for row in report.bad_rows]
    return good.scatter(bad, [False] * len(bad)) if bad else good


def _learnt_before(project: Project, endpoint: EndpointState) -> set[str]:
    """Return the ids of the predictions that are rows of the dataset already."""
    events = project.ledger.events(endpoint.ref, [LEARNT])
    digests = [str(event.body["predictions"]) for event in events]
    return {
        one for digest in digests for one in cast("list[str]", msgspec.json.decode(project.blobs.read_bytes(digest)))
    }


def _record(project: Project, endpoint: EndpointState, actor: Actor, found: Learnt, ids: list[str]) -> None:
    digest = project.blobs.put_bytes(msgspec.json.encode(ids))
    with project.ledger.change(actor) as change:
        change.record(LEARNT, endpoint.ref, {**found.as_json(), "predictions": digest})
