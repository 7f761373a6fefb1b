"""A branch is brought back, or a line into its branch: all of it or nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from undrift.blobs.store import BlobStore
from undrift.core.clock import real_clocks
from undrift.core.config import DatasetSettings
from undrift.core.errors import BadInput
from undrift.core.masking import open_mask
from undrift.data.branches import content
from undrift.data.branches.content import Content
from undrift.data.branches.merging import Manner, Merged, Merging, NoBase, SeveralBases
from undrift.data.diff import BadKey
from undrift.data.intake import Asked
from undrift.data.personal.masks import Masks
from undrift.data.quality.suite import Suite, expect
from undrift.data.repository import VersionsProjection
from undrift.data.schema import SchemaMismatch
from undrift.data.service import Data
from undrift.data.versions import NotATable, TagTaken
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Ledger

ADA = Actor("os-user", "ada")
Write = Callable[..., str]


def merge(data: Data, of: str, into: str, **asked: Any) -> Merged:
    """Merge, by the key ``id`` where rows are asked for."""
    return data.branches.merge(of, into, actor=ADA, manner=Manner(**asked) if asked else None)


def rows(data: Data, ref: str) -> list[tuple[object, ...]]:
    return data.read(ref).rows()


@pytest.fixture
def line(data: Data, write: Write) -> Data:
    """Give the dataset t of one file with a branch that left at once."""
    write("t", "1,a", "2,b", "3,c")
    data.branches.branch("t", "fix", actor=ADA)
    return data


@pytest.fixture
def days(data: Data, write: Write) -> Data:
    """Give the dataset t of three files with a branch that left at once."""
    write("t", mon="1,a\n", tue="2,b\n", wed="3,c\n")
    data.branches.branch("t", "fix", actor=ADA)
    return data


def test_a_line_that_did_not_move_gets_the_branch_as_it_is(line: Data, write: Write, ledger: Ledger) -> None:
    """Same id, digest, schema; the event tells from where."""
    write("fix", "1,a", "2,B", "3,c")
    digest = line.table_digest("fix", actor=ADA)
    done = merge(line, "fix", "t", tag="mended", reason="reviewed")
    fix = line.get("fix")
    assert done.version is not None
    assert (done.outcome, done.version.ref, done.version.tags) == ("fast-forward", "data:t@2", ("mended",))
    assert (done.version.version_id, done.version.rows, done.version.schema) == (fix.version_id, 3, fix.schema)
    assert line.get("t@mended").table_digest == digest
    [event] = ledger.events("data:t@2", ["data.merged"])
    told = {name: event.body[name] for name in ("into", "of", "base", "fast_forward", "reason", "stored_bytes")}
    assert told == {
        "into": "data:t@1", "of": "data:fix@2", "base": "data:t@1", "fast_forward": True, "reason": "reviewed",
        "stored_bytes": 0,
    }  # fmt: skip
    assert ledger.verify([VersionsProjection()]).ok


def test_nothing_is_merged_twice(line: Data, write: Write) -> None:
    """A branch without news, and one that is merged: no version is made."""
    assert merge(line, "fix", "t").outcome == "nothing"
    assert merge(line, "t", "fix").outcome == "nothing"
    write("fix", "9,z")
    merge(line, "fix", "t")
    assert [merge(line, *names).outcome for names in (("fix", "t"), ("t", "fix"))] == ["nothing", "nothing"]
    assert (line.get("t").number, line.get("fix").number) == (2, 2)


def test_files_of_both_sides_come_together(days: Data, write: Write, store: Path) -> None:
    """Changed, appended and deleted ones; no byte is stored for it but the list; rows are counted."""
    write("t", mon="1,A\n", tue="2,b\n", wed="3,c\n", thu="4,d\n5,e\n")
    write("fix", mon="1,a\n", wed="3,C\n", fri="6,f\n")
    packs = {path.name: path.stat().st_size for path in (store / "blobs").rglob("*.pack")}
    done = merge(days, "fix", "t")
    assert rows(days, "t") == [(1, "A"), (4, "d"), (5, "e"), (3, "C"), (6, "f")]
    assert done.version is not None
    assert [part.path for part in days.manifest("t").parts] == ["mon.csv", "thu.csv", "wed.csv", "fri.csv"]
    assert (done.outcome, done.version.rows, done.version.files) == ("merged", 5, 4)
    assert {path.name: path.stat().st_size for path in (store / "blobs").rglob("*.pack") if path.name in packs} == packs
    assert rows(days, "fix") == [(6, "f"), (1, "a"), (3, "C")]


def test_with_conflicts_nothing_is_written(days: Data, write: Write, ledger: Ledger) -> None:
    """All of them are told; the files that go together stay where they are, too."""
    write("t", mon="1,A\n", tue="2,b\n", wed="3,c\n")
    write("fix", mon="1,Z\n", tue="2,B\n", wed="3,c\n")
    before = len(ledger.events())
    done = merge(days, "fix", "t", tag="mended")
    assert (done.outcome, done.version, done.conflicts.total) == ("conflicts", None, 1)
    assert [one.told() for one in done.conflicts.told] == ["file mon.csv: changed on both sides in different ways"]
    assert (len(ledger.events()), days.get("t").number) == (before, 2)


@pytest.mark.parametrize(("take", "cell"), [("ours", "A"), ("theirs", "Z")])
def test_conflicts_are_resolved_by_whoever_is_taken(days: Data, write: Write, take: str, cell: str) -> None:
    """What does not conflict is merged all the same; the event counts them; they do not come back."""
    write("t", mon="1,A\n", tue="2,b\n", wed="3,c\n")
    write("fix", mon="1,Z\n", tue="2,B\n", wed="3,c\n")
    done = merge(days, "fix", "t", take=take)
    assert rows(days, "t") == [(1, cell), (2, "B"), (3, "c")]
    assert (done.taken, done.conflicts.total) == (take, 1)
    write("fix", mon="1,Z\n", tue="2,B\n", wed="3,W\n")
    assert merge(days, "fix", "t").conflicts.total == 0
    assert rows(days, "t") == [(1, cell), (2, "B"), (3, "W")]


def test_rows_are_merged_by_their_key(line: Data, write: Write) -> None:
    """Ours in our order, then what only they bring; both sides' changes of one row; the file is Parquet then."""
    write("t", "5,e", "3,c", "1,a", header="id,x")
    write("fix", "1,A", "2,b", "3,c", "7,g", "6,f", header="id,x")
    assert merge(line, "fix", "t").outcome == "conflicts"
    done = merge(line, "fix", "t", key=("id",))
    assert rows(line, "t") == [(5, "e"), (3, "c"), (1, "A"), (7, "g"), (6, "f")]
    assert done.rows == {"added": 2, "removed": 0, "changed": 1}
    assert done.version is not None
    assert done.version.rows == 5
    assert [part.path for part in line.manifest("t").parts] == ["t.parquet"]


