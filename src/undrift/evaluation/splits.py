"""Which rows a model learns from and on which it is judged.

One rule: where rows have a time, the newest whole days are held out; where they belong
together, whole groups; otherwise a stratified share. Only what was known at the moment of the
decision is used: rows of later events or with labels that came later are left for later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from undrift.core.json import JSON
from undrift.evaluation.duplicates import mixed
from undrift.evaluation.errors import TooLittleData
from undrift.evaluation.rows import NEVER, Ids, Instants, Span, Units, as_instant, days, rarest_of_unit, span_of

Scheme: TypeAlias = Literal["time", "group", "stratified"]
Positions: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]

MOST_PENDING_SHARE = 0.02
FEWEST_FIT_ROWS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitPlan:
    """How rows are to be split.

    Attributes
    ----------
    as_of : datetime
        The moment of the decision: nothing known later is used.
    holdout_days : int
        Newest days held out, where rows have a time.
    holdout_share : float
        Share of the rows held out, where they have none.
    train_days : int or None
        Learn only from so many days before the holdout.
    unit : str
        ``"day"``, ``"row"`` or a column, for the words and for groups.
    seed : int
        Of the random share.
    """

    as_of: datetime
    holdout_days: int = 14
    holdout_share: float = 0.25
    train_days: int | None = None
    unit: str = "row"
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFacts:
    """What the split knows of the rows, all in the order of the table.

    Attributes
    ----------
    ids : uint64 array
        Row ids.
    units : int64 array
        Unit codes.
    times, label_times : int64 arrays or None
        When the row happened and when its label was known.
    labelled : bool array
        Whether the target is there.
    strata : array or None
        Class codes, for a stratified share.
    """

    ids: Ids
    units: Units
    labelled: Mask
    times: Instants | None = None
    label_times: Instants | None = None
    strata: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class Split:
    """Positions of the rows to learn from and to judge on.

    Attributes
    ----------
    fit, holdout : int64 arrays
        Positions in the table, rising.
    scheme : {"time", "group", "stratified"}
        How it was split.
    reason : str
        One sentence for a person.
    left_out : mapping
        How many rows were used for neither, by reason.
    fit_span, holdout_span : Span or None
        Where rows have a time.
    """

    fit: Positions
    holdout: Positions
    scheme: Scheme
    reason: str
    left_out: Mapping[str, int] = field(default_factory=dict)
    fit_span: Span | None = None
    holdout_span: Span | None = None

    def as_json(self) -> dict[str, JSON]:
        """Return the split's facts, without the positions."""
        return {
            "scheme": self.scheme,
            "reason": self.reason,
            "fit_rows": len(self.fit),
            "holdout_rows": len(self.holdout),
            "left_out": dict(self.left_out),
            "fit_span": self.fit_span.as_json() if self.fit_span else None,
            "holdout_span": self.holdout_span.as_json() if self.holdout_span else None,
        }


def split(facts: RowFacts, plan: SplitPlan, seen: Ids | None = None) -> Split:
    """Return the split of a table's rows.

    Parameters
    ----------
    facts : RowFacts
        The rows.
    plan : SplitPlan
        The sizes and the moment.
    seen : uint64 array, optional
        Ids of rows that the champion was fitted on; they are never held out.

    Raises
    ------
    TooLittleData
        If nothing is left to learn from or to judge on.
    """
    known, left_out = _known(facts, plan)
    if facts.times is not None:
        made = _by_time(facts, plan, known, left_out)
    else:
        made = _by_share(facts, plan, known, left_out, seen)
    if len(made.fit) < FEWEST_FIT_ROWS or not len(made.holdout):
        raise TooLittleData(
            f"{len(made.fit)} rows to learn from and {len(made.holdout)} to judge on are too few",
            cure="add labelled rows, or make the holdout smaller",
            left_out=dict(made.left_out),
        )
    return made


