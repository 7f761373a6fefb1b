"""The address of an endpoint: had for itself alone, kept over restarts, and whose it is when it cannot be had."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass
from pathlib import Path

from undrift.core.files import write_atomic
from undrift.core.ports import Holder, holder_of
from undrift.endpoints.errors import AddressTaken
from undrift.endpoints.rooms import EndpointRooms
from undrift.endpoints.state import Listen

_WORKER = "undrift.serving"


@dataclass(frozen=True, slots=True)
class Reserved:
    """An address that is ours.

    Attributes
    ----------
    socket : socket.socket
        Bound and not listening: the workers share its port, nobody else gets it.
    moved : str
        Why it is not the port of the last time; empty when it is, or when there was none.
    """

    socket: socket.socket
    moved: str = ""

    @property
    def url(self) -> str:
        """Where the endpoint answers."""
        host, port = self.socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def reserve(rooms: EndpointRooms, name: str, listen: Listen) -> Reserved:
    """Return the address of an endpoint, bound.

    Parameters
    ----------
    rooms : EndpointRooms
        The project.
    name : str
        The endpoint.
    listen : Listen
        What was asked for. A port that was named is had or refused; where the system may choose,
        the endpoint gets the port that it had the last time, also after a reboot.

    Raises
    ------
    AddressTaken
        If the port is not to be had; the message says who has it, where that can be seen.
    """
    if listen.port:
        found = Reserved(_bound(listen.host, listen.port))
    else:
        last = _last_port(rooms, name)
        try:
            found = Reserved(_bound(listen.host, last))
        except AddressTaken as error:
            if not last:
                raise
            found = Reserved(_bound(listen.host, 0), error.message)
    write_atomic(_path(rooms, name), str(found.socket.getsockname()[1]).encode())
    return found


def refuse_taken(listen: Listen) -> None:
    """Return when a named port can be had now.

    Raises
    ------
    AddressTaken
        If it cannot.
    """
    if listen.port:
        _bound(listen.host, listen.port).close()


def _bound(host: str, port: int) -> socket.socket:
    """Return a socket that has the port for itself and then lets workers of ours share it.

    Bound as one that shares with nobody: with SO_REUSEPORT from the start, another server of this
    account on the same port would be joined without a word, and requests would go to either.
    """
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what is left of closed connections is no holder
        bound.bind((host, port))
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    except OSError as error:
        bound.close()
        raise _taken(host, port, error) from error
    return bound


def _taken(host: str, port: int, error: OSError) -> AddressTaken:
    told = f"{host}:{port} cannot be listened on: {error.strerror}"
    if error.errno != errno.EADDRINUSE:
        return AddressTaken(told, cure="choose another --host or --port")
    holder = holder_of(host, port)
    if holder is None:
        return AddressTaken(told, cure="choose another --port, or stop what listens there")
    ours = _endpoint_of(holder)
    if ours is None:
        cure = "choose another --port" + (f", or stop it: kill {holder.pid}" if holder.pid else "")
        return AddressTaken(f"{host}:{port} is held by {holder}", cure=cure, pid=holder.pid)
    name, project = ours
    return AddressTaken(
        f"{host}:{port} is held by endpoint:{name} of the project {project}",
        cure=f"choose another --port, or stop it: undrift down {name} -C {project}",
        pid=holder.pid,
        endpoint=name,
    )


def _endpoint_of(holder: Holder) -> tuple[str, Path] | None:
    """Return the endpoint and the project of a process that is one of our workers."""
    command = holder.command
    if _WORKER not in command or "--state" not in command[:-1]:
        return None
    state = Path(command[command.index("--state") + 1])  # PROJECT/.undrift/run/endpoints/NAME.json
    return state.stem, state.parents[3]


def _path(rooms: EndpointRooms, name: str) -> Path:
    return rooms.run_folder / f"{name}.port"


def _last_port(rooms: EndpointRooms, name: str) -> int:
    """Return the port of the last time, 0 when there was none."""
    try:
        return int(_path(rooms, name).read_text())
    except (OSError, ValueError):
        return 0
