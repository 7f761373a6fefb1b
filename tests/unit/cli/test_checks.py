"""``undrift data check`` and ``undrift data suite``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from undrift.cli.main import cli

SUITE = """\
name: people
expectations:
  - expect_column_values_to_be_between: {column: age, min_value: 0, max_value: {$PARAMETER: oldest}}
  - expect_column_values_to_not_be_null: {column: email}
    severity: warn
"""
TABLE = "age,email\n5,ada@example.org\n200,bob@example.org\n7,\n" + "".join(
    f"{n},c{n}@example.org\n" for n in range(40)
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with a table and a suite, and no project."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "people.csv").write_text(TABLE)
    (tmp_path / "people.yaml").write_text(SUITE)
    return tmp_path


def run(*words: str, code: int = 0) -> Any:
    done = CliRunner().invoke(cli, [*words, "--json"])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def test_a_file_is_checked_without_a_project(folder: Path) -> None:
    """And nothing is made."""
    told = run("data", "check", "people.csv", "--suite", "people.yaml", "--set", "oldest=120", code=3)
    assert (told["verdict"], told["bad_rows"], told["rows"]) == ("fail", 1, 43)
    assert "validation" not in told
    assert sorted(path.name for path in folder.iterdir()) == ["people.csv", "people.yaml"]
    assert run("data", "check", "people.csv", "--suite", "people.yaml", "--set", "oldest=345.75")["verdict"] == "warn"


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_breaking_values_are_shown_when_asked_for_and_personal_ones_masked(folder: Path, engine: str) -> None:
    """In the form of Great Expectations."""
    (folder / "strict.yaml").write_text(
        "expectations:\n  - expect_column_values_to_match_regex: {column: email, regex: ^ada}\n"
        "  - expect_column_values_to_be_between: {column: age, max_value: 120}\n"
    )
    words = ["data", "check", "people.csv", "--suite", "strict.yaml", "--result-format", "complete", "--engine", engine]
    emails, ages = run(*words, code=3)["validation"]["results"]
    assert ages["result"]["unexpected_list"] == [200]
    assert ages["result"]["unexpected_index_list"] == [1]
    assert all(str(cell).startswith("masked:") for cell in emails["result"]["unexpected_list"])
    shown = CliRunner().invoke(cli, words)
    assert "200" in shown.output
    assert "example.org" not in shown.output


def test_a_parquet_file_is_checked_where_it_lies(folder: Path) -> None:
    """By an engine of choice."""
    pl.DataFrame({"age": [1, 2], "email": ["a", "b"]}).write_parquet(folder / "p.parquet")
    for engine in ("polars", "duckdb"):
        words = ["data", "check", "p.parquet", "--suite", "people.yaml", "--set", "oldest=9", "--engine", engine]
        assert run(*words)["verdict"] == "pass"


def test_what_is_missing_is_told(folder: Path) -> None:
    """A suite, its file, a parameter."""
    assert run("data", "check", "people.csv", code=2)["error"]["code"] == "bad-input"
    assert run("data", "check", "people.csv", "--suite", "no.yaml", code=2)["error"]["code"] == "suite-not-found"
    told = run("data", "check", "people.csv", "--suite", "people.yaml", code=3)
    assert "'oldest'" in told["results"][0]["problem"]
    assert run("data", "check", "people.csv", "--suite", "people.yaml", "--set", "oldest", code=2)["error"]


def test_a_suite_is_frozen_from_a_file_and_changes_only_with_a_reason(folder: Path) -> None:
    """The event tells what is expected no longer, and what newly."""
    assert CliRunner().invoke(cli, ["init"]).exit_code == 0
    run("data", "add", "people.csv", "--name", "people")
    (folder / "people.yaml").write_text(SUITE.replace("{$PARAMETER: oldest}", "120"))
    first = run("data", "suite", "people", "--freeze", "people.yaml")
    assert (first["before"], first["suite"]["name"]) == (None, "people")
    (folder / "wider.yaml").write_text(SUITE.replace("{$PARAMETER: oldest}", "345.75"))
    refused = run("data", "suite", "people", "--freeze", "wider.yaml", code=2)
    assert "--reason" in refused["error"]["cure"]
    again = run("data", "suite", "people", "--freeze", "wider.yaml", "--reason", "people grow older")
    assert (again["before"], again["added"], again["removed"]) == (first["digest"], 1, 1)
    assert run("data", "check", "people")["verdict"] == "warn"
    events = run("history", "data:people", "-n", "50")["events"]
    frozen = [event["body"] for event in events if event["kind"] == "data.suite-frozen"]
    assert [body.get("reason") for body in frozen if "reason" in body] == ["people grow older"]
    assert "345.75" not in json.dumps(frozen)


def test_a_moved_world_is_what_the_newest_version_suggests(folder: Path) -> None:
    """Frozen anew from a reference."""
    assert CliRunner().invoke(cli, ["init"]).exit_code == 0
    run("data", "add", "people.csv", "--name", "people")
    run("data", "check", "people", "--freeze")
    told = run("data", "suite", "people", "--freeze", "people@1", "--reason", "prices rose")
    assert told["added"] == 0
    checked = run("data", "check", "people", "--suite", "people.yaml", "--set", "oldest=120", code=3)
    assert checked["version"] == "data:people@1"


def test_other_columns_are_noted_and_stopped_by_a_frozen_suite_unless_they_are_meant(folder: Path) -> None:
    """Nothing is then added; a person says that it is meant, and the suite still judges what is there."""
    assert CliRunner().invoke(cli, ["init"]).exit_code == 0
    run("data", "add", "people.csv", "--name", "people")
    (folder / "people.csv").write_text(TABLE.replace("age,email", "ages,email"))
    noted = run("data", "add", "people.csv", "--name", "people")["notes"][-1]
    assert noted.endswith("missing: age; unexpected: ages; perhaps renamed: age -> ages")
    run("data", "check", "people", "--freeze")
    (folder / "people.csv").write_text(TABLE.replace("age,email", "ages,mail"))
    for words in ((), ("--unread",)):
        stopped = run("data", "add", "people.csv", "--name", "people", *words, code=3)["error"]
        assert stopped["code"] == "schema-drift"
        assert "--new-columns" in stopped["cure"]
    assert run("data", "show", "people")["ref"] == "data:people@2"
    stopped = run("data", "add", "people.csv", "--name", "people", code=3)["error"]
    assert "perhaps renamed: email -> mail" in stopped["message"]
    meant = run("data", "add", "people.csv", "--name", "people", "--new-columns")
    assert (meant["ref"], meant["is_new"]) == ("data:people@3", True)
    assert "perhaps renamed: email -> mail" in meant["notes"][-1]
    assert run("data", "check", "people", code=3)["verdict"] == "fail"


@pytest.mark.parametrize(
    ("words", "nearest"),
    [
        (["check", "peple.csv", "--suite", "people.yaml"], "people.csv"),
        (["check", "peple.csv"], "people.csv"),
        (["check", "people.csv", "--suite", "peple.yaml"], "people.yaml"),
        (["profile", "peple.csv"], "people.csv"),
        (["add", "peple.csv", "--name", "t"], "people.csv"),
        (["add", "peple.csv", "--name", "t", "--append", "--check"], "people.csv"),
        (["suite", "t", "--freeze", "peple.yaml"], "people.yaml"),
    ],
    ids=" ".join,
)
def test_a_file_that_is_not_there_is_told_with_its_neighbour(folder: Path, words: list[str], nearest: str) -> None:
    """By every command that is given one, as ``up`` does."""
    run("init")
    run("data", "add", "people.csv", "--name", "t")
    run("data", "suite", "t", "--freeze", "t@1")
    told = run("data", *words, *(["--reason", "r"] if words[0] == "suite" else []), code=2)
    assert f"did you mean {nearest}?" in told["error"]["cure"]


def test_the_suite_of_a_dataset_that_is_not_there_is_not_shown_as_none(folder: Path) -> None:
    """A slip of the pen is no answer."""
    run("init")
    run("data", "add", "people.csv", "--name", "people")
    assert "peple" in run("data", "suite", "peple", code=2)["error"]["message"]


def test_files_do_not_take_the_place_of_a_table_that_has_a_suite(folder: Path) -> None:
    """By a wrong path, for instance."""
    assert CliRunner().invoke(cli, ["init"]).exit_code == 0
    run("data", "add", "people.csv", "--name", "people")
    run("data", "check", "people", "--freeze")
    (folder / "images").mkdir()
    (folder / "images/1.png").write_bytes(b"not a table")
    stopped = run("data", "add", "images", "--name", "people", code=3)["error"]
    assert "data:people@1 is a table" in stopped["message"]
    assert len(run("data", "log", "people")["versions"]) == 1
