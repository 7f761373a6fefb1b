"""Processes that serve endpoints: how they are started, found and stopped."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from undrift.core.config import EndpointSettings
from undrift.core.errors import UndriftError
from undrift.core.files import PRIVATE_FILE, make_private
from undrift.endpoints.addresses import refuse_taken
from undrift.endpoints.errors import AddressTaken, NotAcknowledged, WorkersDoNotStart
from undrift.endpoints.fleet import ServeOptions
from undrift.endpoints.publisher import SupervisorFile, read_supervisor
from undrift.endpoints.state import Listen
from undrift.endpoints.supervisor import stop_supervisor, wait_ready
from undrift.endpoints.watch import pass_command
from undrift.project import Project
from undrift.serving.options import Options

_WATCH_EVERY_S = 30.0
_TOLD_LINES = 5
_LOOK_S = 0.5
"""How often to see whether the process that was started still lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosting:
    """How somebody asks an endpoint to be served; None leaves it to the settings.

    Attributes
    ----------
    host, port : str, int
        Address.
    workers : int
        Scoring processes.
    token_file : Path
        Holds the token that requests must carry.
    insecure_no_auth : bool
        The operator's word that strangers may ask.
    judge_every_s : float
        Seconds between two looks at a rollout.
    watch_every_s : float
        Seconds between two passes of the loop; 0 leaves them to somebody else. By default 30, and 0
        where time is simulated: there whoever steps the clock makes the passes.
    """

    host: str | None = None
    port: int | None = None
    workers: int | None = None
    token_file: Path | None = None
    insecure_no_auth: bool = False
    judge_every_s: float = 1.0
    watch_every_s: float | None = None


def serve_options(project: Project, endpoint: str, asked: Hosting) -> ServeOptions:
    """Return the supervisor's options.

    Parameters
    ----------
    project : Project
        The project.
    endpoint : str
        The endpoint.
    asked : Hosting
        What somebody asks for.

    Raises
    ------
    OpenToStrangers
        If the address can be reached from other machines and nothing protects it.
    """
    settings = project.settings.endpoint(endpoint)
    listen = _listen(settings, asked.host, asked.port)
    worker = Options(
        state=Path(), store=Path(), host=listen.host, port=listen.port, token_file=asked.token_file,
        insecure_no_auth=asked.insecure_no_auth,
    )  # fmt: skip
    worker.gate(None)
    by_default = _WATCH_EVERY_S if project.settings.clock.kind == "real" else 0.0
    arguments: tuple[str, ...] = ()
    if asked.token_file:
        arguments += ("--token-file", str(asked.token_file.resolve()))
    if asked.insecure_no_auth:
        arguments += ("--insecure-no-auth",)
    return ServeOptions(
        workers=asked.workers or settings.workers,
        listen=listen,
        judge_every_s=asked.judge_every_s,
        arguments=arguments,
        watch_every_s=by_default if asked.watch_every_s is None else asked.watch_every_s,
        watch_command=pass_command(project.root),
    )


def check_port(project: Project, endpoint: str, port: int | None = None) -> None:
    """Return when the port that is asked for can be had, or the endpoint is up already.

    Parameters
    ----------
    project : Project
        The project.
    endpoint : str
        The endpoint; it need not exist yet.
    port : int, optional
        The port; by default that of the settings. With 0 the system chooses, and there is nothing to check.

    Raises
    ------
    AddressTaken
        If somebody else has it; the message says who, where that can be seen.
    """
    if serving(project, endpoint) is not None:
        return
    try:
        refuse_taken(_listen(project.settings.endpoint(endpoint), None, port))
    except AddressTaken:
        if serving(project, endpoint) is None:  # else it was started this very moment
            raise


def start(project: Project, endpoint: str, *words: str, timeout_s: float = 60.0) -> SupervisorFile:
    """Start serving an endpoint in the background and return once it answers.

    Parameters
    ----------
    project : Project
        The project.
    endpoint : str
        The endpoint.
    *words : str
        Further words for ``undrift serve``.
    timeout_s : float
        How long to wait for the first answer.

    Raises
    ------
    AddressTaken
        If its port was asked for and somebody else has it.
    NotAcknowledged
        If it does not answer in time.
    WorkersDoNotStart
        If the process ends before it answers.

    Notes
    -----
    When somebody else has just started it, that process is waited for; when that one dies
    meanwhile, another is started. What the process writes goes to ``.undrift/run/endpoints/NAME.log``.
    """
    real, started = project.clocks.real, None
    deadline = real.monotonic() + timeout_s
    while True:
        if started is None and serving(project, endpoint) is None:
            check_port(project, endpoint, _port_of(words))
            started = _started(project, endpoint, words)
        try:
            return wait_ready(project.endpoint_rooms, endpoint, _LOOK_S)
        except NotAcknowledged:
            late_s = timeout_s if real.monotonic() >= deadline else None
            _stop_waiting(project, endpoint, started, late_s)


