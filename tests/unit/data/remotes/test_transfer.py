"""Versions go to a remote and come from it, each byte once."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from undrift.blobs.errors import BlobMissing
from undrift.data.gc import Keep
from undrift.data.remotes.mending import RemoteChunks
from undrift.data.remotes.pull import NotAtRemote
from undrift.data.repository import VersionsProjection
from undrift.data.versions import DatasetNotFound

from .conftest import ADA, Site, remote_files, rows


def test_a_clone_is_the_same_to_the_byte(pair: tuple[Site, Site]) -> None:
    """Bytes, ids, numbers, tags, schema, digest and time of addition."""
    ada, ben = pair
    ada.add(rows(3000), tag="first")
    ada.add(rows(3000) + "1,2\n")
    ada.project.data.table_digest("t@1", actor=ADA)
    pushed = ada.push()
    assert (pushed.versions, pushed.known, pushed.tags) == (["data:t@1", "data:t@2"], 0, 1)
    pulled = ben.pull()
    assert (pulled.versions, pulled.failed, pulled.tags) == (["data:t@1", "data:t@2"], [], 1)
    assert ben.project.data.log("t") == ada.project.data.log("t")
    assert [ben.text(f"t@{n}") for n in (1, 2)] == [ada.text(f"t@{n}") for n in (1, 2)]
    assert ben.project.verify().ok
    assert ben.project.ledger.verify([VersionsProjection()]).ok


def test_what_is_there_is_neither_sent_nor_fetched_again(pair: tuple[Site, Site]) -> None:
    """Of a changed version only what changed."""
    ada, ben = pair
    ada.add(rows(40_000))
    first = ada.push()
    assert (ada.push().chunks, ada.push().versions) == (0, [])
    came = ben.pull()
    assert (came.chunks, ben.pull().chunks, ben.pull().known) == (first.chunks, 0, 1)
    ada.add(rows(40_000) + "1,2\n")
    second = ada.push()
    assert second.known == 1
    assert 0 < second.size_bytes < first.size_bytes / 5
    again = ben.pull()
    assert 0 < again.size_bytes < came.size_bytes / 5
    assert ben.text("t") == rows(40_000) + "1,2\n"


def test_small_versions_share_a_pack_and_progress_is_told(ada: Site) -> None:
    """Ten versions, one pack; the last word says that all of it is there."""
    for number in range(10):
        ada.add(rows(50, seed=number), "small")
    ada.told.clear()
    assert ada.push().packs == 1
    what, now, of = ada.told[-1]
    assert (what, now) == ("data:small@1", of)


def test_chosen_versions_go_and_come(ada: Site, ben: Site) -> None:
    """By dataset, number, tag and id; what nobody has is told."""
    ada.add("x\n1\n", "other")
    assert ada.push("other").versions == ["data:other@1"]
    assert ben.pull("t@first").versions == ["data:t@1"]
    assert ben.project.data.names() == ["t"]
    assert ben.pull("t@2", "other").versions == ["data:t@2", "data:other@1"]
    for missing in ("t@9", "nothing", "t@nothing"):
        with pytest.raises(NotAtRemote):
            ben.pull(missing)
    with pytest.raises(DatasetNotFound):
        ada.push("nothing")


def test_a_later_number_alone_leaves_room_for_those_before(ada: Site, ben: Site) -> None:
    """Numbers are kept when they are free."""
    assert ben.pull("t@2").versions == ["data:t@2"]
    assert ben.pull().versions == ["data:t@1"]
    assert [one.number for one in ben.project.data.log("t")] == [2, 1]
    assert ben.add("a,b\n5,6\n") == "data:t@3"


def test_a_number_that_is_taken_gets_the_next_one(ada: Site, ben: Site) -> None:
    """Both projects added a version of their own: neither is lost, and nothing goes to and fro."""
    ben.add("a,b\n1,1\n")
    pulled = ben.pull()
    assert pulled.versions == ["data:t@2", "data:t@3"]
    assert pulled.renumbered == {"data:t@2": "data:t@1", "data:t@3": "data:t@2"}
    ids = {one.version_id for one in ben.project.data.log("t")}
    assert ben.push().versions == ["data:t@1"]
    assert ben.pull().versions == []
    ada.pull()
    assert {one.version_id for one in ada.project.data.log("t")} == ids
    assert ada.push().versions == ben.push().versions == ben.pull().versions == ada.pull().versions == []


def test_a_version_that_came_back_is_a_version_of_its_own(site: Callable[..., Site]) -> None:
    """A, B, A: the newest is A in the clone, too."""
    ada, ben = site("ada"), site("ben")
    for text in ("a\n1\n", "a\n2\n", "a\n1\n"):
        ada.add(text)
    ada.push()
    assert ben.pull().versions == ["data:t@1", "data:t@2", "data:t@3"]
    assert ben.text("t") == "a\n1\n"


def test_a_tag_never_moves(ada: Site, ben: Site) -> None:
    """On neither side; the conflict is said."""
    ben.add("a,b\n1,1\n", tag="first")
    assert ben.pull().conflicts == ["t@first"]
    assert ben.project.data.get("t@first").number == 1
    assert ben.push().conflicts == ["t@first"]


def test_bytes_that_were_lost_here_come_again(ada: Site, ben: Site) -> None:
    """A version that is known and cannot be read is mended."""
    ben.pull()
    for pack in (ben.project.store / "blobs" / "packs").rglob("*.pack"):
        pack.unlink()
    with pytest.raises(BlobMissing):
        ben.text("t@2")
    pulled = ben.pull()
    assert pulled.mended[0] == "data:t@1"
    assert ben.text("t@2") == rows(3000) + "1,2\n"


def test_a_version_without_its_bytes_is_not_pushed_as_if_it_were_whole(ada: Site) -> None:
    """The error names it; the remote does not know it."""
    ada.add(rows(3000, seed=5), "lost")
    for pack in (ada.project.store / "blobs" / "packs").rglob("*.pack"):
        pack.unlink()
    with pytest.raises(BlobMissing, match="data:lost@1"):
        ada.push("lost")
    assert not remote_files(ada, "versions/lost/*")


def test_records_and_manifests_do_not_tell_where_things_lie_here(ada: Site) -> None:
    """No path of this machine, no actor."""
    for file in [*remote_files(ada, "versions/*/*"), *remote_files(ada, "manifests/*/*")]:
        text = file.read_text()
        json.loads(text)
        assert str(ada.project.root) not in text
        assert "os-user" not in text


def test_bytes_that_were_let_go_of_come_back_when_they_are_asked_for(ada: Site, ben: Site) -> None:
    """A pull of everything leaves them away; a push leaves the version out."""
    ben.pull()
    ben.project.data.keeping.gc(Keep(is_everything=False), ADA)
    assert ben.project.data.get("t@1").is_gone
    assert (ben.pull().mended, ben.push().gone) == ([], ["data:t@1"])
    assert ben.pull("t@1").mended == ["data:t@1"]
    assert ben.text("t@1") == rows(3000)
    assert ben.project.verify().ok


@pytest.mark.parametrize("what", ["packs/*/*.pack", "objects/*/*"])
def test_a_check_repairs_from_a_remote(ada: Site, ben: Site, what: str) -> None:
    """Chunks and lists of files that are damaged here and right there."""
    ben.pull()
    for file in (ben.project.store / "blobs").glob(what):
        file.chmod(0o600)
        file.write_bytes(bytes([file.read_bytes()[0] ^ 1]) + file.read_bytes()[1:])
    assert not ben.project.data.keeping.fsck().is_sound
    assert not ben.project.data.keeping.fsck(is_repair=True).is_sound
    assert ben.project.data.keeping.fsck([RemoteChunks(ben.remote())], is_repair=True).is_sound
    assert ben.text("t@2") == rows(3000) + "1,2\n"
