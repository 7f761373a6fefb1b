"""Where windows lie: which spans of event time are over and have not been closed."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from undrift.core.clock import from_us
from undrift.monitoring.watched import WindowPlan

_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Span:
    """Event times from ``start`` up to, not including, ``end``; the ``number``-th window of its version."""

    number: int
    start: datetime
    end: datetime


def day_spans(plan: WindowPlan, since: datetime, closed: int, now: datetime) -> list[Span]:
    """Return the spans of whole days that are over, behind the first ``closed`` of them.

    Parameters
    ----------
    plan : WindowPlan
        Days and step.
    since : datetime
        When the version went live: the first window begins with that UTC day.
    closed : int
        How many windows were closed already.
    now : datetime
        Business time; a span is over when its end is not later.
    """
    first = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    found = []
    number = closed + 1
    while (span := _day_span(plan, first, number)).end <= now:
        found.append(span)
        number += 1
    return found


def _day_span(plan: WindowPlan, first: datetime, number: int) -> Span:
    start = first + timedelta(days=plan.step_days * (number - 1))
    return Span(number, start, start + timedelta(days=plan.days))


def row_spans(rows: int, last: Span, event_us: Sequence[int]) -> list[Span]:
    """Return the spans which hold so many rows each, behind the last one.

    Parameters
    ----------
    rows : int
        Rows of a window.
    last : Span
        The window before; for the first one, number 0 and an end where counting begins.
    event_us : sequence of int
        Event times, sorted, of the rows that count (up to now).

    Notes
    -----
    Rows at the same instant stay together, so that a window may hold a few more.
    """
    instants = [from_us(value) for value in event_us]
    first = bisect_left(instants, last.end)
    found = []
    while len(instants) - first >= rows:
        last = Span(last.number + 1, last.end, instants[first + rows - 1] + _MOMENT)
        first = bisect_left(instants, last.end)
        found.append(last)
    return found
