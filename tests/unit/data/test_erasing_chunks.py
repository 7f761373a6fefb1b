"""Erasing rows of files of many chunks: what only the old files had is gone, everything else is shared as before."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from undrift.blobs import assembly
from undrift.blobs.errors import BlobMissing
from undrift.blobs.store import BlobStore
from undrift.core.masking import open_mask
from undrift.data.erasing import Subject
from undrift.data.service import Data
from undrift.ledger.actor import Actor

WHO = "marker@example.org"
SUBJECT = Subject("t", "who", frozenset({WHO}))


def rows(count: int) -> str:
    draw = random.Random(3)
    lines = [f"u{number}@example.org,{draw.random()},{draw.random()}" for number in range(count)]
    lines[count // 2] = f"{WHO},1.5,2.5"
    return "who,a,b\n" + "\n".join(lines) + "\n"


def holding(store: Path) -> list[str]:
    return [
        path.relative_to(store).as_posix()
        for path in store.rglob("*")
        if path.is_file() and WHO.encode() in path.read_bytes()
    ]


@pytest.fixture
def erased(data: Data, ada: Actor, store: Path, tmp_path: Path) -> Data:
    """Give a large table in two versions, a copy of its packs elsewhere, and one subject erased."""
    path = tmp_path / "t.csv"
    path.write_text(rows(20_000))
    data.add(path, "t", actor=ada)
    path.write_text(rows(20_000) + "last@example.org,0.5,0.5\n")
    data.add(path, "t", actor=ada)
    assert len(data.manifest("t").parts[0].contents.chunks) > 8
    data.read("t")
    shutil.copytree(store / "blobs/packs", tmp_path / "elsewhere")
    assert {name.split("/")[1] for name in holding(store)} == {"packs", "whole"}
    for change in data.erasure.changes(SUBJECT, open_mask(store)):
        change.apply()
    data.erasure.purge()
    return data


def test_the_bytes_are_gone_and_the_rest_is_there(erased: Data, store: Path) -> None:
    """From packs, index and the files that readers had; most chunks are shared with what is left."""
    assert holding(store) == []
    assert [erased.read(f"t@{number}").height for number in (1, 2)] == [19_999, 20_000]
    assert erased.keeping.fsck().faults == ()
    stored = sum(erased._blobs.packs.digests().values())
    assert stored < 1.3 * len(rows(20_000))
    assert holding(store) == []


def test_a_purge_may_be_repeated_and_finds_nothing_more(erased: Data, store: Path) -> None:
    """Packs stay as they are."""
    before = sorted(path.name for path in (store / "blobs/packs").glob("??/*"))
    erased.erasure.purge()
    assert sorted(path.name for path in (store / "blobs/packs").glob("??/*")) == before


def test_erased_chunks_do_not_come_back_with_a_pack_from_elsewhere(erased: Data, store: Path, tmp_path: Path) -> None:
    """The rest of such a pack is taken in."""
    for path in (tmp_path / "elsewhere").glob("??/*.pack"):
        erased._blobs.packs.adopt(path)
    assert holding(store) == []
    assert erased.read("t").height == 20_000


def test_the_old_list_of_chunks_reads_what_is_left(erased: Data) -> None:
    """Whoever held the manifest before, too."""
    contents = erased.manifest("t@1").parts[0].contents
    assert WHO.encode() not in assembly.read(erased._blobs, contents)
    missing = [chunk.digest for chunk in contents.chunks if erased._blobs.packs.missing([chunk.digest])]
    assert 1 <= len(missing) <= 3
    with pytest.raises(BlobMissing):
        BlobStore(erased._blobs.folder).packs.read_chunk(missing[0])
