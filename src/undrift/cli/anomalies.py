"""``undrift data anomalies`` and ``undrift data metric``."""

from __future__ import annotations

from pathlib import Path

import click

from undrift.cli.answer import Answer
from undrift.cli.command import command
from undrift.cli.versions import unusual
from undrift.project import Project

_SHOWN_NORMAL = 5


@command("anomalies", example="undrift data anomalies customers")
@click.argument("reference", metavar="REF")
@click.option("--all", "show_all", is_flag=True, help="Tell every metric, also those that are as usual.")
def anomalies(project: Path, reference: str, *, show_all: bool) -> Answer:
    """Compare a version with those before it: rows, freshness, missing values, distributions, new values, schema.

    Exit code 3 when something is out of the ordinary and [datasets.NAME] says anomalies = "fail".
    """
    with Project.open(project) as opened:
        version = opened.data.get(reference)
        found = opened.data.history.look(version.ref, opened.actor)
        level = opened.data.history.settings(version.name).anomalies
    lines = [f"{version.ref}: {found.outcome}, {len(found.verdicts)} metrics, alpha {found.alpha:g} for all together"]
    lines += [f"  {line}" for line in unusual(found)]
    rest = [one.told() for one in found.verdicts if not one.is_anomaly]
    lines += [f"  {line}" for line in (rest if show_all else rest[:_SHOWN_NORMAL])]
    if not show_all and len(rest) > _SHOWN_NORMAL:
        lines.append(f"  and {len(rest) - _SHOWN_NORMAL} more: --all shows them")
    code = 3 if found.anomalies and level == "fail" else 0
    return Answer({**found.as_json(), "level": level}, "\n".join(lines), code)


@command("metric", example="undrift data metric customers complaints 12")
@click.argument("reference", metavar="REF")
@click.argument("metric")
@click.argument("value", type=float)
def metric(project: Path, reference: str, metric: str, value: float) -> Answer:
    """Record a number of your own for a version; `undrift data anomalies` compares it with those before."""
    with Project.open(project) as opened:
        version = opened.data.history.feed(reference, metric, value, opened.actor)
    return Answer({"version": version.ref, "metric": metric, "value": value}, f"{version.ref}: {metric} is {value:g}")
