"""``undrift train``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from undrift.cli.answer import Answer, Progress
from undrift.cli.command import command
from undrift.core.errors import BadInput
from undrift.loop.training.home import training_of
from undrift.project import Project

_EXIT = {"pass": 0, "fail": 3, "cannot_tell": 5}


@command("train", example="undrift train delay")
@click.argument("model", metavar="MODEL")
@click.option("--data", "data", metavar="REF", help="The data version; the newest by default.")
@click.option("--as-of", metavar="TIME", help="Decide as at this moment: nothing known later is used.")
@click.option("--candidate", help="Fit this kind of model instead of comparing those of the settings.")
def train(project: Path, model: str, *, data: str | None, as_of: str | None, candidate: str | None) -> Answer:
    """Train by the recorded pipeline: load, check, split, compare, fit, evaluate, gate, register.

    Exit code 0 when the gate is passed, 3 when it is failed, 5 when it cannot tell.
    """
    from undrift.loop.telling import gate_lines, training_lines

    with Project.open(project) as opened:
        progress = Progress()
        training = training_of(opened, progress)
        result = training.train(
            model, actor=opened.actor, as_of=_instant(as_of), candidate=candidate, dataset_version=data
        )
        progress.close()
        steps = training.steps(result.pipeline_run)
    version = result.model_version
    lines = training_lines(steps["split"].outputs, steps["compare"].outputs)
    lines += [f"{version.ref} is {version.state}; gate:", *(f"  {line}" for line in gate_lines(version.gate))]
    if result.outcome == "pass":
        lines.append(f"next: undrift approve {version.ref} --deploy --reason TEXT")
    body = {"version": version.ref, "run": f"run:{result.run_id}", "outcome": result.outcome, "gate": version.gate}
    return Answer(body, "\n".join(lines), _EXIT[result.outcome])


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{text!r} is no moment", cure="write 2013-03-01T00:00:00Z") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
