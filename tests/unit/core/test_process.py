from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest

from undrift.core.clock import RealClock
from undrift.core.process import Heartbeat, is_gone, runs, this_process

_PARENT = """
import os, subprocess, sys
from undrift.core.process import ends_with
body = "from undrift.core.process import this_process; print(this_process(), flush=True); import time; time.sleep(600)"
subprocess.Popen([sys.executable, "-c", body], preexec_fn=ends_with(os.getpid(), niceness=1)).wait()
"""
_PRINT = "from undrift.core.process import this_process; print(this_process(), flush=True); input()"


def test_this_process_is_not_gone() -> None:
    """A living process is alive for whoever asks."""
    assert not is_gone(this_process())


def test_a_process_is_gone_when_it_has_ended() -> None:
    """Killed is gone, at once."""
    process = subprocess.Popen([sys.executable, "-c", _PRINT], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    assert process.stdout is not None
    name = process.stdout.readline().strip()
    assert not is_gone(name)
    process.kill()
    process.communicate()
    assert is_gone(name)


def test_a_reused_process_id_does_not_keep_the_dead_alive() -> None:
    """Another start is another process; another boot is long ago."""
    host, boot, pid, _ = this_process().split("/")
    assert is_gone(f"{host}/{boot}/{pid}/1")
    assert is_gone(f"{host}/elseboot/{pid}/1")


def test_a_process_runs_only_as_itself() -> None:
    """Not after a reboot, not as a stranger with its id; under another name of this machine it does."""
    _, boot, pid, start = this_process().split("/")
    names = (f"elsewhere/{boot}/{pid}/{start}", f"elsewhere/{boot}/{pid}/1", f"elsewhere/elseboot/{pid}/{start}")
    assert [runs(name) for name in names] == [True, False, False]


def test_a_process_of_another_host_is_not_known_to_be_gone() -> None:
    """What cannot be told is not gone: leases decide there."""
    assert not is_gone("elsewhere/boot/1/1")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be asked")
def test_a_child_ends_with_a_parent_that_is_killed() -> None:
    """Nothing is left behind that goes on unseen."""
    parent = subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = parent.stdout.readline().strip()
    assert runs(child)
    parent.kill()
    parent.wait()
    clock = RealClock()
    deadline = clock.monotonic() + 20
    while runs(child) and clock.monotonic() < deadline:
        clock.sleep(0.01)
    assert not runs(child)


def test_a_heartbeat_beats_until_it_is_told_to_stop() -> None:
    """It ends with its block, and when a beat says so."""
    beats, enough = [0], threading.Event()

    def beat() -> bool:
        beats[0] += 1
        if beats[0] == 3:
            enough.set()
        return beats[0] < 3

    with Heartbeat(beat, 0.001):
        assert enough.wait(10)
    assert beats[0] == 3


def test_signals_in_quick_succession_stop_a_waiting_process() -> None:
    """A handler that takes the event's own lock would wait for ever for the code that it interrupted."""
    code = (
        "import os, signal, threading\n"
        "from undrift.core.process import set_by_signals\n"
        "stop = threading.Event()\n"
        "with set_by_signals(stop):\n"
        "    print('ready', flush=True)\n"
        "    while not stop.wait(0.0001):\n"
        "        pass\n"
    )
    for _ in range(10):
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            for _ in range(5):
                process.send_signal(signal.SIGTERM)
            try:
                assert process.wait(20) in (0, -signal.SIGTERM)  # the last may come after the block
            finally:
                process.kill()
