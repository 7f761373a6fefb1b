"""Looking at every column for signs that it knows what is to be predicted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from undrift.evaluation.suspicion.alone import predicts
from undrift.evaluation.suspicion.copies import copies
from undrift.evaluation.suspicion.found import Suspicion
from undrift.evaluation.suspicion.later import Timeline, named
from undrift.evaluation.suspicion.looked import MOST_ROWS, Column, Looked, column_of, look
from undrift.evaluation.suspicion.missing import filled
from undrift.evaluation.suspicion.sums import identities
from undrift.evaluation.target import Target


def suspects(
    frame: pl.DataFrame,
    target: Target,
    columns: Sequence[str],
    *,
    time: str | None = None,
    label_time: str | None = None,
    unit: str | None = None,
    seed: int = 0,
) -> tuple[Suspicion, ...]:
    """Return what is suspicious of the columns a model would learn from, in the order of the columns.

    Parameters
    ----------
    frame : DataFrame
        The table, rows without a label included.
    target : Target
        How the target is read.
    columns : sequence of str
        The columns in question: without the target, the key and the time, and with those that
        are set aside for their type only, such as dates.
    time, label_time : str, optional
        Columns with the time of the event and of the label.
    unit : str, optional
        Column whose equal values belong together; by default equal rows do.
    seed : int
        Of folds and of the sample.

    Notes
    -----
    Above 50,000 rows a sample of them is looked at, which the evidence says. 200 columns of
    100,000 rows take some seconds.
    """
    grouped = unit if unit is not None and unit in frame.columns else None
    looked = look(frame, target, columns, grouped, seed)
    timeline = _timeline(frame, time, label_time, seed)
    seen = {name: column_of(looked.frame[name]) for name in columns}
    found = {name: list(_of_one(name, seen[name], looked, timeline)) for name in columns}
    innocent = [column for name, column in seen.items() if column is not None and not found[name]]
    for one in identities(innocent, looked):
        found[one.column].append(one)
    return tuple(one for name in columns for one in found[name])


def _timeline(frame: pl.DataFrame, time: str | None, label_time: str | None, seed: int) -> Timeline | None:
    if time is None:
        return None
    return Timeline(frame.sample(MOST_ROWS, seed=seed) if len(frame) > MOST_ROWS else frame, time, label_time)


def _of_one(name: str, column: Column | None, looked: Looked, timeline: Timeline | None) -> Iterator[Suspicion]:
    """Give what is suspicious of one column; what says more comes first and stands for what says less."""
    known = False
    if column is not None:
        first = copies(column, looked) or filled(column, looked)
        if first is not None:
            known = True
            yield first
    if timeline is not None:
        later = timeline.after(name) or timeline.not_yet(name)
        if later is None and column is not None and not known:
            later = named(column, looked, looked.frame[name])
        if later is not None:
            known = True
            yield later
    if column is not None and not known:
        alone = predicts(column, looked)
        if alone is not None:
            yield alone
