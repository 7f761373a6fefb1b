"""The one scheme by which a table is split, compared and judged, read off the table.

By time where a plausible time of the event exists, because a model is asked about what comes
next; by whole groups where somebody has several rows, because it is asked about others; else by
single rows, in equal shares of each class. The split, the folds and the intervals all follow it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from undrift.core.json import JSON
from undrift.evaluation.errors import AmbiguousTime, BadColumn
from undrift.evaluation.identifiers import Group, identifiers, words_of
from undrift.evaluation.rows import NEVER, Instants, as_instant, days, instants
from undrift.evaluation.splits import Scheme as Kind

HOLDOUT_DAYS = 14
FEWEST_DAYS = 22
"""Fourteen days to judge on and eight to learn from."""
ENOUGH_ROWS = 5000
_HOLDOUT_SHARE = 0.25
_MOST_MISSING = 0.05
_MOST_FUTURE = 0.01
_SAME = 0.99
_BEFORE = 0.98
_NEAR_SHARE = 0.1

_BIRTH = frozenset({"birth", "birthday", "birthdate", "born", "dob", "geburtsdatum", "geburtstag"})
_LATER = frozenset(
    {
        "due", "deadline", "expiry", "expires", "expiration", "valid", "until", "end", "ended", "closed", "resolved",
        "completed", "cancelled", "canceled", "updated", "modified", "changed", "delivered", "delivery", "returned",
        "paid", "settled", "label", "known", "next", "last", "expected", "estimated", "planned", "dropoff", "discharge",
    }
)  # fmt: skip
_BACKGROUND = frozenset(
    {"since", "signup", "joined", "registered", "registration", "member", "hired", "hire", "built", "first", "account"}
)
_PLAIN = frozenset(
    {"date", "datetime", "time", "timestamp", "ts", "day", "event", "at", "on", "the", "utc", "local", "dt"}
)
_EVENTS = frozenset(
    {
        "event", "created", "occurred", "observed", "observation", "recorded", "measured", "transaction", "trans",
        "order", "ordered", "purchase", "invoice", "request", "requested", "visit", "admission", "admitted", "booking",
        "booked", "application", "applied", "issue", "issued", "pickup", "departure", "sale", "sold", "reported",
        "opened", "start", "started", "snapshot", "as",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a table is split, and why.

    Attributes
    ----------
    kind : {"time", "group", "stratified"}
        What decides on which side a row falls.
    time : str or None
        The column with the time of the event.
    unit : str
        What is independent of what: ``"day"``, ``"row"`` or a column, as the settings have it.
    reason : str
        One sentence for a person.
    holdout_days : int or None
        With a time: so many of the newest days hold enough days and rows to judge on.
    """

    kind: Kind
    time: str | None
    unit: str
    reason: str
    holdout_days: int | None = None

    def as_json(self) -> dict[str, JSON]:
        """Return the scheme as a sheet keeps it."""
        return {
            "kind": self.kind,
            "time": self.time,
            "unit": self.unit,
            "reason": self.reason,
            "holdout_days": self.holdout_days,
        }


def infer_scheme(
    frame: pl.DataFrame,
    target_column: str,
    *,
    time: str | None = None,
    unit: str | None = None,
    refuse_time: bool = False,
    as_of: datetime | None = None,
) -> Scheme:
    """Return the scheme of a table.

    Parameters
    ----------
    frame : DataFrame
        The table.
    target_column : str
        The column to predict.
    time, unit : str, optional
        As asked for (``--time``, ``--group``); then nothing is inferred in their place.
    refuse_time : bool
        Not by time, although there may be one (``--split random``).
    as_of : datetime, optional
        The moment of the decision: a column of later moments is a plan, not an event.

    Raises
    ------
    BadColumn
        If a column that was asked for is missing or holds no dates.
    AmbiguousTime
        If several columns may be the time of the event, and nothing says which.
    """
    unit = None if unit == "day" else unit
    if unit is not None and unit not in (*frame.columns, "row"):
        raise BadColumn(f"there is no column {unit!r} to group by", cure=f"columns are {', '.join(frame.columns)}")
    if time is not None:
        return _by_time(frame, time, unit or "day", f"{time!r} is the time of a row, as asked for")
    passed: list[str] = []
    if unit is None and not refuse_time:
        times = {name: instants(frame, name) for name in _dates(frame, target_column)}
        passed = [why for name, found in times.items() if (why := _no_event(name, found, as_of))]
        plausible = {name: found for name, found in times.items() if not _no_event(name, found, as_of)}
        if plausible:
            chosen, why = _choose(plausible)
            return _by_time(frame, chosen, "day", why)
    return _by_rows(frame, target_column, unit, _said(passed, refuse_time=refuse_time))


def _dates(frame: pl.DataFrame, target_column: str) -> list[str]:
    return [name for name in frame.columns if name != target_column and frame[name].dtype in (pl.Date, pl.Datetime)]


