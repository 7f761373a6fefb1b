"""Reading a table as an experienced colleague would, before anything is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec
import polars as pl

from undrift.core.config import DatasetSettings, ModelSettings
from undrift.core.errors import BadInput
from undrift.core.inferred import decided
from undrift.core.json import JSON
from undrift.core.labels import label_text
from undrift.data.personal.columns import Personal, personal_columns
from undrift.data.tabular.table_files import ReadTable
from undrift.evaluation.duplicates import Duplicates, duplicates
from undrift.evaluation.features import Features
from undrift.evaluation.identifiers import identifiers
from undrift.evaluation.scheme import Scheme, infer_scheme
from undrift.evaluation.splits import Scheme as Kind
from undrift.evaluation.suspicion import suspects
from undrift.evaluation.target import ClassLabel, Target, read_target, usable
from undrift.loop.sheet.asked import BUDGET_S, Asked
from undrift.loop.sheet.choices import Grounds, choices, split_text
from undrift.loop.sheet.columns import column_lines
from undrift.loop.sheet.facts import Facts, Sheet
from undrift.loop.sheet.telling import (
    estimate_facts,
    metric_of,
    rarity,
    scheme_facts,
    table_facts,
    target_facts,
    threshold_facts,
    within_budget,
)
from undrift.loop.training.rooms import unit_of
from undrift.loop.training.rows import features_of


class TargetMissing(BadInput):
    """The table has no such column."""

    code = "target-missing"


class ColumnMissing(BadInput):
    """A column that is named is not in the table."""

    code = "column-missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the project says of the table already.

    Attributes
    ----------
    settings : ModelSettings or None
        Of the model, when it has some: they are obeyed and nothing of them is inferred again.
    dataset : DatasetSettings
        Of the dataset.
    now : datetime
        Business time.
    """

    settings: ModelSettings | None
    dataset: DatasetSettings
    now: datetime


def infer(read: ReadTable, asked: Asked, known: Known) -> Sheet:
    """Return the inference sheet of a table; nothing is written.

    Parameters
    ----------
    read : ReadTable
        The table and how it was read.
    asked : Asked
        What somebody says of it.
    known : Known
        What the project says of it.

    Raises
    ------
    TargetMissing, ColumnMissing
        If the table has no such column; the nearest name is told.
    BadTarget
        If the target cannot be learnt.
    DecisionNeeded
        If a person must say which of several columns is the time.
    TooLittleData
        If no column is left to learn from.
    """
    frame = read.frame
    _check_columns(frame, asked)
    labelled = frame.filter(usable(frame, asked.target))
    target = _target(labelled, asked, known)
    personal = personal_columns(frame.drop(asked.target), known.dataset)
    drafted = _later(asked, known) if known.settings else _first(labelled, target, asked, (known.now, personal))
    settings = _whole(drafted.settings, target)
    features = features_of(labelled, settings, target, personal, drafted.reasons)
    metric = metric_of(settings, target, labelled)
    settings = msgspec.structs.replace(settings, metric=metric.name)
    settings, left_out = within_budget(labelled, features, target, settings)
    comments = _comments(drafted, target, metric.reason, left_out)
    grounds = Grounds(comments, drafted.reasons, drafted.scheme)
    settings = msgspec.structs.replace(settings, inferred=choices(asked, known.settings, settings, grounds))
    found = _suspicious(labelled, target, features, settings)
    repeated = duplicates(labelled, [*features.names, *([settings.time] if settings.time else [])])
    facts = Facts(
        table=table_facts(asked.name, read),
        target=target_facts(target, len(frame) - len(labelled)),
        metric={"name": metric.name, "also": list(metric.also), "reason": metric.reason},
        threshold=threshold_facts(settings, target, labelled),
        scheme=scheme_facts(drafted.scheme, target),
        duplicates=_repeated(repeated),
        estimate=estimate_facts(labelled, features, target, settings),
    )
    return Sheet(
        facts=facts,
        columns=column_lines(frame, settings, features, drafted.reasons, personal),
        suspicions=found,
        warnings=(
            *_warnings(read, repeated, len(frame) - len(labelled), asked.target),
            *filter(None, [rarity(labelled, target, settings), left_out]),
        ),
        settings=settings,
        reasons=comments,
    )


@dataclass(frozen=True, slots=True)
class _Draft:
    """Settings with the reasons of the columns that are dropped, and how rows are split."""

    settings: ModelSettings
    reasons: Mapping[str, str]
    scheme: Scheme