def test_files_that_all_have_stay_files_where_rows_are_merged(days: Data, write: Write) -> None:
    """The rows of the others become one, where the first of them stood."""
    write("t", mon="1,A\n", tue="2,b\n", wed="3,c\n4,d\n")
    write("fix", mon="1,a\n9,i\n", tue="2,b\n", wed="3,C\n")
    merge(days, "fix", "t", key=("id",))
    assert [part.path for part in days.manifest("t").parts] == ["mon.parquet", "tue.csv"]
    assert rows(days, "t") == [(1, "A"), (3, "C"), (4, "d"), (9, "i"), (2, "b")]


def test_with_a_key_files_that_go_together_stay_as_they_are(days: Data, write: Write) -> None:
    """Rows are looked into where files conflict, or where a row would be there twice."""
    write("t", mon="1,A\n", tue="2,b\n", wed="3,c\n")
    write("fix", mon="1,a\n", tue="2,B\n", wed="3,c\n")
    merge(days, "fix", "t", key=("id",))
    assert [part.path for part in days.manifest("t").parts] == ["mon.csv", "tue.csv", "wed.csv"]
    write("t", mon="1,A\n", tue="2,B\n", thu="3,c\n")
    write("fix", mon="1,a\n", tue="2,B\n", wed="3,C\n")
    assert merge(days, "fix", "t").outcome == "conflicts"
    merge(days, "fix", "t", key=("id",))
    assert rows(days, "t") == [(1, "A"), (3, "C"), (2, "B")]


