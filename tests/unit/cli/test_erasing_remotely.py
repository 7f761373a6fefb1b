"""``undrift data erase`` and what remotes hold: it is told, or fetched, searched and erased there too."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from undrift.cli.main import cli
from undrift.data.remotes import push as pushing

MARKER = "ada@example.org"
SUBJECT = ("data", "erase", "t", "--on", "who", "--value", MARKER)
ERASE = (*SUBJECT, "--reason", "her request", "--yes")


def say(folder: Path, *words: str, code: int = 0) -> str:
    """Run a command and return what it says to a person."""
    result = CliRunner().invoke(cli, [*words, "-C", str(folder)])
    assert result.exit_code == code, result.output
    return result.stdout


def run(folder: Path, *words: str, code: int = 0) -> Any:
    return json.loads(say(folder, *words, "--json", code=code))


def made(folder: Path) -> Path:
    """Make a project with the remote of the test."""
    folder.mkdir()
    run(folder, "init")
    run(folder, "data", "remote", "add", "team", "../remote")
    return folder


def add(folder: Path, *people: str) -> None:
    file = folder / "t.csv"
    file.write_text("who,a\n" + "".join(f"{one},{number}\n" for number, one in enumerate(people)))
    run(folder, "data", "add", str(file), "--name", "t")


def holds(folder: Path) -> bool:
    return any(MARKER.encode() in path.read_bytes() for path in folder.rglob("*.pack"))


@pytest.fixture
def ada(tmp_path: Path) -> Path:
    """Give a project that pushed two versions with the subject and let go of the bytes of the first."""
    folder = made(tmp_path / "ada")
    add(folder, MARKER, "bob")
    add(folder, MARKER, "bob", "cleo")
    run(folder, "data", "push")
    assert run(folder, "data", "gc", "--keep-last", "1", "--yes", "--reason", "room")["versions"] == ["data:t@1"]
    return folder


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return tmp_path / "remote"


def test_versions_that_nobody_searched_are_named_with_the_cure(ada: Path, remote: Path) -> None:
    """What only a remote holds stays there, and that is said."""
    told = say(ada, *ERASE)
    assert "not searched, their bytes were let go of here: data:t@1\n" in told
    assert "not searched: what only remotes hold (team); add --remotes to fetch and search it\n" in told
    assert "no tables" not in told
    assert run(ada, *ERASE)["gone"] == ["data:t@1"]
    assert holds(remote)


def test_a_project_without_remotes_is_told_nothing_of_them(tmp_path: Path) -> None:
    """There is nothing to be fetched."""
    folder = made(tmp_path / "ada")
    run(folder, "data", "remote", "remove", "team")
    add(folder, MARKER, "bob")
    assert "remote" not in say(folder, *ERASE)


def test_what_remotes_hold_is_fetched_searched_and_erased_there(ada: Path, remote: Path, tmp_path: Path) -> None:
    """The version whose bytes were let go of is readable again, without the rows; so is a clone's."""
    planned = run(ada, *SUBJECT, "--remotes", "--plan")
    assert planned["remotes"]["fetched"] == ["data:t@1 (team)"]
    assert (planned["removed"], holds(remote), holds(ada)) == (1, True, True)
    done = run(ada, *ERASE, "--remotes")
    assert (done["removed"], done["unsearched"]) == (2, [])
    assert done["remotes"]["fetched"] == ["data:t@1"]
    assert done["remotes"]["told"] == [{"remote": "team", "erased": 2, "purged_packs": 1}]
    assert not holds(remote)
    assert not holds(ada)
    clone = made(tmp_path / "clone")
    assert run(clone, "data", "pull")["failed"] == []
    for project in (ada, clone):
        run(project, "data", "checkout", "t@1", "-o", str(project / "one.csv"))
        assert (project / "one.csv").read_text() == "who,a\nbob,1\n"


def test_versions_of_others_are_searched_too(ada: Path, remote: Path, tmp_path: Path) -> None:
    """What somebody else pushed was never here."""
    ben = made(tmp_path / "ben")
    run(ben, "data", "pull")
    add(ben, "dora", MARKER)
    run(ben, "data", "push")
    done = run(ada, *ERASE, "--remotes")
    assert set(done["remotes"]["fetched"]) == {"data:t@1", "data:t@3"}
    assert done["removed"] == 3
    assert not holds(remote)


def test_nothing_else_becomes_known_at_the_remote(ada: Path, remote: Path) -> None:
    """Versions that were not pushed stay here."""
    add(ada, "dora", MARKER)
    before = sorted((remote / "versions").rglob("*.json"))
    run(ada, *ERASE, "--remotes")
    assert sorted((remote / "versions").rglob("*.json")) == before
    assert not holds(remote)


def test_a_remote_that_does_not_answer_stops_the_erasure_before_it_begins(ada: Path, remote: Path) -> None:
    """Nobody believes that it was searched."""
    shutil.move(remote, remote.with_name("away"))
    assert run(ada, *ERASE, "--remotes", code=2)["error"]["code"] == "object-missing"
    assert holds(ada)
    shutil.move(remote.with_name("away"), remote)
    assert run(ada, *ERASE, "--remotes")["removed"] == 2


def test_what_cannot_be_fetched_is_told_and_keeps_nothing_else_from_being_erased(ada: Path, remote: Path) -> None:
    """Exit code 1: the erasure is not complete. What packs there must keep is not known, so they stay, too."""
    (manifest,) = (remote / "manifests").rglob(run(ada, "data", "show", "t@1")["version_id"].removeprefix("b3:"))
    manifest.write_bytes(b"{}")
    done = run(ada, *ERASE, "--remotes", code=1)
    assert [one["code"] for one in done["remotes"]["failed"]] == ["remote-corrupt"] * 2
    assert (done["removed"], done["gone"]) == (1, ["data:t@1"])
    assert not holds(ada)


def test_whoever_is_killed_on_the_way_goes_on(ada: Path, remote: Path, tmp_path: Path, monkeypatch: Any) -> None:
    """After what was erased was told and before what is left was sent."""
    with monkeypatch.context() as patched:
        patched.setattr(pushing, "_send_all", _die)
        with pytest.raises(Killed):
            CliRunner().invoke(cli, [*ERASE, "--remotes", "-C", str(ada)], catch_exceptions=False)
    assert holds(remote)
    assert run(ada, *ERASE, "--remotes")["remotes"]["told"] == [{"remote": "team", "erased": 0, "purged_packs": 1}]
    assert not holds(remote)
    clone = made(tmp_path / "clone")
    assert run(clone, "data", "pull")["failed"] == []
    assert (
        "bob" in say(clone, "data", "checkout", "t@1", "-o", str(clone / "one.csv")) + (clone / "one.csv").read_text()
    )


class Killed(BaseException):
    """The end of a process."""


def _die(*_: object) -> None:
    raise Killed


def test_what_a_branch_left_is_fetched_and_searched_with_it(ada: Path, tmp_path: Path, remote: Path) -> None:
    """Who has the branch alone is told of the rest, and erases there, too."""
    run(ada, "data", "branch", "t@2", "fix")
    run(ada, "data", "push")
    ben = made(tmp_path / "ben")
    run(ben, "data", "pull", "fix")
    erase = [word.replace("t", "fix") if word == "t" else word for word in ERASE]
    plan = run(ben, *[word.replace("t", "fix") if word == "t" else word for word in SUBJECT], "--remotes", "--plan")
    assert sorted(plan["remotes"]["fetched"]) == ["data:t@1 (team)", "data:t@2 (team)"]
    run(ben, *erase, "--remotes")
    assert not holds(ben)
    assert not holds(remote)
