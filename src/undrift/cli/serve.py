"""``undrift serve``, ``undrift down`` and ``undrift logs``."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from undrift.cli.answer import Answer, say
from undrift.cli.command import command
from undrift.core.errors import BadInput, NotFound
from undrift.core.json import JSON
from undrift.loop.naming import only_endpoint
from undrift.project import Project

if TYPE_CHECKING:
    from undrift.endpoints.publisher import SupervisorFile


@command("serve", example="undrift serve delay --port 8080")
@click.argument("endpoint", required=False, metavar="[ENDPOINT]")
@click.option("--host", help="Address to listen on; loopback unless a token file is given.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 lets the system choose.")
@click.option("--workers", type=click.IntRange(1, 64), help="Scoring processes.")
@click.option("--token-file", type=click.Path(path_type=Path, exists=True), help="Holds the token that requests carry.")
@click.option("--insecure-no-auth", is_flag=True, help="Answer anybody who reaches the address.")
@click.option(
    "--judge-every",
    "judge_every_s",
    default=1.0,
    type=click.FloatRange(0.05, 60),
    help="Seconds between looks at a canary.",
)
@click.option(
    "--watch-every",
    "watch_every_s",
    type=click.FloatRange(0, 86_400),
    help="Seconds between passes of the loop; 0 leaves them to `undrift worker` or cron. By default 30.",
)
def serve(project: Path, endpoint: str | None, **asked: Any) -> Answer:  # Any: options by name
    """Serve an endpoint in the foreground, judge its rollouts and keep watch, until Ctrl-C or SIGTERM.

    Without a name: all that nobody has stopped, as after a reboot, each in a process of its own.
    """
    with Project.open(project) as opened:
        if endpoint is None and len(opened.endpoints.all()) != 1:
            return _all(opened, asked)
        name = only_endpoint(opened, endpoint)
        _one(opened, name, asked)
    return Answer({"endpoint": name, "stopped": True}, f"endpoint:{name} has stopped")


def _one(project: Project, name: str, asked: dict[str, Any]) -> None:  # Any: options by name
    """Serve one endpoint in this process."""
    from undrift.endpoints.supervisor import Hooks, run_supervisor
    from undrift.loop.hosting import Hosting, serve_options

    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("undrift").setLevel(logging.INFO)
    options = serve_options(project, name, Hosting(**asked))
    hooks = Hooks(threading.Event(), lambda said: say(_answers(name, said)))
    run_supervisor(project.endpoint_rooms, [name], options, hooks)


def _all(project: Project, asked: dict[str, Any]) -> Answer:  # Any: options by name
    """Serve all that is wanted up in processes of their own, and stay until Ctrl-C stops them."""
    from undrift.loop.foreground import attach
    from undrift.loop.hosting import bring_back

    given = [name for name in ("host", "port", "workers", "token_file") if asked[name]]
    if given:
        raise BadInput(f"--{given[0].replace('_', '-')} is for one endpoint", cure="name the endpoint")
    back = bring_back(project, say)
    stopped = attach(project, list(back.served), say) if back.served else []
    back.check()
    if not back.served:
        raise NotFound("no endpoint is wanted up", cure="undrift serve ENDPOINT; undrift endpoint list names them")
    return Answer({"stopped": list(stopped)}, "")


@command("down", example="undrift down customers")
@click.argument("endpoint", required=False, metavar="[ENDPOINT]")
def down(project: Path, endpoint: str | None) -> Answer:
    """Stop serving an endpoint, or all of them; requests are answered to the end, nothing is lost.

    It stays down, also after a reboot, until `undrift up TABLE` or `undrift serve ENDPOINT`.
    """
    from undrift.loop.hosting import stop, stop_all

    with Project.open(project) as opened:
        if endpoint is None:
            found = stop_all(opened)
        else:
            name = only_endpoint(opened, endpoint)
            found = {name: stop(opened, name)}
    lines = [f"endpoint:{name} " + ("is down" if was_up else "was not up") for name, was_up in found.items()]
    data: JSON = {"endpoints": [{"endpoint": name, "was_up": was_up} for name, was_up in found.items()]}
    return Answer(data, "\n".join(lines) or "no endpoint was up")


def _answers(name: str, said: SupervisorFile) -> str:
    return f"endpoint:{name} answers at {said.url}" + (f" ({said.moved})" if said.moved else "")


@command("logs", example="undrift logs delay -n 50")
@click.argument("endpoint", required=False, metavar="[ENDPOINT]")
@click.option("-n", "--lines", default=30, show_default=True, type=click.IntRange(1, 100_000), help="How many lines.")
@click.option("-f", "--follow", is_flag=True, help="Go on printing until Ctrl-C.")
def logs(project: Path, endpoint: str | None, *, lines: int, follow: bool) -> Answer:
    """Show what an endpoint's supervisor, its workers and the passes of the loop beside it wrote."""
    with Project.open(project) as opened:
        name = only_endpoint(opened, endpoint)
        path = opened.endpoint_rooms.run_folder / f"{name}.log"
        if not path.exists():
            raise NotFound(f"endpoint {name!r} has written nothing yet", cure=f"undrift serve {name}")
        tail = path.read_text(errors="replace").splitlines()[-lines:]
        if follow:
            click.echo("\n".join(tail))
            tail = []
            with contextlib.suppress(KeyboardInterrupt):
                _follow(opened, path)
    return Answer({"endpoint": name, "lines": list(tail)}, "\n".join(tail))


def _follow(project: Project, path: Path) -> None:
    with path.open(errors="replace") as file:
        file.seek(0, 2)
        while True:
            new = file.read()
            if new:
                click.echo(new, nl=False)
            else:
                project.clocks.real.sleep(0.2)
