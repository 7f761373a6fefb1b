"""A file in a watched folder becomes data, unasked, once, and only when it lies still."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from undrift.core.config import BadSettings
from undrift.loop.arriving import BadFolder, folders, watch
from undrift.loop.tick import tick
from undrift.project import Project

from .conftest import ADA


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Give a project that watches a folder."""
    with Project.create(tmp_path / "project") as project:
        (project.root / "in").mkdir()
        watch(project, "sales", "in")
        yield project


def _deliver(project: Project, name: str, text: str) -> Path:
    file = project.root / "in" / name
    file.write_text(text)
    return file


def _passes(project: Project, count: int = 2) -> list[str]:
    return [line for _ in range(count) for line in tick(project).done]


def test_a_new_file_becomes_a_version_at_the_second_look(project: Project) -> None:
    """The first one only sees it; nothing is due after that."""
    _deliver(project, "june.csv", "a\n1\n")
    assert tick(project).done == []
    assert tick(project).done == ["in: june.csv added as data:sales@1"]
    _deliver(project, "july.csv", "a\n2\n")
    assert _passes(project, 4) == ["in: july.csv added as data:sales@2"]
    assert project.data.read("sales")["a"].to_list() == [1, 2]
    events = project.ledger.events("data:sales", ["data.arrived"])
    assert [(str(one.actor), one.body["file"], one.body["told"]) for one in events] == [
        ("service:receiver", "june.csv", "data:sales@1"),
        ("service:receiver", "july.csv", "data:sales@2"),
    ]


def test_a_file_that_is_still_being_written_is_left_alone(project: Project) -> None:
    """As long as it grows between two looks; a temporary name is not even looked at."""
    file = _deliver(project, "june.csv", "a\n1\n")
    unfinished = _deliver(project, "july.csv.part", "a\n7\n")
    for row in range(3):
        with file.open("a") as growing:
            growing.write(f"{row}\n")
        assert tick(project).done == []
    assert _passes(project) == ["in: june.csv added as data:sales@1"]
    unfinished.rename(unfinished.with_suffix(""))
    assert _passes(project) == ["in: july.csv added as data:sales@2"]
    assert project.data.get("sales").rows == 5


def test_the_same_bytes_are_taken_once_under_whatever_name(project: Project) -> None:
    """Also when their file is touched."""
    file = _deliver(project, "june.csv", "a\n1\n")
    _passes(project)
    _deliver(project, "copy.csv", "a\n1\n")
    os.utime(file, ns=(1, 1))
    assert _passes(project, 3) == [
        "in: june.csv holds what came before: nothing to add",
        "in: copy.csv holds what came before: nothing to add",
    ]
    assert [one.number for one in project.data.log("sales")] == [1]


def test_a_changed_file_comes_again(project: Project) -> None:
    """As the batch that it is now."""
    _deliver(project, "daily.csv", "a\n1\n")
    _passes(project)
    _deliver(project, "daily.csv", "a\n22\n")
    assert _passes(project) == ["in: daily.csv added as data:sales@2"]


def test_what_cannot_be_read_is_told_once_and_tried_again_when_it_changes(project: Project) -> None:
    """The event names the code of the error and holds no cell."""
    _deliver(project, "june.csv", "a\n1\n")
    _passes(project)
    _deliver(project, "july.csv", "a\nSecretName\n")
    (told,) = _passes(project, 4)
    assert "could not be taken (bad-table): undrift data add in/july.csv --name sales --append" in told
    assert [one.path for one in folders(project)[0].failed] == ["july.csv"]
    assert "SecretName" not in str([event.body for event in project.ledger.events()])
    _deliver(project, "july.csv", "a\n2\n")
    assert _passes(project) == ["in: july.csv added as data:sales@2"]
    assert folders(project)[0].failed == ()


def test_batches_pass_the_frozen_suite(project: Project) -> None:
    """Bad rows go to quarantine, a bad batch is refused."""
    _deliver(project, "june.csv", "a,b\n" + "".join(f"{n},x\n" for n in range(100)))
    _passes(project)
    project.data.freeze_suite("sales", project.data.suggest_suite("sales"), actor=ADA)
    _deliver(project, "july.csv", "a,b\n" + "".join(f"{n},x\n" for n in range(100, 199)) + ",x\n")
    _deliver(project, "august.csv", "a,b\n" + ",x\n" * 50)
    told = _passes(project)
    assert "in: july.csv admitted as data:sales@2" in told
    assert "in: august.csv refused by the suite, kept in quarantine" in told
    assert len(list((project.store / "quarantine" / "sales").iterdir())) >= 1


def test_links_and_hidden_files_are_no_deliveries(project: Project, tmp_path: Path) -> None:
    """Nothing outside the folder is read."""
    (tmp_path / "secret.csv").write_text("a\n1\n")
    (project.root / "in" / "link.csv").symlink_to(tmp_path / "secret.csv")
    _deliver(project, ".hidden.csv", "a\n1\n")
    _deliver(project, "empty.csv", "")
    assert _passes(project, 3) == []


def test_a_pass_that_is_killed_is_repeated_without_doubling(project: Project) -> None:
    """Killed between the addition and the word of it."""
    _deliver(project, "june.csv", "a\n1\n")
    tick(project)
    code = (
        "import os, sys; from pathlib import Path\n"
        "from undrift.loop import arriving; from undrift.project import Project\n"
        "arriving.replace = lambda *_, **__: os.kill(os.getpid(), 9)\n"
        "arriving.take_arrivals(Project.open(Path(sys.argv[1])))"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(project.root)], check=False, timeout=120)
    assert killed.returncode == -9
    assert project.data.get("sales").number == 1
    assert _passes(project) == ["in: june.csv added as data:sales@1"]
    assert project.data.get("sales").rows == 1


def test_the_setting_is_written_and_taken_back(project: Project) -> None:
    """What is there is kept; a folder of undrift's own is refused."""
    assert '[datasets.sales]\nwatch = "in"' in (project.root / "undrift.toml").read_text()
    assert not watch(project, "sales", "in")
    for folder in ("nowhere", ".undrift/blobs", "."):
        with pytest.raises(BadFolder):
            watch(project, "other", folder)
    assert watch(project, "sales", None)
    assert folders(project) == []
    (project.root / "undrift.toml").write_text('[datasets.sales]\nwatch = ""\n')
    with pytest.raises(BadSettings):
        project.reload_settings()
