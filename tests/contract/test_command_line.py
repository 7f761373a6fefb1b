"""One contract over the whole tree of commands."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from undrift.cli.command import LazyGroup
from undrift.cli.main import cli

UNDRIFT = [sys.executable, "-m", "undrift"]


def _leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        if isinstance(found, click.Group):
            yield from _leaves(found, (*path, name))
        else:
            yield (*path, name), found


LEAVES = dict(_leaves(cli))
GROUPS = [name for name in cli.list_commands(click.Context(cli)) if (name,) not in LEAVES]


def _run(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*UNDRIFT, *words], cwd=folder, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_command_takes_json_and_a_project_folder(path: tuple[str, ...]) -> None:
    """--json and -C mean the same everywhere."""
    options = {flag for param in LEAVES[path].params for flag in param.opts}
    assert {"--json", "-C", "--project"} <= options


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_command_shows_an_example_of_itself(path: tuple[str, ...]) -> None:
    """The help of a command ends with a line that can be typed."""
    assert LEAVES[path].epilog, "no example"
    assert f"undrift {' '.join(path)}" in str(LEAVES[path].epilog)


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_command_and_option_says_what_it_is_for(path: tuple[str, ...]) -> None:
    """No command and no option goes without a word of help."""
    assert LEAVES[path].help
    silent = [param.name for param in LEAVES[path].params if isinstance(param, click.Option) and not param.help]
    assert silent == []


@pytest.mark.parametrize("name", GROUPS)
def test_nouns_are_singular_and_hold_verbs(name: str) -> None:
    """`data add`, `run list`: a noun in the singular, then what to do."""
    group = cli.get_command(click.Context(cli), name)
    assert isinstance(group, LazyGroup)
    assert name == "data" or not name.endswith("s")


@pytest.mark.parametrize("words", [["status"], ["history"], ["data", "log", "x"], ["model", "list"], ["tick"]])
def test_outside_a_project_the_error_names_the_cure(words: list[str], tmp_path: Path) -> None:
    """Exit code 2, nothing on standard output, and what to type next."""
    answer = _run(*words, folder=tmp_path)
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert "undrift init" in answer.stderr


def test_an_error_is_json_when_json_was_asked_for(tmp_path: Path) -> None:
    """Scripts read one document from standard output, also when it went wrong."""
    answer = _run("status", "--json", folder=tmp_path)
    assert json.loads(answer.stdout)["error"]["code"] == "no-project"


def test_a_wrong_word_is_a_usage_error(tmp_path: Path) -> None:
    """Exit code 2 and the nearest command's name."""
    answer = _run("stauts", folder=tmp_path)
    assert answer.returncode == 2
    assert "status" in answer.stderr


def test_nothing_is_made_in_the_folder_by_asking(tmp_path: Path) -> None:
    """Reading commands leave no trace where there is no project."""
    _run("status", folder=tmp_path)
    assert list(tmp_path.iterdir()) == []
