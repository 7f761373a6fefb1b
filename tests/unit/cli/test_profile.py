"""`undrift data profile` of a file that nobody added."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

import undrift
from undrift.cli.main import cli
from undrift.core.digest import blake3_file


def test_a_file_needs_no_project_and_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page and its facts lie where they were asked for, and nothing else does; personal cells are in neither."""
    monkeypatch.chdir(tmp_path)
    people = {"email": [f"user{n}@example.org" for n in range(40)], "age": [20 + n for n in range(40)]}
    pl.DataFrame(people).write_csv("june.csv")
    done = CliRunner().invoke(cli, ["data", "profile", "june.csv", "--html", "june.html", "--json"])
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["june.csv", "june.html", "june.json"]
    assert json.loads(done.stdout) == json.loads(Path("june.json").read_text())
    assert "user7" not in Path("june.html").read_text() + Path("june.json").read_text()


def test_a_profile_says_of_which_bytes_it_is_and_what_made_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the page as well as in the facts: else it proves nothing later."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "june.csv").write_text("x\n1\n2\n")
    done = CliRunner().invoke(cli, ["data", "profile", "june.csv", "--html", "june.html", "--json"])
    told = json.loads(done.stdout)
    assert (told["digest"], told["made_by"]) == (blake3_file(Path("june.csv")), f"undrift {undrift.__version__}")
    assert datetime.fromisoformat(told["profiled_at"]).tzinfo is not None
    text = Path("june.html").read_text()
    assert all(told[name] in text for name in ("digest", "profiled_at", "made_by"))


def test_every_format_of_one_table_has_one_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parquet is read piece by piece, text whole."""
    monkeypatch.chdir(tmp_path)
    table = pl.DataFrame({"n": range(500), "x": [n / 7 for n in range(500)], "plan": ["a", "b"] * 250})
    table.write_csv("t.csv")
    table.write_parquet("t.parquet")
    table.write_ndjson("t.jsonl")
    told = [
        CliRunner().invoke(cli, ["data", "profile", f"t.{end}", "--json"]).stdout for end in ("csv", "parquet", "jsonl")
    ]
    found = [{**json.loads(one), "of": "", "bytes": 0, "digest": "", "profiled_at": ""} for one in told]
    assert found[0] == found[1] == found[2]


def test_a_file_that_is_not_there_is_no_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names its nearest neighbour."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "june.csv").write_text("x\n1\n")
    done = CliRunner().invoke(cli, ["data", "profile", "jun.csv"])
    assert done.exit_code == 2
    assert "did you mean june.csv?" in done.stderr


@pytest.mark.parametrize("command", ["profile", "check"])
@pytest.mark.parametrize("in_project", [True, False])
def test_a_folder_that_is_no_dataset_is_told_as_a_folder(
    command: str, in_project: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not as a dataset that is missing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").mkdir()
    if in_project:
        assert CliRunner().invoke(cli, ["init"]).exit_code == 0
    done = CliRunner().invoke(cli, ["data", command, "images"])
    assert done.exit_code == 2
    assert "images is a folder" in done.stderr
    gone = CliRunner().invoke(cli, ["data", command, "pictures"])
    assert "folder" not in gone.stderr.replace("in your project's folder", "")
