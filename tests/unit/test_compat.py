"""The chapter's names: the faults of the sample are gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from undrift.blobs.store import BlobCorrupt
from undrift.compat import SimpleDataVersioning
from undrift.core.errors import BadInput, NotFound
from undrift.core.ids import BadName
from undrift.data.checkout import BadTarget
from undrift.data.versions import DatasetNotFound, TagTaken
from undrift.data.workspace import SourceNotFound


@pytest.fixture
def versions(tmp_path: Path) -> Iterator[SimpleDataVersioning]:
    found = SimpleDataVersioning(tmp_path / "store")
    yield found
    found.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "data.csv"
    path.write_text("x\n1\n")
    return path


def test_the_chapters_example_works(versions: SimpleDataVersioning, file: Path, tmp_path: Path) -> None:
    """Add, change, add, list, check the first one out."""
    versions.add(file, "v1.0.0")
    file.write_text("x\n1\n2\n")
    versions.add(file, "v1.1.0")
    assert [(one.tags, one.bytes) for one in versions.list_versions()] == [(("v1.1.0",), 6), (("v1.0.0",), 4)]
    assert versions.checkout("v1.0.0", tmp_path / "data_old.csv").read_text() == "x\n1\n"


def test_a_tag_is_not_silently_given_to_other_bytes(versions: SimpleDataVersioning, file: Path, tmp_path: Path) -> None:
    """The chapter's second add with a tag takes the place of the first."""
    versions.add(file, "v1.0.0")
    versions.add(file, "v1.0.0")
    file.write_text("x\n3\n")
    with pytest.raises(TagTaken):
        versions.add(file, "v1.0.0")
    assert versions.checkout("v1.0.0", tmp_path / "old.csv").read_text() == "x\n1\n"


@pytest.mark.parametrize("tag", ["../../pwned", "a/b", "", "V 1"])
def test_a_tag_is_no_path(versions: SimpleDataVersioning, file: Path, tag: str) -> None:
    """The chapter makes a file name of it."""
    with pytest.raises(BadName):
        versions.add(file, tag)


def test_what_is_missing_is_named(versions: SimpleDataVersioning, file: Path, tmp_path: Path) -> None:
    """A file, a version; both are errors with a code and a cure."""
    assert versions.list_versions() == []
    with pytest.raises(SourceNotFound, match=r"gone\.csv"):
        versions.add(tmp_path / "gone.csv", "v1.0.0")
    versions.add(file, "v1.0.0")
    with pytest.raises(DatasetNotFound, match=r"v9\.0\.0"):
        versions.checkout("v9.0.0", tmp_path / "out.csv")
    assert issubclass(SourceNotFound, NotFound | BadInput)


def test_a_file_that_is_there_is_not_overwritten(versions: SimpleDataVersioning, file: Path) -> None:
    """The chapter writes over the working file."""
    versions.add(file, "v1.0.0")
    file.write_text("x\nwork of today\n")
    with pytest.raises(BadTarget):
        versions.checkout("v1.0.0", file)
    assert "work of today" in file.read_text()


def test_a_damaged_version_is_not_checked_out(versions: SimpleDataVersioning, file: Path, tmp_path: Path) -> None:
    """The chapter copies whatever lies there."""
    versions.add(file, "v1.0.0")
    for stored in (tmp_path / "store" / ".undrift" / "blobs").rglob("*"):
        data = stored.read_bytes() if stored.is_file() else b""
        if b"x\n1\n" in data:
            stored.chmod(0o600)
            stored.write_bytes(data.replace(b"x\n1\n", b"x\n7\n"))
    with pytest.raises(BlobCorrupt):
        versions.checkout("v1.0.0", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
