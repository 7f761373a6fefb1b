from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from undrift.core.clock import RealClock
from undrift.demo import flights
from undrift.demo.narrator import Narrator
from undrift.demo.stage import BEGIN, END
from undrift.demo.story import BAD_DELIVERY, DELIVERED_ON, FAST_COLUMNS, WRONG_FROM
from undrift.ledger.actor import Actor
from undrift.ledger.chain import Event

_MAY = datetime(2013, 5, 1, tzinfo=UTC)
_LONG = "the canary is worse in quality: it has a mean loss of 0.561 over 8 labels and stable has one of 0.104"


class Terminal(io.StringIO):
    """Something that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def told(stream: io.StringIO, event: Event) -> str:
    Narrator(RealClock(), stream).event(event)
    return stream.getvalue()


def event(name: str, subject: str, **body: Any) -> Event:
    return Event(1, "0", _MAY, Actor("policy", "rollout"), name, subject, body, "", "")


def rolled_back() -> Event:
    return event("rollout.rolled-back", "endpoint:delay", decision={"reason": _LONG})


def test_in_a_pipe_a_sentence_is_one_plain_line() -> None:
    """No escape codes, no wrapping: grep finds it."""
    lines = told(io.StringIO(), rolled_back()).splitlines()
    assert lines[0].endswith(f"2013-05-01  ROLLED BACK: {_LONG}")
    assert lines[1].strip() == "by hand: undrift rollback delay"
    assert "\x1b" not in "".join(lines)


def test_on_a_narrow_terminal_further_lines_stand_below_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The date's column stays free."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    lines = re.sub(r"\x1b\[[0-9;]*m", "", told(Terminal(), rolled_back())).splitlines()
    assert len(lines) > 2
    assert all(len(line) <= 60 for line in lines)
    assert all(line.startswith(" " * 21) for line in lines[1:3])


def test_without_colour_the_terminal_gets_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR is heard."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b[1;31m" not in told(Terminal(), rolled_back())


def test_brackets_in_a_sentence_are_no_markup() -> None:
    """A reason may hold an interval."""
    opened = event("incident.opened", "incident:1", kind="performance", decision={"reason": "auc 0.54 [0.47, 0.62]"})
    assert "auc 0.54 [0.47, 0.62]" in told(io.StringIO(), opened)


def test_events_that_the_story_is_not_about_are_not_told() -> None:
    """Sealed segments are no news."""
    assert told(io.StringIO(), event("segment.sealed", "endpoint:delay")) == ""


def test_the_injected_things_happen_within_the_year() -> None:
    """On a day of delivery, and with columns that the data have."""
    assert BEGIN < BAD_DELIVERY < WRONG_FROM < END
    assert BAD_DELIVERY.day in DELIVERED_ON
    assert set(FAST_COLUMNS) < set(flights.FEATURES)