def test_a_row_that_moved_to_another_file_is_there_once(days: Data, write: Write) -> None:
    """No path conflicts, but files of both sides hold the row."""
    write("t", mon="1,a\n", tue="2,b\n", wed="3,c\n", new="9,n\n")
    write("fix", mon="1,a\n", tue="2,b\n", wed="3,c\n", other="9,n\n")
    assert merge(days, "fix", "t").outcome == "merged"
    days.branches.branch("t@1", "second", actor=ADA)
    write("second", mon="1,a\n", tue="2,b\n", wed="3,c\n", other="9,n\n")
    days.branches.branch("t@2", "line", actor=ADA)
    merge(days, "second", "line", key=("id",))
    assert sorted(rows(days, "line")) == [(1, "a"), (2, "b"), (3, "c"), (9, "n")]


def test_conflicts_of_rows_and_cells_are_told_and_resolved(line: Data, write: Write) -> None:
    """Key and column, both cells; a changed row that the other side deleted."""
    write("t", "1,here", "3,c")
    write("fix", "1,there", "2,B", "3,c")
    done = merge(line, "fix", "t", key=("id",))
    assert (done.outcome, done.conflicts.total) == ("conflicts", 2)
    assert [one.told() for one in done.conflicts.told] == [
        "row id=2: deleted here and changed there",
        "id=1: x is here here and there there",
    ]
    assert merge(line, "fix", "t", key=("id",), take="theirs", is_plan=True).rows["added"] == 1
    merge(line, "fix", "t", key=("id",), take="ours")
    assert rows(line, "t") == [(1, "here"), (3, "c")]


@pytest.fixture
def private(ledger: Ledger, store: Path) -> Data:
    """Give datasets with masks, where the settings of t name a personal column."""
    masks = Masks({"t": DatasetSettings(personal=("nick",))}, lambda: open_mask(store))
    data = Data(ledger, BlobStore(store / "blobs"), real_clocks(), store, masks)
    base = pl.DataFrame({"mail": [f"u{n}@example.org" for n in range(9)], "nick": ["n"] * 9, "x": [0] * 9})
    for name, cell in (("t", 1), ("fix", 2)):
        if name == "t":
            data.add_frame(base, "t", actor=ADA)
            data.branches.branch("t", "fix", actor=ADA)
        data.add_frame(base.with_columns(nick=pl.lit(f"nick-{cell}"), x=pl.lit(cell)), name, actor=ADA)
    return data


def test_personal_cells_of_conflicts_are_masked(private: Data, store: Path) -> None:
    """In the key and in the columns; others are shown."""
    done = merge(private, "fix", "t", key=("mail",))
    shown = str(done.as_json())
    assert done.conflicts.total == 18
    assert "example.org" not in shown
    assert "nick-" not in shown
    mask = open_mask(store)
    found = {one.column: one for one in done.conflicts.told if one.key["mail"] == mask.text("u0@example.org")}
    assert found["nick"].ours == mask.text("nick-1")
    assert (found["x"].ours, found["x"].theirs, found["x"].base) == ("1", "2", "0")


def test_events_of_a_merge_hold_no_cell(private: Data, ledger: Ledger) -> None:
    """Counts, digests and names of columns."""
    merge(private, "fix", "t", key=("mail",), take="theirs")
    [event] = ledger.events(kinds=["data.merged"])
    assert (event.body["conflicts"], event.body["taken"], event.body["key"]) == (18, "theirs", ["mail"])
    assert not any(word in str(event.body) for word in ("example.org", "nick-"))


def suite(*, minimum: int) -> Suite:
    return Suite("t", (expect("expect_column_values_to_be_between", "fail", "", column="id", min_value=minimum),))