@dataclass(frozen=True, slots=True)
class _Started:
    """A process that was started to serve, and where in the log its words begin."""

    process: subprocess.Popen[bytes]
    log: Path
    offset: int

    def said(self) -> str:
        """Return the last lines that it wrote."""
        with self.log.open("rb") as file:
            file.seek(self.offset)
            return "\n".join(file.read().decode(errors="replace").splitlines()[-_TOLD_LINES:])


def _started(project: Project, endpoint: str, words: Sequence[str]) -> _Started:
    folder = make_private(project.endpoint_rooms.run_folder)
    log = folder / f"{endpoint}.log"
    log.touch(PRIVATE_FILE)
    command = [sys.executable, "-m", "undrift", "serve", endpoint, "-C", str(project.root), *words]
    before = log.stat().st_size
    with log.open("ab") as output:
        child = subprocess.Popen(  # noqa: S603  (our own program and checked names)
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    return _Started(child, log, before)


def _stop_waiting(project: Project, endpoint: str, started: _Started | None, late_s: float | None) -> None:
    """Raise when there is no use in waiting longer; a child that ended beside a living one is no fault.

    Raises
    ------
    NotAcknowledged, WorkersDoNotStart
        If the time is over, or the process that was started has ended and no other serves.
    """
    said = "" if started is None else f":\n{started.said()}"
    cure = f"undrift logs {endpoint}"
    if started is not None and started.process.poll() is not None and serving(project, endpoint) is None:
        raise WorkersDoNotStart(f"endpoint {endpoint!r} ended before it answered{said}", cure=cure) from None
    if late_s is not None:
        raise NotAcknowledged(f"endpoint {endpoint!r} does not answer after {late_s:g} s{said}", cure=cure) from None


@dataclass(frozen=True, slots=True)
class Back:
    """What is served again.

    Attributes
    ----------
    served : mapping of str to SupervisorFile
        What the endpoints' supervisors say, by name.
    failed : mapping of str to UndriftError
        Why the others could not be started.
    """

    served: dict[str, SupervisorFile]
    failed: dict[str, UndriftError]

    def check(self) -> None:
        """Raise the first error, when there is one."""
        for error in self.failed.values():
            raise error


def bring_back(project: Project, tell: Callable[[str], None]) -> Back:
    """Start in the background whatever is wanted up and is not, and return what is served now.

    After a reboot this is all there is to do: what is served, with which shares, is in the ledger,
    the port in the run folder, and nothing is trained. What was stopped by ``undrift down`` stays down.

    Parameters
    ----------
    project : Project
        The project.
    tell : callable
        Is given a line for each endpoint that was started, or could not be: that keeps no other down.
    """
    back = Back({}, {})
    for name in wanted_up(project):
        was_up = serving(project, name) is not None
        try:
            said = start(project, name)
        except UndriftError as error:
            tell(f"endpoint:{name} could not be started: {error.message}")
            back.failed[name] = error
            continue
        if not was_up:
            tell(f"endpoint:{name} answers at {said.url}" + (f" ({said.moved})" if said.moved else ""))
        back.served[name] = said
    return back


def wanted_up(project: Project) -> list[str]:
    """Return the endpoints that nobody has stopped on purpose, by name."""
    return [state.name for state in project.endpoints.all() if state.status == "serving"]


def serving(project: Project, endpoint: str) -> SupervisorFile | None:
    """Return what the living supervisor of an endpoint says, None when there is none."""
    said = read_supervisor(project.endpoint_rooms, endpoint)
    return said if said is not None and said.is_up else None


def stop_all(project: Project) -> dict[str, bool]:
    """Stop all endpoints that are wanted up or are up, and say of each whether it was up."""
    names = [state.name for state in project.endpoints.all()]
    wanted = wanted_up(project)
    return {name: stop(project, name) for name in names if name in wanted or serving(project, name) is not None}


def stop(project: Project, endpoint: str) -> bool:
    """Stop serving an endpoint, record that it is wanted down, and say whether it was up."""
    with project.ledger.change(project.actor) as change:
        project.endpoints.set_status(change, endpoint, "stopped")
    return stop_supervisor(project.endpoint_rooms, endpoint)


def _listen(settings: EndpointSettings, host: str | None, port: int | None) -> Listen:
    return Listen(host or settings.host, settings.port if port is None else port)


def _port_of(words: Sequence[str]) -> int | None:
    """Return the port that words for ``undrift serve`` name."""
    return int(words[words.index("--port") + 1]) if "--port" in words else None
