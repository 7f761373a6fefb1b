"""Whether a column is known only after the event that a row is about.

Three signs, all of which need the time of the event: a date that lies after it, row for row; a
name such as ``closed_at`` together with a notable hold on the target; and cells that the newest
rows do not have yet.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import polars as pl

from undrift.core.json import JSON
from undrift.evaluation.rows import DAY_US, NEVER, Instants, instants
from undrift.evaluation.suspicion.alone import explained, strength
from undrift.evaluation.suspicion.found import Suspicion
from undrift.evaluation.suspicion.looked import Column, Looked, Mask, percent

LEAST_AFTER = 0.98
NEWEST = 0.05
MOST_FILLED_NEWEST = 0.05
LEAST_FILLED_OLDER = 0.5
NOTABLE_AUC = 0.8
NOTABLE_EXPLAINED = 0.5
_FEWEST_ROWS = 20
_HOUR_US = 3_600_000_000
_PLANNED = frozenset(
    re.findall(
        r"\w+",
        "due sched scheduled schedule plan planned expected estimated deadline expiry expires expiration "
        "valid until promised maturity appointment checkin departure",
    )
)
_AFTERWARDS = frozenset(
    re.findall(
        r"\w+",
        "after afterwards closed closing resolved resolution settled settlement refund refunded "
        "cancelled canceled cancellation chargeback outcome final actual completed completion ended "
        "discharge discharged collections collection recovered recoveries recovery returned terminated "
        "termination churned paid",
    )
)


class Timeline:
    """The rows of a table along the time of their events, with or without a label.

    Parameters
    ----------
    frame : DataFrame
        The rows, or a sample of them.
    time : str
        Column with the time of the event.
    label_time : str, optional
        Column with the time at which the label was known.
    """

    def __init__(self, frame: pl.DataFrame, time: str, label_time: str | None = None) -> None:
        moments = instants(frame, time)
        known = moments != NEVER
        self.frame = frame.filter(pl.Series(known))
        self.times: Instants = moments[known]
        self.time = time
        self._by_day = frame[time].dtype == pl.Date
        self.label_times = instants(self.frame, label_time) if label_time else None

    def after(self, name: str) -> Suspicion | None:
        """Return the suspicion that a date column lies after the event, None where it does not."""
        values = self.frame[name]
        if values.dtype not in (pl.Date, pl.Datetime) or _words(name) & _PLANNED:
            return None
        moments = instants(self.frame, name)
        known = moments != NEVER
        unit = DAY_US if self._by_day or values.dtype == pl.Date else 1
        gaps = (moments[known] // unit - self.times[known] // unit) * unit
        if len(gaps) < _FEWEST_ROWS or (gaps > 0).mean() < LEAST_AFTER:
            return None
        if np.unique(gaps, return_counts=True)[1].max() >= LEAST_AFTER * len(gaps):
            return None  # always as long after: computed from the event's time, so known with it
        share, hours = float((gaps > 0).mean()), float(np.median(gaps)) / _HOUR_US
        evidence = (
            f"{name!r} lies after {self.time!r} in {percent(share)} of the {len(gaps):,} rows that have it, "
            f"by {_long(hours)} in the middle: it is not known yet when {self.time!r} is now"
        )
        numbers: dict[str, JSON] = {"share_after": share, "median_hours": hours, "rows": len(gaps)}
        if self.label_times is not None:
            numbers["share_after_label"] = float((moments[known] > self.label_times[known]).mean())
        return Suspicion(name, "after-event", evidence, numbers)

    def not_yet(self, name: str) -> Suspicion | None:
        """Return the suspicion that a column's cells come later: the newest rows do not have them."""
        missing = _missing(self.frame[name])
        newest = self._newest()
        if missing.all() or not missing.any() or newest is None:
            return None
        older = self.times <= np.median(self.times)
        filled_newest, filled_older = float((~missing[newest]).mean()), float((~missing[older]).mean())
        if filled_newest > MOST_FILLED_NEWEST or filled_older < LEAST_FILLED_OLDER:
            return None
        evidence = (
            f"{name!r} is filled in {percent(filled_newest)} of the newest {int(newest.sum()):,} rows by {self.time!r} "
            f"and in {percent(filled_older)} of the older half: its cells come after the event"
        )
        numbers: dict[str, JSON] = {
            "filled_newest": filled_newest, "filled_older": filled_older, "newest_rows": int(newest.sum()),
        }  # fmt: skip
        return Suspicion(name, "after-event", evidence, numbers)

    def _newest(self) -> Mask | None:
        """Return the newest twentieth of the rows, None where it is not apart from the older half."""
        if len(self.times) < 4 * _FEWEST_ROWS:
            return None
        wanted = max(_FEWEST_ROWS, round(NEWEST * len(self.times)))
        limit = np.partition(self.times, len(self.times) - wanted)[len(self.times) - wanted]
        return self.times >= limit if limit > np.median(self.times) else None


def named(column: Column, looked: Looked, values: pl.Series) -> Suspicion | None:
    """Return the suspicion that a column whose name speaks of afterwards has a hold on the target."""
    words = _words(column.name) & _AFTERWARDS
    if not words or values.dtype.is_temporal() or len(looked.y) < _FEWEST_ROWS:
        return None
    numbers: dict[str, JSON]
    if looked.target.task == "regression":
        share = explained(column, looked)
        notable, numbers = share >= NOTABLE_EXPLAINED, {"rank_r2": share}
        told = f"explains {percent(max(share, 0.0))} of the order"
    else:
        found = strength(column, looked)
        notable, told, numbers = found.auc >= NOTABLE_AUC, f"has an AUC of {found.auc:.3f}", found.as_json()
    if not notable:
        return None
    evidence = (
        f"{column.name!r} is named for something that comes after the event ({', '.join(sorted(words))}), and alone it "
        f"{told} for {looked.target.column!r}{looked.sample}"
    )
    return Suspicion(column.name, "after-event", evidence, numbers)


def _missing(values: pl.Series) -> npt.NDArray[np.bool_]:
    missing = values.is_null()
    if values.dtype.is_float():
        missing |= values.is_nan().fill_null(value=True)
    return missing.to_numpy()


def _words(name: str) -> set[str]:
    return set(re.split(r"[\W_]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower()))


def _long(hours: float) -> str:
    return f"{hours / 24:,.1f} days" if hours >= 48 else f"{hours:,.1f} hours"  # noqa: PLR2004 - two days