def _first(
    labelled: pl.DataFrame, target: Target, asked: Asked, found: tuple[datetime, Mapping[str, Personal]]
) -> _Draft:
    """Return the draft for a table that the settings do not know; training leaves personal columns out by itself."""
    now, personal = found
    scheme = infer_scheme(
        labelled,
        asked.target,
        time=asked.time,
        unit=asked.group,
        refuse_time=asked.random_split,
        as_of=now,
    )
    keys = identifiers(labelled, skip=(asked.target,)).keys
    special = {asked.key, scheme.time, scheme.unit, asked.target, *asked.keep, *personal}
    reasons = dict.fromkeys(asked.drop, "dropped as asked")
    reasons |= {name: "an identifier: every row has its own" for name in keys if name not in special}
    base = ModelSettings(
        dataset=asked.name,
        target=asked.target,
        task=target.task,
        positive=None if target.positive is None else target.classes[target.positive],
        time=scheme.time,
        unit=None if scheme.unit in ("day", "row") else scheme.unit,
        key=asked.key,
        drop=tuple(reasons),
        budget_s=BUDGET_S,
    )
    if scheme.holdout_days is not None:
        base = msgspec.structs.replace(base, holdout_days=scheme.holdout_days)
    return _Draft(asked.over(base), reasons, scheme)


def _later(asked: Asked, known: Known) -> _Draft:
    """Return the draft for a table whose settings a person may have edited: they stand."""
    assert known.settings is not None
    settings = asked.over(known.settings)
    reasons = {name: decided(settings.inferred, "drop", name) for name in settings.drop}
    reasons |= dict.fromkeys(asked.drop, "dropped as asked")
    unit = unit_of(settings)
    kind: Kind = "time" if settings.time else "stratified" if unit == "row" else "group"
    scheme = Scheme(kind, settings.time, unit, "")
    return _Draft(settings, reasons, replace(scheme, reason=decided(settings.inferred, "split", split_text(scheme))))


def _whole(settings: ModelSettings, target: Target) -> ModelSettings:
    """Return settings that name the task and the positive class as they were read."""
    positive = None if target.positive is None else target.classes[target.positive]
    return msgspec.structs.replace(settings, task=target.task, positive=positive)


def _target(labelled: pl.DataFrame, asked: Asked, known: Known) -> Target:
    settings = known.settings
    task = asked.task if asked.task != "auto" or settings is None else settings.task
    wanted: ClassLabel | None = settings.positive if settings else None
    found = read_target(labelled, asked.target, task=task, positive=wanted if asked.positive is None else None)
    if asked.task == "auto" and settings is not None and settings.task != "auto":
        found = replace(found, reason=decided(settings.inferred, "task", settings.task))
    if asked.positive is None:
        return found
    named = [label for label in found.classes if label_text(label) == label_text(asked.positive)]
    return read_target(labelled, asked.target, task=task, positive=named[0] if named else asked.positive)


def _check_columns(frame: pl.DataFrame, asked: Asked) -> None:
    for name in asked.columns:
        if name in frame.columns:
            continue
        kind = TargetMissing if name == asked.target else ColumnMissing
        near = [one for one in frame.columns if one.strip().lower() == name.strip().lower()]
        choose = f"did you mean {near[0]!r}? " if near else ""
        raise kind(f"the table has no column {name!r}", cure=f"{choose}choose from {', '.join(frame.columns)}")


def _suspicious(
    labelled: pl.DataFrame, target: Target, features: Features, settings: ModelSettings
) -> tuple[Mapping[str, JSON], ...]:
    aside = {settings.target, settings.time, settings.key, settings.unit, settings.label_time, *settings.drop}
    # Dates and gaps that features leave out can betray the target all the same once a person keeps them.
    looked = [name for name in labelled.columns if name not in aside and name not in settings.keep]
    looked = [name for name in looked if name in features.names or labelled[name].dtype.is_temporal()]
    unit = None if settings.unit in (None, "day", "row") else settings.unit
    found = suspects(labelled, target, looked, time=settings.time, label_time=settings.label_time, unit=unit)
    return tuple(one.as_json() for one in found)


def _repeated(found: Duplicates) -> dict[str, JSON]:
    """Return how many rows repeat another one; none where equal rows are to be expected."""
    return {**found.as_json(), "rows": 0 if found.by_chance else found.copies}


def _warnings(read: ReadTable, repeated: Duplicates, unlabelled: int, target: str) -> tuple[str, ...]:
    told = [f"{note.column}: {note.text}" if note.column else note.text for note in read.how.notes]
    if unlabelled:
        told.append(f"{unlabelled:,} rows have no {target!r} and are left out")
    if repeated.copies and not repeated.by_chance:
        told.append(f"{repeated.copies:,} rows repeat another; rows that are alike stay on one side of every split")
    return tuple(told)


def _comments(drafted: _Draft, target: Target, metric: str, left_out: str) -> dict[str, str]:
    """Return what stands behind the keys in undrift.toml."""
    dropped = "; ".join(f"{name}: {reason}" for name, reason in drafted.reasons.items())
    return {
        "task": target.reason,
        "metric": metric,
        "time": drafted.scheme.reason,
        "unit": drafted.scheme.reason,
        "drop": dropped,
        "holdout_days": "so many of the newest days judge a model",
        "budget_s": "seconds that training may take",
        **({"candidates": f"{left_out}; without this line all compete"} if left_out else {}),
    }
