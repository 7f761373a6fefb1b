"""``undrift demo``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click

from undrift.cli.answer import Answer
from undrift.cli.command import command


@command("demo", example="undrift demo")
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), help="A new folder; a temporary one by default."
)
def demo(project: Path, folder: Path | None) -> Answer:  # noqa: ARG001  (the demo makes a project of its own)
    """Play the whole story on real data: train, gate, serve, drift, retrain, canary, promote, roll back, explain."""
    from undrift.core.clock import RealClock
    from undrift.demo.narrator import Narrator
    from undrift.demo.stage import Stage
    from undrift.demo.story import Story

    as_json = bool(click.get_current_context().params.get("as_json"))
    narrator = Narrator(RealClock(), sys.stderr if as_json else sys.stdout)
    stage = Stage(folder or Path(tempfile.mkdtemp(prefix="undrift-demo-")))
    try:
        ending = Story(stage, narrator).play()
    finally:
        stage.close()
    text = f"the project is in {ending.project}: look around with undrift status -C {ending.project}"
    return Answer(ending.as_json(), text)
