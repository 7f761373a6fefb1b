"""A pass closes each window once and turns broken rules into incidents."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from undrift.core.clock import RealClock
from undrift.ledger.actor import Actor
from undrift.ledger.change import Change
from undrift.ledger.ledger import Ledger
from undrift.monitoring.traffic import PREDICTION
from undrift.monitoring.watched import BadMonitor, Rules, WindowPlan
from undrift.segments.records import Cell
from unit.monitoring.world import LIVE, VERSION, WATCHED, World, by_rows, sketch


def moved_by(sd: float, place: int, row: list[Cell]) -> list[Cell]:
    assert isinstance(row[0], float)
    return [row[0] + sd, *row[1:]]


def test_stationary_traffic_opens_nothing(world: World) -> None:
    """Four weeks like the reference: one window, no incident."""
    world.serve(0, 28)
    world.label(0, 28)
    assert world.go_to(28) == []
    (window,) = world.monitor().windows.all("delay")
    decisions = {kind: found["outcome"] for kind, found in window.report["decisions"].items()}
    assert decisions == dict.fromkeys(("drift", "prediction-drift", "quality", "errors", "performance"), "pass")


def test_a_repeated_pass_changes_nothing(world: World) -> None:
    """The same instant, another process: no event more."""
    world.serve(0, 35)
    world.go_to(35)
    before = world.ledger.head()
    assert world.go_to(35) == []
    assert world.ledger.head() == before
    assert world.kinds("window.closed") == ["window.closed"] * 2


def test_a_moved_column_opens_a_drift_incident(world: World) -> None:
    """The column moves by 1.5 standard deviations: found, named, one incident for two windows."""
    world.serve(0, 35, lambda place, row: moved_by(1.5, place, row))
    moved = {one.kind: one for one in world.go_to(35)}
    assert moved["drift"].times == 2
    (opened, *_) = [event for event in world.ledger.events() if event.kind == "incident.opened"]
    assert "x" in str(opened.body["decision"])
    assert "weekday" not in str(opened.body["decision"])


def test_answers_are_compared_with_the_first_window_where_the_sketch_has_none(world: World) -> None:
    """The first window is the yardstick, a later one that differs is told."""
    inputs = {name: column for name, column in VERSION.sketch.columns.items() if name != PREDICTION}
    version = replace(VERSION, sketch=replace(VERSION.sketch, columns=inputs))
    watched = replace(WATCHED, version=version, plan=WindowPlan(days=28, step_days=28))
    world.serve(0, 28)
    world.serve(28, 28, lambda place, row: moved_by(1.5, place, row))
    assert world.go_to(28, watched) == []
    assert "prediction-drift" in [one.kind for one in world.go_to(56, watched)]


def test_a_training_of_too_few_days_gives_way_to_the_first_window(world: World) -> None:
    """17 days cannot be compared with; from the second window on the first one can."""
    version = replace(VERSION, sketch=sketch(17))
    watched = replace(WATCHED, version=version, plan=WindowPlan(days=28, step_days=28))
    world.serve(0, 28)
    world.serve(28, 28, lambda place, row: moved_by(1.5, place, row))
    assert world.go_to(28, watched) == []
    moved = {one.kind: str(one.decision["question"]) for one in world.go_to(56, watched)}
    assert set(moved) == {"drift", "prediction-drift"}
    assert all(question.endswith("distributed as in the version's first window") for question in moved.values())


def test_drift_that_heals_closes_its_incident(world: World) -> None:
    """A later window like the reference ends it."""
    world.serve(0, 28, lambda place, row: moved_by(1.5, place, row))
    world.serve(28, 28)
    watched = replace(WATCHED, plan=WindowPlan(days=28, step_days=28))
    world.go_to(28, watched)
    moved = world.go_to(56, watched)
    assert {one.kind: one.is_open for one in moved}["drift"] is False


def test_no_labels_yet_is_said_and_never_reads_as_good(world: World) -> None:
    """Without labels there is no performance; when they come, the same window is judged once."""
    world.serve(0, 28)
    world.go_to(28)
    (window,) = world.monitor().windows.all("delay")
    assert window.performance is None
    assert window.report["performance"]["decision"]["reason"] == "no labels yet"
    world.label(0, 28)
    world.go_to(30)
    world.go_to(31)
    assert world.kinds("window.scored") == ["window.scored"]


def test_few_labels_are_waited_for(world: World) -> None:
    """Labels of half the rows would speak for the quick ones only."""
    world.serve(0, 28)
    world.label(0, 14)
    world.go_to(28)
    (window,) = world.monitor().windows.all("delay")
    assert window.performance is None
    assert "50% of 1120 rows" in window.report["performance"]["decision"]["reason"]


def test_a_model_that_fails_in_the_field_opens_a_performance_incident(world: World) -> None:
    """Labels against the model: far below what the gate saw."""
    world.serve(0, 28)
    world.label(0, 28, flipped=True)
    assert [one.kind for one in world.go_to(28)] == ["performance"]


def test_nulls_and_unseen_categories_are_a_quality_incident(world: World) -> None:
    """Every fifth row has no x and a carrier that training never saw."""
    world.serve(0, 28, lambda place, row: row if place % 5 else [None, "??", row[2]])
    moved = {one.kind: one for one in world.go_to(28)}
    assert moved["quality"].decision["reason"] == "more frequent than in training: null x, unseen carrier"


def test_server_errors_are_an_incident(world: World) -> None:
    """One request in nine fails by our own fault."""
    world.serve(0, 28)
    world.serve(0, 28, rows=5, status=500)
    assert "errors" in [one.kind for one in world.go_to(28)]


def test_silence_is_an_incident_until_somebody_is_answered(world: World) -> None:
    """A week without an answer opens it, the next answer closes it."""
    world.serve(0, 3)
    assert [one.kind for one in world.go_to(11)] == ["no-data"]
    assert world.go_to(12) == []
    world.serve(12, 1)
    (closed,) = world.go_to(13)
    assert (closed.kind, closed.is_open) == ("no-data", False)


def test_rows_that_come_after_closing_are_counted_apart(world: World) -> None:
    """Late rows are told with the next window and change no number of the closed one."""
    world.serve(0, 28)
    world.go_to(28)
    world.serve(10, 1, rows=13)
    world.serve(28, 7)
    world.go_to(35)
    first, second = world.monitor().windows.all("delay")
    assert (first.rows, second.report["late_before"]) == (28 * 40, 13)


def test_windows_of_rows_close_when_they_are_full(world: World) -> None:
    """100 rows each, also on one day."""
    world.serve(0, 6)
    world.go_to(6, by_rows(100))
    assert [window.report["answered"] for window in world.monitor().windows.all("delay")] == [100, 100]


def test_a_new_version_closes_the_incidents_of_the_old_one(world: World) -> None:
    """The replaced version's drift is nobody's any more."""
    world.serve(0, 28, lambda place, row: moved_by(1.5, place, row))
    world.go_to(28)
    next_version = replace(VERSION, number=2)
    moved = world.go_to(28, replace(WATCHED, version=next_version, since=LIVE + timedelta(days=28)))
    assert {one.closed_because for one in moved} == {"model:delay@1 was replaced by model:delay@2"}


def test_processes_at_once_close_each_window_once(world: World) -> None:
    """Four monitors over one ledger: every window and incident once."""
    world.serve(0, 49, lambda place, row: moved_by(1.5, place, row))
    world.clock.advance_to(LIVE + timedelta(days=49))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda monitor: monitor.pass_(WATCHED), [world.monitor() for _ in range(4)]))
    world.monitor().pass_(WATCHED)
    assert [window.span.number for window in world.monitor().windows.all("delay")] == [1, 2, 3, 4]
    assert world.kinds("window.closed") == ["window.closed"] * 4
    assert len({one.kind for one in world.monitor().incidents.all()}) == len(world.monitor().incidents.all())


def test_on_postgres_too(world: World, postgres_url: str) -> None:
    """The same pass on the other database, repeated by several at once."""
    world.ledger = Ledger.open(postgres_url, clock=world.clock, real=RealClock())
    world.serve(0, 35, lambda place, row: moved_by(1.5, place, row))
    world.clock.advance_to(LIVE + timedelta(days=35))
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda monitor: monitor.pass_(WATCHED), [world.monitor() for _ in range(3)]))
    world.monitor().pass_(WATCHED)
    assert world.kinds("window.closed") == ["window.closed"] * 2
    world.ledger.close()


class PowerCut(BaseException):
    """Ends a pass where no handler of ours catches it."""


def cut_at(world: World, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make one pass that ends just before its n-th change is committed."""
    ledger, seen = world.ledger, []
    change = ledger.change

    @contextmanager
    def cutting(actor: Actor) -> Iterator[Change]:
        with change(actor) as opened:
            yield opened
            seen.append(1)
            if len(seen) == number:
                raise PowerCut

    with monkeypatch.context() as patch, suppress(PowerCut):
        patch.setattr(ledger, "change", cutting)
        world.monitor().pass_(WATCHED)


