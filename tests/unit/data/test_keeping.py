"""Checking, repairing and letting go of what datasets keep."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from undrift.blobs.errors import BlobMissing
from undrift.core.digest import blake3_bytes
from undrift.data.fsck import Report, told
from undrift.data.gc import Keep
from undrift.data.repository import VersionsProjection, set_gone
from undrift.data.service import Data
from undrift.data.versions import BytesGone
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Ledger

NOTHING = Keep(is_everything=False)


def add(data: Data, ada: Actor, folder: Path, text: str, **asked: str) -> str:
    """Add a file with some rows as the newest version of `t`, and return its reference."""
    path = folder / "t.csv"
    path.write_text(f"x\n{text}\n")
    return data.add(path, "t", actor=ada, **asked).ref  # type: ignore[arg-type]  # a tag


def overwrite(store: Path, old: bytes, new: bytes) -> None:
    """Damage every file that holds some bytes."""
    for kind in ("objects", "packs"):
        for path in (store / "blobs" / kind).glob("??/*"):
            if old in path.read_bytes():
                path.chmod(0o600)
                path.write_bytes(path.read_bytes().replace(old, new, 1))


def kinds(report: Report) -> list[tuple[str, tuple[str, ...], bool]]:
    return sorted((one.finding.kind, one.needed_by, one.is_repaired) for one in report.faults)


class Elsewhere:
    """A source that holds what it was given."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = {blake3_bytes(piece): piece for piece in pieces}

    def fetch(self, digest: str) -> bytes | None:
        return self._pieces.get(digest)


@pytest.fixture
def three(data: Data, ada: Actor, tmp_path: Path) -> Data:
    """Three versions, the first with a tag."""
    add(data, ada, tmp_path, "first", tag="one")
    add(data, ada, tmp_path, "second")
    add(data, ada, tmp_path, "third")
    return data


def test_a_sound_store_has_no_faults(three: Data) -> None:
    """And it is told how much was read."""
    report = three.keeping.fsck()
    assert (report.faults, report.versions, report.checked.chunks) == ((), 3, 3)
    assert told(report)[-1] == "everything is as it should be"
    assert not report.checked.findings


def test_a_damaged_chunk_is_named_with_all_versions_that_need_it(three: Data, store: Path) -> None:
    """Exit code 3 comes from this."""
    overwrite(store, b"second", b"Second")
    report = three.keeping.fsck()
    assert kinds(report) == [("chunk", ("data:t@2: t.csv",), False)]
    assert not report.is_sound
    assert any("data:t@2: t.csv" in line for line in told(report))


@pytest.mark.parametrize("what", ["objects", "packs"])
def test_what_is_missing_is_named(three: Data, store: Path, what: str) -> None:
    """A manifest, or the chunks of a file."""
    if what == "objects":
        version = three.get("t@2").version_id[3:]
        (store / "blobs/objects" / version[:2] / version).unlink()
    else:
        for path in (store / "blobs/packs").glob("??/*"):
            if b"second" in path.read_bytes():
                path.unlink()
    wanted = "data:t@2: its list of files" if what == "objects" else "data:t@2: t.csv"
    assert kinds(three.keeping.fsck()) == [("missing", (wanted,), False)]


def test_a_source_that_has_the_bytes_repairs(three: Data, store: Path) -> None:
    """Damaged and missing chunks, and manifests; what it gives is compared with its name."""
    manifest = three.manifest("t@3").encode()
    overwrite(store, b"first", b"First")
    (store / "blobs/objects" / three.get("t@3").version_id[3:5] / three.get("t@3").version_id[3:]).unlink()
    for path in (store / "blobs/packs").glob("??/*"):
        if b"second" in path.read_bytes():
            path.unlink()
    lying = Elsewhere()
    lying._pieces = {blake3_bytes(b"x\nfirst\n"): b"x\nwrong\n"}
    sources = [lying, Elsewhere(b"x\nfirst\n", b"x\nsecond\n", manifest)]
    report = three.keeping.fsck(sources, is_repair=True)
    assert [(kind, repaired) for kind, _, repaired in kinds(report)] == [
        ("chunk", True),
        ("missing", True),
        ("missing", True),
    ]
    assert three.keeping.fsck().faults == ()
    assert [three.read(f"t@{n}")["x"].to_list() for n in (1, 2, 3)] == [["first"], ["second"], ["third"]]


