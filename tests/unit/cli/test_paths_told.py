"""What the machine refuses of the caller's own paths is told with the path and a cure, and is the caller's to mend."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from readers import obedient, small_disk

TABLE = "id,town\n1,a\n2,b\n"


def _run(
    folder: Path, *words: str, before: Sequence[str] = (), also: Mapping[str, str] | None = None
) -> tuple[int, dict]:
    command = [*before, sys.executable, "-m", "undrift", *words, "--json"]
    environment = {**os.environ, **(also or {})}
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=300, env=environment
    )
    return done.returncode, json.loads(done.stdout)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Give a project with paths in it that cannot be used."""
    assert _run(tmp_path, "init")[0] == 0
    for name in ("fine.csv", "secret.csv", "shut/a.csv", "mixed/a.csv", "mixed/b.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(TABLE)
    (tmp_path / "fixed").mkdir()
    (tmp_path / "dangling.csv").symlink_to("nowhere.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    for name, mode in {"secret.csv": 0, "shut": 0, "mixed/b.csv": 0, "fixed": 0o500}.items():
        (tmp_path / name).chmod(mode)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        ("data add secret.csv --name a", "not-allowed", "secret.csv"),
        ("data add shut --name a", "not-allowed", "shut"),
        ("data add shut/a.csv --name a", "not-allowed", "shut/a.csv"),
        ("data add mixed --name a", "not-allowed", "mixed/b.csv"),
        ("data profile secret.csv", "not-allowed", "secret.csv"),
        ("data profile fine.csv --html fixed/page.html", "not-allowed", "fixed"),
        ("init -C fixed", "not-allowed", "fixed"),
        ("data add dangling.csv --name a", "source-not-found", "nowhere.csv"),
        ("data add pipe.csv --name a", "no-plain-file", "a named pipe"),
    ],
)
def test_a_path_that_cannot_be_used_is_named_with_a_cure(made: Path, words: str, code: str, named: str) -> None:
    """Nobody is told of a mistake in undrift."""
    ended, told = _run(made, *words.split(), before=obedient())
    assert (ended, told["error"]["code"]) == (2, code)
    assert named in told["error"]["message"]
    assert told["error"]["cure"]


def test_what_follows_the_commit_does_not_deny_the_version(tmp_path: Path) -> None:
    """The disk takes the version and not what is compared afterwards: that is a note, with what does it later."""
    with small_disk(tmp_path / "disk", "12m") as disk:
        (disk / "tmp").mkdir()
        assert _run(disk, "init")[0] == 0
        rows = "".join(f"{row},{row * 7919 % 10007}\n" for row in range(400_000))
        (disk / "orders.csv").write_text("id,amount\n" + rows[:4_100_000].rpartition("\n")[0] + "\n")
        ended, told = _run(disk, "data", "add", "orders.csv", "--name", "o", also={"TMPDIR": str(disk / "tmp")})
        listed = _run(disk, "data", "list")[1]
    assert (ended, told["ref"]) == (0, "data:o@1")
    assert "undrift data anomalies data:o@1" in told["notes"][-1]
    assert "o" in json.dumps(listed)
