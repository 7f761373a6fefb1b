"""Which of the rows are learnt from and judged on where all would take longer than was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from undrift.core.config import ModelSettings
from undrift.core.json import JSON
from undrift.data.personal.columns import Personal
from undrift.evaluation.budget import MOST_JUDGED, Work, affordable_rows, encoded_width, estimate
from undrift.evaluation.candidates import check_candidates
from undrift.evaluation.features import Features
from undrift.evaluation.splits import Sampler, Split
from undrift.evaluation.target import Target
from undrift.loop.training.rooms import Spec
from undrift.loop.training.rows import Rows, features_of

_TWO = 2
_LOOKED_AT = 200_000


def sampled(made: Split, rows: Rows, spec: Spec, personal: Mapping[str, Personal]) -> tuple[Split, Features, JSON]:
    """Return the split with at most so many rows as the settings allow, its features, and what it will take.

    Parameters
    ----------
    made : Split
        The whole split.
    rows : Rows
        The table.
    spec : Spec
        Says how many rows, and how many seconds.
    personal : mapping of str to Personal
        Columns that look personal.

    Notes
    -----
    Sampling is said in the split's reason and counted in what it left out. Which columns are
    features is decided on the rows that are learnt from.
    """
    settings, wanted = spec.settings, len(made.fit)
    if settings.max_rows is not None:
        made = _fewer(made, rows, spec, settings.max_rows, "max_rows")
    if settings.budget_s is not None:
        # a table too long to learn from is too long to look at whole: what it takes is estimated on fewer rows
        looked = Sampler(rows.facts, spec.unit, settings.seed).draw(made.fit, _LOOKED_AT)
        some = features_of(rows.frame[looked], settings, rows.target, personal)
        most = affordable_rows(_work(rows, spec, some, len(made.fit)), settings.budget_s)
        made = _judged_on_fewer(_fewer(made, rows, spec, most, f"a budget of {settings.budget_s:g} s"), rows, spec)
    features = features_of(rows.frame[made.fit], settings, rows.target, personal)
    work = _work(rows, spec, features, len(made.fit))
    facts: dict[str, JSON] = {"budget_s": settings.budget_s, "rows": len(made.fit), "of": wanted}
    return made, features, {**facts, "estimate": estimate(work).as_json()}


def _work(rows: Rows, spec: Spec, features: Features, fit_rows: int) -> Work:
    settings = spec.settings
    if spec.candidate:
        settings = msgspec.structs.replace(settings, candidates=(spec.candidate,))
    return work_of(rows.frame.shape, fit_rows, features, rows.target, settings)


def work_of(shape: tuple[int, int], fit_rows: int, features: Features, target: Target, settings: ModelSettings) -> Work:
    """Return what a training has to do.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the table.
    fit_rows : int
        How many rows to learn from.
    features : Features
        The columns to learn from.
    target : Target
        What is learnt.
    settings : ModelSettings
        Candidates and folds.
    """
    classes = len(target.classes)
    return Work(
        table_rows=shape[0],
        table_columns=shape[1],
        rows=fit_rows,
        width=encoded_width(features),
        task=target.task,
        outputs=classes if classes > _TWO else 1,
        candidates=check_candidates(settings.candidates),
        folds=settings.folds,
    )


def _fewer(made: Split, rows: Rows, spec: Spec, most: int, why: str) -> Split:
    sampler = Sampler(rows.facts, spec.unit, spec.settings.seed)
    kept = sampler.draw(made.fit, most)
    if len(kept) == len(made.fit):
        return made
    reason = f"{made.reason}; {len(kept):,} {sampler.words} of {len(made.fit):,} are learnt from ({why})"
    return replace(made, fit=kept, reason=reason, left_out=_left_out(made, len(made.fit) - len(kept)))


def _judged_on_fewer(made: Split, rows: Rows, spec: Spec) -> Split:
    sampler = Sampler(rows.facts, spec.unit, spec.settings.seed)
    kept = sampler.draw(made.holdout, MOST_JUDGED)
    if len(kept) == len(made.holdout):
        return made
    reason = f"{made.reason}; {len(kept):,} {sampler.words} of the {len(made.holdout):,} held out are judged on"
    return replace(made, holdout=kept, reason=reason, left_out=_left_out(made, len(made.holdout) - len(kept)))


def _left_out(made: Split, count: int) -> dict[str, int]:
    before = made.left_out.get("not in the sample", 0)
    return {**made.left_out, "not in the sample": before + count}
