"""Data quality of what was asked, and failures of what was answered: shares with intervals over units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from undrift.core.decision import Decision
from undrift.core.json import JSON
from undrift.monitoring.traffic import PREDICTION, Floats, Traffic
from undrift.monitoring.watched import Rules
from undrift.stats.intervals import Interval, TooFewUnits, mean, wilson
from undrift.stats.sketch import ColumnSketch, ReferenceSketch, Values

_FEWEST_DAYS = 20
_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class ShareCheck:
    """The share of odd cells of one column, beside the reference's.

    Attributes
    ----------
    column : str
        The column.
    odd : str
        ``"null"``, or ``"unseen"`` for categories that the reference did not name.
    reference, share : float
        Shares in the reference and in the window.
    low : float
        Lower end of the window's interval.
    broken : bool
        Whether the window's share is larger beyond chance and beyond the margin.
    """

    column: str
    odd: str
    reference: float
    share: float
    low: float
    broken: bool

    def as_json(self) -> dict[str, JSON]:
        """Return the check as a window's report keeps it."""
        return {
            "column": self.column, "odd": self.odd, "reference": self.reference,
            "share": self.share, "low": self.low, "broken": self.broken,
        }  # fmt: skip


def check_shares(sketch: ReferenceSketch, answered: Traffic, rules: Rules) -> list[ShareCheck]:
    """Return one check per column for nulls, and one per categorical column for unseen values.

    Notes
    -----
    The interval lets whole days vary where the window has at least 20 of them, else rows;
    its level is divided over all checks (Bonferroni). The reference's own uncertainty is
    covered by the margin.
    """
    columns = answered.columns()
    asked = [
        (column, odd)
        for column in sketch.columns.values()
        if column.name in columns and column.name != PREDICTION
        for odd in (("null",) if column.is_numeric else ("null", "unseen"))
    ]
    level = 1 - 2 * rules.alpha / max(len(asked), 1)
    if not answered.rows:
        return []
    test = _Test(answered.days, level, rules.share_margin)
    return [_check(column, odd, columns[column.name], test) for column, odd in asked]


def quality_decision(checks: Sequence[ShareCheck], answered: Traffic, rules: Rules) -> Decision:
    """Return whether the window's cells are as complete and as familiar as the reference's."""
    broken = [check for check in checks if check.broken]
    names = ", ".join(f"{check.odd} {check.column}" for check in broken[:_MOST_NAMED])
    return Decision(
        question="nulls and unseen categories are no more frequent than in training",
        outcome="cannot_tell" if not checks else "fail" if broken else "pass",
        method="share against the reference, interval over units, Bonferroni",
        alpha=rules.alpha,
        n=answered.rows,
        unit=_unit_of(answered.days)[1],
        evidence={"broken": [check.as_json() for check in broken[:_MOST_NAMED]], "checks": len(checks)},
        reason=f"more frequent than in training: {names}" if broken else "" if checks else "no rows",
    )


def errors_decision(requests: Traffic, rules: Rules) -> Decision:
    """Return whether the share of requests that failed by our own fault is small enough."""
    failed = requests.failed
    found = _share(failed, requests.days, 1 - 2 * rules.alpha)
    broken = found is not None and found.low > rules.error_share
    return Decision(
        question=f"at most {rules.error_share:.2%} of the requests fail with a server error",
        outcome="cannot_tell" if found is None else "fail" if broken else "pass",
        method="" if found is None else found.method,
        alpha=rules.alpha,
        n=requests.rows,
        unit=_unit_of(requests.days)[1],
        evidence={"requests": requests.rows, "failed": int(failed.sum()), "low": found.low if found else None},
        reason=f"{int(failed.sum())} of {requests.rows} requests failed" if requests.rows else "no requests",
    )


@dataclass(frozen=True, slots=True)
class _Test:
    days: list[str]
    level: float
    margin: float


def _check(column: ColumnSketch, odd: str, values: Values, test: _Test) -> ShareCheck:
    cells = _odd_cells(column, odd, values)
    found = _share(cells, test.days, test.level)
    total = max(sum(column.counts), 1)
    reference = column.counts[-1 if odd == "null" else -2] / total
    low = float(found.low) if found else 0.0
    return ShareCheck(column.name, odd, reference, float(cells.mean()), low, low > reference + test.margin)


def _odd_cells(column: ColumnSketch, odd: str, values: Values) -> Floats:
    plain = values.tolist() if isinstance(values, np.ndarray) else values
    if odd == "null":
        return np.array([value is None or value != value for value in plain], dtype=np.float64)  # noqa: PLR0124 - NaN
    named = set(column.categories[:-1])
    return np.array([value is not None and _text(value) not in named for value in plain], dtype=np.float64)


def _text(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _share(odd: Floats, days: Sequence[str], level: float) -> Interval | None:
    """Return the share of odd cells; None without rows.

    Where no day differs from another the spread over days is zero: Wilson's interval, which
    never is, is then the more careful one.
    """
    if not len(odd):
        return None
    by_row = wilson(int(odd.sum()), len(odd), level=level)
    unit, name = _unit_of(days)
    if unit is None:
        return by_row
    try:
        by_day = mean(odd, unit, level=level, unit_name=name)
    except TooFewUnits:
        return by_row
    return by_day if by_day.low < by_row.low else by_row


def _unit_of(days: Sequence[str]) -> tuple[np.ndarray[tuple[int], np.dtype[np.str_]] | None, str]:
    """Return days as units where there are enough of them, else rows."""
    enough = len(set(days)) >= _FEWEST_DAYS
    return (np.array(days), "day") if enough else (None, "row")
