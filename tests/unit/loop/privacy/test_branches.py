"""An erasure reaches the branches of a dataset, and from a branch what it left: they are the same people's rows."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from undrift.data.branches.merging import Manner
from undrift.data.erasing import Subject
from undrift.loop.privacy.erasure import KIND, erase, erasures, plan

from .conftest import ADA, BOB, People


@pytest.fixture
def branched(people: People, tmp_path: Path) -> People:
    """Give a branch with a repaired file, a branch of it with another one, and a branch with quarantine."""
    project = people.project
    data, actor = project.data, project.actor
    data.branches.branch("flights@2", "fix", actor=actor)
    data.branches.branch("fix", "deep", actor=actor)
    data.branches.branch("flights@1", "held", actor=actor)
    for name, x in (("fix", 7.0), ("deep", 8.0)):
        pl.DataFrame({"email": [ADA, BOB], "x": [x, x]}).write_csv(tmp_path / f"{name}.csv")
        data.add(tmp_path / f"{name}.csv", name, actor=actor)
    pl.DataFrame({"email": [ADA, BOB, BOB], "x": [-3.0, 4.5, 5.5]}).write_csv(tmp_path / "held.csv")
    data.admit(tmp_path / "held.csv", "held", actor=actor)
    return people


@pytest.mark.parametrize("asked", ["flights", "fix", "deep", "held"])
def test_whoever_is_erased_from_one_is_erased_from_all(branched: People, asked: str) -> None:
    """Up, down and across: versions, quarantine, refused batches and logs; everybody else stays."""
    project = branched.project
    subject = Subject(asked, "email", frozenset({ADA}))
    planned = plan(project, subject).removed
    assert branched.holding(ADA)
    erased = erase(project, subject, "her request")
    assert branched.holding(ADA) == []
    assert erased.removed == planned
    for ref, bobs in (("flights@1", 5), ("flights@2", 7), ("fix@1", 7), ("fix@2", 1), ("deep@2", 1), ("held@1", 5)):
        assert project.data.read(ref)["email"].to_list().count(BOB) == bobs
    assert {event.subject for event in project.ledger.events(kinds=[KIND])} == {
        "data:flights", "data:fix", "data:deep", "data:held",
    }  # fmt: skip
    assert erasures(project, "deep") == {"data:deep@1": 5, "data:deep@2": 1}
    assert project.verify().ok


def test_strangers_are_left_alone(branched: People, tmp_path: Path) -> None:
    """A dataset that is no branch is asked for by itself."""
    project = branched.project
    pl.DataFrame({"email": [ADA], "y": [1]}).write_csv(tmp_path / "other.csv")
    project.data.add(tmp_path / "other.csv", "other", actor=project.actor)
    erase(project, Subject("flights", "email", frozenset({ADA})), "her request")
    assert project.data.read("other")["email"].to_list() == [ADA]


def test_erased_rows_do_not_come_back_by_a_merge(people: People, tmp_path: Path) -> None:
    """Neither of files that only one side changed, nor of rows that are merged; who is erased later is gone from it."""
    project = people.project
    data, actor = project.data, project.actor
    table = pl.DataFrame({"id": [1, 2, 3], "email": [ADA, BOB, "eve@example.org"], "x": [1.0, 2.0, 3.0]})
    table.write_csv(tmp_path / "t.csv")
    data.add(tmp_path / "t.csv", "t", actor=actor)
    data.branches.branch("t", "mended", actor=actor)
    for name, cell in (("t", "2.5"), ("mended", "3.5")):
        row = 1 if name == "t" else 2
        cells = [cell if n == row else str(old) for n, old in enumerate(table["x"].to_list())]
        table.with_columns(pl.Series("x", cells).cast(pl.Float64)).write_csv(tmp_path / "t.csv")
        data.add(tmp_path / "t.csv", name, actor=actor)
    erase(project, Subject("t", "email", frozenset({ADA})), "her request")
    done = data.branches.merge("mended", "t", actor=actor, manner=Manner(key=("id",)))
    assert done.version is not None
    assert (done.version.rows, done.conflicts.total) == (2, 0)
    assert data.read("t").rows() == [(2, BOB, 2.5), (3, "eve@example.org", 3.5)]
    erase(project, Subject("mended", "email", frozenset({BOB})), "his request")
    assert data.read("t@3")["id"].to_list() == [3]
