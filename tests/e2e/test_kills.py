"""kill -9 of workers, supervisor, trainings and passes of the loop: the story ends as if nothing had happened.

The demo is played from February to May once, and copied. The copy plays on through drift,
retraining, canary and promotion: once undisturbed, then with processes dying at random
moments. ``UNDRIFT_KILL_RUNS`` says how often (4), ``UNDRIFT_KILL_SEED`` from which seed on (1).
"""

from __future__ import annotations

import io
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from e2e.chronicle import Chronicle
from e2e.hardship import HardStage, Reaper, StubbornTraffic, copied, end_state, fleet_of, reaping
from undrift.core.clock import RealClock
from undrift.demo.narrator import Narrator
from undrift.demo.stage import MODEL, Stage
from undrift.demo.story import DELIVERED_ON, Story
from undrift.segments.parquet import read_predictions

pytestmark = pytest.mark.slow

_FORK = datetime(2013, 5, 20, 5, tzinfo=UTC)
_LAST_DELIVERY = datetime(2013, 5, 16, 5, tzinfo=UTC)
_END = datetime(2013, 6, 5, 5, tzinfo=UTC)
_SHARE = 0.05
_RUNS = int(os.environ.get("UNDRIFT_KILL_RUNS", "4"))
_SEED = int(os.environ.get("UNDRIFT_KILL_SEED", "1"))


@dataclass(frozen=True, slots=True)
class Before:
    """The story up to the day on which the runs part."""

    project: Path
    asked: list[pl.DataFrame]


@dataclass(frozen=True, slots=True)
class After:
    """What a run came to."""

    state: dict[str, Any]
    most_live: int
    audit: list[str]
    acknowledged: list[str]
    logged: list[str]
    servers: dict[str, int]
    reaper: Reaper | None
    passes_killed: int


def play_before(folder: Path) -> Before:
    """Play January to the day on which the runs part."""
    stage = Stage(folder, _SHARE)
    story = Story(stage, Narrator(RealClock(), io.StringIO()))
    try:
        story._january()
        while stage.now < _FORK:
            stage.play_day()
            story._receive()
    finally:
        stage.close()
    return Before(folder, stage._asked[-3:])


def play_on(before: Before, folder: Path, seed: int | None) -> After:
    """Play a copy of the story to its end, with processes dying when there is a seed."""
    stage = HardStage(copied(before.project, folder), before.asked, _SHARE)
    delivered = _LAST_DELIVERY
    try:
        stage.serve()
        with reaping(stage, seed) as reaper:
            while stage.now < _END:
                stage.play_day()
                if stage.now.day in DELIVERED_ON:
                    stage.receive(delivered)
                    delivered = stage.now
        stage.settle()
        return looked_at(stage, reaper)
    finally:
        stage.close()


def looked_at(stage: HardStage, reaper: Reaper | None) -> After:
    """Return what a run came to."""
    project, traffic = stage.project, stage.traffic
    assert isinstance(traffic, StubbornTraffic)
    verified = project.verify()
    return After(
        state=end_state(project),
        most_live=Chronicle(project.ledger.events()).most_live_at_once(),
        audit=[finding.message for finding in verified.findings],
        acknowledged=traffic.acknowledged,
        logged=read_predictions(project.endpoint_rooms.predictions(MODEL))["id"].to_list(),
        servers=fleet_of(project.root),
        reaper=reaper,
        passes_killed=stage.ticks_killed,
    )


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Before:
    return play_before(tmp_path_factory.mktemp("before") / "flights")


@pytest.fixture(scope="module")
def calm(before: Before, tmp_path_factory: pytest.TempPathFactory) -> After:
    return play_on(before, tmp_path_factory.mktemp("calm") / "flights", None)


def assert_nothing_is_lost(run: After) -> None:
    """Fail unless each acknowledged prediction is in the log once, the chain holds and one fleet serves."""
    assert set(run.acknowledged) <= set(run.logged)
    assert len(run.logged) == len(set(run.logged))
    assert run.audit == []
    assert run.most_live == 1
    assert run.servers == {"worker": 1, "supervisor": 1, "pipeline": 0}


def test_undisturbed_the_story_has_a_retraining_that_goes_live_by_canary(calm: After) -> None:
    """Otherwise the other tests would show nothing."""
    assert_nothing_is_lost(calm)
    assert calm.state["live"] == ("model:delay@3", None, None, 0)
    assert calm.state["rollouts"] == [("model:delay@3", "rollout.promoted")]


@pytest.mark.parametrize("seed", range(_SEED, _SEED + _RUNS))
def test_killed_at_random_moments_the_story_ends_the_same(
    before: Before, calm: After, tmp_path: Path, seed: int
) -> None:
    """Same versions, states, aliases, rollouts and incidents; nothing acknowledged is lost; never two live."""
    run = play_on(before, tmp_path / "flights", seed)
    assert run.reaper is not None
    sys.stdout.write(f"seed {seed}: killed {dict(run.reaper.killed)}, passes: {run.passes_killed}\n")
    assert run.reaper.trouble == []
    assert min(*run.reaper.killed.values(), run.passes_killed) > 0
    assert run.reaper.most_workers == 1
    assert_nothing_is_lost(run)
    assert run.state == calm.state
