"""`undrift data add` and `status` of what did not change: the right answer, and nothing heavy is loaded for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from undrift.blobs.errors import BlobCorrupt
from undrift.project import Project

from .running import HEAVY, run


@pytest.fixture
def project(tmp_path: Path) -> Path:
    Project.create(tmp_path / "project").close()
    (tmp_path / "project/days").mkdir()
    (tmp_path / "project/days/1.csv").write_text("x\n1\n")
    (tmp_path / "project/days/2.csv").write_text("x\n2\n")
    return tmp_path / "project"


def states(answer: dict[str, object]) -> dict[str, tuple[object, ...]]:
    places = answer["places"]
    assert isinstance(places, list)
    return {
        Path(one["path"]).name: (one["unchanged"], one["changed"], one["missing"], one["new"]) for one in places
    }  # fmt: skip


def test_an_unchanged_addition_answers_as_the_first_did_and_loads_nothing_heavy(project: Path) -> None:
    """By a look at the files and at two databases."""
    first, _ = run(project, "add", "days", "--name", "days", "--tag", "june")
    again, loaded = run(project, "add", "days", "--name", "days")
    assert again == {**first, "is_new": False, "stored_bytes": 0}
    assert (first["is_new"], first["stored_bytes"]) == (True, 8)
    assert loaded & HEAVY == set()
    assert run(project, "add", "days", "--name", "days", "--tag", "june")[0] == again


def test_a_batch_of_bytes_that_came_before_is_told(project: Path) -> None:
    """It adds no row, which its sender may not expect."""
    run(project, "add", "days/1.csv", "--name", "days")
    assert run(project, "add", "days/2.csv", "--name", "days", "--append")[0]["is_new"]
    again, _ = run(project, "add", "days/1.csv", "--name", "days", "--append")
    assert (again["ref"], again["is_new"]) == ("data:days@2", False)
    assert again["notes"] == ["data:days@2 has these bytes already: no row was added"]


@pytest.mark.parametrize("words", [("--tag", "new"), ("--unread",), ("--append",), ("--as-text", "x")])
def test_what_asks_for_more_takes_the_long_way(project: Path, words: tuple[str, ...]) -> None:
    """Another tag, another way of reading."""
    run(project, "add", "days", "--name", "days")
    _, loaded = run(project, "add", "days", "--name", "days", *words)
    assert "sqlalchemy" in loaded


def test_a_newer_version_a_changed_file_and_changed_settings_are_seen(project: Path) -> None:
    """The version is the one that these files make, whatever was added in between."""
    run(project, "add", "days", "--name", "days")
    (project / "other.csv").write_text("x\n9\n")
    run(project, "add", "other.csv", "--name", "days")
    assert run(project, "add", "days", "--name", "days")[0]["ref"] == "data:days@3"
    (project / "days/1.csv").write_text("x\n7\n")
    assert run(project, "add", "days", "--name", "days")[0]["ref"] == "data:days@4"
    with (project / "undrift.toml").open("a") as file:
        file.write('[datasets.days]\nas_text = ["x"]\n')
    answer, _ = run(project, "add", "days", "--name", "days")
    assert answer["schema"]["columns"][0]["type"] == "string"  # type: ignore[index, call-overload]


def test_a_change_that_leaves_size_and_time_as_they_were_is_seen(project: Path) -> None:
    """A file changed within one tick of the file system's clock after it was looked at is read again."""
    path = project / "days/1.csv"
    run(project, "add", "days", "--name", "days")
    before = path.stat()
    path.write_text("x\n8\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    answer, _ = run(project, "status")
    assert states(answer) == {"days": (False, ["1.csv"], [], [])}


def test_status_tells_what_became_of_files(project: Path) -> None:
    """Unchanged, touched only, changed, missing, new; and loads nothing heavy."""
    run(project, "add", "days", "--name", "days")
    answer, loaded = run(project, "status")
    assert states(answer) == {"days": (True, [], [], [])}
    assert loaded & HEAVY == set()
    os.utime(project / "days/1.csv")
    assert states(run(project, "status")[0]) == {"days": (True, [], [], [])}
    (project / "days/1.csv").write_text("changed")
    (project / "days/2.csv").unlink()
    (project / "days/3.csv").write_text("new")
    assert states(run(project, "status", "days")[0]) == {"days": (False, ["1.csv"], ["2.csv"], ["3.csv"])}
    assert run(project, "status", "elsewhere", code=2)[0]["error"]["code"] == "not-found"  # type: ignore[index, call-overload]


def test_a_checkout_is_a_place_too(project: Path, tmp_path: Path) -> None:
    """Also outside of the project."""
    run(project, "add", "days", "--name", "days")
    run(project, "checkout", "days", "-o", str(tmp_path / "out"))
    assert states(run(project, "status")[0]) == {"days": (True, [], [], []), "out": (True, [], [], [])}
    (tmp_path / "out/1.csv").write_text("changed")
    assert states(run(project, "status")[0])["out"] == (False, ["1.csv"], [], [])


def test_a_moved_project_knows_its_places(project: Path, tmp_path: Path) -> None:
    """They are kept relative to it."""
    run(project, "add", "days", "--name", "days")
    project.rename(tmp_path / "moved")
    assert states(run(tmp_path / "moved", "status")[0]) == {"days": (True, [], [], [])}


def test_a_damaged_record_of_places_is_begun_again(project: Path) -> None:
    """It is no part of history."""
    run(project, "add", "days", "--name", "days")
    (project / ".undrift/places.db").write_bytes(b"no database" * 500)
    assert states(run(project, "status")[0]) == {}
    assert run(project, "add", "days", "--name", "days")[0]["ref"] == "data:days@1"
    assert states(run(project, "status")[0]) == {"days": (True, [], [], [])}


def test_adding_unchanged_files_heals_what_was_found_damaged(project: Path) -> None:
    """The short way is not taken then."""
    run(project, "add", "days", "--name", "days")
    with Project.open(project) as opened:
        (pack,) = [opened.blobs.packs.files.path(name) for name in opened.blobs.packs.files.names()]
        pack.chmod(0o600)
        pack.write_bytes(pack.read_bytes().replace(b"x\n2", b"x\n3", 1))
        for path in (project / ".undrift/blobs/whole").glob("??/*"):
            path.unlink()
        with pytest.raises(BlobCorrupt):
            opened.data.read("days")
        run(project, "add", "days", "--name", "days")
        assert opened.data.read("days")["x"].to_list() == [1, 2]
