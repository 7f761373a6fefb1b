"""Many processes, and processes that die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from undrift.ledger.ledger import Ledger

_RECORD = """
import sys
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Ledger
ledger = Ledger.open(sys.argv[1])
for number in range(int(sys.argv[2])):
    with ledger.change(Actor("service", "writer")) as change:
        change.record("step.finished", f"run:{sys.argv[3]}", {"n": number})
        if len(sys.argv) > 4:
            print(number, flush=True)
"""

_START_AT_ONCE = """
import os, sys
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Ledger
target, processes, events = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
gate, opener = os.pipe()
children = []
for number in range(processes):
    child = os.fork()
    if child == 0:
        os.close(opener)
        os.read(gate, 1)  # returns for all children when the parent closes its end
        ledger = Ledger.open(target)
        for n in range(events):
            with ledger.change(Actor("service", "writer")) as change:
                change.record("step.finished", f"run:{number}", {"n": n})
        os._exit(0)
    children.append(child)
os.close(opener)
sys.exit(sum(os.waitpid(child, 0)[1] != 0 for child in children))
"""

_FORK = """
import os, sys
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Ledger
ledger = Ledger.open(sys.argv[1])
ledger.head()
child = os.fork()
for number in range(20):
    with ledger.change(Actor("service", "writer")) as change:
        change.record("step.finished", f"run:{child == 0}", {"n": number})
if child == 0:
    os._exit(0)
sys.exit(os.waitpid(child, 0)[1])
"""

_IMPORTS = """
import sys
from undrift.ledger.ledger import Ledger
Ledger.open(sys.argv[1]).head()
sys.exit("alembic" in sys.modules)
"""


def start(code: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start Python on some code."""
    return subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE)


@pytest.mark.parametrize(("processes", "events"), [(32, 1), (8, 40)])
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_processes_that_start_at_once_on_nothing_all_succeed(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, processes: int, events: int
) -> None:
    """They create one store and lose no event."""
    fresh = str(tmp_path / "fresh" / "ledger.db")
    target = fresh if kind == "sqlite" else request.getfixturevalue("postgres_url")
    assert start(_START_AT_ONCE, target, str(processes), str(events)).wait(timeout=300) == 0
    ledger = Ledger.open(target)
    found = ledger.verify()
    assert (found.ok, found.events) == (True, processes * events + 1)
    told = {(event.subject, event.body["n"]) for event in ledger.events(kinds=["step.finished"])}
    assert len(told) == processes * events


def test_a_killed_writer_leaves_a_valid_chain(tmp_path: Path) -> None:
    """Kill -9 in the midst of changes: the next writer goes on at once."""
    target = tmp_path / "ledger.db"
    for round_ in range(6):
        process = start(_RECORD, str(target), "100000", str(round_), "tell")
        assert process.stdout is not None
        for _ in range(5 + 7 * round_):
            process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        found = Ledger.open(target).verify()
        assert found.ok, found.findings
        assert found.events >= 5 + 7 * round_


def test_a_forked_child_opens_connections_of_its_own(tmp_path: Path) -> None:
    """A connection that two processes share would corrupt both."""
    target = tmp_path / "ledger.db"
    assert start(_FORK, str(target)).wait(timeout=120) == 0
    found = Ledger.open(target).verify()
    assert (found.ok, found.events) == (True, 41)


def test_opening_an_up_to_date_store_does_not_import_alembic(tmp_path: Path) -> None:
    """Migrations cost nothing when there is nothing to migrate."""
    Ledger.open(tmp_path / "ledger.db")
    assert start(_IMPORTS, str(tmp_path / "ledger.db")).wait(timeout=60) == 0


def test_an_erased_body_is_nowhere_in_the_files(tmp_path: Path) -> None:
    """Neither the database nor its log keeps the words."""
    from undrift.ledger.actor import Actor

    ledger = Ledger.open(tmp_path / "store" / "ledger.db")
    with ledger.change(Actor.current()) as change:
        event_id = change.record("note.written", "run:1", {"text": "the-secret-words"})
    files = list((tmp_path / "store").iterdir())
    assert any(b"the-secret-words" in path.read_bytes() for path in files)
    ledger.erase_body(event_id, actor=Actor.current(), reason="asked")
    assert not any(b"the-secret-words" in path.read_bytes() for path in files)


def test_the_files_of_a_ledger_are_private(tmp_path: Path) -> None:
    """Folder 0700, files 0600."""
    Ledger.open(tmp_path / "store" / "ledger.db")
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in (tmp_path / "store").iterdir()}
    assert set(modes.values()) == {"0o600"}
    assert (tmp_path / "store").stat().st_mode & 0o777 == 0o700


def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's locks are not safe there."""
    from undrift.ledger import database
    from undrift.ledger.errors import NetworkFilesystem

    monkeypatch.setattr(database, "is_network_filesystem", lambda _: True)
    with pytest.raises(NetworkFilesystem):
        Ledger.open(tmp_path / "ledger.db")
