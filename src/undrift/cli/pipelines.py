"""``undrift pipeline ...``."""

from __future__ import annotations

from pathlib import Path

import click

from undrift.cli.answer import Answer, table
from undrift.cli.command import LazyGroup, command
from undrift.core.json import JSON
from undrift.loop.training.home import training_of
from undrift.project import Project


@command("list", example="undrift pipeline list")
def list_(project: Path) -> Answer:
    """List the pipeline runs that are not finished."""
    with Project.open(project) as opened:
        pending = training_of(opened).pending()
    rows = [(one.id, one.pipeline, one.params.get("model"), one.state, one.actor.shown) for one in pending]
    text = table(("run", "pipeline", "model", "state", "by"), rows) if rows else "no pipeline is under way"
    data: list[JSON] = [{"run": one.id, "pipeline": one.pipeline, "state": one.state} for one in pending]
    return Answer({"pending": data}, text)


@command("show", example="undrift pipeline show ID")
@click.argument("run_id", metavar="ID")
def show(project: Path, run_id: str) -> Answer:
    """Show how far a pipeline run has come, step by step, and why a step would run again."""
    with Project.open(project) as opened:
        run = training_of(opened).journal.get(run_id)
        steps = training_of(opened).steps(run_id)
        reasons = training_of(opened).runner.explain(run_id)
    rows = [(name, step.state, step.attempt, step.reason or reasons.get(name, "")) for name, step in steps.items()]
    data: JSON = {
        "run": run.id,
        "state": run.state,
        "reason": run.reason,
        "steps": [
            {"step": name, "state": step.state, "attempt": step.attempt, "why": reasons.get(name, "")}
            for name, step in steps.items()
        ],
    }
    head = f"{run.ref}: {run.state}" + (f", {run.reason}" if run.reason else "")
    return Answer(data, f"{head}\n{table(('step', 'state', 'attempt', 'why'), rows)}")


@command("resume", example="undrift pipeline resume ID")
@click.argument("run_id", metavar="ID")
def resume(project: Path, run_id: str) -> Answer:
    """Go on with a pipeline run that was submitted, interrupted or failed; finished steps stay finished."""
    with Project.open(project) as opened:
        result = training_of(opened).resume(run_id, opened.actor)
    version = result.model_version
    data: JSON = {"run": run_id, "version": version.ref, "outcome": result.outcome}
    return Answer(data, f"{version.ref} is registered; its gate: {result.outcome}")


@command("cancel", example="undrift pipeline cancel ID --reason 'wrong data'")
@click.argument("run_id", metavar="ID")
@click.option("--reason", required=True, help="Why.")
def cancel(project: Path, run_id: str, reason: str) -> Answer:
    """End a pipeline run; whoever runs one of its steps loses it."""
    with Project.open(project) as opened, opened.ledger.change(opened.actor) as change:
        was_open = training_of(opened).cancel(change, run_id, reason)
    return Answer({"run": run_id, "cancelled": was_open}, "cancelled" if was_open else "it had ended already")


pipeline = LazyGroup(
    "pipeline",
    help="Pipeline runs and their steps.",
    entries={
        "list": ("undrift.cli.pipelines:list_", "List the pipeline runs that are not finished."),
        "show": ("undrift.cli.pipelines:show", "Show how far a pipeline run has come."),
        "resume": ("undrift.cli.pipelines:resume", "Go on with a pipeline run."),
        "cancel": ("undrift.cli.pipelines:cancel", "End a pipeline run."),
    },
)
