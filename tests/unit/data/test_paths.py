"""Paths of a dataset's files."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from undrift.data.paths import UnsafePath, check_distinct, check_path

HOSTILE = [
    "",
    "/etc/passwd",
    "..",
    "../x",
    "a/../../x",
    "a/./b",
    "a//b",
    "a/",
    "C:/x",
    "c:x",
    "a\\b",
    "a\x00b",
    "a\nb",
    "x:stream",
    ".git/hooks/pre-commit",
    "a/.GIT/config",
    ".undrift/ledger.db",
    "nul",
    "COM1.txt",
    "a.",
    "a ",
    "x" * 256,
    "/".join(["abcdefghi"] * 110),
]


@pytest.mark.parametrize("path", HOSTILE)
def test_a_path_that_could_lie_elsewhere_is_refused(path: str) -> None:
    """Before anything is written."""
    with pytest.raises(UnsafePath):
        check_path(path)


@pytest.mark.parametrize(
    "path", ["a.csv", "2013/01/flights.parquet", "my file (1).csv", "Zürich.csv", ".hidden", "nullable"]
)
def test_plain_paths_are_taken_as_they_are(path: str) -> None:
    """Spaces, accents and dots in front are fine."""
    assert check_path(path) == path


@pytest.mark.parametrize(
    "paths", [("a", "a"), ("a.csv", "A.CSV"), ("é", "e\u0301"), ("a", "a/b"), ("A", "a/b/c"), ("straße", "STRASSE")]
)
def test_paths_that_are_one_file_somewhere_are_refused(paths: tuple[str, ...]) -> None:
    """Case, Unicode form, and a file that is also a folder."""
    with pytest.raises(UnsafePath):
        check_distinct(paths)


@settings(deadline=None)
@given(st.text(alphabet="./\\abC:~\x00 ", max_size=12))
def test_an_accepted_path_never_leaves_its_folder(path: str) -> None:
    """Whatever is tried."""
    try:
        check_path(path)
    except UnsafePath:
        return
    assert ".." not in PurePosixPath(path).parts
    assert Path("/srv/folder", path).resolve().is_relative_to("/srv/folder")
