"""Writing into undrift.toml."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from undrift.core.config import FILE_NAME, BadSettings
from undrift.loop import settings_file
from undrift.project import Project

_TEXT = """\
# ours
[project]
name = "shop"  # the shop

[models.churn]
dataset = "customers"
target = "churned"  # decided in May
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path, _TEXT) as made:
        yield made


def test_what_people_wrote_stays(project: Project) -> None:
    """Comments, order and untouched keys are the same afterwards; a new key brings its reason."""

    def drop(document: settings_file.TOMLDocument) -> None:
        where = settings_file.table(document, "models", "churn")
        settings_file.put(where, {"target": "churned", "drop": ("id",)}, {"drop": "id: every row\nhas its own"})

    assert settings_file.edit(project, drop)
    assert (project.root / FILE_NAME).read_text() == _TEXT + 'drop = ["id"] # id: every row has its own\n'
    assert project.settings.model("churn").drop == ("id",)


def test_an_edit_that_changes_nothing_writes_nothing(project: Project) -> None:
    """Running a command again leaves the file alone."""
    before = (project.root / FILE_NAME).stat().st_mtime_ns
    assert not settings_file.edit(project, lambda document: settings_file.table(document, "models", "churn"))
    assert (project.root / FILE_NAME).stat().st_mtime_ns == before


def test_an_edit_that_would_break_the_settings_is_refused(project: Project) -> None:
    """The file that was good stays."""
    with pytest.raises(BadSettings, match="colour"):
        settings_file.edit(
            project, lambda document: settings_file.put(settings_file.table(document, "models", "churn"), {"colour": 1})
        )
    assert (project.root / FILE_NAME).read_text() == _TEXT


def test_a_model_whose_name_holds_a_dot_is_one_table(project: Project) -> None:
    """``a.b`` is a name, not a table in a table."""
    values = {"dataset": "a.b", "target": "y"}
    settings_file.edit(
        project, lambda document: settings_file.put(settings_file.table(document, "models", "a.b"), values)
    )
    assert project.settings.model("a.b").target == "y"
