"""``undrift data remote``, ``push`` and ``pull`` as they are typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from undrift.cli.main import cli


def _run(folder: Path, *words: str, code: int = 0) -> Any:
    """Run a command and return what it says to a program."""
    result = CliRunner().invoke(cli, [*words, "-C", str(folder), "--json"])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a project with one version."""
    folder = tmp_path / "ada"
    folder.mkdir()
    (folder / "t.csv").write_text("a\n1\n")
    _run(folder, "init")
    _run(folder, "data", "add", str(folder / "t.csv"), "--name", "t", "--tag", "june")
    return folder


def test_a_version_goes_and_comes(project: Path, tmp_path: Path) -> None:
    """A folder is named relative to the project."""
    _run(project, "data", "remote", "add", "team", "../remote")
    assert _run(project, "data", "remote", "list")["remotes"] == [{"remote": "team", "url": "../remote"}]
    assert _run(project, "data", "push")["versions"] == ["data:t@1"]
    other = tmp_path / "ben"
    other.mkdir()
    _run(other, "init")
    _run(other, "data", "remote", "add", "team", str(tmp_path / "remote"))
    assert _run(other, "data", "pull", "t@june")["versions"] == ["data:t@1"]
    _run(other, "data", "checkout", "t@june", "-o", str(other / "t.csv"))
    assert (other / "t.csv").read_bytes() == (project / "t.csv").read_bytes()


def test_what_is_wrong_at_the_remote_ends_with_1(project: Path, tmp_path: Path) -> None:
    """And the document says what."""
    _run(project, "data", "remote", "add", "team", "../remote")
    _run(project, "data", "push")
    for file in (tmp_path / "remote" / "packs").rglob("*.pack"):
        file.write_bytes(b"\0" * file.stat().st_size)
    other = tmp_path / "ben"
    other.mkdir()
    _run(other, "init")
    _run(other, "data", "remote", "add", "team", str(tmp_path / "remote"))
    (failed,) = _run(other, "data", "pull", code=1)["failed"]
    assert failed["code"] == "remote-corrupt"
    assert "data:t@1: t.csv" in failed["message"]
    assert "packs/" in failed["message"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["push"], "bad-input"),
        (["pull", "--remote", "nobody"], "not-found"),
        (["remote", "add", "team", "s3://key:secret@bucket/x"], "bad-address"),
        (["remote", "add", "team", "postgresql://db/x"], "bad-address"),
        (["remote", "add", "team", ".undrift/blobs"], "bad-address"),
        (["remote", "add", "Team!", "x"], "bad-name"),
        (["remote", "remove", "team"], "not-found"),
    ],
)
def test_what_cannot_be_is_refused(project: Path, words: list[str], code: str) -> None:
    """With a code, a cure, and no secret in the settings."""
    error = _run(project, "data", *words, code=2)["error"]
    assert (error["code"], bool(error["cure"])) == (code, True)
    assert "secret" not in (project / "undrift.toml").read_text()


def test_several_remotes_need_a_word_when_pushing(project: Path) -> None:
    """A remote that goes leaves the others."""
    for name in ("one", "two"):
        _run(project, "data", "remote", "add", name, f"../{name}")
    assert _run(project, "data", "push", code=2)["error"]["cure"] == "say which: --remote NAME"
    assert _run(project, "data", "push", "--remote", "one")["remote"] == "one"
    _run(project, "data", "remote", "remove", "one")
    assert _run(project, "data", "push")["remote"] == "two"


def _told(folder: Path) -> list[tuple[str, Any]]:
    """Return the events about remotes, oldest first."""
    events = _run(folder, "history")["events"]
    return [(one["kind"], one["body"]) for one in reversed(events) if one["kind"].startswith("remote.")]


def test_a_name_gets_another_address_only_on_request(project: Path, tmp_path: Path) -> None:
    """A slip sends no data elsewhere; the ledger tells where data could go, and when."""
    assert _run(project, "data", "remote", "add", "team", "../remote")["exists"] is False
    error = _run(project, "data", "remote", "add", "team", "../other", code=2)["error"]
    assert error["code"] == "remote-taken"
    assert error["cure"].startswith("undrift data remote add team ../other --replace")
    assert _run(project, "data", "remote", "list")["remotes"] == [{"remote": "team", "url": "../remote"}]
    assert _run(project, "data", "push")["versions"] == ["data:t@1"]
    assert _run(project, "data", "remote", "add", "team", "../remote")["exists"] is True
    _run(project, "data", "remote", "add", "team", "../other", "--replace")
    assert _run(project, "data", "push")["versions"] == ["data:t@1"]
    _run(project, "data", "remote", "remove", "team")
    assert _told(project) == [
        ("remote.added", {"address": "../remote"}),
        ("remote.replaced", {"address": "../other", "before": "../remote"}),
        ("remote.removed", {"address": "../other"}),
    ]
    assert _run(project, "audit", "verify")["ok"] is True


def test_a_folder_that_is_not_there_is_told(project: Path, tmp_path: Path) -> None:
    """With its whole path, so that a slip is seen."""
    result = CliRunner().invoke(cli, ["data", "remote", "add", "team", "../remote", "-C", str(project)])
    assert f"there is no folder {tmp_path / 'remote'} yet: the first push makes it" in result.stdout


def _kinds(folder: Path, *kinds: str) -> list[str]:
    events = _run(folder, "history")["events"]
    return [f"{one['kind']} {one['subject']}" for one in reversed(events) if one["kind"] in kinds]


def test_the_ledger_tells_where_data_went_and_what_was_damaged(project: Path, tmp_path: Path) -> None:
    """The same damage is told once, however often it is met."""
    _run(project, "data", "remote", "add", "team", "../remote")
    _run(project, "data", "push")
    _run(project, "data", "push")
    other = tmp_path / "ben"
    other.mkdir()
    _run(other, "init")
    _run(other, "data", "remote", "add", "team", str(tmp_path / "remote"))
    for file in (tmp_path / "remote" / "packs").rglob("*.pack"):
        file.write_bytes(b"\0" * file.stat().st_size)
    for _ in range(2):
        _run(other, "data", "pull", code=1)
    assert _kinds(other, "remote.damaged") == ["remote.damaged remote"]
    _run(project, "data", "push", "--verify")
    assert _kinds(project, "data.pushed", "remote.repaired") == ["data.pushed data:t@1", "remote.repaired remote:team"]
    (pack,) = (project / ".undrift" / "blobs" / "packs").rglob("*.pack")
    pack.chmod(0o600)
    pack.write_bytes(b"\0" + pack.read_bytes()[1:])
    for _ in range(2):
        _run(project, "data", "fsck", code=3)
    _run(project, "data", "fsck", "--repair")
    assert _kinds(project, "store.damaged", "store.repaired") == ["store.damaged store", "store.repaired store"]
    assert _run(project, "audit", "verify")["ok"] is True