def _known(facts: RowFacts, plan: SplitPlan) -> tuple[Mask, dict[str, int]]:
    """Return which rows were known with their labels at the moment, and why the others were not."""
    moment = as_instant(plan.as_of)
    everything = np.ones(len(facts.ids), dtype=bool)
    happened = everything if facts.times is None else facts.times < moment
    label_known = everything if facts.label_times is None else facts.label_times < moment
    reasons = {
        "no label": ~facts.labelled,
        "after the moment of training, or without a time": facts.labelled & ~happened,
        "label not known at the moment of training": facts.labelled & happened & ~label_known,
    }
    left_out = {reason: int(mask.sum()) for reason, mask in reasons.items() if mask.any()}
    return facts.labelled & happened & label_known, left_out


def _by_time(facts: RowFacts, plan: SplitPlan, known: Mask, left_out: dict[str, int]) -> Split:
    assert facts.times is not None
    day = days(facts.times)
    newest = _newest_ripe_day(facts, plan, known, day)
    present = np.unique(day[known & (day <= newest)])
    first = newest - plan.holdout_days + 1
    reason = f"the newest {plan.holdout_days} days are held out"
    if len(present) and present[0] >= first:
        first = present[-max(1, round(plan.holdout_share * len(present)))]
        reason = f"there are only {len(present)} days: the newest {int((present >= first).sum())} are held out"
    start = -NEVER if plan.train_days is None else first - plan.train_days
    holdout = known & (day >= first) & (day <= newest)
    fit = known & (day < first) & (day >= start)
    _count(left_out, "newer than the last day whose labels are complete", known & (day > newest))
    _count(left_out, f"older than {plan.train_days} days before the holdout", known & (day < start))
    return _made(facts, fit, holdout, ("time", reason, left_out))


def _newest_ripe_day(facts: RowFacts, plan: SplitPlan, known: Mask, day: Units) -> int:
    """Return the last day of which at most 2 % of the labels are still to come.

    Labels that come late are often of one kind (a late flight's is late), so a day with many
    open labels would be judged on a biased part of it.
    """
    assert facts.times is not None
    present = np.unique(day[known])
    if not len(present):
        raise TooLittleData("no labelled row was known at this moment", cure="add labels, or wait for them")
    if facts.label_times is None:
        return int(present[-1])
    moment = as_instant(plan.as_of)
    waiting = facts.labelled & (facts.times < moment) & (facts.label_times >= moment) & (facts.label_times < NEVER)
    for candidate in present[::-1]:
        here = day == candidate
        if (waiting & here).sum() <= MOST_PENDING_SHARE * ((waiting | known) & here).sum():
            return int(candidate)
    raise TooLittleData("no day has all its labels yet", cure="wait for the labels")


def _by_share(facts: RowFacts, plan: SplitPlan, known: Mask, left_out: dict[str, int], seen: Ids | None) -> Split:
    unseen = known
    if seen is not None:
        # A row that holds what a seen one holds was seen too, whatever its key and its label.
        unseen = known & ~np.isin(facts.units, np.unique(facts.units[np.isin(facts.ids, seen)]))
    grouped = plan.unit not in ("row", "day")
    order = _shuffled(facts.units, plan.seed)
    strata = np.zeros(len(known))
    if facts.strata is not None:
        strata[known] = rarest_of_unit(facts.units[known], facts.strata[known])
    holdout = np.zeros(len(known), dtype=bool)
    for stratum in np.unique(strata[known]):
        here = known & (strata == stratum)
        holdout |= _first_share(order, here & unseen, round(plan.holdout_share * int(here.sum())))
    scheme: Scheme = "group" if grouped else "stratified"
    share = f"{plan.holdout_share:.0%} of the rows"
    what = f"whole groups of {plan.unit!r}, {share}," if grouped else f"{share}, chosen by what they hold"
    if not grouped:
        what += "," if facts.strata is None else ", within each class,"
    return _made(facts, known & ~holdout, holdout, (scheme, f"{what} are held out", left_out))


