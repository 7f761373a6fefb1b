"""The parts of a sheet that are told: each a small table of facts with its reason."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import polars as pl

from undrift.core.config import ModelSettings
from undrift.core.inferred import decided
from undrift.core.json import JSON
from undrift.data.tabular.table_files import ReadTable
from undrift.evaluation.budget import Work, affordable_candidates, affordable_rows, estimate
from undrift.evaluation.features import Features
from undrift.evaluation.gate import FEWEST_MINORITY_ROWS
from undrift.evaluation.metrics import MetricChoice, metric_for
from undrift.evaluation.scheme import Scheme
from undrift.evaluation.target import Target
from undrift.evaluation.threshold import threshold_of
from undrift.loop.training.sampling import work_of


def table_facts(name: str, read: ReadTable) -> dict[str, JSON]:
    """Return what the table is and how it was read."""
    return {"name": name, "rows": read.frame.height, "columns": read.frame.width, "read": read.how.told()}


def target_facts(target: Target, rows_without: int) -> dict[str, JSON]:
    """Return how the target is read."""
    return {
        "column": target.column,
        "task": target.task,
        "positive": None if target.positive is None else target.classes[target.positive],
        "classes": list(target.classes),
        "rows_without": rows_without,
        "reason": target.reason,
    }


def metric_of(settings: ModelSettings, target: Target, labelled: pl.DataFrame) -> MetricChoice:
    """Return the metric that decides; one that the settings name stands."""
    counts = np.unique(target.labels(labelled), return_counts=True)[1] if target.classes else np.array([])
    fitting = metric_for(target.task, counts)
    if settings.metric is None or settings.metric == fitting.name:
        return fitting
    return MetricChoice(settings.metric, (), decided(settings.inferred, "metric", settings.metric))


def scheme_facts(scheme: Scheme, target: Target) -> dict[str, JSON]:
    """Return how rows are split; numbers have no classes to share out."""
    reason = scheme.reason if target.classes else scheme.reason.replace(", each class in equal shares", "")
    return {**scheme.as_json(), "reason": reason}


def rarity(labelled: pl.DataFrame, target: Target, settings: ModelSettings) -> str:
    """Return a warning where too few rows of the rarer class will judge the model, nothing where there are enough."""
    if target.task != "binary" or settings.time is not None:
        return ""
    positives = int(target.codes(labelled).sum())
    judged = round(settings.holdout_share * min(positives, labelled.height - positives))
    if judged >= FEWEST_MINORITY_ROWS:
        return ""
    needed = f"{FEWEST_MINORITY_ROWS} are needed to tell whether it is better than the base rate: add rows"
    return f"about {judged} rows of the rarer class will judge the model, {needed}"


def threshold_facts(settings: ModelSettings, target: Target, labelled: pl.DataFrame) -> dict[str, JSON]:
    """Return from which probability on a yes is answered, and what that rests on."""
    share = float(target.codes(labelled).mean()) if target.task == "binary" else 0.0
    found = threshold_of(settings, target, share)
    if found is None:
        return {"value": None, "basis": "the likeliest class" if target.classes else "a number is answered"}
    return {"value": found.value, "basis": found.basis}


def within_budget(
    labelled: pl.DataFrame, features: Features, target: Target, settings: ModelSettings
) -> tuple[ModelSettings, str]:
    """Return settings with the candidates that the budget pays for, and in words who is left out; empty when nobody is.

    Parameters
    ----------
    labelled : DataFrame
        The rows with a label.
    features, target
        What is learnt from what.
    settings : ModelSettings
        Candidates, folds and the budget; candidates that somebody chose stay.
    """
    if settings.budget_s is None or settings.candidates:
        return settings, ""
    work = _work(labelled, features, target, settings)
    paid = affordable_candidates(work, settings.budget_s)
    if paid == work.candidates:
        return settings, ""
    dear = ", ".join(kind for kind in work.candidates if kind not in paid)
    told = f"not compared, as it would take longer than {settings.budget_s:g} s: {dear}"
    return msgspec.structs.replace(settings, candidates=paid), told


def _work(labelled: pl.DataFrame, features: Features, target: Target, settings: ModelSettings) -> Work:
    rows = round((1 - settings.holdout_share) * labelled.height)
    return work_of(labelled.shape, min(rows, settings.max_rows or rows), features, target, settings)


def estimate_facts(
    labelled: pl.DataFrame, features: Features, target: Target, settings: ModelSettings
) -> dict[str, JSON]:
    """Return what training will take, and how many rows the budget pays for.

    Parameters
    ----------
    labelled : DataFrame
        The rows with a label; how many of them are held out is the settings' share, also by time.
    features, target
        What is learnt from what.
    settings : ModelSettings
        Candidates, folds and the budget.
    """
    work = _work(labelled, features, target, settings)
    rows = round((1 - settings.holdout_share) * labelled.height)
    most = work.rows if settings.budget_s is None else affordable_rows(work, settings.budget_s)
    facts = estimate(replace(work, rows=most)).as_json()
    sampled = f"{most:,} of about {rows:,} rows are learnt from" if most < rows else None
    return {**facts, "budget_s": settings.budget_s, "sampled": sampled}