def test_cut_before_any_commit_another_pass_does_the_rest_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever change is lost, the end is the same and nothing is done twice."""
    world.serve(0, 49, lambda place, row: moved_by(1.5, place, row))
    world.clock.advance_to(LIVE + timedelta(days=49))
    for number in (1, 1, 2, 2, 3):
        cut_at(world, number, monkeypatch)
    world.monitor().pass_(WATCHED)
    world.monitor().pass_(WATCHED)
    assert [window.span.number for window in world.monitor().windows.all("delay")] == [1, 2, 3, 4]
    opened = world.kinds("incident.opened")
    assert (
        len(opened)
        == len(world.monitor().incidents.all())
        == len({one.kind for one in world.monitor().incidents.all()})
    )


@pytest.mark.slow
def test_killed_at_any_moment_the_end_is_the_same(world: World) -> None:
    """Ended by kill -9 in the middle of passes: another pass goes on, nothing is done twice."""
    world.serve(0, 49, lambda place, row: moved_by(1.5, place, row))
    world.clock.advance_to(LIVE + timedelta(days=49))
    script = Path(__file__).with_name("one_pass.py")
    delays = np.random.default_rng(5).uniform(0.0, 0.4, 4)
    for delay in delays.tolist():
        child = subprocess.Popen(
            [sys.executable, str(script), str(world.store)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(script.parents[2])},
        )
        assert child.stdout is not None
        child.stdout.readline()
        RealClock().sleep(delay)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    world.monitor().pass_(WATCHED)
    assert [window.span.number for window in world.monitor().windows.all("delay")] == [1, 2, 3, 4]
    assert world.kinds("incident.opened").count("incident.opened") == len(world.monitor().incidents.all())


@pytest.mark.parametrize("rules", [{"alpha": 0.0}, {"label_coverage": 1.5}, {"silent_days": 0.0}])
def test_rules_that_cannot_be_followed_are_refused(rules: dict[str, float]) -> None:
    """A share is above 0 and at most 1, a wait is above 0."""
    with pytest.raises(BadMonitor, match="above 0"):
        Rules(**rules)
