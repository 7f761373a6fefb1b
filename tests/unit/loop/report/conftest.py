"""Projects with a trained version of each task, whose reports are read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from undrift.loop.report.facts import report_facts
from undrift.loop.training.home import training_of
from undrift.project import Project
from unit.evaluation.training_tables import START, bundled, by_day

HOSTILE = "<script>alert(1)</script>"
DAYS = 40
SETTINGS = """
[models.m]
dataset = "table"
target = "{target}"
candidates = [{candidates}]
folds = 3
{more}
"""
TIMED = 'time = "at"\nlabel_time = "known"\nkey = "id"\nowner = "Ada & Co"\nkeep = ["rare"]\nintended_use = "a test"'


def hostile_table() -> pl.DataFrame:
    """Two classes, a column and a category that are markup."""
    rng = np.random.default_rng(0)
    kind = rng.choice(["a", HOSTILE], 400)
    x = rng.normal(size=400)
    return pl.DataFrame(
        {HOSTILE: x, "kind": kind, "y": np.where(x + (kind == "a") + rng.normal(size=400) > 0, "yes", "no")}
    )


TABLES: dict[str, tuple[Callable[[], pl.DataFrame], str, str, str]] = {
    "timed": (lambda: by_day(DAYS, 40), "late", '"linear", "random_forest"', TIMED),
    "hostile": (hostile_table, "y", '"linear"', ""),
    "classes": (lambda: bundled("wine"), "target", '"linear"', 'task = "multiclass"'),
    "numbers": (lambda: bundled("diabetes"), "target", '"linear"', ""),
}


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that gives the folder of a project with one trained version, by name of its table."""

    @cache
    def make(name: str) -> Path:
        table, target, candidates, more = TABLES[name]
        folder = tmp_path_factory.mktemp(name)
        settings = SETTINGS.format(target=target, candidates=candidates, more=more)
        with Project.create(folder, settings) as project:
            project.data.add_frame(table(), "table", actor=project.actor)
            as_of = START + timedelta(days=DAYS) if name == "timed" else None
            training_of(project).train("m", actor=project.actor, as_of=as_of)
        return folder

    return make


@pytest.fixture
def facts(trained: Callable[[str], Path]) -> Callable[[str], dict[str, Any]]:
    """Return a function that gives the facts of a trained version, by name of its table."""

    def read(name: str) -> dict[str, Any]:
        with Project.open(trained(name)) as project:
            return report_facts(project, project.registry.resolve("m@1"))

    return read
