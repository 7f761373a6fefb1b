"""Windows close when business time passes their end."""

from datetime import UTC, datetime, timedelta

from undrift.core.clock import to_us
from undrift.monitoring.spans import Span, day_spans, row_spans
from undrift.monitoring.watched import WindowPlan

LIVE = datetime(2013, 2, 1, 9, 30, tzinfo=UTC)
DAY = datetime(2013, 2, 1, tzinfo=UTC)


def test_no_window_closes_before_its_end() -> None:
    """One microsecond before the end there is nothing to close."""
    plan = WindowPlan(days=28, step_days=7)
    assert day_spans(plan, LIVE, 0, DAY + timedelta(days=28) - timedelta(microseconds=1)) == []
    assert day_spans(plan, LIVE, 0, DAY + timedelta(days=28)) == [Span(1, DAY, DAY + timedelta(days=28))]


def test_windows_missed_while_nobody_looked_are_all_due() -> None:
    """After a pause every window that ended in it is closed, in order."""
    due = day_spans(WindowPlan(days=28, step_days=7), LIVE, 2, DAY + timedelta(days=28 + 7 * 4))
    assert [span.number for span in due] == [3, 4, 5]
    assert due[0].start == DAY + timedelta(days=14)


def test_windows_of_rows_follow_one_another_without_gap() -> None:
    """Each row is in one window; the rest waits."""
    instants = [to_us(LIVE + timedelta(minutes=minute)) for minute in range(25)]
    due = row_spans(10, Span(0, LIVE, LIVE), instants)
    assert [(span.number, span.start) for span in due] == [(1, LIVE), (2, due[0].end)]
    assert due[1].end == LIVE + timedelta(minutes=19, microseconds=1)


def test_rows_of_one_instant_stay_together() -> None:
    """A window of rows cannot be cut inside an instant, and still ends."""
    instants = [to_us(LIVE)] * 15 + [to_us(LIVE + timedelta(hours=1))] * 10
    assert len(row_spans(10, Span(0, LIVE, LIVE), instants)) == 2
