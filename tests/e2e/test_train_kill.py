from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from undrift.ledger.actor import Actor
from unit.evaluation.training_tables import START, by_day
from unit.loop.training.rooms_of import rooms_in, training_in

_CHILD = Path(__file__).with_name("train_child.py")
_ADA = Actor("os-user", "ada")
_SETTINGS = """
[models.late]
dataset = "trips"
target = "late"
time = "at"
label_time = "known"
key = "id"
candidates = ["linear"]
"""
_STEPS = ("load", "check", "split", "score-linear", "compare", "fit", "evaluate", "gate", "register")


def project(folder: Path) -> str:
    """Return the id of a submitted training in a new project."""
    folder.mkdir()
    (folder / "undrift.toml").write_text(_SETTINGS)
    rooms = rooms_in(folder, START + timedelta(days=45))
    rooms.data.add_frame(by_day(45), "trips", actor=_ADA)
    with rooms.ledger.change(_ADA) as change:
        return training_in(rooms, _SETTINGS).submit(change, "late").run_id


def child(folder: Path, run_id: str, where: str = "-") -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(_CHILD), str(folder), run_id, where])


def end_state(folder: Path, run_id: str) -> dict[str, Any]:
    """Return all that must not depend on how often the training was killed."""
    rooms = rooms_in(folder)
    training = training_in(rooms, _SETTINGS)
    result = training.result(run_id)
    run = rooms.runs.get(result.run_id)
    kept = ("holdout", "difference", "metric", "margin")
    return {
        "versions": [(v.ref, v.state, v.gate_outcome) for v in rooms.registry.versions()],
        "report": {name: result.gate_report[name] for name in kept},
        "model": training.steps(run_id)["fit"].outputs["model"],
        "states": {name: step.state for name, step in training.steps(run_id).items()},
        "run": (run.run.status, run.facts.metrics, sorted(run.facts.artifacts)),
        "runs": len(rooms.runs.list()),
        "kinds": Counter(event.kind for event in rooms.ledger.events()),
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("calm") / "project"
    run_id = project(folder)
    assert child(folder, run_id).wait() == 0
    return end_state(folder, run_id)


def killed_at(folder: Path, places: list[str]) -> dict[str, Any]:
    """Return the end state of one training whose processes died at all these places, one after the other."""
    run_id = project(folder)
    for place in places:
        assert child(folder, run_id, place).wait() == -signal.SIGKILL
    assert child(folder, run_id).wait() == 0
    return end_state(folder, run_id)


def test_a_training_killed_in_its_steps_ends_as_if_nothing_had_happened(
    tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    """One registered version, one run, each event once, the same model and the same report."""
    assert killed_at(tmp_path / "p", ["fit:after", "register:commit"]) == undisturbed
    assert undisturbed["versions"] == [("model:late@1", "proposed", "pass")]


@pytest.mark.slow
def test_a_training_killed_at_every_step_in_every_place_ends_the_same(
    tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    """Twenty-seven deaths in one training."""
    places = [f"{step}:{place}" for step in _STEPS for place in ("before", "after", "commit")]
    assert killed_at(tmp_path / "p", places) == undisturbed


@pytest.mark.slow
def test_a_training_killed_at_random_moments_ends_the_same(tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    """Fifteen deaths at any instruction, imports and transactions included."""
    folder, moments = tmp_path / "p", random.Random(5)
    run_id = project(folder)
    for _ in range(15):
        process = child(folder, run_id)
        threading.Event().wait(moments.uniform(0.5, 6.0))
        process.kill()
        process.wait()
    assert child(folder, run_id).wait() == 0
    assert end_state(folder, run_id) == undisturbed
