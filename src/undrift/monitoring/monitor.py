"""One pass of watching: closes windows that are over, judges them, opens and closes incidents."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from undrift.core.clock import Clocks, from_us
from undrift.core.decision import Decision
from undrift.core.errors import Conflict
from undrift.core.ids import IdSource
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Ledger
from undrift.monitoring.incident import Finding, Incident
from undrift.monitoring.incidents import Incidents
from undrift.monitoring.performance import Performance, Promise, measure
from undrift.monitoring.report import WindowReport, examine
from undrift.monitoring.spans import Span, day_spans, row_spans
from undrift.monitoring.traffic import Folders, Traffic, read
from undrift.monitoring.watched import Watched
from undrift.monitoring.windows import ClosedWindow, Windows

MONITOR = Actor("service", "monitor")
_AHEAD = timedelta(days=3650)
_LOOK_AGAIN = timedelta(days=1)


class Monitor:
    """Watches endpoints; it reads their segments and writes windows, incidents and events.

    Parameters
    ----------
    ledger : Ledger
        Where windows and incidents are kept.
    store : Path
        The project's store, below which the segments lie.
    clocks : Clocks
        Windows, waits and silences go by business time.

    Notes
    -----
    A pass may be killed at any point and repeated by any process: each window is closed in
    one change with what follows from it, and only once.
    """

    def __init__(self, ledger: Ledger, store: Path, clocks: Clocks) -> None:
        ids = IdSource(clocks.business)
        self._ledger = ledger
        self._store = store
        self._clock = clocks.business
        self.windows = Windows(ledger, ids)
        self.incidents = Incidents(ledger, ids)
        self._silence_looked_at: dict[str, datetime] = {}
        self._labels_looked_at: dict[str, datetime] = {}

    def pass_(self, watched: Watched, actor: Actor = MONITOR) -> list[Incident]:
        """Do all that is due for one live version and return the incidents that moved.

        Parameters
        ----------
        watched : Watched
            The endpoint and its live version; incidents of versions which are not live any
            more are closed.
        actor : Actor
            Who is written as the author.

        Returns
        -------
        list of Incident
            Opened, updated and closed ones, in the order of moving. A repeated pass returns none.
        """
        moved: list[Incident] = []
        try:
            moved += self._close_replaced(watched, actor)
            for report in self._due(watched):
                moved += self._close(watched, report, actor)
            moved += self._score(watched, actor)
            moved += self._look_for_silence(watched, actor)
        except Conflict:  # another process is at the same work: what it has not done waits for the next pass
            return moved
        return moved

    def _close_replaced(self, watched: Watched, actor: Actor) -> list[Incident]:
        known = self.incidents.all(watched.endpoint, only_open=True)
        if all(one.model_version == watched.version.ref for one in known):
            return []
        with self._ledger.change(actor) as change:
            return self.incidents.close_replaced(change, watched.endpoint, watched.version.ref)

    def _due(self, watched: Watched) -> Iterator[WindowReport]:
        """Yield the reports of the windows that are over, one after another."""
        closed = self.windows.all(watched.endpoint, watched.version.ref)
        last = closed[-1] if closed else None
        if watched.plan.rows is None:
            spans = day_spans(watched.plan, watched.since, len(closed), self._clock.now())
            traffic = self._read(watched, _union(spans, last)) if spans else None
        else:
            start = last.span if last else Span(0, watched.since, watched.since)
            traffic = self._read(watched, Span(0, start.start, self._clock.now()))
            spans = row_spans(watched.plan.rows, start, traffic.answered().table["about_us"].to_list())
        before = (last.span, last.rows) if last else None
        first = self._read(watched, closed[0].span).answered() if closed and spans else None
        for span in spans:
            assert traffic is not None
            requests = traffic.within(span)
            yield examine(watched, requests, span, late_before=_late(traffic, before), first=first)
            before, first = (span, requests.rows), first or requests.answered()

    def _close(self, watched: Watched, report: WindowReport, actor: Actor) -> list[Incident]:
        self._labels_looked_at.pop(watched.endpoint, None)
        with self._ledger.change(actor) as change:
            self.windows.close(change, watched, report)
            return self.incidents.apply(change, watched.endpoint, watched.version.ref, report.findings)

    def _score(self, watched: Watched, actor: Actor) -> list[Incident]:
        """Judge the performance of closed windows whose labels have come since."""
        now = self._clock.now()
        if now - self._labels_looked_at.get(watched.endpoint, datetime.min.replace(tzinfo=now.tzinfo)) < _LOOK_AGAIN:
            return []
        self._labels_looked_at[watched.endpoint] = now
        waiting = self._waiting(watched, now)
        if not waiting:
            return []
        traffic = self._read(watched, Span(0, waiting[0].span.start, max(one.span.end for one in waiting)))
        promise = Promise(watched.metric, watched.gate, watched.rules)
        moved = []
        for window in waiting:
            found = measure(traffic.within(window.span).answered(), promise)
            if found.is_final:
                moved += self._store_score(watched, window, found, actor)
        return moved

    def _waiting(self, watched: Watched, now: datetime) -> list[ClosedWindow]:
        oldest = now - timedelta(days=watched.rules.label_wait_days)
        closed = self.windows.all(watched.endpoint, watched.version.ref)
        return [one for one in closed if one.performance is None and one.span.end >= oldest]

    def _store_score(self, watched: Watched, window: ClosedWindow, found: Performance, actor: Actor) -> list[Incident]:
        with self._ledger.change(actor) as change:
            self.windows.score(change, watched, window, found)
            finding = Finding("performance", found.decision)
            return self.incidents.apply(change, watched.endpoint, watched.version.ref, [finding])

    def _look_for_silence(self, watched: Watched, actor: Actor) -> list[Incident]:
        """Say when nobody was answered for too long, and when somebody is again."""
        now = self._clock.now()
        wait = timedelta(days=watched.rules.silent_days)
        is_open = any(
            one.kind == "no-data" and one.model_version == watched.version.ref
            for one in self.incidents.all(watched.endpoint, only_open=True)
        )
        heard = max(watched.since, self._silence_looked_at.get(watched.endpoint, watched.since))
        if now < heard + wait and not is_open:
            return []
        answered = self._read(watched, Span(0, now - wait, now + _AHEAD)).answered()
        if answered.rows:
            self._silence_looked_at[watched.endpoint] = min(now, _newest(answered))
        if is_open != bool(answered.rows):
            return []
        finding = Finding("no-data", _silence(answered.rows, watched.rules.silent_days))
        with self._ledger.change(actor) as change:
            return self.incidents.apply(change, watched.endpoint, watched.version.ref, [finding])

    def _read(self, watched: Watched, span: Span) -> Traffic:
        return read(Folders.below(self._store, watched.endpoint), watched.version, span)


def _union(spans: list[Span], last: ClosedWindow | None) -> Span:
    """Return the span that holds the due windows, and the one before them for its late rows."""
    start = min(spans[0].start, last.span.start) if last else spans[0].start
    return Span(0, start, spans[-1].end)


def _late(traffic: Traffic, before: tuple[Span, int] | None) -> int:
    """Return how many rows of the window before have come since it was closed."""
    return max(0, traffic.within(before[0]).rows - before[1]) if before else 0


def _newest(answered: Traffic) -> datetime:
    return from_us(answered.table["about_us"].to_list()[-1])


def _silence(rows: int, days: float) -> Decision:
    return Decision(
        question=f"somebody was answered in the last {days:g} days",
        outcome="pass" if rows else "fail",
        method="count",
        alpha=0.0,
        n=rows,
        unit="row",
        evidence={"rows": rows, "days": days},
        reason="" if rows else f"no answered request in the last {days:g} days",
    )
