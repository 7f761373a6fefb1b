"""What is not there is told with what is, and damage that is known is shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from undrift.cli.main import cli


def run(folder: Path, *words: str, code: int = 0) -> Any:
    """Run a command and return what it says to a program."""
    result = CliRunner().invoke(cli, [*words, "-C", str(folder), "--json"])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a project with two versions, the first with a tag."""
    run(tmp_path, "init")
    for number, tag in ((1, ["--tag", "june"]), (2, [])):
        (tmp_path / "t.csv").write_text(f"a\n{number}\n")
        run(tmp_path, "data", "add", str(tmp_path / "t.csv"), "--name", "t", *tag)
    return tmp_path


def test_a_missing_tag_is_told_with_the_tags_that_are_there(project: Path) -> None:
    """And with the versions."""
    error = run(project, "data", "show", "t@july", code=2)["error"]
    assert error["message"] == "the dataset 't' has no version 'july'; it has the versions 1 to 2 and the tags june"


def test_the_cure_of_a_missing_dataset_is_a_whole_command(project: Path) -> None:
    """It can be typed."""
    assert run(project, "data", "show", "u", code=2)["error"]["cure"] == "undrift data add PATH --name u"


def test_a_path_that_nobody_added_is_told(project: Path) -> None:
    """Whether there is such a file or not."""
    (project / "other.csv").write_text("a\n1\n")
    for name, told in (("nope", "is not there"), ("other.csv", "was never added")):
        assert told in run(project, "data", "status", str(project / name), code=2)["error"]["message"]
    assert len(run(project, "data", "status", str(project / "t.csv"))["places"]) == 1


def test_status_tells_of_damage_that_is_known(project: Path) -> None:
    """Until it is repaired."""
    assert run(project, "status")["damaged"] is False
    (pack, _) = (project / ".undrift" / "blobs" / "packs").rglob("*.pack")
    pack.chmod(0o600)
    pack.write_bytes(b"\0" + pack.read_bytes()[1:])
    run(project, "data", "fsck", code=3)
    assert run(project, "status")["damaged"] is True
    assert "undrift data fsck --repair" in CliRunner().invoke(cli, ["status", "-C", str(project)]).stdout
