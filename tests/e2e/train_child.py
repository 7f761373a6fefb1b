"""Runs one training in a folder and dies at a stated place: ``train_child.py FOLDER RUN STEP:PLACE``.

Places: ``before`` the step, ``after`` its work and before its commit, ``commit`` inside the
transaction that would finish it. ``-`` lives to the end.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from undrift.core.config import load
from undrift.ledger.ledger import Change
from undrift.loop.training import training as module
from undrift.loop.training.rooms import TrainingRooms
from undrift.pipelines.graph import Outputs, Pipeline, Step, StepContext, StepResult

sys.path.insert(0, str(Path(__file__).parents[1]))

from unit.loop.training.rooms_of import rooms_in


def deadly(step: Step[TrainingRooms], place: str) -> Step[TrainingRooms]:
    """Return a step that kills its process at a place."""

    def run(context: StepContext, rooms: TrainingRooms) -> StepResult:
        if place == "before":
            _die()
        result = step.run(context, rooms)
        if place == "after":
            _die()
        return replace(result, effect=_last_words(result.effect))

    return replace(step, run=run, cache=False)


def _last_words(effect: Callable[[Change], Outputs] | None) -> Callable[[Change], Outputs]:
    def dying(change: Change) -> Outputs:
        if effect:
            effect(change)
        _die()
        return {}

    return dying


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(folder: Path, run_id: str, where: str) -> None:
    """Run the training."""
    name, _, place = where.partition(":")
    made = module.pipeline

    def pipeline(rooms: TrainingRooms) -> Pipeline[TrainingRooms]:
        whole = made(rooms)
        return replace(whole, steps=tuple(deadly(s, place) if s.name == name else s for s in whole.steps))

    module.pipeline = pipeline
    module.Training(rooms_in(folder), load(folder / "undrift.toml")).run(run_id)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
