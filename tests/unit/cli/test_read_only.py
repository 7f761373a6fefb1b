"""A project that cannot be written, and one on a full disk: what only reads works, what writes says why it cannot."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from readers import fill, obedient, small_disk, unwritable
from undrift.ledger.actor import Actor
from undrift.project import Project

_COMMANDS = """
import io, json, sys
from contextlib import redirect_stdout
from undrift.cli.main import main
told = {}
for words in json.loads(sys.argv[1]):
    sys.argv[1:] = [*words, "--json"]
    with redirect_stdout(io.StringIO()) as out:
        try:
            main()
        except SystemExit as end:
            code = end.code
    told[" ".join(words)] = [code, json.loads(out.getvalue() or "null")]
print(json.dumps(told))
"""
ROWS = "id,town\n" + "".join(f"{row},{'ab'[row % 2]}\n" for row in range(50))
READING = [
    ["audit", "verify"],
    ["history"],
    ["data", "list"],
    ["data", "show", "towns"],
    ["data", "log", "towns"],
    ["data", "fsck"],
    ["data", "status"],
    ["data", "check", "towns"],
    ["data", "profile", "towns"],
    ["data", "diff", "towns@1", "towns@2"],
    ["status"],
]


def _run(folder: Path, commands: Sequence[list[str]], before: Sequence[str] = ()) -> dict[str, tuple[int, dict]]:
    command = [*before, sys.executable, "-c", _COMMANDS, json.dumps(list(commands))]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return {words: (code, told) for words, (code, told) in json.loads(done.stdout).items()}


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "project"
    with Project.create(folder) as project:
        for rows in (ROWS, ROWS + "99,b\n"):
            (folder / "towns.csv").write_text(rows)
            project.data.add(folder / "towns.csv", "towns", actor=project.actor)
        project.data.freeze_suite("towns", project.data.suggest_suite("towns"), actor=project.actor)
    return folder


@pytest.fixture
def made(_made: Path, tmp_path: Path) -> Path:
    """Give a project with two versions and a suite."""
    return Path(shutil.copytree(_made, tmp_path / "project"))


def _state(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_who_may_only_read_a_project_reads_all_of_it(made: Path, tmp_path: Path) -> None:
    """Every command that only reads answers as ever, and nothing of the project is touched."""
    before, target = _state(made), tmp_path / "out.csv"
    commands = [*READING, ["data", "checkout", "towns@2", "-o", str(target)]]
    with unwritable(made):
        told = _run(made, commands, obedient())
    assert {words: code for words, (code, _) in told.items()} == dict.fromkeys(told, 0)
    assert told["audit verify"][1]["events"] == 4
    assert told["data check towns"][1]["not_recorded"]
    assert target.read_text() == ROWS + "99,b\n"
    assert _state(made) == before


def test_who_may_only_read_is_told_that_nothing_can_be_changed(made: Path) -> None:
    """One error, the caller's to mend, which names the path; what is there is as it was."""
    before = _state(made)
    (made.parent / "new.csv").write_text(ROWS)
    commands = [["data", "add", "../new.csv", "--name", "new"], ["data", "gc"], ["data", "tag", "towns@1", "old"]]
    with unwritable(made):
        told = _run(made, commands, obedient())
    for words, (code, document) in told.items():
        assert (code, document["error"]["code"]) == (2, "project-read-only"), words
        assert str(made / ".undrift") in document["error"]["message"]
    assert _state(made) == before


def test_a_lost_index_does_not_keep_a_reader_from_the_bytes(made: Path, tmp_path: Path) -> None:
    """It is made again from the packs, in memory."""
    for path in (made / ".undrift" / "blobs").glob("index.db*"):
        path.unlink()
    with unwritable(made):
        told = _run(made, [["data", "fsck"], ["data", "checkout", "towns@1", "-o", str(tmp_path / "o")]], obedient())
    assert [code for code, _ in told.values()] == [0, 0]
    assert (tmp_path / "o").read_text() == ROWS


def _killed_after_a_change(folder: Path) -> str:
    """Return the head of a ledger whose last change lies in its log alone: its writer died."""
    script = (
        "import os, sys\nfrom undrift.project import Project\nfrom undrift.ledger.actor import Actor\n"
        "project = Project.open('.')\nproject.ledger.head()\n"
        "with project.ledger.change(Actor.current()) as change:\n    change.record('data.noted', 'data:towns', {})\n"
        "print(project.ledger.head().hash, flush=True)\nos._exit(9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 9, done.stderr
    assert (folder / ".undrift" / "ledger.db-wal").stat().st_size
    return done.stdout.strip()


@pytest.mark.parametrize("lost", [(), ("ledger.db-shm",)], ids=["all is there", "a backup without shared memory"])
def test_what_only_the_log_holds_is_read(made: Path, lost: tuple[str, ...]) -> None:
    """An older state is never read in silence."""
    head = _killed_after_a_change(made)
    for name in lost:
        (made / ".undrift" / name).unlink()
    before = _state(made)
    with unwritable(made):
        told = _run(made, [["audit", "verify"], ["audit", "verify", "--expect-head", head]], obedient())
    assert [(code, one["head"]["hash"]) for code, one in told.values()] == [(0, head), (0, head)]
    assert _state(made) == before


def test_on_a_full_disk_all_can_be_read_and_changes_tell_of_the_disk(made: Path, tmp_path: Path) -> None:
    """Not a word of I/O errors."""
    target = tmp_path / "out.csv"
    with small_disk(tmp_path / "disk", "4m") as disk:
        shutil.copytree(made, disk / "project")
        shutil.rmtree(disk / "project" / ".undrift" / "blobs" / "whole", ignore_errors=True)
        fill(disk)
        reading = [words for words in READING if words[:2] != ["data", "check"]]
        reading += [["data", "profile", "towns.csv"], ["data", "checkout", "towns@2", "-o", str(target)]]
        told = _run(disk / "project", reading)
        changes = _run(disk / "project", [["data", "tag", "towns@1", "old"]])
    assert {words: code for words, (code, _) in told.items()} == dict.fromkeys(told, 0)
    assert target.read_text() == ROWS + "99,b\n"
    assert [(code, one["error"]["code"]) for code, one in changes.values()] == [(1, "disk-full")]


def test_a_mixture_of_two_states_is_not_read(made: Path) -> None:
    """Where no lock keeps a writer out, what was read while somebody wrote is refused."""
    script = (
        "import sys\nfrom pathlib import Path\nfrom undrift.core.sqlite_files import WrittenMeanwhile, open_to_read\n"
        "found = open_to_read(Path('.undrift/ledger.db'))\nassert found.is_apart\nfound.refuse_changed()\n"
        "print('opened', flush=True)\nsys.stdin.readline()\n"
        "try:\n    found.refuse_changed()\nexcept WrittenMeanwhile as error:\n    print(error.code)\n"
    )
    with unwritable(made):
        command = [*obedient(), sys.executable, "-c", script]
        reader = subprocess.Popen(command, cwd=made, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert reader.stdout is not None
        assert reader.stdout.readline() == "opened\n"
    with Project.open(made) as project, project.ledger.change(Actor.current()) as change:
        change.record("data.noted", "data:towns", {})
    told, _ = reader.communicate("\n", timeout=60)
    assert told == "written-meanwhile\n"
