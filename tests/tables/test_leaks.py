"""A leak stops `undrift up` before anything is live; what a person then decides is obeyed, and kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import undrift
from e2e.doors import Shell, ask
from tables.catalogue import WRITERS, expectation

LEAKS = [name for name in WRITERS if expectation(name).suspicions]


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """Give an empty folder; what was served in it is stopped afterwards."""
    made = Shell(tmp_path, patience_s=900.0)
    yield made
    made.close()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "leak_filled" else pytest.mark.slow) for name in LEAKS]
)
def test_a_leak_stops_it_and_nothing_is_made(shell: Shell, name: str) -> None:
    """Exit code 4, the column named with the way on; no project, no package, no endpoint."""
    table = WRITERS[name](shell.folder)
    (column,) = expectation(name).suspicions
    stopped = shell.undrift("up", table.name, "--target", expectation(name).target)
    assert stopped.code == 4, stopped.err
    told = stopped.out + stopped.err
    assert f"--drop {column}" in told
    assert f"--keep {column}" in told
    assert [path.name for path in shell.folder.iterdir()] == [table.name]


@pytest.mark.slow
@pytest.mark.parametrize("name", LEAKS)
def test_without_the_leak_it_comes_up(shell: Shell, name: str) -> None:
    """--drop takes the column out of the inputs, for this model and the next."""
    table = WRITERS[name](shell.folder)
    (column,) = expectation(name).suspicions
    up = shell.undrift("up", table.name, "--target", expectation(name).target, "--drop", column, "--json")
    assert up.code == 0, up.err
    loaded = undrift.load(up.json["version"], project=shell.folder)
    assert column not in [one.name for one in loaded.package.manifest.inputs]
    assert len(ask(up.json["url"], {"rows": [dict(loaded.package.golden().rows[0])]})) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", LEAKS)
def test_a_leak_that_is_kept_is_on_the_card(shell: Shell, name: str) -> None:
    """--keep is an override: it comes up, and the card says so for ever."""
    table = WRITERS[name](shell.folder)
    (column,) = expectation(name).suspicions
    up = shell.undrift("up", table.name, "--target", expectation(name).target, "--keep", column, "--json")
    assert up.code == 0, up.err
    card = undrift.load(up.json["version"], project=shell.folder).package.read("MODEL_CARD.md").decode()
    assert [line for line in card.splitlines() if column in line and "kept" in line.lower()]
