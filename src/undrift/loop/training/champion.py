"""The champion: the version a challenger must beat, and what it has seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from undrift.evaluation.errors import BadColumn, BadTarget
from undrift.evaluation.gate import Arm
from undrift.evaluation.rows import Ids, Span
from undrift.evaluation.target import Target
from undrift.loop.training.arrays import get_array, get_json
from undrift.loop.training.rooms import TrainingRooms
from undrift.models.engines.base import NotScorable
from undrift.models.infer import columns_of
from undrift.models.package import Manifest, Package
from undrift.models.version import ModelVersion

ALIAS = "champion"
FIT_ROWS = "fit-rows"
HOLDOUT_ROWS = "holdout-rows"
SPLIT = "split"
ORIGINAL = "sklearn"
_ROWS_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class Seen:
    """What a version has seen, as its run recorded it; None where it did not.

    Attributes
    ----------
    fit_ids, judged_ids : uint64 array or None
        Ids of the rows it was fitted on, and of those it passed its own gate on.
    fit_span : Span or None
        When the former happened.
    """

    fit_ids: Ids | None = None
    judged_ids: Ids | None = None
    fit_span: Span | None = None


def champion_of(rooms: TrainingRooms, model: str) -> ModelVersion | None:
    """Return the version that bears the champion's alias, None when there is none."""
    number = rooms.registry.aliases(model).get(ALIAS)
    return None if number is None else rooms.registry.get(f"model:{model}@{number}")


def seen_by(rooms: TrainingRooms, version: ModelVersion) -> Seen:
    """Return what a version has seen."""
    if not version.run:
        return Seen()
    artifacts = rooms.runs.get(version.run).facts.artifacts
    fit, judged, split = (artifacts.get(name) for name in (FIT_ROWS, HOLDOUT_ROWS, SPLIT))
    span = get_json(rooms.blobs, split.digest).get("fit_span") if split else None
    return Seen(
        get_array(rooms.blobs, fit.digest) if fit else None,
        get_array(rooms.blobs, judged.digest) if judged else None,
        Span.of_json(span) if span else None,
    )


def champion_arm(rooms: TrainingRooms, version: ModelVersion, frame: pl.DataFrame, target: Target) -> Arm:
    """Return a champion at the gate: scored by the engine that serves it, from its own package.

    Parameters
    ----------
    rooms : TrainingRooms
        Where it is.
    version : ModelVersion
        Which one.
    frame : DataFrame
        The rows of the holdout.
    target : Target
        How the challenger reads the target.

    Raises
    ------
    BadColumn
        If the table has lost a column that the champion asks for.
    BadTarget
        If it answers other classes.
    """
    package = rooms.registry.open(version)
    manifest = package.manifest
    missing = [column.name for column in manifest.inputs if column.name not in frame.columns]
    if missing:
        raise BadColumn(
            f"{version.ref} asks for the column {missing[0]!r}, which the table has lost",
            cure="bring the column back, or retire the champion",
        )
    scores = target.scores(in_order(scored(package, frame), manifest, target))
    seen = seen_by(rooms, version)
    return Arm(
        name=version.ref,
        scores=scores,
        fit_ids=seen.fit_ids,
        fit_span=seen.fit_span,
        package=version.package,
        judged_ids=seen.judged_ids,
    )


def scored(package: Package, frame: pl.DataFrame) -> npt.NDArray[np.float64]:
    """Return what the engine that serves a package gives to the rows of a table.

    Rows that it refuses, because they have gaps where its own training had none, are answered by
    the original, which takes them.

    Raises
    ------
    NotScorable
        If the original refuses them too.
    """
    engine, inputs = package.load_engine(), package.manifest.inputs
    parts = []
    for part in frame.iter_slices(_ROWS_AT_ONCE):
        columns = columns_of(part, inputs)
        try:
            parts.append(engine.score(columns, len(part)))
        except NotScorable:
            parts.append(package.load_engine(ORIGINAL).score(columns, len(part)))
    return np.concatenate(parts)


def in_order(scores: npt.NDArray[np.float64], manifest: Manifest, target: Target) -> npt.NDArray[np.float64]:
    """Return scores with the classes in the challenger's order.

    Raises
    ------
    BadTarget
        If the two do not answer the same question.
    """
    if manifest.task != target.task or not _same(manifest.classes, target.classes):
        raise BadTarget(
            f"the champion answers {manifest.task} {list(manifest.classes)}, the challenger "
            f"{target.task} {list(target.classes)}: they cannot be compared",
            cure="retire the champion, or give the new task another model's name",
        )
    if target.task == "regression":
        return scores
    return scores[:, [manifest.classes.index(label) for label in target.classes]]


def _same(first: Sequence[Any], second: Sequence[Any]) -> bool:
    return {(type(label), label) for label in first} == {(type(label), label) for label in second}
