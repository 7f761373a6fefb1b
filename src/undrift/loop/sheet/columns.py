"""What each column of a table is for."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from undrift.core.config import ModelSettings
from undrift.data.personal.columns import Personal
from undrift.data.schema import logical_type
from undrift.evaluation.features import Features
from undrift.evaluation.handling import column_handling
from undrift.loop.sheet.facts import ColumnLine, Role
from undrift.loop.training.rooms import unit_of

_ASKED_AS = {"float64": "float", "decimal": "float", "timestamp": "datetime", "timestamp-utc": "datetime"}
_PARTS: Mapping[Role, str] = {
    "target": "what is predicted",
    "time": "when a row happened: the newest rows judge the model",
    "key": "names a row to callers and labels; never learnt from",
    "group": "rows of one stay together",
}


def column_lines(
    frame: pl.DataFrame,
    settings: ModelSettings,
    features: Features,
    reasons: Mapping[str, str],
    personal: Mapping[str, Personal],
) -> tuple[ColumnLine, ...]:
    """Return a line for each column, in the table's order.

    Parameters
    ----------
    frame : DataFrame
        The table.
    settings : ModelSettings
        Which columns have a part.
    features : Features
        What is learnt from, and why the rest is not.
    reasons : mapping of str to str
        Why columns are dropped by the settings.
    personal : mapping
        What looks like personal data.
    """
    handling = column_handling(features)
    kinds = {feature.name: feature.kind for feature in features.used}
    kept = dict.fromkeys(settings.keep, "kept as asked")
    parts = _parts(settings)

    def line(name: str) -> ColumnLine:
        told = logical_type(name, frame.schema[name])
        role: Role = parts.get(name) or ("feature" if name in kinds else "dropped")
        why = reasons.get(name) or features.dropped.get(name, "")
        return ColumnLine(
            name=name,
            type=_ASKED_AS.get(told, told),
            role=role,
            kind=kinds.get(name, ""),
            handling=handling.get(name, ""),
            reason=_PARTS.get(role) or (kept.get(name, "") if role == "feature" else why),
            personal=personal[name].kind if name in personal else "",
        )

    return tuple(line(name) for name in frame.columns)


def _parts(settings: ModelSettings) -> dict[str, Role]:
    unit = unit_of(settings)
    found: dict[str | None, Role] = {
        settings.key: "key",
        None if unit in ("day", "row") else unit: "group",
        settings.time: "time",
        settings.target: "target",
    }
    return {name: role for name, role in found.items() if name is not None}
