"""What a remote keeps of branches: enough that whoever pulls both can go on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from undrift.data.branches.merging import Manner
from undrift.data.origins import BadOrigin, Origin
from undrift.data.repository import VersionsProjection

from .conftest import ADA, Site, rows


def test_a_branch_is_pushed_and_pulled_with_the_version_that_it_left(pair: tuple[Site, Site]) -> None:
    """No byte twice; where it left is known there too, under whatever numbers."""
    ada, ben = pair
    ada.add(rows(3000))
    ada.add(rows(3000) + "1,2\n")
    first = ada.push()
    ada.project.data.branches.branch("t@1", "fix", actor=ADA)
    pushed = ada.push()
    assert (pushed.versions, pushed.chunks, first.chunks > 0) == (["data:fix@1"], 0, True)
    ben.add("a,b\n9,9\n")
    pulled = ben.pull()
    assert (pulled.failed, pulled.renumbered) == ([], {"data:t@2": "data:t@1", "data:t@3": "data:t@2"})
    [branch] = ben.project.data.branches.all()
    assert (branch.name, branch.left, branch.ahead, branch.behind) == ("fix", "data:t@1", 0, 1)
    assert ben.text("fix") == rows(3000)
    assert ben.project.ledger.verify([VersionsProjection()]).ok


def test_a_branch_without_what_it_left_is_a_dataset_like_any_other(ada: Site, ben: Site) -> None:
    """And says so, until that comes, too."""
    ada.project.data.branches.branch("t@1", "fix", actor=ADA)
    ada.push()
    assert ben.pull("fix").failed == []
    [alone] = ben.project.data.branches.all()
    assert (alone.origin_is_here, alone.left_id) == (False, ada.project.data.get("t@1").version_id)
    assert ben.text("fix") == rows(3000)
    ben.pull("t")
    [found] = ben.project.data.branches.all()
    assert (found.origin_is_here, found.behind) == (True, 1)


def test_whoever_pulled_both_can_merge_and_push_it_back(ada: Site, ben: Site) -> None:
    """What was merged is known at the other side, too: it is not merged again."""
    ada.add("id,x\n1,a\n2,b\n", "s")
    ada.project.data.branches.branch("s", "fix", actor=ADA)
    ada.push()
    ben.pull()
    ben.add("id,x\n1,a\n2,B\n", "fix")
    ada.add("id,x\n1,A\n2,b\n", "s")
    ben.push()
    ada.push()
    assert ben.pull().failed == []
    done = ben.project.data.branches.merge("fix", "s", actor=ADA, manner=Manner(key=("id",)))
    assert (done.outcome, done.base) == ("merged", "data:s@1")
    assert ben.project.data.read("s").rows() == [(1, "A"), (2, "B")]
    ben.push()
    assert ada.pull().versions == ["data:fix@2", "data:s@3"]
    assert ada.project.data.branches.merge("fix", "s", actor=ADA).outcome == "nothing"
    [branch] = ada.project.data.branches.all("s")
    assert (branch.merged, branch.is_merged) == ("data:s@3", True)


VERSION = "b3:" + "1" * 64


@pytest.mark.parametrize(
    "make",
    [
        lambda: Origin("branch", "data:t@1"),
        lambda: Origin("branch", "data:t@1", version_id="b3:zz"),
        lambda: Origin("merge", "data:t", version_id=VERSION),
        lambda: Origin("merge", "model:t@1", version_id=VERSION),
        lambda: Origin("branch", "data:../t@1", version_id=VERSION),
        lambda: Origin("objects", "s3://a/b", version_id=VERSION),
        lambda: Origin("objects", "data:t@1", version_id=VERSION),
    ],
)
def test_an_origin_that_names_no_version_is_refused(make: Callable[[], Origin]) -> None:
    """Whatever a remote serves: later readers rely on the reference."""
    with pytest.raises(BadOrigin):
        Origin.decode(make().encode())


def test_an_origin_that_names_a_version_comes_back() -> None:
    """Kind, reference and id."""
    origin = Origin("merge", "data:t@3", version_id=VERSION)
    assert Origin.decode(origin.encode()) == origin
