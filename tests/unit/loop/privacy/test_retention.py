"""What is too old goes, with an event; what is young, or a rollout's evidence, stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from undrift.core.clock import to_us
from undrift.loop.privacy import journal
from undrift.loop.privacy.retention import KIND, expire, told
from undrift.loop.tick import tick
from undrift.segments.parquet import read_predictions

from .conftest import ADA, BOB, People, prediction


@pytest.fixture
def later(people: People, monkeypatch: pytest.MonkeyPatch) -> People:
    """Give the project a hundred days later, with one fresh answer; the old ones came in 1970."""
    clock = people.project.clocks.business
    now = clock.now() + timedelta(days=100)
    monkeypatch.setattr(type(clock), "now", lambda _: now)
    people.log([prediction(9, BOB, received_us=to_us(now))])
    people.seal()
    return people


def _kept(people: People) -> list[str]:
    return read_predictions(people.project.endpoint_rooms.predictions("delay"))["id"].to_list()


def test_what_is_older_than_the_settings_allow_is_erased(later: People) -> None:
    """Answers, labels, quarantine and delivered batches; the data versions stay, and the event counts."""
    project = later.project
    done = tick(project).done
    assert _kept(later) == ["p0009"]
    assert not list((project.store / "quarantine").rglob("*.parquet"))
    assert project.data.read("flights@1")["email"].to_list().count(ADA) == 5
    [logs] = project.ledger.events("endpoint:delay", [KIND])
    [held] = project.ledger.events("data:flights", [KIND])
    assert (logs.body["removed"], logs.body["days"], held.body["removed"]) == (5, 90, 3)
    assert any("older than 90 days" in line for line in done)
    assert project.verify().ok


def test_once_a_day_is_enough(later: People) -> None:
    """A second pass finds nothing and looks at nothing."""
    expire(later.project)
    assert expire(later.project) == []


def test_the_evidence_of_a_running_rollout_stays(later: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cut lies before the rollout's start."""

    class Running:
        started_us = 3

    monkeypatch.setattr(type(later.project.endpoints), "running", lambda *_: Running())
    expire(later.project)
    assert _kept(later) == ["p0003", "p0004", "p0009"]


def test_a_pass_that_died_before_its_event_is_told_by_the_next(later: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it noted before it deleted is counted."""

    class Died(Exception):
        pass

    def die(*_: object) -> None:
        raise Died

    with monkeypatch.context() as broken:
        broken.setattr(journal.Journal, "record", die)
        with pytest.raises(Died):
            expire(later.project)
    assert _kept(later) == ["p0009"]
    expire(later.project)
    [logs] = later.project.ledger.events("endpoint:delay", [KIND])
    assert logs.body["removed"] == 5
    assert not list((later.project.store / journal.FOLDER).iterdir())


def test_the_rule_is_told_on_one_line(people: People) -> None:
    """For `undrift status` and `undrift up`."""
    assert told(people.project.settings) == (
        "prediction log, labels and quarantine for 90 days, keys and personal columns masked"
    )
