"""Adding, finding, reading and checking out versions."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from undrift.blobs.store import BlobCorrupt
from undrift.core.errors import BadInput
from undrift.core.ids import BadName
from undrift.data.checkout import BadTarget, Manner
from undrift.data.paths import UnsafePath
from undrift.data.repository import VersionsProjection
from undrift.data.schema import Schema, SchemaMismatch
from undrift.data.service import Data
from undrift.data.tabular.csv_text import BadTable
from undrift.data.versions import DatasetNotFound, NotATable, TagTaken
from undrift.data.workspace import EmptySource, SourceNotFound
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Ledger


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def kept(store: Path) -> list[Path]:
    """Return what the store keeps: objects and packs."""
    return [path for kind in ("objects", "packs") for path in (store / "blobs" / kind).rglob("*") if path.is_file()]


def overwrite(store: Path, old: bytes, new: bytes) -> None:
    """Damage what holds some bytes; nothing put together from it is left."""
    (damaged,) = [path for path in kept(store) if old in path.read_bytes()]
    damaged.chmod(0o600)
    damaged.write_bytes(damaged.read_bytes().replace(old, new, 1))
    shutil.rmtree(store / "blobs/whole", ignore_errors=True)


def test_a_file_becomes_a_version_and_comes_back_byte_by_byte(data: Data, ada: Actor, tmp_path: Path) -> None:
    """With its rows, schema and size known."""
    source = write(tmp_path / "shops.csv", "id,open\n007,true\n008,false\n")
    version = data.add(source, "shops", actor=ada, tag="v1.0.0")
    assert (version.ref, version.rows, version.files, version.tags) == ("data:shops@1", 2, 1, ("v1.0.0",))
    assert version.bytes == source.stat().st_size
    assert version.schema == Schema.of({"id": "string", "open": "bool"})
    assert data.checkout("shops@v1.0.0", tmp_path / "old.csv").read_bytes() == source.read_bytes()
    assert data.read("shops").rows() == [("007", True), ("008", False)]


def test_the_same_bytes_again_are_no_new_version(data: Data, ada: Actor, tmp_path: Path, store: Path) -> None:
    """Nothing is stored and nothing recorded, but a tag may be added."""
    source = write(tmp_path / "a.csv", "x\n1\n")
    first = data.add(source, "a", actor=ada)
    before = len(kept(store))
    assert data.add(source, "a", actor=ada) == first
    assert data.add(source, "a", actor=ada, tag="june").tags == ("june",)
    data.add(source, "other", actor=ada)
    assert len(kept(store)) == before
    assert len(data.log("a")) == 1


def test_a_return_to_older_bytes_is_a_new_version_with_the_old_id(data: Data, ada: Actor, tmp_path: Path) -> None:
    """History says what happened; the id says what it is."""
    ids = [data.add(write(tmp_path / "a.csv", f"x\n{n}\n"), "a", actor=ada).version_id for n in (1, 2, 1)]
    assert ids[0] == ids[2] != ids[1]
    assert [version.number for version in data.log("a")] == [3, 2, 1]
    assert data.get(f"a@{ids[0][3:11]}").number == 3


def test_an_appended_file_shares_the_bytes_of_those_before(data: Data, ada: Actor, tmp_path: Path, store: Path) -> None:
    """Rows come behind the others, under the frozen schema."""
    data.add(write(tmp_path / "day.csv", "x,s\n1,a\n"), "days", actor=ada)
    before = len(kept(store))
    second = data.add(write(tmp_path / "day.csv", "s,x\n007,2.0\n"), "days", actor=ada, append=True)
    assert (second.number, second.rows, second.files, second.parent) == (2, 2, 2, 1)
    assert len(kept(store)) == before + 2  # a pack and the manifest
    assert data.read("days").rows() == [(1, "a"), (2, "007")]
    assert [part.path for part in data.manifest("days").parts] == ["day.csv", "day-2.csv"]
    assert data.read("days@1").rows() == [(1, "a")]


def test_appending_a_file_twice_adds_it_once(data: Data, ada: Actor, tmp_path: Path) -> None:
    """A retry after a crash does no harm."""
    data.add(write(tmp_path / "a.csv", "x\n1\n"), "a", actor=ada)
    one = data.add(write(tmp_path / "b.csv", "x\n2\n"), "a", actor=ada, append=True)
    assert data.add(tmp_path / "b.csv", "a", actor=ada, append=True) == one


def test_a_file_that_does_not_fit_the_frozen_schema_is_not_appended(data: Data, ada: Actor, tmp_path: Path) -> None:
    """The place or the difference is told, and no version is made."""
    data.add(write(tmp_path / "a.csv", "x,y\n1,2\n"), "a", actor=ada)
    with pytest.raises(BadTable, match=r"b\.csv: line 3, column 'y': 'two' is not a value of type int"):
        data.add(write(tmp_path / "b.csv", "x,y\n1,2\n1,two\n"), "a", actor=ada, append=True)
    with pytest.raises(SchemaMismatch, match="missing: y; unexpected: z"):
        data.add(write(tmp_path / "c.csv", "x,z\n1,2\n"), "a", actor=ada, append=True)
    with pytest.raises(NotATable):
        data.add(write(tmp_path / "d.txt", "x"), "a", actor=ada, append=True)
    assert len(data.log("a")) == 1


def test_a_new_file_keeps_the_types_of_the_version_before_where_its_rows_fit(
    data: Data, ada: Actor, tmp_path: Path
) -> None:
    """An identifier does not become a number because no zero leads this month."""
    data.add(write(tmp_path / "a.csv", "zip\n01234\n"), "a", actor=ada)
    assert data.add(write(tmp_path / "a.csv", "zip\n91234\n"), "a", actor=ada).schema == Schema.of({"zip": "string"})
    assert data.add(write(tmp_path / "a.csv", "plz\n91234\n"), "a", actor=ada).schema == Schema.of({"plz": "int"})


def test_a_declared_schema_is_frozen(data: Data, ada: Actor, tmp_path: Path) -> None:
    """And files must fit it."""
    source = write(tmp_path / "a.csv", "x\n1\n")
    assert data.add(source, "a", actor=ada, schema=Schema.of({"x": "float64"})).schema == Schema.of({"x": "float64"})
    with pytest.raises(BadTable):
        data.add(write(tmp_path / "b.csv", "x\nb\n"), "a", actor=ada, schema=Schema.of({"x": "int"}))


def test_a_schema_can_be_frozen_later(data: Data, ada: Actor, tmp_path: Path) -> None:
    """Once; until then there are no rows to read."""
    assert data.add(write(tmp_path / "a.csv", "x\n1\n"), "a", actor=ada, schema="later").rows is None
    with pytest.raises(NotATable):
        data.read("a")
    assert data.freeze_schema("a", actor=ada).rows == 1
    assert data.freeze_schema("a", actor=ada, schema=Schema.of({"x": "string"})).schema == Schema.of({"x": "int"})


def test_a_folder_of_tables_is_one_table_in_the_order_of_paths(data: Data, ada: Actor, tmp_path: Path) -> None:
    """Types are those that all files have."""
    write(tmp_path / "in/2013/02.csv", "x\n2.5\n")
    write(tmp_path / "in/2013/01.csv", "x\n1\n")
    pl.DataFrame({"x": [9.0]}).write_parquet(tmp_path / "in/last.parquet")
    assert data.add(tmp_path / "in", "t", actor=ada).rows == 3
    assert data.read("t")["x"].to_list() == data.scan("t").collect()["x"].to_list() == [1.0, 2.5, 9.0]


def test_a_folder_of_other_files_is_checked_out_as_it_was(data: Data, ada: Actor, tmp_path: Path) -> None:
    """Names, nesting and bytes, the empty file too."""
    write(tmp_path / "in/a/b.txt", "one")
    write(tmp_path / "in/empty", "")
    (tmp_path / "in/pixels.bin").write_bytes(bytes(range(256)))
    assert data.add(tmp_path / "in", "files", actor=ada).schema is None
    out = data.checkout("files", tmp_path / "out")
    found = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert found == {"a/b.txt": b"one", "empty": b"", "pixels.bin": bytes(range(256))}


def test_what_cannot_be_added_is_refused(data: Data, ada: Actor, tmp_path: Path) -> None:
    """Nothing there, nothing in it, links, unsafe names."""
    (tmp_path / "empty").mkdir()
    write(tmp_path / "linked/a.txt", "x")
    (tmp_path / "linked/b").symlink_to("/etc/passwd")
    with pytest.raises(SourceNotFound):
        data.add(tmp_path / "none.csv", "a", actor=ada)
    with pytest.raises(EmptySource):
        data.add(tmp_path / "empty", "a", actor=ada)
    with pytest.raises(UnsafePath):
        data.add(tmp_path / "linked", "a", actor=ada)
    with pytest.raises(UnsafePath):
        data.add(write(tmp_path / "a:b.csv", "x\n1\n"), "a", actor=ada)
    with pytest.raises(BadName):
        data.add(write(tmp_path / "a.csv", "x\n1\n"), "../a", actor=ada)
    assert data.names() == []


def test_tags_never_move(data: Data, ada: Actor, ledger: Ledger, tmp_path: Path) -> None:
    """The same tag again is nothing new, on another version it is refused before anything is added."""
    data.add(write(tmp_path / "a.csv", "x\n1\n"), "a", actor=ada, tag="june")
    data.add(write(tmp_path / "a.csv", "x\n2\n"), "a", actor=ada)
    with pytest.raises(TagTaken):
        data.add(write(tmp_path / "a.csv", "x\n3\n"), "a", actor=ada, tag="june")
    with pytest.raises(TagTaken), ledger.change(ada) as change:
        data.tag(change, "a", "june")
    assert len(data.log("a")) == 2
    with ledger.change(ada) as change:
        assert data.tag(change, "a", "july").tags == ("july",)
    assert data.get("a@june").number == 1


@pytest.mark.parametrize("tag", ["../x", "A", "v3", "12", "a b", ""])
def test_a_tag_follows_the_grammar(data: Data, ada: Actor, tmp_path: Path, tag: str) -> None:
    """It is no path and no number."""
    with pytest.raises(BadInput):
        data.add(write(tmp_path / "a.csv", "x\n1\n"), "a", actor=ada, tag=tag)


@pytest.mark.parametrize("ref", ["data:none", "data:a@2", "data:a@nothing", "data:a@ffffffff", "model:a@1"])
def test_a_reference_to_nothing_is_an_error_that_helps(data: Data, ada: Actor, tmp_path: Path, ref: str) -> None:
    """It says what there is."""
    data.add(write(tmp_path / "a.csv", "x\n1\n"), "a", actor=ada)
    with pytest.raises(BadInput) as caught:
        data.get(ref)
    assert caught.value.cure
    if ref.startswith("data"):
        assert isinstance(caught.value, DatasetNotFound)


def test_a_checkout_never_overwrites_and_never_follows_a_link(data: Data, ada: Actor, tmp_path: Path) -> None:
    """Unless an existing file may be replaced."""
    data.add(write(tmp_path / "a.csv", "x\n1\n"), "a", actor=ada)
    mine = write(tmp_path / "mine", "mine")
    (tmp_path / "link").symlink_to(mine)
    for target in (mine, tmp_path / "link", tmp_path / "no/folder"):
        with pytest.raises(BadTarget):
            data.checkout("a", target)
    assert mine.read_text() == "mine"
    assert data.checkout("a", mine, Manner(overwrite=True)).read_text() == "x\n1\n"


def test_a_folder_is_checked_out_whole_or_not_at_all(data: Data, ada: Actor, tmp_path: Path, store: Path) -> None:
    """A damaged object leaves no half folder."""
    write(tmp_path / "in/a", "first")
    write(tmp_path / "in/b", "second")
    data.add(tmp_path / "in", "files", actor=ada)
    overwrite(store, b"second", b"Second")
    with pytest.raises(BlobCorrupt, match=r"data:files@1: b: the object .* in the pack .* is damaged"):
        data.checkout("files", tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"in", "store"}


def test_a_damaged_object_never_reaches_a_reader(data: Data, ada: Actor, tmp_path: Path, store: Path) -> None:
    """Whichever way it is read."""
    source = write(tmp_path / "a.csv", "x\n1\n")
    data.add(source, "a", actor=ada)
    overwrite(store, source.read_bytes(), b"x\n2\n")
    for read in (data.read, data.scan, lambda ref: data.table_digest(ref, actor=ada)):
        with pytest.raises(BlobCorrupt):
            read("a")


def test_the_table_digest_is_recorded_once_and_equal_for_csv_and_parquet(
    data: Data, ada: Actor, ledger: Ledger, tmp_path: Path
) -> None:
    """Under the same schema, whatever the parts."""
    data.add(write(tmp_path / "a.csv", "x,s\n1,a\n2,\n"), "csv", actor=ada)
    data.add_frame(pl.DataFrame({"x": [1], "s": ["a"]}), "frames", actor=ada)
    data.add_frame(pl.DataFrame({"s": [None], "x": [2]}), "frames", actor=ada, append=True)
    digests = {data.table_digest(name, actor=ada) for name in ("csv", "frames", "csv")}
    assert len(digests) == 1
    assert data.get("csv").table_digest in digests
    assert len(ledger.events("data:csv@1", ["data.digested"])) == 1


def test_events_explain_every_version_and_tag_and_hold_no_cell(
    data: Data, ada: Actor, ledger: Ledger, tmp_path: Path
) -> None:
    """The rows of the database are what the ledger says."""
    data.add(write(tmp_path / "a.csv", "x\nsecret\n"), "a", actor=ada, tag="one")
    data.add(write(tmp_path / "b.csv", "x\nhidden\n"), "a", actor=ada, append=True)
    events = ledger.events()
    projection = VersionsProjection()
    with ledger.read() as connection:
        assert projection.fold(events) == projection.stored(connection)
    assert len(projection.fold(events)) == 3
    assert not any(word in str(event.body) for event in events for word in ("secret", "hidden"))


def test_a_file_that_is_not_there_is_told_with_its_nearest_neighbour(data: Data, ada: Actor, tmp_path: Path) -> None:
    """A letter that was typed wrong is found in the cure."""
    (tmp_path / "customers.csv").write_text("x\n1\n")
    with pytest.raises(SourceNotFound) as told:
        data.add(tmp_path / "custmers.csv", "t", actor=ada)
    assert f"did you mean {tmp_path / 'customers.csv'}?" in str(told.value.cure)
    with pytest.raises(SourceNotFound) as told:
        data.add(tmp_path / "zzz.csv", "t", actor=ada)
    assert told.value.cure == "check the path"


@pytest.mark.parametrize("plant", ["link", "file", "folder"])
def test_what_comes_to_lie_at_a_target_meanwhile_is_not_followed_or_replaced(
    data: Data, ada: Actor, tmp_path: Path, plant: str
) -> None:
    """The folder is written beside it, and takes its place in one step or not at all."""
    for name in ("a", "b"):
        write(tmp_path / f"in/{name}", name)
    data.add(tmp_path / "in", "files", actor=ada)
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "out"

    def come(size_bytes: int) -> None:
        if plant == "link" and not target.is_symlink():
            target.symlink_to(tmp_path / "elsewhere")
        elif plant != "link":
            write(target if plant == "file" else target / "mine", "mine")

    with pytest.raises(BadTarget, match="meanwhile"):
        data.checkout("files", target, Manner(seen=come))
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"in", "store", "elsewhere", "out"}
