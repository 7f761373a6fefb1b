"""A branch is a dataset of its own that begins with a version of another."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from undrift.blobs.store import BlobStore
from undrift.core.clock import real_clocks
from undrift.core.config import DatasetSettings
from undrift.core.ids import BadName
from undrift.core.refs import Ref
from undrift.data.branches.service import Branches, BranchTaken
from undrift.data.gc import Keep
from undrift.data.personal.masks import Masks
from undrift.data.quality.suite import Suite, expect
from undrift.data.repository import VersionsProjection
from undrift.data.service import Data
from undrift.data.versions import BytesGone, DatasetNotFound
from undrift.ledger.actor import Actor
from undrift.ledger.change import Change
from undrift.ledger.ledger import Ledger

OLD = Keep(is_everything=False)


@pytest.fixture
def line(data: Data, ada: Actor, write: Callable[..., str]) -> Data:
    """Give the dataset t with two versions and a suite."""
    write("t", "1,a")
    write("t", "1,a", "2,b")
    data.freeze_suite("t", Suite("t", (expect("expect_column_to_exist", column="x"),)), actor=ada)
    return data


def test_a_branch_begins_with_the_version_and_its_suite(line: Data, ada: Actor, ledger: Ledger) -> None:
    """Same id, rows, schema, digest and suite; the event names what it left."""
    digest = line.table_digest("t@1", actor=ada)
    made = line.branches.branch("t@1", "fix", actor=ada, reason="ages below zero")
    left = line.get("t@1")
    assert (made.ref, made.parent, made.tags) == ("data:fix@1", None, ())
    assert (made.version_id, made.rows, made.bytes, made.files) == (left.version_id, left.rows, left.bytes, left.files)
    assert (made.schema, made.table_digest) == (left.schema, digest)
    assert line.suite("fix") == line.suite("t")
    [event] = ledger.events("data:fix@1", ["data.branched"])
    assert event.body["left"] == {"dataset": "t", "number": 1, "version_id": left.version_id}
    assert event.body["reason"] == "ages below zero"
    assert ledger.verify([VersionsProjection()]).ok


def test_no_byte_is_stored_for_it(line: Data, ada: Actor, store: Path) -> None:
    """Also of a large version."""
    before = {path: path.stat().st_size for path in (store / "blobs").rglob("*.pack")}
    line.branches.branch("t", "fix", actor=ada)
    assert {path: path.stat().st_size for path in (store / "blobs").rglob("*.pack")} == before


def test_nothing_that_is_done_to_a_branch_changes_what_it_left(
    line: Data, ada: Actor, ledger: Ledger, write: Callable[..., str]
) -> None:
    """Versions, tags, suite, rows; and the other way round."""
    line.branches.branch("t", "fix", actor=ada)
    before, suite = line.log("t"), line.suite("t")
    write("fix", "3,c", append=True)
    line.freeze_suite("fix", Suite("fix", ()), actor=ada, reason="a test")
    with ledger.change(ada) as change:
        line.tag(change, "fix@2", "mine")
    assert (line.log("t"), line.suite("t")) == (before, suite)
    write("t", "9,z")
    assert line.read("fix")["id"].to_list() == [1, 2, 3]
    assert line.get("fix").number == 2


@pytest.mark.parametrize("name", ["t", "fix"])
def test_a_taken_name_is_refused(line: Data, ada: Actor, name: str) -> None:
    """Nothing is written."""
    line.branches.branch("t", "fix", actor=ada)
    before = len(line._ledger.events())
    with pytest.raises(BranchTaken, match=name):
        line.branches.branch("t@1", name, actor=ada)
    assert len(line._ledger.events()) == before


def test_names_and_versions_that_cannot_be_are_refused(line: Data, ada: Actor) -> None:
    """By the grammar of names, and by what is there."""
    with pytest.raises(BadName):
        line.branches.branch("t", "../fix", actor=ada)
    with pytest.raises(DatasetNotFound):
        line.branches.branch("t@9", "fix", actor=ada)
    assert line.names() == ["t"]


def test_a_version_without_its_bytes_cannot_be_branched(line: Data, ada: Actor) -> None:
    """And is not taken for one that has them."""
    line.keeping.gc(OLD, ada)
    with pytest.raises(BytesGone):
        line.branches.branch("t@1", "fix", actor=ada)
    assert line.get("t@1").is_gone


def test_gc_keeps_what_a_branch_holds_and_what_a_merge_would_start_from(
    line: Data, ada: Actor, write: Callable[..., str]
) -> None:
    """Both sides went on; only what neither needs goes."""
    line.branches.branch("t@2", "fix", actor=ada)
    write("t", "3,c")
    write("t", "4,d")
    write("fix", "5,e")
    write("fix", "6,f")
    assert sorted(line.keeping.gc(OLD, ada).versions) == ["data:fix@2", "data:t@1", "data:t@3"]
    assert [line.read(ref)["id"].to_list() for ref in ("t@2", "t@4", "fix@1", "fix@3")] == [[1, 2], [4], [1, 2], [6]]
    assert line.keeping.fsck().faults == ()


def test_branches_are_listed_with_what_each_side_has(line: Data, ada: Actor, write: Callable[..., str]) -> None:
    """Branches of branches, too; of one dataset its own and itself."""
    line.branches.branch("t@1", "fix", actor=ada)
    line.branches.branch("fix", "deep", actor=ada)
    write("fix", "7,g")
    write("deep", "8,h")
    write("deep", "9,i")
    told = [(one.name, one.left, one.ahead, one.behind) for one in line.branches.all()]
    assert told == [("deep", "data:fix@1", 2, 1), ("fix", "data:t@1", 1, 1)]
    assert [one.name for one in line.branches.all("t")] == ["fix"]
    assert [one.name for one in line.branches.all("fix")] == ["deep", "fix"]
    with pytest.raises(DatasetNotFound):
        line.branches.all("none")


def test_a_kill_before_the_commit_leaves_no_branch(line: Data, ada: Actor, ledger: Ledger, tmp_path: Path) -> None:
    """Version, suite and event are one change; the same command succeeds afterwards."""
    real, parent = Change.record, os.getpid()

    def die(self: Change, kind: str, subject: str, body: object = None) -> str:
        told = real(self, kind, subject, body)  # type: ignore[arg-type]  # handed on
        if kind == "data.suite-frozen" and os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return told

    child = os.fork()
    if child == 0:
        Change.record = die  # type: ignore[method-assign, assignment]
        store = tmp_path / "store"
        Data(Ledger.open(store / "ledger.db"), BlobStore(store / "blobs"), real_clocks(), store).branches.branch(
            "t", "fix", actor=ada
        )
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert line.names() == ["t"]
    assert ledger.events(kinds=["data.branched"]) == []
    assert line.branches.branch("t", "fix", actor=ada).number == 1
    assert ledger.verify([VersionsProjection()]).ok


def test_of_two_branches_of_one_name_one_is_begun(
    line: Data, ada: Actor, monkeypatch: pytest.MonkeyPatch, ledger: Ledger
) -> None:
    """Also when the other comes between the look and the commit."""
    from undrift.data.branches import service

    look = service._refuse_taken

    def late(connection: object, name: str) -> None:
        look(connection, name)  # type: ignore[arg-type]  # handed on
        monkeypatch.undo()
        Branches(line._stored, line.masks, line._store_dir).branch("t@1", name, actor=ada)

    monkeypatch.setattr(service, "_refuse_taken", late)
    with pytest.raises(BranchTaken):
        line.branches.branch("t@2", "fix", actor=ada)
    assert [event.subject for event in ledger.events(kinds=["data.branched"])] == ["data:fix@1"]
    assert line.get("fix").version_id == line.get("t@1").version_id


def test_what_is_personal_stays_so_in_a_branch(ledger: Ledger, store: Path, ada: Actor) -> None:
    """Settings of its own take nothing back that they do not speak of; a branch of a branch has them, too."""
    settings = {
        "t": DatasetSettings(personal=("nick", "code"), anomalies="fail"),
        "own": DatasetSettings(not_personal=("code",)),
    }
    data = Data(ledger, BlobStore(store / "blobs"), real_clocks(), store, Masks(settings))
    frame = pl.DataFrame({"nick": ["a", "b"], "code": [1, 2]})
    data.add_frame(frame, "t", actor=ada)
    data.branches.branch("t", "plain", actor=ada)
    data.branches.branch("plain", "own", actor=ada)
    assert list(data.masks.columns("plain", frame)) == ["nick", "code"]
    assert list(data.masks.columns("own", frame)) == ["nick"]
    assert data.history.settings("plain").anomalies == "fail"
    assert data.history.settings("own").anomalies == "warn"
    assert data.history.settings("elsewhere") == DatasetSettings()


def test_plain_files_are_branched_like_tables(data: Data, ada: Actor, tmp_path: Path) -> None:
    """Without schema and rows."""
    (tmp_path / "photo.png").write_bytes(b"not a table")
    data.add(tmp_path / "photo.png", "photos", actor=ada)
    made = data.branches.branch(Ref("data", "photos"), "retouched", actor=ada)
    assert (made.schema, made.rows) == (None, None)
    assert data.checkout("retouched", tmp_path / "out.png").read_bytes() == b"not a table"
