"""The rows of a training: how each step sees the same ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from undrift.core.config import ModelSettings
from undrift.core.errors import BadInput
from undrift.core.inferred import decided
from undrift.core.json import JSON
from undrift.data.personal.columns import Personal
from undrift.evaluation.duplicates import row_units
from undrift.evaluation.errors import BadColumn, TooLittleData
from undrift.evaluation.features import TARGET, Choice, Feature, Features, choose_features
from undrift.evaluation.identifiers import identifiers
from undrift.evaluation.metrics import chosen_metric
from undrift.evaluation.rows import Ids, Instants, Units, as_instant, instants, row_ids, units_of
from undrift.evaluation.splits import Positions, RowFacts
from undrift.evaluation.target import Target, read_target, spelt_alike, usable
from undrift.loop.training.arrays import get_array
from undrift.loop.training.rooms import Spec, TrainingRooms, unit_of
from undrift.stats.metrics import Metric


class RowsErased(BadInput):
    """Rows were erased from the table between two steps of a training."""

    code = "rows-erased"


@dataclass(frozen=True, slots=True)
class Rows:
    """A table with what splitting needs to know of it."""

    frame: pl.DataFrame
    facts: RowFacts
    target: Target


@dataclass(frozen=True, slots=True)
class Chosen:
    """A table after the split, as the steps after it see it."""

    frame: pl.DataFrame
    fit: Positions
    holdout: Positions
    units: Units
    times: Instants | None
    target: Target
    features: Features
    metric: Metric

    @property
    def fit_frame(self) -> pl.DataFrame:
        """The rows learnt from."""
        return self.frame[self.fit]

    @property
    def holdout_frame(self) -> pl.DataFrame:
        """The rows judged on."""
        return self.frame[self.holdout]


def read_rows(frame: pl.DataFrame, spec: Spec, held_back: npt.NDArray[np.int64]) -> Rows:
    """Return a table's rows with ids, units, times and how the target is read.

    Parameters
    ----------
    frame : DataFrame
        The data version.
    spec : Spec
        What the training was asked for.
    held_back : int64 array
        Positions of rows that broke the suite.

    Raises
    ------
    BadColumn, BadTarget
        If a column that the settings name is missing or cannot have that part.
    TooLittleData
        If no labelled row was known at the training's moment.

    Notes
    -----
    How the target is read is decided on rows known at the training's moment only.
    """
    settings = spec.settings
    if settings.target not in frame.columns:
        raise BadColumn(f"there is no target column {settings.target!r}", cure=f"columns: {', '.join(frame.columns)}")
    times = instants(frame, settings.time) if settings.time else None
    label_times = instants(frame, settings.label_time) if settings.label_time else None
    ids = row_ids(frame, settings.key)
    units, ids = (
        row_units(frame, columns_that_make_a_row(frame, settings), ids)
        if spec.unit == "row"
        else (units_of(frame, spec.unit, times, ids), ids)
    )
    labelled = usable(frame, settings.target).to_numpy().copy()
    labelled[held_back] = False
    known = labelled.copy()
    for moments in (times, label_times):
        if moments is not None:
            known &= moments < as_instant(spec.as_of)
    if not known.any():
        raise TooLittleData("no labelled row was known at this moment", cure="add labels, or wait for them")
    target = stated_target(frame.filter(pl.Series(known)), settings)
    facts = RowFacts(
        ids=ids,
        units=units,
        labelled=labelled,
        times=times,
        label_times=label_times,
        strata=None if target.task == "regression" else _strata(frame, target),
    )
    return Rows(frame, facts, target)


def stated_target(frame: pl.DataFrame, settings: ModelSettings) -> Target:
    """Return how the target is read under the settings, with who decided so."""
    found = read_target(frame, settings.target, task=settings.task, positive=settings.positive)
    if settings.task == "auto":
        return found
    return replace(found, reason=decided(settings.inferred, "task", settings.task))


def columns_that_make_a_row(frame: pl.DataFrame, settings: ModelSettings) -> list[str]:
    """Return the columns in which equal rows are the same row: those a model may learn from, and the time.

    Not the target, what names a row, or what is dropped: a row that was exported twice has a new
    number and may have another label.
    """
    others = {settings.target, settings.key, settings.label_time, *settings.drop}
    if settings.features:
        return [name for name in frame.columns if name in (*settings.features, settings.time)]
    numbering = identifiers(frame, skip=[name for name in others if name is not None]).keys
    return [name for name in frame.columns if name not in others and name not in numbering]


def features_of(
    frame: pl.DataFrame,
    settings: ModelSettings,
    target: Target,
    personal: Mapping[str, Personal] | None = None,
    why: Mapping[str, str] | None = None,
) -> Features:
    """Return the columns to learn from, decided on the rows to learn from; personal ones only where they are kept.

    Parameters
    ----------
    frame : DataFrame
        The rows to learn from.
    settings : ModelSettings
        Says which columns are wanted, dropped, kept, and what the others are for.
    target : Target
        What to learn.
    personal : mapping of str to Personal, optional
        Columns that look personal.
    why : mapping of str to str, optional
        Why the settings drop columns, where that is known.
    """
    unit = unit_of(settings)
    parts = {
        settings.key: "the key of a row",
        settings.time: "the time of a row",
        settings.label_time: "the time of the label",
        None if unit in ("day", "row") else unit: "the unit of a row",
        settings.target: TARGET,
    }
    kept = {*settings.keep, *settings.features}
    looking = {
        name: f"looks personal ({found.kind}): {found.evidence}; keep it to learn from it"
        for name, found in (personal or {}).items()
        if name not in kept
    }
    said = {name: decided(settings.inferred, "drop", name) for name in settings.drop}
    dropped = {**looking, **said, **(why or {})}
    reserved = {**dropped, **{name: reason for name, reason in parts.items() if name is not None}}
    choice = Choice(
        reserved=reserved,
        wanted=settings.features,
        text=settings.text,
        keep=settings.keep,
        codes=target.codes(frame),
        task=target.task,
    )
    return choose_features(frame, choice)


def chosen_rows(rooms: TrainingRooms, spec: Spec, split: Mapping[str, JSON]) -> Chosen:
    """Return the table as the split left it, from the split's outputs.

    Raises
    ------
    RowsErased
        If rows of the table were erased since.
    """
    frame = rooms.data.read(str(split["data"]))
    settings, target = spec.settings, target_from(split["target"])
    units = get_array(rooms.blobs, split["units"])
    if len(frame) != len(units):
        raise RowsErased(
            f"rows of {split['data']} were erased since this training split them",
            cure=f"undrift train {spec.model or 'MODEL'} begins anew",
        )
    return Chosen(
        frame,
        get_array(rooms.blobs, split["fit"]),
        get_array(rooms.blobs, split["holdout"]),
        units,
        instants(frame, settings.time) if settings.time else None,
        target,
        features_from(split["features"]),
        _decided(split.get("metric"), spec, target),
    )


def _decided(stored: JSON, spec: Spec, target: Target) -> Metric:
    """Return the metric that the split step decided on; a training begun by an older undrift has none stored."""
    name = stored.get("name") if isinstance(stored, Mapping) else spec.settings.metric
    return chosen_metric(str(name) if name is not None else None, target.task)


def target_json(target: Target) -> JSON:
    """Return a target as a step's output."""
    return {
        "column": target.column,
        "task": target.task,
        "classes": list(target.classes),
        "positive": target.positive,
        "reason": target.reason,
    }


def target_from(value: Any) -> Target:  # Any: what target_json wrote
    """Return the target that :func:`target_json` wrote."""
    return Target(value["column"], value["task"], tuple(value["classes"]), value["positive"], value["reason"])


def features_json(features: Features) -> JSON:
    """Return features as a step's output."""
    used: list[JSON] = [
        [one.name, one.kind, one.integer, one.nullable, one.missing_share, one.tells_missing] for one in features.used
    ]
    return {"used": used, "dropped": dict(features.dropped)}


def features_from(value: Any) -> Features:  # Any: what features_json wrote
    """Return the features that :func:`features_json` wrote."""
    return Features(tuple(Feature(*one) for one in value["used"]), value["dropped"])


def ids_at(ids: Ids, positions: Positions) -> Ids:
    """Return the ids of some rows, sorted: a set for look-ups, in no order that tells of the table."""
    return np.sort(ids[positions])


def _strata(frame: pl.DataFrame, target: Target) -> npt.NDArray[np.float64]:
    """Return a number for the label of every row, usable or not."""
    labels = spelt_alike(frame[target.column]).cast(pl.String).fill_null("")
    return labels.rank("dense").to_numpy().astype(np.float64)