@pytest.mark.parametrize("moved", [False, True])
def test_what_does_not_pass_the_suite_is_refused(line: Data, write: Write, ledger: Ledger, *, moved: bool) -> None:
    """Also a fast forward, also merged rows; nothing is written unless somebody says that it is not checked."""
    line.freeze_suite("t", suite(minimum=1), actor=ADA)
    write("fix", "1,a", "2,b", "3,c", "-4,d")
    if moved:
        write("t", "1,A", "2,b", "3,c")
    before = len(ledger.events())
    done = merge(line, "fix", "t", key=("id",))
    assert done.report is not None
    assert (done.outcome, done.version, done.report.verdict) == ("refused", None, "fail")
    assert len(ledger.events()) == before
    done = merge(line, "fix", "t", key=("id",), is_checked=False)
    assert (done.report, done.version and done.version.rows) == (None, 4)


def test_a_check_that_passes_is_recorded_with_the_version(line: Data, write: Write, ledger: Ledger) -> None:
    """The suite is the target's, not the branch's."""
    line.freeze_suite("t", suite(minimum=1), actor=ADA)
    line.freeze_suite("fix", suite(minimum=99), actor=ADA, reason="strict")
    write("fix", "1,a", "2,b")
    done = merge(line, "fix", "t")
    assert done.report is not None
    [checked] = ledger.events("data:t@2", ["data.checked"])
    assert (checked.body["verdict"], checked.body["suite"]) == ("pass", done.report.suite_digest)


def test_other_columns_are_told(line: Data, write: Write) -> None:
    """As an addition tells them; rows that the branch lacks have no values in a column that it added."""
    write("fix", "1,a,7", "2,b,8", "3,c,9", header="id,x,y")
    write("t", "1,a", "2,b", "3,c", "4,d")
    done = merge(line, "fix", "t", key=("id",))
    assert done.drift == "the columns are not those of data:t@2; unexpected: y"
    assert rows(line, "t") == [(1, "a", 7), (2, "b", 8), (3, "c", 9), (4, "d", None)]


def test_files_that_are_not_one_table_are_refused_with_the_cure(days: Data, write: Write) -> None:
    """A column came on one side, a file of the old columns on the other."""
    write("fix", header="id,x,y", mon="1,a,7\n", tue="2,b,8\n", wed="3,c,9\n")
    write("t", "4,d", append=True)
    with pytest.raises(SchemaMismatch, match="are not one table") as told:
        merge(days, "fix", "t")
    assert "--key" in told.value.cure
    merge(days, "fix", "t", key=("id",))
    assert rows(days, "t") == [(1, "a", 7), (2, "b", 8), (3, "c", 9), (4, "d", None)]


def test_it_works_both_ways_and_starts_where_the_last_merge_was(days: Data, write: Write) -> None:
    """The news of the line into the branch, then the branch back."""
    write("t", mon="1,A\n", tue="2,b\n", wed="3,c\n")
    write("fix", mon="1,a\n", tue="2,B\n", wed="3,c\n")
    assert merge(days, "t", "fix").base == "data:t@1"
    write("fix", mon="1,AA\n", tue="2,B\n", wed="3,c\n")
    done = merge(days, "fix", "t")
    assert (done.outcome, done.base) == ("fast-forward", "data:t@2")
    assert rows(days, "t") == [(1, "AA"), (2, "B"), (3, "c")]
    [branch] = days.branches.all()
    assert (branch.is_merged, branch.merged, branch.brought) == (True, "data:t@3", "data:fix@3")


def test_branches_of_branches_and_siblings_are_merged(days: Data, write: Write) -> None:
    """From the version that both descend from."""
    days.branches.branch("fix", "deep", actor=ADA)
    write("deep", mon="1,D\n", tue="2,b\n", wed="3,c\n")
    write("t", mon="1,a\n", tue="2,T\n", wed="3,c\n")
    assert merge(days, "deep", "t").base == "data:t@1"
    assert rows(days, "t") == [(1, "D"), (2, "T"), (3, "c")]


