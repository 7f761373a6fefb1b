"""``undrift data gc --keep-...``: versions are let go of only when somebody agreed, and with the reason."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from undrift.cli.main import cli
from undrift.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a project with three versions, the first with a tag."""
    with Project.create(tmp_path / "project") as made:
        file = tmp_path / "t.csv"
        for number, tag in ((1, "one"), (2, None), (3, None)):
            file.write_text(f"x\n{number}\n")
            made.data.add(file, "t", actor=made.actor, tag=tag)
    return tmp_path / "project"


def gc(project: Path, *words: str, code: int = 0) -> Any:
    """Run it, and return what it says to a program."""
    result = CliRunner().invoke(cli, ["data", "gc", "-C", str(project), "--json", *words])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def gone(project: Path) -> list[str]:
    with Project.open(project) as opened:
        return [one.ref for one in opened.data.log("t") if one.is_gone]


def reasons(project: Path) -> list[object]:
    with Project.open(project) as opened:
        return [event.body["reason"] for event in opened.ledger.events(kinds=["data.bytes-dropped"])]


@pytest.mark.parametrize(
    ("words", "missing"),
    [((), "--yes and --reason TEXT"), (("--yes",), "--reason TEXT"), (("--reason", "room"), "--yes")],
)
def test_without_consent_nothing_goes(project: Path, words: tuple[str, ...], missing: str) -> None:
    """What would go is told, and how to say yes."""
    error = gc(project, "--keep-tags", *words, code=4)["error"]
    assert (error["code"], error["versions"]) == ("not-confirmed", ["data:t@2"])
    assert error["cure"].startswith(f"add {missing};")
    assert "data:t@2" in error["message"]
    assert gone(project) == []


def test_with_consent_they_go_and_the_ledger_keeps_the_reason(project: Path) -> None:
    """The event says why."""
    assert gc(project, "--keep-tags", "--yes", "--reason", "room")["versions"] == ["data:t@2"]
    assert (gone(project), reasons(project)) == (["data:t@2"], ["room"])


def test_what_lets_no_version_go_needs_no_consent(project: Path) -> None:
    """Neither unreferenced bytes, nor a plan, nor a rule that keeps all."""
    assert gc(project)["versions"] == []
    assert gc(project, "--keep-tags", "--dry-run")["versions"] == ["data:t@2"]
    assert gc(project, "--keep-last", "3")["versions"] == []
    assert gone(project) == []


@pytest.mark.parametrize(("typed", "went"), [("y\nroom\n", ["data:t@2"]), ("n\n", []), ("\n", [])])
def test_on_a_terminal_it_asks(project: Path, typed: str, went: list[str]) -> None:
    """What would go is shown first; Enter alone means no."""
    keyboard, terminal = pty.openpty()
    words = [sys.executable, "-m", "undrift", "data", "gc", "--keep-tags", "-C", str(project)]
    asked = subprocess.Popen(words, stdin=terminal, stdout=subprocess.DEVNULL, stderr=terminal)
    os.close(terminal)
    os.write(keyboard, typed.encode())
    shown = b""
    while True:
        try:
            more = os.read(keyboard, 4096)
        except OSError:  # nobody holds the terminal any more
            break
        shown += more
    os.close(keyboard)
    assert asked.wait(60) == (0 if went else 4)
    assert b"the bytes of data:t@2 would go" in shown
    assert (gone(project), reasons(project)) == (went, ["room"] if went else [])
