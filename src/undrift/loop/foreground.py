"""Staying in the foreground with endpoints that are served in the background, until Ctrl-C stops them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from undrift.core.errors import Fault
from undrift.core.process import set_by_signals
from undrift.endpoints.supervisor import ask_to_stop, stop_supervisor
from undrift.ledger.errors import LedgerUnavailable
from undrift.loop.hosting import serving
from undrift.loop.status import EndpointStatus, status
from undrift.project import Project

_LOOK_S = 0.2
_STATUS_EVERY_S = 5.0
Tell = Callable[[str], None]


class ServingEnded(Fault):
    """An endpoint is not served any more, and nobody stopped it."""

    code = "serving-ended"


@dataclass(slots=True)
class _Log:
    """The lines that come to a log from now on."""

    path: Path
    offset: int
    _part: str = ""

    def new(self) -> list[str]:
        """Return the whole lines that have come since the last look."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            data = file.read()
        self.offset += len(data)
        *lines, self._part = (self._part + data.decode(errors="replace")).split("\n")
        return lines


@dataclass(slots=True)
class _Followed:
    """One endpoint, and what was told of it last."""

    name: str
    log: _Log
    told: list[str] = field(default_factory=list)


def attach(project: Project, names: Sequence[str], tell: Tell) -> list[str]:
    """Follow endpoints as ``docker compose up`` does, and return those that Ctrl-C stopped.

    Told are their log lines, their health when it changes, and what is to be done then. Ctrl-C, SIGTERM
    or a closed terminal stops them cleanly: requests are answered to the end. They stay wanted, so
    ``undrift up`` or ``undrift serve`` brings them back. A second Ctrl-C does not wait for the end.

    Parameters
    ----------
    project : Project
        The project.
    names : sequence of str
        Endpoints that are being served.
    tell : callable
        Is given each line.

    Raises
    ------
    ServingEnded
        If an endpoint ended though nobody stopped it; the others are stopped.
    """
    followed = [_Followed(name, _log_of(project, name)) for name in names]
    stop, ended = threading.Event(), ""
    with set_by_signals(stop):
        real, looked = project.clocks.real, 0.0
        while followed and not ended and not stop.wait(_LOOK_S):
            _tell_lines(followed, tell, several=len(names) > 1)
            if real.monotonic() - looked >= _STATUS_EVERY_S:
                looked = real.monotonic()
                _tell_changes(project, followed, tell)
            followed, ended = _still_up(project, followed, tell)
    stopped = _stopped(project, [one.name for one in followed], tell)
    if ended:
        raise ServingEnded(
            f"endpoint:{ended} is not served any more, and nobody stopped it",
            cure=f"undrift logs {ended} says why; undrift serve {ended} starts it again",
        )
    return stopped


def _stopped(project: Project, names: list[str], tell: Tell) -> list[str]:
    """Stop endpoints, all at once, and return which."""
    for name in names:
        tell(f"stopping endpoint:{name}")
        ask_to_stop(project.endpoint_rooms, name)
    for name in names:
        stop_supervisor(project.endpoint_rooms, name)
        tell(f"endpoint:{name} has stopped; undrift serve {name} brings it back")
    return names


def _log_of(project: Project, name: str) -> _Log:
    path = project.endpoint_rooms.run_folder / f"{name}.log"
    path.touch()
    return _Log(path, path.stat().st_size)


def _tell_lines(followed: Sequence[_Followed], tell: Tell, *, several: bool) -> None:
    for one in followed:
        for line in one.log.new():
            tell(f"{one.name} | {line}" if several else line)


def _tell_changes(project: Project, followed: Sequence[_Followed], tell: Tell) -> None:
    try:
        found = {one.state.name: one for one in status(project).endpoints}
    except LedgerUnavailable as error:  # answers go on meanwhile, and so does this
        tell(f"the status cannot be told now: {error.message}")
        return
    for one in followed:
        lines = _summary(found[one.name])
        for line in lines:
            if line not in one.told:
                tell(line)
        one.told = lines


def _summary(found: EndpointStatus) -> list[str]:
    name, share = found.state.name, found.state.share_bp / 100
    trial = f", {found.state.canary.ref} on trial with {share:g} %" if found.state.canary else ""
    return [
        f"endpoint:{name} is {found.health}: {found.state.stable.ref}{trial}",
        *(f"next: {one}" for one in found.next),
    ]


def _still_up(project: Project, followed: list[_Followed], tell: Tell) -> tuple[list[_Followed], str]:
    """Return the endpoints that are served still, and one that ended though nobody stopped it."""
    up, ended = [], ""
    for one in followed:
        if serving(project, one.name) is not None:
            up.append(one)
        elif project.endpoints.get(one.name).status == "stopped":
            tell(f"endpoint:{one.name} was stopped by somebody else")
        else:
            ended = one.name
    return up, ended
