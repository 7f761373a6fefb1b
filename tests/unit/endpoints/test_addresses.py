"""An endpoint's port is its own, comes back, and when it is taken its holder is named."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from undrift.core.files import make_private
from undrift.endpoints.addresses import refuse_taken, reserve
from undrift.endpoints.errors import AddressTaken
from undrift.endpoints.rooms import EndpointRooms
from undrift.endpoints.state import Listen

from .conftest import Project

_LISTEN = """
import socket, sys, time
with socket.create_server(("127.0.0.1", 0), reuse_port=True) as server:
    print(server.getsockname()[1], flush=True)
    time.sleep(600)
"""
ANY = Listen("127.0.0.1", 0)
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who listens")


@pytest.fixture
def rooms(project: Project) -> EndpointRooms:
    """Give the rooms of an empty project."""
    make_private(project.rooms.run_folder)
    return project.rooms


@pytest.fixture
def worker() -> Iterator[int]:
    """Give the port of a process that looks like another project's worker and would share its port."""
    words = ["undrift.serving", "--state", "/srv/shop/.undrift/run/endpoints/churn.json"]
    with subprocess.Popen([sys.executable, "-c", _LISTEN, *words], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.kill()


def _port(found: socket.socket) -> int:
    return int(found.getsockname()[1])


@linux
def test_a_strangers_port_is_refused_with_its_process() -> None:
    """The one who is asked to mend it knows what to stop."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(AddressTaken) as refused:
        refuse_taken(Listen("127.0.0.1", _port(taken)))
    assert f"process {os.getpid()}" in refused.value.message
    assert f"kill {os.getpid()}" in refused.value.cure


@linux
def test_another_endpoints_port_is_refused_with_its_name(worker: int) -> None:
    """It would share the port, and half of the requests would go to the wrong model."""
    with pytest.raises(AddressTaken) as refused:
        refuse_taken(Listen("127.0.0.1", worker))
    assert "endpoint:churn of the project /srv/shop" in refused.value.message
    assert "undrift down churn -C /srv/shop" in refused.value.cure


def test_a_reserved_port_is_nobody_elses_before_anybody_listens(rooms: EndpointRooms) -> None:
    """Two endpoints that start at the same moment do not both get it; the workers do."""
    found = reserve(rooms, "delay", ANY)
    with found.socket, pytest.raises(AddressTaken):
        refuse_taken(Listen("127.0.0.1", _port(found.socket)))
    with reserve(rooms, "delay", ANY).socket as again:
        workers = [socket.create_server(again.getsockname()[:2], reuse_port=True) for _ in range(2)]
    for one in workers:
        one.close()


def test_the_port_of_the_last_time_comes_back(rooms: EndpointRooms) -> None:
    """Also after a clean stop, and also when it was named then and is not now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = _port(free)
    reserve(rooms, "delay", Listen("127.0.0.1", port)).socket.close()
    found = reserve(rooms, "delay", ANY)
    with found.socket as back:
        assert (_port(back), found.moved) == (port, "")


def test_a_port_moves_only_when_none_was_named_and_says_why(rooms: EndpointRooms) -> None:
    """Somebody took it meanwhile: the endpoint answers elsewhere; where the port was named it does not."""
    reserve(rooms, "delay", ANY).socket.close()
    port = int((rooms.run_folder / "delay.port").read_text())
    with socket.create_server(("127.0.0.1", port)):
        moved = reserve(rooms, "delay", ANY)
        moved.socket.close()
        assert str(port) in moved.moved
        with pytest.raises(AddressTaken):
            reserve(rooms, "delay", Listen("127.0.0.1", port))
