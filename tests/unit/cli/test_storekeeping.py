"""``undrift data gc`` as it is typed, where small additions left many packs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from undrift.blobs.merging import MOST_SMALL
from undrift.blobs.storing import store_file
from undrift.cli.main import cli
from undrift.project import Project

COUNT = MOST_SMALL + 4


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a project with a version of whose files each lies in a pack of its own."""
    (tmp_path / "days").mkdir()
    with Project.create(tmp_path / "project") as made:
        for number in range(COUNT):
            file = tmp_path / f"days/{number:02}.csv"
            file.write_text(f"x\n{number}\n")
            store_file(made.data._blobs, file)
        made.data.add(tmp_path / "days", "days", actor=made.actor)
    return tmp_path / "project"


def gc(project: Path, *words: str) -> str:
    """Run it, and return what it prints."""
    result = CliRunner().invoke(cli, ["data", "gc", "-C", str(project), *words])
    assert result.exit_code == 0, result.output
    return result.stdout


def packs(project: Path) -> list[Path]:
    return sorted((project / ".undrift/blobs/packs").glob("??/*.pack"))


def test_a_dry_run_tells_what_would_be_merged_and_changes_nothing(project: Path) -> None:
    """The same counts as the work itself."""
    before = packs(project)
    assert gc(project, "--dry-run").splitlines()[-1] == f"packs to be merged: {COUNT} -> 1"
    assert packs(project) == before
    assert gc(project).splitlines()[-1] == f"packs merged: {COUNT} -> 1"
    assert len(packs(project)) == 1


def test_machines_get_the_counts(project: Path) -> None:
    """And where nothing is worth merging they are 0."""
    assert json.loads(gc(project, "--json"))["merged"] == {"packs": COUNT, "into": 1, "damaged": [], "complete": True}
    assert json.loads(gc(project, "--json"))["merged"]["packs"] == 0
    assert "merged" not in gc(project)


def test_a_damaged_small_pack_is_told_with_the_cure(project: Path) -> None:
    """It is not touched."""
    damaged = packs(project)[0]
    damaged.chmod(0o600)
    damaged.write_bytes(b"\0" + damaged.read_bytes()[1:])
    told = gc(project).splitlines()
    assert told[-2:] == [
        f"packs merged: {COUNT - 1} -> 1",
        "1 damaged small packs stay as they are: undrift data fsck --repair",
    ]
    assert damaged in packs(project)