def test_sides_that_became_the_same_share_a_version_from_then_on(days: Data, write: Write) -> None:
    """It is recorded, so that later changes of one side do not conflict with the old ones of the other."""
    for name in ("t", "fix"):
        write(name, mon="1,A\n", tue="2,b\n", wed="3,c\n")
    assert merge(days, "fix", "t").outcome == "merged"
    write("t", mon="1,AA\n", tue="2,b\n", wed="3,c\n")
    write("fix", mon="1,A\n", tue="2,B\n", wed="3,c\n")
    assert merge(days, "fix", "t").outcome == "merged"
    assert rows(days, "t") == [(1, "AA"), (2, "B"), (3, "c")]


def test_strangers_are_merged_when_somebody_says_where_they_began(days: Data, write: Write) -> None:
    """And from then on without that: the merge is recorded."""
    write("other", mon="1,a\n", tue="2,O\n", wed="3,c\n")
    with pytest.raises(NoBase):
        merge(days, "other", "t")
    assert merge(days, "other", "t", base="t@1").outcome == "fast-forward"
    assert merge(days, "other", "t").outcome == "nothing"


def test_of_several_bases_somebody_must_say_which(days: Data, write: Write) -> None:
    """Two branches were merged into two lines."""
    days.branches.branch("t@1", "second", actor=ADA)
    days.branches.branch("t@1", "line", actor=ADA)
    write("fix", mon="1,F\n", tue="2,b\n", wed="3,c\n")
    write("second", mon="1,a\n", tue="2,S\n", wed="3,c\n")
    for into in ("t", "line"):
        merge(days, "fix", into)
        merge(days, "second", into)
    write("t", mon="1,F\n", tue="2,S\n", wed="3,W\n")
    with pytest.raises(SeveralBases, match="data:fix@2, data:second@2") as told:
        merge(days, "line", "t")
    assert told.value.exit_code == 4
    assert merge(days, "line", "t", base="second@2").outcome == "merged"


def test_a_plan_writes_nothing(line: Data, write: Write, ledger: Ledger, store: Path) -> None:
    """Neither events nor bytes, whatever comes of it."""
    line.freeze_suite("t", suite(minimum=1), actor=ADA)
    write("t", "1,A", "2,b", "3,c")
    write("fix", "1,a", "2,B", "3,c")

    def state() -> tuple[int, list[tuple[str, int]]]:
        files = sorted((str(path), path.stat().st_size) for path in (store / "blobs").rglob("*.pack"))
        return len(ledger.events()), files

    before = state()
    done = merge(line, "fix", "t", key=("id",), is_plan=True, tag="mended")
    assert (done.outcome, done.version, done.is_plan, done.rows["changed"]) == ("merged", None, True, 1)
    assert done.report is not None
    assert state() == before


def test_what_cannot_be_asked_is_refused(line: Data, write: Write) -> None:
    """A dataset with itself, a key that is none, a tag that is taken."""
    write("t", "1,A", "1,b")
    write("fix", "1,a", "2,B")
    with pytest.raises(BadInput, match="one dataset"):
        merge(line, "t", "t")
    for key in ("id", "none"):
        with pytest.raises(BadKey):
            merge(line, "fix", "t", key=(key,))
    with line._ledger.change(ADA) as change:
        line.tag(change, "t@1", "first")
    with pytest.raises(TagTaken):
        merge(line, "fix", "t", tag="first")


