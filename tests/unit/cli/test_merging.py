"""`undrift data merge`: what a person and a program are told, and the exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from undrift.cli.main import cli
from undrift.project import Project


class Shell:
    """Types commands in a project."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, name: str, *rows: str) -> None:
        """Add rows as a version."""
        (self.folder / "t.csv").write_text("id,mail\n" + "".join(f"{row}\n" for row in rows))
        assert self.data("add", str(self.folder / "t.csv"), "--name", name).exit_code == 0

    def data(self, *words: str) -> Result:
        """Run a command."""
        return CliRunner().invoke(cli, ["data", *words, "-C", str(self.folder)])

    def json(self, *words: str) -> tuple[int, Any]:
        """Run a command and return its exit code and document."""
        done = self.data(*words, "--json")
        return done.exit_code, json.loads(done.stdout)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Give a branch and a line that both changed the same row, and others."""
    Project.create(tmp_path).close()
    made = Shell(tmp_path)
    made.add("t", *(f"{n},u{n}@example.org" for n in range(9)))
    assert made.data("branch", "t", "fix", "-m", "wrong addresses").exit_code == 0
    made.add("t", "0,here@example.org", *(f"{n},u{n}@example.org" for n in range(1, 9)))
    made.add("fix", "0,there@example.org", *(f"{n},u{n}@example.org" for n in range(1, 8)), "8,new@example.org")
    return made


def test_a_file_that_both_changed_is_told_with_the_cure(shell: Shell) -> None:
    """Exit code 3; the cure names what can be done."""
    done = shell.data("merge", "fix", "t")
    assert done.exit_code == 3
    assert "1 conflict of data:t@2 (here) and data:fix@2 (there) since data:t@1" in done.stdout
    assert "file t.csv: changed on both sides in different ways" in done.stdout
    assert "--key COLUMN merges rows; make both sides equal there, or --take ours (of data:t@2)" in done.stdout
    code, told = shell.json("merge", "fix", "data:t")
    assert (code, told["outcome"], told["version"]) == (3, "conflicts", None)
    assert told["conflicts"] == {
        "total": 1,
        "told": [{"what": "file", "why": "changed on both sides in different ways", "path": "t.csv"}],
    }


def test_cells_that_both_changed_are_told_masked(shell: Shell) -> None:
    """By key and column; no address is shown."""
    done = shell.data("merge", "fix", "t", "--key", "id")
    assert done.exit_code == 3
    assert "id=0: mail is masked:" in done.stdout
    assert "example.org" not in done.stdout
    code, told = shell.json("merge", "fix", "t", "--key", "id")
    [cell] = told["conflicts"]["told"]
    assert (code, cell["what"], cell["key"], cell["column"]) == (3, "cell", {"id": "0"}, "mail")
    assert cell["ours"].startswith("masked:")
    assert cell["ours"] != cell["theirs"]


def test_what_is_taken_is_merged_shown_and_listed(shell: Shell) -> None:
    """Version, tag and where it came from; the log and the list of branches know it."""
    plan = shell.data("merge", "fix", "t", "--key", "id", "--take", "theirs", "--dry-run")
    assert (plan.exit_code, "would be merged" in plan.stdout) == (0, True)
    done = shell.data("merge", "fix", "t", "--key", "id", "--take", "theirs", "--tag", "mended")
    assert done.exit_code == 0
    assert done.stdout.startswith("data:fix@2 merged, with what data:t@2 has of its own")
    assert "rows: 0 added, 0 removed, 2 changed" in done.stdout
    assert "a merge of data:fix@2" in shell.data("show", "t@mended").stdout
    log = shell.data("log", "t").stdout
    assert "data:t@3 is a merge of data:fix@2" in log
    assert "data:fix left at data:t@1" in log
    assert "data:fix@1 is a branch of data:t@1" in shell.data("log", "fix").stdout
    _, told = shell.json("branches", "t")
    assert [(one["branch"], one["is_merged"], one["merged"]) for one in told["branches"]] == [
        ("data:fix", True, "data:t@3")
    ]
    again = shell.data("merge", "fix", "t")
    assert (again.exit_code, again.stdout) == (0, "nothing to merge: data:t@3 has all that data:fix@2 has\n")


def test_what_does_not_pass_the_suite_is_told_by_expectation(shell: Shell) -> None:
    """Exit code 3, nothing is written; without a check it is."""
    (shell.folder / "suite.yaml").write_text(
        "name: t\nexpectations:\n  - expect_column_values_to_be_between: {column: id, max_value: 8}\n"
    )
    froze = shell.data("suite", "t", "--freeze", str(shell.folder / "suite.yaml"))
    if froze.exit_code:
        raise AssertionError(froze.output)
    shell.add("fix", *(f"{n},u{n}@example.org" for n in range(10)))
    done = shell.data("merge", "fix", "t", "--key", "id")
    assert done.exit_code == 3
    assert "refused by the suite of data:t@2:" in done.stdout
    assert "add a mended version to data:fix and merge again" in done.stdout
    assert shell.json("merge", "fix", "t", "--key", "id", "--no-check")[0] == 0


def test_other_columns_are_a_note(shell: Shell) -> None:
    """And exit code 3 where a suite is frozen, as of an addition."""
    (shell.folder / "wide.csv").write_text("id,mail,x\n" + "".join(f"{n},u{n}@example.org,1\n" for n in range(9)))
    assert shell.data("add", str(shell.folder / "wide.csv"), "--name", "fix").exit_code == 0
    done = shell.data("merge", "fix", "t", "--key", "id")
    assert (done.exit_code, "note: the columns are not those of data:t@2; unexpected: x" in done.stdout) == (0, True)
