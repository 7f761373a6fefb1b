"""The tree of commands."""

from __future__ import annotations

import os
import sys

import click

from undrift.cli.answer import show_error
from undrift.cli.command import LazyGroup
from undrift.core.errors import BadInput

COLOUR = False if os.environ.get("NO_COLOR") else None
"""None: colour on a terminal, none in a pipe."""
LOOP = {
    "demo": ("undrift.cli.demo:demo", "Play the whole story on real flights, in a few minutes."),
    "init": ("undrift.cli.setup:init", "Make this folder a project."),
    "up": ("undrift.cli.up:up", "From a table to a served and watched model."),
    "down": ("undrift.cli.serve:down", "Stop serving an endpoint, or all."),
    "status": ("undrift.cli.status:status", "What is live, healthy, drifting, waiting; and what to do next."),
    "train": ("undrift.cli.train:train", "Train a model by the recorded pipeline, up to its gate."),
    "approve": ("undrift.cli.release:approve", "Approve a proposed model version."),
    "retire": ("undrift.cli.release:retire", "Reject a proposed model version, or retire an old one."),
    "policy": ("undrift.cli.release:policy", "Who promotes what passed its gate: a person or a policy."),
    "deploy": ("undrift.cli.release:deploy", "Bring a model version to an endpoint, by canary."),
    "promote": ("undrift.cli.release:promote", "Give a running canary all the traffic."),
    "rollback": ("undrift.cli.release:rollback", "Go back to the model that was live before."),
    "serve": ("undrift.cli.serve:serve", "Serve an endpoint, or all, in the foreground."),
    "logs": ("undrift.cli.serve:logs", "Show what an endpoint's processes wrote."),
    "why": ("undrift.cli.why:why", "Walk from an answer or a model back to rows, code and decision."),
    "history": ("undrift.cli.audit:history", "The events of the project or of one thing."),
    "tick": ("undrift.cli.tick:tick", "One pass of the loop: seal, watch, trigger, train, roll out."),
    "worker": ("undrift.cli.tick:worker", "Repeat the loop until told to stop."),
}
NOUNS = {
    "data": ("undrift.cli.datasets:data", "Data versions and checks."),
    "run": ("undrift.cli.runs:run", "Recorded trainings."),
    "model": ("undrift.cli.models:model", "Registered models and their versions."),
    "endpoint": ("undrift.cli.endpoints:endpoint", "Served names and the versions behind them."),
    "incident": ("undrift.cli.monitoring:incident", "What the monitors found."),
    "label": ("undrift.cli.labels:label", "Labels that arrive after the predictions."),
    "pipeline": ("undrift.cli.pipelines:pipeline", "Pipeline runs and their steps."),
    "audit": ("undrift.cli.audit:audit", "The chain of events: verify it."),
}


@click.command(
    "undrift",
    cls=LazyGroup,
    entries={**LOOP, **NOUNS},
    epilog="Start with: undrift demo, or undrift up TABLE --target COLUMN",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100, "color": COLOUR},
)
@click.version_option(package_name="undrift")
def cli() -> None:
    """Keep machine-learning models true in production."""


def main() -> None:
    """Run the command line; the exit code is part of its contract.

    0 ok, 1 fault, 2 usage or bad input, 3 check or gate failed, 4 a decision is needed,
    5 cannot tell, 130 interrupted.
    """
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        if "--json" in sys.argv:
            show_error(BadInput(error.format_message(), cure="see --help"), as_json=True)
        else:
            error.show()
        sys.exit(2)
    except BrokenPipeError:  # whoever read this has seen enough: `undrift history | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted: what is finished stays, the same command goes on from there", err=True)
        sys.exit(130)
