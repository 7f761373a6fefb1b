"""Retention: records of the logs and rows in quarantine are erased when they have become too old."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from undrift.core.clock import from_us, to_us
from undrift.core.config import Settings
from undrift.core.digest import blake3_file
from undrift.core.files import write_atomic
from undrift.core.ids import BadName, time_us_of
from undrift.core.json import JSON
from undrift.endpoints.state import EndpointState
from undrift.ledger.actor import Actor
from undrift.loop.privacy.journal import Entry, Journal, opened
from undrift.project import Project
from undrift.segments import erasing as logs
from undrift.segments.erasing import Rewrite
from undrift.segments.parquet import read_index

KIND = "privacy.expired"
KEEPER = Actor("service", "retention")
_STAMP = "retention.day"
_BATCH = "delivered batch"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")


@dataclass(frozen=True, slots=True)
class Expired:
    """What one pass erased of one endpoint's logs, or of one dataset's quarantine."""

    subject: str
    files: int
    removed: int

    def told(self, days: int) -> str:
        """Return it in words."""
        return f"{self.subject}: {self.removed:,} records older than {days} days erased from {self.files} file(s)"


def told(settings: Settings) -> str:
    """Return how long rows of users are kept, on one line."""
    days = settings.privacy.retention_days
    masked = "keys and personal columns masked" if settings.privacy.mask else "nothing masked"
    return f"prediction log, labels and quarantine for {days} days, {masked}"


def expire(project: Project) -> list[Expired]:
    """Erase what is older than the settings allow, and return what was; at most once a day of business time.

    Parameters
    ----------
    project : Project
        The project.

    Notes
    -----
    A record is as old as its event time, and under a real clock no older than its arrival. What a running
    rollout counts as evidence stays until it ends. May be killed at any point: the next pass goes on, and
    the event tells digests and counts of all that went.
    """
    now = project.clocks.business.now()
    stamp = project.store / _STAMP
    if stamp.exists() and stamp.read_text() == _stamp(project, now):
        return []
    cutoff = now - timedelta(days=project.settings.privacy.retention_days)
    found = [_of_endpoint(project, state, cutoff) for state in project.endpoints.all()]
    found += [_of_dataset(project, name, cutoff) for name in project.data.names()]
    write_atomic(stamp, _stamp(project, now).encode())
    return [one for one in found if one is not None]


def _stamp(project: Project, now: datetime) -> str:
    return f"{now.date().isoformat()} {project.settings.privacy.retention_days}"


def _of_endpoint(project: Project, state: EndpointState, cutoff: datetime) -> Expired | None:
    rollout = project.endpoints.running(state.name)
    if rollout is not None:
        cutoff = min(cutoff, from_us(rollout.started_us))
    cutoff_us, is_real = to_us(cutoff), project.settings.clock.kind == "real"

    def doomed(table: pl.DataFrame) -> pl.Series:
        about = pl.coalesce("event_us", "received_us")
        return table.select((pl.max_horizontal(about, "received_us") if is_real else about) < cutoff_us).to_series()

    def is_old(name: str) -> bool:
        """Say whether a segment was begun, or a part's day, before the cut."""
        if _DAY.match(name):
            return name <= cutoff.date().isoformat()
        return not is_real or _began_us(name) < cutoff_us

    def is_due(folder: Path) -> bool:
        """Say whether anything can be old: under a simulated clock the parts' days tell, segments' names do not."""
        return is_real or any(is_old(part.day) for part in read_index(folder).parts)

    with opened(project, f"expired-{state.name}") as journal:

        def note(rewrite: Rewrite) -> None:
            journal.note(Entry(rewrite.where, rewrite.before, rewrite.after, rewrite.removed))

        for folder in (project.endpoint_rooms.predictions(state.name), project.endpoint_rooms.feedback(state.name)):
            if is_due(folder):
                logs.erase(folder, doomed, note, is_old)
        return _recorded(project, journal, state.ref, cutoff)


def _of_dataset(project: Project, name: str, cutoff: datetime) -> Expired | None:
    cutoff_us = to_us(cutoff)
    folder = project.store / "quarantine" / name
    with opened(project, f"expired-data-{name}") as journal:
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if _began_us(path.name) < cutoff_us:
                journal.note(Entry(f"quarantine/{name}/{path.name}", blake3_file(path), "", _rows(path)))
                path.unlink(missing_ok=True)
        for digest in project.data.erasure.unreferenced(name, cutoff_us):
            journal.note(Entry(_BATCH, digest, "", 0))
            project.blobs.erase(digest, None)
        if any(entry.where == _BATCH for entry in journal.entries):
            project.data.erasure.purge()
        return _recorded(project, journal, f"data:{name}", cutoff)


def _recorded(project: Project, journal: Journal, subject: str, cutoff: datetime) -> Expired | None:
    entries = journal.entries
    if not entries:
        return None
    removed = sum(entry.removed for entry in entries)
    body: dict[str, JSON] = {
        "before": cutoff.isoformat(),
        "days": project.settings.privacy.retention_days,
        "removed": removed,
        "changed": [entry.as_json() for entry in entries],
    }
    with project.ledger.change(KEEPER) as change:
        journal.record(project, change, KIND, subject, body)
    journal.close()
    return Expired(subject, len(entries), removed)


def _began_us(name: str) -> int:
    """Return the moment in a name that begins with an id; what has none is never old."""
    try:
        return time_us_of(name.partition(".")[0])
    except BadName:
        return 2**63


def _rows(path: Path) -> int:
    return int(pl.scan_parquet(path).select(pl.len()).collect().item()) if path.suffix == ".parquet" else 0
