"""Drift of a window against the reference sketch of the version that was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from undrift.core.decision import Decision
from undrift.core.json import JSON
from undrift.monitoring.traffic import PREDICTION, Traffic
from undrift.monitoring.watched import Version
from undrift.stats.drift import FEWEST_UNITS, compare
from undrift.stats.sketch import ReferenceSketch, WindowCounts

_INPUTS = "the inputs are distributed as in training"
_INPUTS_LATER = "the inputs are distributed as in the version's first window"
_ANSWERS = "the answers are distributed as in training"
_ANSWERS_LATER = "the answers are distributed as in the version's first window"


@dataclass(frozen=True, slots=True)
class DriftFound:
    """What a comparison found.

    Attributes
    ----------
    decision : Decision
        ``fail`` says that something has drifted.
    columns : sequence of mapping
        One per column.
    """

    decision: Decision
    columns: Sequence[dict[str, JSON]]


def input_drift(version: Version, answered: Traffic, first: Traffic | None, alpha: float) -> DriftFound:
    """Return the drift of what was asked; columns that follow the calendar are left out.

    Parameters
    ----------
    version : Version
        Who was asked.
    answered : Traffic
        The window.
    first : Traffic or None
        The version's first window, which is compared with where training had too few days.
    alpha : float
        Stated false-alarm rate.
    """
    left_out = version.calendar | {PREDICTION}
    names = [name for name in version.sketch.columns if name not in left_out]
    inputs = _only(version.sketch, names)
    if first is None or not first.rows or _has_enough(version.sketch):
        return _compared(inputs, answered, alpha, _INPUTS)
    types = {name: column.type for name, column in inputs.columns.items()}
    return _compared(_sketch_of(first, types), answered, alpha, _INPUTS_LATER)


def prediction_drift(version: Version, answered: Traffic, first: Traffic | None, alpha: float) -> DriftFound:
    """Return the drift of what was answered.

    Parameters
    ----------
    version : Version
        Who answered.
    answered : Traffic
        The window.
    first : Traffic or None
        The version's first window, which is compared with where the sketch holds no answers, or
        those of too few days.
    alpha : float
        Stated false-alarm rate.
    """
    is_told = PREDICTION in version.sketch.columns
    if is_told and (first is None or not first.rows or _has_enough(version.sketch)):
        return _compared(_only(version.sketch, [PREDICTION]), answered, alpha, _ANSWERS)
    if first is None or not first.rows:
        return _undecided(_ANSWERS, alpha, answered, "later windows are compared with this one")
    types = {PREDICTION: "string" if version.task == "multiclass" else "float"}
    return _compared(_sketch_of(first, types), answered, alpha, _ANSWERS_LATER)


def _sketch_of(first: Traffic, types: Mapping[str, str]) -> ReferenceSketch:
    kind = first.version.sketch.unit
    columns = first.columns()
    return ReferenceSketch.fit({name: columns[name] for name in types}, types, first.unit(kind), unit_kind=kind)


def _has_enough(sketch: ReferenceSketch) -> bool:
    return sketch.unit == "row" or sketch.units >= FEWEST_UNITS


def _only(sketch: ReferenceSketch, names: Sequence[str]) -> ReferenceSketch:
    return replace(sketch, columns={name: sketch.columns[name] for name in names})


def _compared(sketch: ReferenceSketch, answered: Traffic, alpha: float, question: str) -> DriftFound:
    if not answered.rows or not sketch.columns:
        return _undecided(question, alpha, answered, "no rows" if sketch.columns else "no columns to compare")
    columns = answered.columns()
    missing = [name for name in sketch.columns if name not in columns]
    if missing:
        return _undecided(question, alpha, answered, f"the log has no column {missing[0]!r}")
    counts = WindowCounts.collect(sketch, columns, answered.unit(sketch.unit))
    found = compare(sketch, counts, alpha=alpha)
    return DriftFound(replace(found.decision, question=question), [column.as_json() for column in found.columns])


def _undecided(question: str, alpha: float, answered: Traffic, reason: str) -> DriftFound:
    decision = Decision(question, "cannot_tell", "", alpha, answered.rows, "row", reason=reason)
    return DriftFound(decision, [])
