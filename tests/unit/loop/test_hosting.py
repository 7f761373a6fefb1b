"""Serving in the background."""

from __future__ import annotations

import socket
import subprocess

import msgspec
import pytest

from undrift.core.files import make_private, write_atomic
from undrift.endpoints.errors import AddressTaken, WorkersDoNotStart
from undrift.endpoints.publisher import SupervisorFile, supervisor_path
from undrift.loop import hosting

from .conftest import Registered


def test_a_port_that_is_taken_is_refused_before_anything_is_started(registered: Registered) -> None:
    """Exit code 2, and the endpoint has not even a log."""
    registered.deployed(registered.approved())
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(AddressTaken):
        hosting.start(registered.project, "delay", "--port", str(taken.getsockname()[1]))
    assert not (registered.project.endpoint_rooms.run_folder / "delay.log").exists()


def test_a_process_that_ends_is_told_at_once_in_its_own_words(registered: Registered) -> None:
    """It refuses to start: that is said, and nobody waits for the whole time limit."""
    registered.deployed(registered.approved())
    with pytest.raises(WorkersDoNotStart) as refused:
        hosting.start(registered.project, "delay", "--host", "0.0.0.0", timeout_s=3600)
    assert "--token-file" in refused.value.message


def test_an_endpoint_that_is_not_up_can_be_stopped(registered: Registered) -> None:
    """It was not up, and is not up afterwards."""
    registered.deployed(registered.approved())
    assert hosting.stop(registered.project, "delay") is False
    assert hosting.serving(registered.project, "delay") is None


def test_a_supervisor_that_dies_while_it_is_waited_for_is_replaced(registered: Registered) -> None:
    """Somebody else's was starting, and was killed: the caller's wish stands."""
    registered.deployed(registered.approved())
    rooms = registered.project.endpoint_rooms
    make_private(rooms.run_folder)
    with subprocess.Popen(["sleep", "0.4"]) as dying:
        said = SupervisorFile(dying.pid, "", [], 0)
        write_atomic(supervisor_path(rooms, "delay"), msgspec.json.encode(said))
        found = hosting.start(registered.project, "delay")
    assert found.pid != dying.pid
    assert hosting.stop(registered.project, "delay")


@pytest.mark.parametrize("registered", ["auto"], indirect=True)
def test_the_loop_goes_on_beside_what_is_served(registered: Registered) -> None:
    """Nobody ticks: what passed its gate gets its canary all the same, under the policy that is in force."""
    registered.deployed(registered.approved())
    second, project = registered.version(), registered.project
    hosting.start(project, "delay", "--watch-every", "0.2")
    try:
        real = project.clocks.real
        deadline = real.monotonic() + 60
        while (canary := project.endpoints.get("delay").canary) is None and real.monotonic() < deadline:
            real.sleep(0.05)
    finally:
        hosting.stop(project, "delay")
    assert canary is not None
    assert canary.ref == second.ref