def test_plain_files_are_merged_as_files(data: Data, tmp_path: Path) -> None:
    """They have no rows; a key is refused, a check, too."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(b"0")
    data.add(folder, "photos", actor=ADA)
    data.branches.branch("photos", "fix", actor=ADA)
    for dataset, file in (("photos", "a.png"), ("fix", "b.png")):
        for name in ("a.png", "b.png"):
            (folder / name).write_bytes(dataset.encode() if name == file else b"0")
        data.add(folder, dataset, actor=ADA)
    with pytest.raises(NotATable):
        merge(data, "fix", "photos", key=("id",))
    assert merge(data, "fix", "photos").outcome == "merged"
    out = data.checkout("photos", tmp_path / "out")
    assert [(out / name).read_bytes() for name in ("a.png", "b.png")] == [b"photos", b"fix"]


def test_a_version_that_is_added_meanwhile_is_not_lost(
    days: Data, write: Write, monkeypatch: pytest.MonkeyPatch, ledger: Ledger
) -> None:
    """The merge sees it at the commit and begins anew with it."""
    write("fix", mon="1,F\n", tue="2,b\n", wed="3,c\n")
    store, merges = Content.store, []
    merge_once = Merging.merge

    def late(self: Content, blobs: BlobStore, folder: Path) -> object:
        if not merges[1:]:
            write("t", mon="1,a\n", tue="2,T\n", wed="3,c\n")
        return store(self, blobs, folder)

    monkeypatch.setattr(Content, "store", late)
    monkeypatch.setattr(Merging, "merge", lambda *args: merges.append(1) or merge_once(*args))
    done = merge(days, "fix", "t")
    assert (done.outcome, done.into, len(merges)) == ("merged", "data:t@2", 2)
    assert rows(days, "t") == [(1, "F"), (2, "T"), (3, "c")]
    assert [one.number for one in days.log("t")] == [3, 2, 1]
    assert len(ledger.events(kinds=["data.merged"])) == 1


def test_merged_rows_share_most_bytes_with_the_table_that_they_change(
    data: Data, ledger: Ledger, tmp_path: Path
) -> None:
    """A table that is kept for sharing stays so; nothing is left on the way."""
    pytest.importorskip("pyarrow")
    count = 600_000
    base = pl.DataFrame({"id": range(count), "x": pl.Series(range(count)).hash(seed=7), "y": [0.0] * count})
    late = base.with_columns(y=pl.when(pl.col("id") > count - 50).then(1.0).otherwise("y"))
    soon = base.with_columns(y=pl.when(pl.col("id") < 50).then(2.0).otherwise("y"))
    for name, table in (("t", base), ("t", late), ("fix", soon)):
        if name == "fix":
            data.branches.branch("t@1", "fix", actor=ADA)
        table.cast({"x": pl.Int64}, strict=False).write_parquet(tmp_path / "t.parquet")
        data.intake.add(str(tmp_path / "t.parquet"), Asked(name, as_table=True), ADA)
    done = merge(data, "fix", "t", key=("id",))
    [event] = ledger.events(kinds=["data.merged"])
    assert done.rows == {"added": 0, "removed": 0, "changed": 50}
    assert done.version is not None
    assert int(str(event.body["stored_bytes"])) < done.version.bytes / 4
    assert data.read("t")["y"].sum() == 49 + 100
    assert list((data._store_dir / "scratch").iterdir()) == []


def test_without_pyarrow_rows_are_merged_all_the_same(
    line: Data, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written as plain Parquet."""
    monkeypatch.setattr(content, "can_share", lambda: False)
    write("t", "1,A", "2,b", "3,c")
    write("fix", "1,a", "2,B", "3,c")
    assert merge(line, "fix", "t", key=("id",)).outcome == "merged"
    assert rows(line, "t") == [(1, "A"), (2, "B"), (3, "c")]


@pytest.mark.parametrize("moment", ["bytes", "version", "event"])
def test_a_kill_leaves_all_of_a_merge_or_nothing(
    line: Data, write: Write, ledger: Ledger, store: Path, moment: str
) -> None:
    """After the bytes are stored, after the version is written, after its event: the change is not committed."""
    write("t", "1,A", "2,b", "3,c")
    write("fix", "1,a", "2,B", "3,c")
    child = Path(__file__).with_name("merge_child.py")
    died = subprocess.run([sys.executable, child, store, moment], check=False, timeout=120)
    assert died.returncode == -signal.SIGKILL
    assert [one.number for one in line.log("t")] == [2, 1]
    assert ledger.events(kinds=["data.merged"]) == []
    assert line.keeping.fsck().faults == ()
    done = merge(line, "fix", "t", key=("id",), tag="mended")
    assert (done.outcome, rows(line, "t")) == ("merged", [(1, "A"), (2, "B"), (3, "c")])
    assert ledger.verify([VersionsProjection()]).ok
