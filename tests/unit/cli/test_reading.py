"""Tables that commands are given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from undrift.cli.main import cli


@pytest.mark.parametrize("command", [["up", "--target", "a"], ["label", "add", "--on", "key"]])
def test_a_table_that_is_not_there_is_told_with_its_neighbour(tmp_path: Path, command: list[str]) -> None:
    """Exit code 2, for people and for machines."""
    (tmp_path / "customers.csv").write_text("a,b\n1,2\n")
    typed = [*command, str(tmp_path / "custmers.csv"), "--json", "-C", str(tmp_path)]
    said = CliRunner().invoke(cli, typed)
    error = json.loads(said.stderr or said.output)["error"]
    assert said.exit_code == 2
    assert "custmers.csv" in error["message"]
    assert "customers.csv?" in error["cure"]


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    """A dataset of many files is added first."""
    said = CliRunner().invoke(cli, ["up", str(tmp_path), "--target", "a", "-C", str(tmp_path)])
    assert (said.exit_code, "is a folder" in said.output) == (2, True)