def test_a_damaged_copy_goes_when_there_is_a_good_one(three: Data, store: Path) -> None:
    """Nothing is lost, and the copy is deleted by a repair."""
    packs = three._blobs.packs
    digest = blake3_bytes(b"x\nfirst\n")
    pack = packs.find([digest])[digest][0].pack
    overwrite(store, b"first", b"First")
    packs.mark_damaged([(digest, pack)])
    with packs.writer() as writer:
        writer.add(digest, b"x\nfirst\n")
        writer.add(blake3_bytes(b"other"), b"other")
    report = three.keeping.fsck()
    assert [(one.finding.kind, one.finding.has_copy) for one in report.faults] == [("chunk", True)]
    assert three.keeping.fsck(is_repair=True).is_sound
    assert three.keeping.fsck().faults == ()


def test_the_index_and_ends_of_packs_are_repaired_without_a_source(three: Data, store: Path) -> None:
    """Each can be made again from the other."""
    with sqlite3.connect(store / "blobs/index.db") as connection:
        connection.execute("UPDATE chunks SET length = length - 1 WHERE pack = 1")
    (path,) = [one for one in (store / "blobs/packs").glob("??/*") if b"third" in one.read_bytes()]
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-3])
    report = three.keeping.fsck(is_repair=True)
    assert [(kind, repaired) for kind, _, repaired in kinds(report)] == [("index", True), ("pack", True)]
    assert three.keeping.fsck().faults == ()
    assert three.read("t")["x"].to_list() == ["third"]


def test_what_does_not_belong_into_the_store_is_told(three: Data, store: Path) -> None:
    """And a tombstone of which nothing is left."""
    (store / "blobs/objects/ab").mkdir(exist_ok=True)
    (store / "blobs/objects/ab/note.txt").write_text("mine")
    three._blobs.tombstones.write(blake3_bytes(b"gone"), blake3_bytes(b"never stored"))
    assert [kind for kind, _, _ in kinds(three.keeping.fsck())] == ["stranger", "tombstone"]


def test_gc_without_flags_takes_only_what_nothing_refers_to(three: Data, ada: Actor) -> None:
    """Such as what a killed addition left."""
    with three._blobs.packs.writer() as writer:
        writer.add(blake3_bytes(b"left over"), b"left over")
    plan = three.keeping.gc(Keep(), ada, is_plan=True)
    assert (plan.versions, plan.collected.freed_bytes) == ((), 9)
    assert three.keeping.gc(Keep(), ada).collected == plan.collected
    assert [three.read(f"t@{n}").height for n in (1, 2, 3)] == [1, 1, 1]
    assert three.keeping.gc(Keep(), ada).collected.chunks == 0


def test_gc_tells_how_far_it_is(three: Data, ada: Actor, tmp_path: Path) -> None:
    """Every pack is counted once, and the bytes of those that are written anew."""
    with three._blobs.packs.writer() as writer:
        writer.add(blake3_bytes(b"left over"), b"left over")
        writer.add(blake3_bytes(b"x\nfourth\n"), b"x\nfourth\n")
    add(three, ada, tmp_path, "fourth")
    told: list[tuple[int, int]] = []
    three.keeping.gc(Keep(), ada, seen=lambda size_bytes, packs: told.append((size_bytes, packs)))
    assert sorted(told) == [(0, 1), (0, 1), (0, 1), (len(b"x\nfourth\n"), 1)]


def test_gc_lets_go_of_versions_that_are_not_kept(three: Data, ada: Actor, ledger: Ledger, tmp_path: Path) -> None:
    """They stay in the log, an event tells it, reading says so with the cure; the newest always stays."""
    swept = three.keeping.gc(Keep(is_everything=False, has_tags=True), ada)
    assert swept.versions == ("data:t@2",)
    assert [(one.number, one.is_gone) for one in three.log("t")] == [(3, False), (2, True), (1, False)]
    assert [event.subject for event in ledger.events(kinds=["data.bytes-dropped"])] == ["data:t@2"]
    for read in (three.read, three.scan, lambda ref: three.checkout(ref, tmp_path / "out")):
        with pytest.raises(BytesGone, match="let go of") as caught:
            read("t@2")
        assert "undrift data pull t@2" in caught.value.cure
    assert three.keeping.fsck().faults == ()
    assert three.keeping.gc(NOTHING, ada).versions == ("data:t@1",)
    assert three.read("t@3")["x"].to_list() == ["third"]


