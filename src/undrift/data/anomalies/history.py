"""Measures versions once, judges each against those before it, and records what was found."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from undrift.blobs.errors import BlobCorrupt, BlobMissing
from undrift.core.clock import Clock
from undrift.core.config import DatasetSettings
from undrift.core.errors import BadInput
from undrift.core.ids import check_name
from undrift.core.json import JSON
from undrift.core.refs import Ref
from undrift.data import parts
from undrift.data import repository as versions
from undrift.data.anomalies import repository
from undrift.data.anomalies.judgement import Fed, Judgement, judge_version
from undrift.data.anomalies.measurement import Kind, Measurement, measure
from undrift.data.anomalies.series import MOST, Past
from undrift.data.manifest import Manifest
from undrift.data.personal.columns import sampled
from undrift.data.personal.masks import Masks
from undrift.data.profile import Profile, profile
from undrift.data.stored import StoredVersions, as_ref
from undrift.data.versions import DatasetVersion, NotATable
from undrift.ledger.actor import Actor
from undrift.ledger.change import Change

MEASURED_ON_DEMAND = 30
"""Versions before the one in question that are measured when nobody did when they were added."""


@dataclass(frozen=True, slots=True)
class Brought:
    """Rows at hand that a version brings, or would bring.

    Attributes
    ----------
    frame : polars.DataFrame
        The rows.
    kind : {"batch", "table"}
        Whether they come behind others or in their place.
    personal : collection of str
        Columns of which no cell may be remembered.
    profile : Profile, optional
        What they are like, where that is known already.
    """

    frame: pl.DataFrame
    kind: Kind
    personal: Collection[str] = ()
    profile: Profile | None = None

    def profiled(self) -> Brought:
        """Return the same rows with their profile, so that who looks at them twice makes it once."""
        return self if self.profile is not None else replace(self, profile=profile(self.frame))


class History:
    """Looks at the versions of datasets as a series.

    Parameters
    ----------
    stored : StoredVersions
        The versions.
    clock : Clock
        Business time.
    masks : Masks
        Finds personal columns; its settings say how anomalies are taken.

    Attributes
    ----------
    masks : Masks
        The same.
    """

    def __init__(self, stored: StoredVersions, clock: Clock, masks: Masks) -> None:
        self._stored = stored
        self._ledger = stored.ledger
        self._clock = clock
        self.masks = masks

    def settings(self, dataset: str) -> DatasetSettings:
        """Return what the settings say of a dataset."""
        return self.masks.settings(dataset)

    def foresee(self, dataset: str, rows: Brought) -> Judgement:
        """Return how a version that these rows would make stands against those before it; nothing is written."""
        newest = self._stored.newest(dataset)
        number = (newest.number if newest else 0) + 1
        new = self._measured(dataset, rows, number, self._clock.now())
        return self._judged(dataset, new, f"the next version of {dataset}")

    def look(self, ref: Ref | str, actor: Actor, rows: Brought | None = None) -> Judgement:
        """Return how a version stands against those before it.

        Parameters
        ----------
        ref : Ref or str
            The version.
        actor : Actor
            Who looks.
        rows : Rows, optional
            What it brought, where that is at hand; else it is read from the store, verified.

        Raises
        ------
        NotATable
            If the version holds plain files.

        Notes
        -----
        A version, and those before it that nobody measured (the newest 30 of them), are measured when they are first
        looked at: one profile of the rows that each brought, and an event. Anomalies are recorded with it.
        """
        version = self._stored.find(as_ref(ref))
        with self._ledger.read() as connection:
            known = repository.get(connection, version.name, version.number)
        if rows is None or known is not None:
            self._measure_past(version, actor)
        new = known or self._measure(version, actor, rows)
        return self._judged(version.name, new, version.ref)

    def feed(self, ref: Ref | str, metric: str, value: float, actor: Actor) -> DatasetVersion:
        """Record the value of a metric from outside for a version, which then is judged like all others.

        Parameters
        ----------
        ref : Ref or str
            The version.
        metric : str
            Its name: 1 to 63 of a-z 0-9 _ . -
        value : float
            Finite.
        actor : Actor
            Who says so.

        Raises
        ------
        BadName, BadInput
            If the name does not follow the grammar or the value is not finite.
        """
        check_name(metric, "metric")
        if not math.isfinite(value):
            raise BadInput(f"the metric {metric!r} is {value}", cure="give a finite number")
        version = self._stored.find(as_ref(ref))
        with self._ledger.change(actor) as change:
            key = (version.name, metric, version.number)
            repository.save_metric(change.connection, key, value, change.at)
            change.record("data.metric-fed", version.ref, {"metric": metric, "value": value})
        return version

    def forget(self, change: Change, refs: Iterable[str]) -> None:
        """Delete what is remembered of versions from which rows were erased; what is left is measured anew."""
        gone: dict[str, list[int]] = {}
        for ref in map(as_ref, refs):
            if ref.number is not None:
                gone.setdefault(ref.name, []).append(ref.number)
        for name, numbers in gone.items():
            repository.forget(change.connection, name, numbers)

    def _judged(self, dataset: str, new: Measurement, version: str) -> Judgement:
        with self._ledger.read() as connection:
            history = repository.before(connection, dataset, new.number, new.kind, MOST)
            points = repository.fed(connection, dataset, new.number)
        return judge_version(
            history, new, version=version, alpha=self.settings(dataset).anomaly_alpha, fed=_fed(points, new)
        )

    def _measure_past(self, version: DatasetVersion, actor: Actor) -> None:
        with self._ledger.read() as connection:
            known = repository.numbers(connection, version.name)
            past = [one for one in versions.history(connection, version.name) if one.number < version.number]
        unknown = [one for one in past[:MEASURED_ON_DEMAND] if one.number not in known]
        for one in reversed(unknown):
            if one.is_table and not one.is_gone:
                with suppress(BlobMissing, BlobCorrupt):  # `undrift data fsck` tells; the newer ones can be compared
                    self._measure(one, actor, None)

    def _measure(self, version: DatasetVersion, actor: Actor, rows: Brought | None) -> Measurement:
        found = rows or self._brought_by(version)
        new = self._measured(version.name, found, version.number, version.created_at)
        judged = self._judged(version.name, new, version.ref)
        with self._ledger.change(actor) as change:
            if repository.save(change.connection, version.name, new):
                body: dict[str, JSON] = {
                    "measurement": new.digest,
                    "rows": new.rows,
                    "outcome": judged.outcome,
                    "anomalies": [one.as_json(detail=False) for one in judged.anomalies],
                }
                change.record("data.measured", version.ref, body)
        return new

    def _measured(self, dataset: str, rows: Brought, number: int, at: datetime) -> Measurement:
        personal = {*rows.personal, *self.masks.columns(dataset, sampled(rows.frame.lazy(), rows.frame.height))}
        return measure(rows.profile or profile(rows.frame), number, rows.kind, at, personal)

    def _brought_by(self, version: DatasetVersion) -> Brought:
        """Return what a version brought: the files behind those of the version before, or all."""
        if version.schema is None:
            raise NotATable(f"{version.ref} holds plain files", cure="anomalies are looked for in tables")
        manifest = self._stored.manifest(version)
        behind = self._kept_of_parent(version, manifest)
        brought = Manifest(manifest.parts[behind:])
        with self._stored.told(version):
            rows = parts.read(self._stored.blobs, brought, version.schema)
        return Brought(rows, "batch" if behind else "table")

    def _kept_of_parent(self, version: DatasetVersion, manifest: Manifest) -> int:
        """Return how many files of the version before stand before new ones; 0 when this took its place."""
        if version.parent is None:
            return 0
        parent = self._stored.find(Ref("data", version.name, str(version.parent)))
        if parent.is_gone:
            added = self._ledger.events(version.ref, ["data.added"])
            return parent.files if added and added[0].body.get("appended") else 0
        held = self._stored.manifest(parent).parts
        kept = manifest.parts[: len(held)]
        is_behind = len(manifest.parts) > len(held) and [one.contents.digest for one in kept] == [
            one.contents.digest for one in held
        ]
        return len(held) if is_behind else 0


def _fed(points: Mapping[str, list[tuple[int, float, datetime]]], new: Measurement) -> dict[str, Fed]:
    found = {}
    for metric, values in points.items():
        *past, (_, value, _) = values
        found[metric] = Fed(value, Past([one for _, one, _ in past], [at for _, _, at in past], new.at))
    return found
