"""Telling the story: on a terminal in colour, in a pipe as plain lines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from textwrap import wrap
from typing import Any, TextIO

from rich.console import Console
from rich.markup import escape

from undrift.core.clock import Clock
from undrift.ledger.chain import Event
from undrift.loop.telling import WORDS

Body = Mapping[str, Any]  # Any: JSON of an event
Told = tuple[str, str]
_MARGIN = " " * 21
_NARROWEST = 24


class Narrator:
    """Prints what happens, with the simulated date and the real seconds since the beginning.

    Parameters
    ----------
    real : Clock
        Measures the seconds.
    stream : TextIO
        Where to; colour only when it is a terminal.
    """

    def __init__(self, real: Clock, stream: TextIO = sys.stdout) -> None:
        self._console = Console(file=stream, highlight=False, soft_wrap=not stream.isatty())
        self._real = real
        self._began = real.monotonic()

    @property
    def seconds(self) -> float:
        """Real seconds since the beginning."""
        return self._real.monotonic() - self._began

    def heading(self, text: str) -> None:
        """Begin a part of the story."""
        self._console.print(f"\n[bold]{escape(text)}[/bold]")

    def say(self, text: str, when: datetime | None = None, style: str = "") -> None:
        """Tell one thing."""
        date = f"{when:%Y-%m-%d}" if when else " " * 10
        hung = escape(self._hung(text))
        body = f"[{style}]{hung}[/{style}]" if style else hung
        self._console.print(f"[dim]{self.seconds:5.0f} s  {date}[/dim]  {body}")

    def _hung(self, text: str) -> str:
        """Return a text whose further lines stand below the first one on a terminal; in a pipe it is one line."""
        if self._console.soft_wrap:
            return text
        return f"\n{_MARGIN}".join(wrap(text, max(self._console.width - len(_MARGIN), _NARROWEST)))

    def by_hand(self, command: str) -> None:
        """Say which command does it by hand."""
        self._console.print(f"[dim]{' ' * 19}by hand:[/dim] [cyan]{escape(command)}[/cyan]")

    def plain(self, text: str) -> None:
        """Print lines as they are."""
        self._console.print(escape(text))

    def event(self, event: Event) -> None:
        """Tell an event of the ledger, when it is one that the story is about."""
        told = _SENTENCES.get(event.kind)
        if told is None:
            return
        sentence, command = told(event.subject, event.body)
        self.say(sentence, event.at, _STYLES.get(event.kind, ""))
        if command:
            self.by_hand(command)


def _reason(body: Body) -> str:
    decision = body.get("decision") or {}
    return str(decision.get("reason") or body.get("reason") or "")


def _registered(subject: str, body: Body) -> Told:
    report = body.get("report") or {}
    said = WORDS.get(str(body.get("gate")), "no gate")
    reason = report.get("decision", {}).get("reason", "")
    return f"{subject} is trained; gate {said}: {reason}", f"undrift model show {subject}"


def _canary(_: str, body: Body) -> Told:
    state = body["endpoint"]
    version = f"model:{state['canary']['model']}@{state['canary']['number']}"
    return f"canary: {version} answers {state['share_bp'] / 100:g} % of the requests", f"undrift deploy {version}"


def _promoted(subject: str, body: Body) -> Told:
    stable = body["endpoint"]["stable"]
    version = f"model:{stable['model']}@{stable['number']}"
    return f"promoted: {version} is live ({_reason(body)})", f"undrift promote {subject.removeprefix('endpoint:')}"


def _rolled_back(subject: str, body: Body) -> Told:
    return f"ROLLED BACK: {_reason(body)}", f"undrift rollback {subject.removeprefix('endpoint:')}"


_SENTENCES: Mapping[str, Callable[[str, Body], Told]] = {
    "incident.opened": lambda s, b: (f"incident, {b.get('kind')}: {_reason(b)}", f"undrift incident show {s}"),
    "incident.closed": lambda _, b: (f"incident closed: {b.get('reason') or b.get('closed_because')}", ""),
    "retraining.triggered": lambda s, b: (
        f"one retraining is triggered: {b.get('reason')}",
        f"undrift train {s.removeprefix('model:')}",
    ),
    "model.registered": _registered,
    "model.admitted": lambda s, b: (
        f"{s} admitted by policy: {b.get('reason')}",
        f"undrift approve {s} --deploy --reason TEXT",
    ),
    "model.approved": lambda s, b: (
        f"{s} forced past its gate" if b.get("forced") else f"{s} approved: {b.get('reason')}",
        f"undrift approve {s} --reason TEXT",
    ),
    "rollout.started": _canary,
    "rollout.advanced": lambda _, b: (f"canary: {b['endpoint']['share_bp'] / 100:g} % now ({_reason(b)})", ""),
    "rollout.promoted": _promoted,
    "rollout.rolled-back": _rolled_back,
    "rollout.needs-decision": lambda s, b: (f"{s} waits for a person: {_reason(b)}", "undrift status"),
    "data.refused": lambda s, _: (f"the batch is refused for {s}: nothing is learnt from it", ""),
}
_STYLES = {
    "incident.opened": "yellow",
    "rollout.promoted": "green",
    "rollout.rolled-back": "bold red",
    "data.refused": "yellow",
}
