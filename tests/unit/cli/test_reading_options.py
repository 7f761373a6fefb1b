"""How a table is written, said on the command line and in the settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from undrift.cli.main import cli


@pytest.fixture
def project(tmp_path: Path) -> Path:
    assert typed(tmp_path, "init").exit_code == 0
    (tmp_path / "t.csv").write_text('when,price\n01/02/2013,"1,234"\n')
    return tmp_path


def typed(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, [*words, "-C", str(folder)])


def added(folder: Path, *words: str) -> Result:
    return typed(folder, "data", "add", str(folder / "t.csv"), "--name", "t", *words)


def spelt(result: Result) -> dict[str, str]:
    columns = json.loads(result.stdout)["schema"]["columns"]
    return {column["name"]: column.get("spelt", "") for column in columns}


def test_what_a_person_must_decide_ends_with_4_and_both_readings(project: Path) -> None:
    """Nothing is added."""
    asked = added(project)
    assert asked.exit_code == 4
    assert "1 February 2013 or 2 January 2013" in asked.stderr
    assert "--day-first when" in asked.stderr
    assert typed(project, "data", "log", "t").exit_code == 2


def test_options_decide(project: Path) -> None:
    """They may be given several times; the answer shows what was frozen."""
    done = added(project, "--day-first", "when", "--decimal-comma", "price", "--delimiter", ",", "--encoding", "utf-8")
    assert done.exit_code == 0
    assert "when like 31/12/2013; price like 1.234,5" in done.stdout
    assert spelt(typed(project, "data", "show", "t", "--json")) == {"when": "31/12/2013", "price": "1.234,5"}


def test_settings_decide_and_options_before_them(project: Path) -> None:
    """What a dataset is like is said once, in its settings."""
    with (project / "undrift.toml").open("a") as settings:
        settings.write('\n[datasets.t]\nmonth_first = ["when"]\nas_text = ["price"]\n')
    assert spelt(added(project, "--json")) == {"when": "12/31/2013", "price": ""}
    assert spelt(added(project, "--json", "--day-first", "when")) == {"when": "31/12/2013", "price": ""}


@pytest.mark.parametrize("words", [("--as-text", "prize"), ("--encoding", "klingon"), ("--delimiter", "ab")])
def test_a_slip_is_told(project: Path, words: tuple[str, ...]) -> None:
    """Before anything is read, or with the names that are there."""
    done = added(project, *words)
    assert done.exit_code == 2
    assert "cure:" in done.stderr
