"""A project as Python opens it."""

from __future__ import annotations

from pathlib import Path

import pytest

import undrift


def test_a_project_is_found_from_below_by_path_by_text_and_from_where_we_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a notebook has is a text, or nothing."""
    below = tmp_path / "notebooks"
    below.mkdir()
    undrift.Project.create(str(tmp_path)).close()
    monkeypatch.chdir(below)
    for found in (
        undrift.Project.open(below),
        undrift.Project.open(str(below)),
        undrift.Project.open(),
    ):
        with found as project:
            assert project.root == tmp_path
