"""``undrift label add``."""

from __future__ import annotations

from pathlib import Path

import click

from undrift.cli.answer import Answer
from undrift.cli.command import LazyGroup, command
from undrift.loop.naming import only_endpoint
from undrift.project import Project


@command("add", example="undrift label add labels.csv --on customer_id --actual churned")
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--on", required=True, help="Column with the key that was sent with the request, or prediction_id.")
@click.option("--actual", help="Column with the truth; by default the model's target.")
@click.option("--event-time", help="Column with the prediction's event time, when keys repeat.")
@click.option("--endpoint", help="The endpoint; not needed when there is only one.")
def add(
    project: Path, path: Path, *, on: str, actual: str | None, event_time: str | None, endpoint: str | None
) -> Answer:
    """Say what turned out to be true, from a CSV or Parquet file."""
    from undrift.loop.labels import add_labels

    with Project.open(project) as opened:
        name = only_endpoint(opened, endpoint)
        report = add_labels(opened, name, path, on=on, actual=actual, event_time=event_time)
    text = f"{report.added:,} labels for endpoint:{name} from {report.rows:,} rows"
    left = report.without_label + report.without_key
    return Answer({"endpoint": name, **report.as_json()}, text + (f"; {left:,} left out (null)" if left else ""))


label = LazyGroup(
    "label",
    help="Labels that arrive after the predictions.",
    entries={"add": ("undrift.cli.labels:add", "Say what turned out to be true, from a file.")},
)