def _no_event(name: str, times: Instants, as_of: datetime | None) -> str:
    """Return why a date column is not the time of the event, nothing where it may be."""
    known = times[times != NEVER]
    if set(words_of(name)) & _BIRTH:
        return f"{name!r} is a date of birth"
    if len(known) < (1 - _MOST_MISSING) * len(times):
        return f"{name!r} is missing in {1 - len(known) / max(1, len(times)):.0%} of the rows"
    distinct = len(np.unique(days(known)))
    if distinct < FEWEST_DAYS:
        return f"{name!r} has {distinct} different day(s), too few to learn from some and judge on others"
    if as_of is not None and (later := float((known > as_instant(as_of)).mean())) > _MOST_FUTURE:
        return f"{name!r} lies in the future in {later:.0%} of the rows"
    return ""


def _choose(plausible: dict[str, Instants]) -> tuple[str, str]:
    """Return the time of the event among the columns that may be it, and why."""
    if len(plausible) == 1:
        (only,) = plausible
        return only, f"{only!r} is the one plausible time of the event"
    marks = {name: _mark(name) for name in plausible}
    best = [name for name in plausible if marks[name] == max(marks.values())]
    others = ", ".join(repr(name) for name in plausible if name not in best)
    if len(best) == 1:
        return best[0], f"{best[0]!r} is named like the time of the event, more than {others}"
    first = min(best, key=lambda name: float(np.median(plausible[name])))
    rest = [plausible[name] for name in best if name != first]
    if all(_follows(plausible[first], later) for later in rest):
        named = ", ".join(repr(name) for name in best if name != first)
        return first, f"{first!r} comes first and {named} soon after it, so it is the time of the event"
    listed = ", ".join(repr(name) for name in best)
    raise AmbiguousTime(
        f"{listed} may each be the time of the event that a row is about, and nothing says which",
        cure=f"say which with --time {best[0]}, or --split random if rows are not to be ordered in time",
        columns=best,
    )


def _mark(name: str) -> int:
    words = set(words_of(name))
    if words & _LATER:
        return 0
    if words & _BACKGROUND:
        return 1
    if words <= _PLAIN:
        return 4
    return 3 if words & _EVENTS else 2


def _follows(first: Instants, later: Instants) -> bool:
    """Return whether a moment is the same day or comes soon after, in nearly every row."""
    both = (first != NEVER) & (later != NEVER)
    gaps = later[both] - first[both]
    same = days(later[both]) == days(first[both])
    if same.mean() >= _SAME:
        return True
    return bool((gaps >= 0).mean() >= _BEFORE and np.median(gaps) <= _NEAR_SHARE * np.ptp(first[both]))


def _by_time(frame: pl.DataFrame, time: str, unit: str, why: str) -> Scheme:
    times = instants(frame, time)
    held = _holdout_days(times[times != NEVER])
    what = "whole days" if unit == "day" else f"units of {unit!r}"
    return Scheme("time", time, unit, f"by time, with {what} as units: {why}", held)


def _holdout_days(times: Instants) -> int:
    """Return the fewest newest days, at least fourteen, that hold fourteen days with rows and enough rows.

    Enough is a quarter of the rows, or 5,000. Never more than half of the span.
    """
    if not len(times):
        return HOLDOUT_DAYS
    age = (days(times).max() - days(times)).astype(np.int64)
    present = np.unique(age)
    by_days = present[min(HOLDOUT_DAYS, len(present)) - 1] + 1
    wanted = int(min(_HOLDOUT_SHARE * len(times), ENOUGH_ROWS))
    by_rows = np.sort(age)[max(0, wanted - 1)] + 1
    most = present[len(present) // 2] + 1
    return int(max(HOLDOUT_DAYS, min(max(by_days, by_rows), most)))


def _by_rows(frame: pl.DataFrame, target_column: str, unit: str | None, said: str) -> Scheme:
    if unit == "row":
        return Scheme("stratified", None, "row", f"by single rows, as asked for{said}")
    if unit is not None:
        return Scheme("group", None, unit, f"by whole groups of {unit!r}, as asked for{said}")
    found = identifiers(frame, skip=(target_column,)).groups
    if not found:
        return Scheme("stratified", None, "row", f"by single rows, each class in equal shares: {_NOTHING}{said}")
    chosen = _widest(frame, found)
    others = ", ".join(repr(one.column) for one in found if one is not chosen)
    also = f"; {others} come(s) back too" if others else ""
    reason = (
        f"by whole groups of {chosen.column!r}: {chosen.groups:,} of them have {chosen.rows_each:.1f} rows each{also}"
    )
    return Scheme("group", None, chosen.column, reason + said)


_NOTHING = "no time of an event and no identifier that comes back was found"


def _widest(frame: pl.DataFrame, found: Sequence[Group]) -> Group:
    """Return the likeliest unit, or one that holds whole units of it: households, where it is persons."""
    chosen = found[0]
    for other in found[1:]:
        inside = frame.select(pl.struct(chosen.column, other.column).n_unique()).item()
        if other.groups < chosen.groups and inside == chosen.groups and other.rank <= 1:
            chosen = other
    return chosen


def _said(passed: list[str], *, refuse_time: bool) -> str:
    if refuse_time:
        return " (a split by time was refused)"
    return f" ({'; '.join(passed)})" if passed else ""