@pytest.mark.parametrize(
    ("keep", "gone"),
    [(Keep(is_everything=False, last=2), [1]), (Keep(is_everything=False, used={"data:t@1"}), [2]), (NOTHING, [1, 2])],
)
def test_what_is_kept(three: Data, ada: Actor, keep: Keep, gone: list[int]) -> None:
    """The last ones, and those that something was made from."""
    three.keeping.gc(keep, ada)
    assert [one.number for one in reversed(three.log("t")) if one.is_gone] == gone


def test_only_what_was_agreed_goes(three: Data, ada: Actor, tmp_path: Path) -> None:
    """A version that is no longer the newest since somebody agreed was not shown to them."""
    plan = three.keeping.gc(NOTHING, ada, is_plan=True)
    add(three, ada, tmp_path, "fourth")
    assert three.keeping.gc(replace(NOTHING, agreed=plan.versions), ada).versions == ("data:t@2", "data:t@1")
    assert [one.number for one in three.log("t") if not one.is_gone] == [4, 3]


def test_the_ledger_explains_whose_bytes_are_gone(three: Data, ada: Actor, ledger: Ledger, tmp_path: Path) -> None:
    """A row that says so without an event is found by the audit."""
    three.keeping.gc(NOTHING, ada)
    assert ledger.verify([VersionsProjection()]).ok
    add(three, ada, tmp_path, "first")
    assert ledger.verify([VersionsProjection()]).ok
    with ledger.change(ada) as change:
        set_gone(change.connection, three.get("t@4"), is_gone=True)
        change.record("data.noted", "data:t@4", {})
    assert not ledger.verify([VersionsProjection()]).ok


def test_a_version_comes_back_with_its_bytes(three: Data, ada: Actor, tmp_path: Path) -> None:
    """Adding the same files again makes the old version readable, too."""
    three.keeping.gc(NOTHING, ada)
    assert add(three, ada, tmp_path, "first") == "data:t@4"
    assert three.read("t@1")["x"].to_list() == ["first"]
    assert not three.get("t@1").is_gone


def test_an_unreadable_list_of_files_stops_gc(three: Data, ada: Actor, store: Path) -> None:
    """Nobody knows what such a version needs."""
    version = three.get("t@2").version_id[3:]
    (store / "blobs/objects" / version[:2] / version).unlink()
    before = sorted(path.name for path in (store / "blobs/packs").glob("??/*"))
    with pytest.raises(BlobMissing, match="no object"):
        three.keeping.gc(Keep(), ada)
    assert sorted(path.name for path in (store / "blobs/packs").glob("??/*")) == before


def test_a_damaged_chunk_is_cut_out_of_a_whole_file(three: Data, store: Path) -> None:
    """Readers had it put together; no remote is asked."""
    assert three.read("t@2")["x"].to_list() == ["second"]
    overwrite(store, b"second", b"Second")
    report = three.keeping.fsck(is_repair=True)
    assert kinds(report) == [("chunk", ("data:t@2: t.csv",), True)]
    assert three.keeping.fsck().faults == ()


def test_a_damaged_whole_file_repairs_nothing(three: Data, store: Path) -> None:
    """What is cut out of it is compared with its name."""
    three.read("t@2")
    overwrite(store, b"second", b"Second")
    (whole,) = [one for one in (store / "blobs/whole").glob("??/*") if b"second" in one.read_bytes()]
    whole.chmod(0o600)
    whole.write_bytes(b"x\nSecond\n")
    assert not three.keeping.fsck(is_repair=True).is_sound


def test_damaged_copies_are_told_with_what_takes_them_out(three: Data, store: Path) -> None:
    """What was added again is no loss; the damaged copy lies there still, and a repair takes it out."""
    overwrite(store, b"first", b"First")
    three.keeping.fsck()
    with three._blobs.packs.writer() as writer:
        for piece in (b"x\nfirst\n", b"other"):
            writer.add(blake3_bytes(piece), piece)
    report = three.keeping.fsck()
    assert "undrift data fsck --repair" in told(report)[-1]
    assert three.keeping.fsck(is_repair=True).is_sound
    assert told(three.keeping.fsck())[-1] == "everything is as it should be"
