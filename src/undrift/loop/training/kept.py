"""What speaks against the columns that the settings keep: it stays on the card for ever."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from undrift.core.config import ModelSettings
from undrift.data.personal.columns import Personal
from undrift.evaluation.features import missing
from undrift.evaluation.suspicion import suspects
from undrift.evaluation.target import Target

NOTHING = "nothing speaks against it in the rows learnt from"
_HALF = 0.5


def against(
    frame: pl.DataFrame, target: Target, settings: ModelSettings, personal: Mapping[str, Personal]
) -> dict[str, str]:
    """Return what speaks against each column that the settings keep, in words and without a cell of the table.

    Parameters
    ----------
    frame : DataFrame
        The rows learnt from.
    target : Target
        What is predicted.
    settings : ModelSettings
        Which columns are kept.
    personal : mapping of str to Personal
        Columns that look personal.
    """
    kept = [name for name in settings.keep if name in frame.columns and name != target.column]
    told: dict[str, list[str]] = {name: [] for name in kept}
    if not kept:
        return {}
    found = suspects(
        frame, target, kept, time=settings.time, label_time=settings.label_time, unit=settings.unit, seed=settings.seed
    )
    for one in found:
        told[one.column].append(one.evidence)
    for name in kept:
        if name in personal:
            told[name].append(f"it looks personal ({personal[name].kind}): {personal[name].evidence}")
        gaps = float(missing(frame[name]).mean() or 0.0)  # type: ignore[arg-type]  # a mean of booleans is a number
        if gaps > _HALF:
            told[name].append(f"{gaps:.0%} of it is missing")
    return {name: "; ".join(lines) or NOTHING for name, lines in told.items()}
