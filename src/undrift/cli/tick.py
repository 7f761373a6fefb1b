"""``undrift tick`` and ``undrift worker``."""

from __future__ import annotations

import threading
from pathlib import Path

import click

from undrift.cli.answer import Answer, say
from undrift.cli.command import command
from undrift.core.process import set_by_signals
from undrift.project import Project


@command("tick", example="undrift tick")
@click.option("--quiet", is_flag=True, help="Say nothing when nothing was due, for cron and logs.")
@click.option("--by", hidden=True, default="tick", type=click.Choice(["tick", "serve"]), help="Who starts it.")
def tick(project: Path, *, quiet: bool, by: str) -> Answer:
    """Make one pass of the loop; call it from cron, or let `undrift worker` repeat it."""
    from undrift.loop import tick as loop

    with Project.open(project) as opened:
        result = loop.make_pass(opened, by=by)
    return Answer(result.as_json(), "\n".join(result.done) or ("" if quiet else "nothing was due"))


@command("worker", example="undrift worker --every 10")
@click.option(
    "--every", default=10.0, show_default=True, type=click.FloatRange(0.1, 86_400), help="Seconds between passes."
)
def worker(project: Path, every: float) -> Answer:
    """Repeat the loop until Ctrl-C or SIGTERM; several workers may run, and any may be killed."""
    from undrift.loop import tick as loop

    stop = threading.Event()
    with Project.open(project) as opened, set_by_signals(stop):
        say(f"watching {opened.root} every {every:g} s")
        loop.repeat(opened, every, stop.wait, say)
    return Answer({"stopped": True}, "stopped")
