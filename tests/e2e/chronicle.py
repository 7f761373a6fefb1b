"""Reading a finished project's events as a story: what came first, what stood at each moment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from undrift.ledger.chain import Event

MODEL_MOVES: Mapping[str, str] = {
    "model.registered": "proposed",
    "model.approved": "approved",
    "model.admitted": "admitted",
    "model.went-live": "live",
    "model.retired": "retired",
}
ROLLOUT_ENDS = ("rollout.promoted", "rollout.rolled-back", "rollout.stopped")
"""Kinds of events that end a rollout."""

Body = Mapping[str, Any]  # Any: JSON of an event


@dataclass(frozen=True, slots=True)
class Trial:
    """A rollout as the events tell it: who was on trial, and how it ended (None: not at all)."""

    candidate: str
    started: Event
    end: Event | None


class Chronicle:
    """The events of a project, in the order of their commits."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.events = list(events)

    def all(self, kind: str, subject: str | None = None, after: Event | None = None) -> list[Event]:
        """Return the events of a kind, of a subject where one is given, after an event where one is given."""
        since = after.seq if after else 0
        return [e for e in self.events if e.kind == kind and subject in (None, e.subject) and e.seq > since]

    def first(self, kind: str, subject: str | None = None, after: Event | None = None) -> Event:
        """Return the first of :meth:`all`; its absence fails the test."""
        found = self.all(kind, subject, after)
        assert found, f"no {kind} of {subject or 'anything'} after {after.seq if after else 0}"
        return found[0]

    def kinds(self, subject: str) -> list[str]:
        """Return the kinds of a subject's events, in order."""
        return [event.kind for event in self.events if event.subject == subject]

    def most_live_at_once(self) -> int:
        """Return the largest number of versions of one model that are live after any single event."""
        states: dict[str, str] = {}
        most = 0
        for event in self.events:
            if event.kind in MODEL_MOVES:
                states[event.subject] = MODEL_MOVES[event.kind]
                live = defaultdict(int)
                for ref, state in states.items():
                    live[ref.split("@")[0]] += state == "live"
                most = max(most, *live.values())
        return most

    def trials(self) -> list[Trial]:
        """Return the rollouts, in the order of their starts."""
        ends = {_rollout(e.body): e for e in self.events if e.kind in ROLLOUT_ENDS}
        return [
            Trial(served(event, "canary"), event, ends.get(_rollout(event.body)))
            for event in self.all("rollout.started")
        ]

    def gates(self) -> dict[str, str]:
        """Return what the gate said of each version."""
        return {event.subject: str(event.body.get("gate")) for event in self.all("model.registered")}

    def retrainings(self) -> list[tuple[Event, Event]]:
        """Return the triggers with the version that each one led to; those whose training failed led to none."""
        by_run = {self._pipeline_of(e): e for e in self.all("model.registered")}
        triggers = self.all("retraining.triggered")
        return [(e, by_run[str(e.body["run"])]) for e in triggers if e.body["run"] in by_run]

    def _pipeline_of(self, registered: Event) -> str | None:
        started = [e for e in self.all("run.started") if e.subject == registered.body["run"]]
        return str(started[0].body.get("pipeline")) if started else None


def served(event: Event, part: str) -> str:
    """Return the reference of the version that an endpoint's event says is stable or canary; empty for none."""
    body: Body = event.body
    found = body["endpoint"].get(part)
    return f"model:{found['model']}@{found['number']}" if found else ""


def undrift(*words: str, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
    """Run a command of undrift and return what it said."""
    return subprocess.run(
        [sys.executable, "-m", "undrift", *words],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )


def processes_of(folder: Path, words: Sequence[str]) -> list[int]:
    """Return the live processes whose command has all these words and names this folder."""
    wanted = [str(folder).encode(), *(word.encode() for word in words)]
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if all(word in command for word in wanted):
                found.append(int(entry.name))
    return found


def _rollout(body: Body) -> str:
    return str(body["rollout"]["id"])