def _first_share(order: Ids, candidates: Mask, wanted: int) -> Mask:
    """Return the first candidates in a shuffled order, never cutting between equal codes."""
    chosen = np.zeros(len(order), dtype=bool)
    places = np.flatnonzero(candidates)
    if not len(places) or not wanted:
        return chosen
    ranked = np.sort(order[places])
    limit = ranked[min(wanted, len(ranked)) - 1]
    chosen[places[order[places] <= limit]] = True
    return chosen


def _shuffled(codes: npt.NDArray[np.generic], seed: int) -> Ids:
    """Return a number for each code that depends on the code and the seed only."""
    return mixed(codes.astype(np.uint64) + np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64))


def _count(left_out: dict[str, int], reason: str, mask: Mask) -> None:
    if mask.any():
        left_out[reason] = int(mask.sum())


def _made(facts: RowFacts, fit: Mask, holdout: Mask, words: tuple[Scheme, str, dict[str, int]]) -> Split:
    times = facts.times
    scheme, reason, left_out = words
    return Split(
        np.flatnonzero(fit),
        np.flatnonzero(holdout),
        scheme,
        reason,
        left_out,
        span_of(times[fit]) if times is not None else None,
        span_of(times[holdout]) if times is not None else None,
    )


@dataclass(frozen=True, slots=True)
class Sampler:
    """Draws samples of rows: whole groups, or a share of every class or day.

    Attributes
    ----------
    facts : RowFacts
        The rows.
    unit : str
        ``"day"``, ``"row"`` or a column, as in :class:`SplitPlan`.
    seed : int
        The same seed keeps the same rows, also in a longer table.
    """

    facts: RowFacts
    unit: str
    seed: int

    @property
    def words(self) -> str:
        """What a sample holds, for a person."""
        if self.unit == "row":
            return "rows" if self.facts.strata is None else "rows, classes in equal shares,"
        return "rows, the same share of every day," if self.unit == "day" else f"rows of whole {self.unit!r} groups"

    def draw(self, positions: Positions, most: int) -> Positions:
        """Return at most so many of the positions, but at least 20 of each class or day, or one group.

        Parameters
        ----------
        positions : int64 array
            The rows to choose from.
        most : int
            How many rows to keep.
        """
        if len(positions) <= most:
            return positions
        if self.unit not in ("row", "day"):
            return sample_units(self.facts.units, positions, most, self.seed)
        codes = self.facts.strata if self.unit == "row" else self.facts.units
        strata = (
            np.zeros(len(positions), np.intp) if codes is None else np.unique(codes[positions], return_inverse=True)[1]
        )
        order = _shuffled(self.facts.ids[positions], self.seed)
        ranked = np.lexsort((order, strata))
        sizes = np.bincount(strata)
        place = np.arange(len(ranked)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        quota = np.maximum(np.minimum(sizes, FEWEST_FIT_ROWS), (sizes * (most / len(positions))).astype(np.int64))
        return np.sort(positions[ranked[place < np.repeat(quota, sizes)]])


def sample_units(units: Units, positions: Positions, most: int, seed: int) -> Positions:
    """Return at most so many of the positions, in whole units chosen by their code and the seed.

    At least one unit is kept, however large.

    Parameters
    ----------
    units : array of int
        Code of the unit of each row.
    positions : array of int
        The rows to choose from.
    most : int
        How many rows to keep at most.
    seed : int
        The same seed keeps the same units, also in a longer table.
    """
    if len(positions) <= most:
        return positions
    codes, inverse, sizes = np.unique(units[positions], return_inverse=True, return_counts=True)
    order = np.argsort(_shuffled(codes, seed), kind="stable")
    fitting = np.cumsum(sizes[order]) <= most
    fitting[0] = True
    return positions[np.isin(inverse, order[fitting])]
