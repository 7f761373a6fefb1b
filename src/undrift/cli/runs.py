"""``undrift run ...``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from undrift.cli.answer import Answer, pairs, table
from undrift.cli.command import LazyGroup, command
from undrift.core.json import JSON
from undrift.project import Project

if TYPE_CHECKING:
    from undrift.tracking.facts import MetricValue, Run, RunRecord


@command("list", example="undrift run list")
@click.option("-n", "--limit", default=30, show_default=True, type=click.IntRange(1, 10_000), help="How many.")
def list_(project: Path, limit: int) -> Answer:
    """List the newest runs."""
    with Project.open(project) as opened:
        found = opened.runs.list(limit=limit)
    rows = [
        (one.id, one.name, one.status, one.actor, f"{one.started_at:%Y-%m-%d %H:%M}", one.code.ref) for one in found
    ]
    text = table(("run", "of", "status", "by", "started (UTC)", "code"), rows) if rows else "no runs yet"
    return Answer({"runs": [_as_json(one) for one in found]}, text)


@command("show", example="undrift run show 01jf8k")
@click.argument("reference", metavar="RUN")
def show(project: Path, reference: str) -> Answer:
    """Show a run: code, environment, data, parameters, results; the first digits of its id are enough."""
    with Project.open(project) as opened:
        record = opened.runs.get(reference)
    return Answer(_record_json(record), _record_text(record))


def _record_text(record: RunRecord) -> str:
    run, facts = record.run, record.facts
    ended = f"{run.ended_at:%Y-%m-%d %H:%M}" if run.ended_at else None
    parts = [
        pairs(
            [
                ("run", run.ref),
                ("of", run.name),
                ("status", run.status + (f": {run.error}" if run.error else "")),
                ("by", run.actor.shown),
                ("started", f"{run.started_at:%Y-%m-%d %H:%M}"),
                ("ended", ended),
                ("seed", run.seed),
                ("code", run.code.ref),
                ("environment", run.environment),
                *((f"input {role}", f"{one.ref} {one.digest[:15]}") for role, one in facts.inputs.items()),
            ]
        )
    ]
    if facts.metrics:
        parts.append(pairs([(name, _told(value)) for name, value in facts.metrics.items()]))
    parts += [f"warning: {warning.text}" for warning in facts.warnings]
    return "\n\n".join(parts)


def _told(metric: MetricValue) -> str:
    if metric.low is None or metric.high is None:
        return f"{metric.value:.4g}"
    return f"{metric.value:.4g} ({metric.low:.4g} to {metric.high:.4g}), {metric.units} {metric.unit}s"


def _as_json(run: Run) -> dict[str, JSON]:
    return {
        "run": run.ref,
        "name": run.name,
        "status": run.status,
        "by": str(run.actor),
        "started_at": run.started_at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        "seed": run.seed,
        "code": run.code.as_json(),
        "environment": run.environment,
    }


def _record_json(record: RunRecord) -> dict[str, JSON]:
    facts = record.facts
    return {
        **_as_json(record.run),
        "error": record.run.error,
        "declared": dict(facts.declared),
        "fitted": dict(facts.fitted),
        "metrics": {name: msgspec.to_builtins(value) for name, value in facts.metrics.items()},
        "artifacts": {name: msgspec.to_builtins(value) for name, value in facts.artifacts.items()},
        "inputs": {role: msgspec.to_builtins(value) for role, value in facts.inputs.items()},
        "warnings": [msgspec.to_builtins(warning) for warning in facts.warnings],
    }


run = LazyGroup(
    "run",
    help="Recorded trainings.",
    entries={
        "list": ("undrift.cli.runs:list_", "List the newest runs."),
        "show": ("undrift.cli.runs:show", "Show a run with its results."),
    },
)
