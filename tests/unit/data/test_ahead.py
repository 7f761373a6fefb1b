"""Files that a child stores while everything else is loaded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from undrift.blobs.sharing import StoreInUse, StoreLock
from undrift.blobs.store import BlobStore
from undrift.blobs.storing import nobody, store_file
from undrift.blobs.tombstones import BlobErased
from undrift.core.digest import blake3_bytes
from undrift.data import ahead
from undrift.data.ahead import Ahead
from undrift.data.paths import UnsafePath
from undrift.data.service import Data
from undrift.ledger.actor import Actor


@pytest.fixture(autouse=True)
def _always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files, too."""
    monkeypatch.setattr(ahead, "_WORTH_IT_BYTES", 1)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "some.bin"
    path.write_bytes(os.urandom(3 << 20))
    return path


def test_a_child_stores_what_this_process_would(source: Path, store: Path) -> None:
    """The same chunks, and how many bytes were new."""
    with Ahead(store / "blobs", source, nobody) as begun:
        told = begun.stored()
    assert told == ({"some.bin": store_file(BlobStore(store / "blobs"), source)}, 3 << 20)


def test_the_version_is_the_same_and_its_place_is_known(data: Data, ada: Actor, source: Path, store: Path) -> None:
    """Files are looked at before they are stored."""
    from undrift.data.intake import Asked

    with Ahead(store / "blobs", source, nobody) as begun:
        taken = data.intake.add(str(source), Asked("t", unread=True), ada, nobody, begun)
    (place,) = data.places.below(source)
    assert place.files["some.bin"].digest == blake3_bytes(source.read_bytes())
    assert data.add(source, "t", actor=ada, schema="later") == taken.version
    assert data.keeping.fsck().faults == ()


def test_nobody_deletes_meanwhile(source: Path, store: Path) -> None:
    """Not before what was stored is referred to."""
    with Ahead(store / "blobs", source, nobody) as begun:
        begun.stored()
        with pytest.raises(StoreInUse), StoreLock(store / "blobs/store.lock", timeout_s=0).alone():
            pass
    with StoreLock(store / "blobs/store.lock", timeout_s=0).alone():
        pass


def test_what_fails_in_the_child_is_told_by_the_parent(data: Data, ada: Actor, source: Path, store: Path) -> None:
    """It does the same again."""
    from undrift.data.intake import Asked

    data._blobs.tombstones.write(blake3_bytes(source.read_bytes()), None)
    with Ahead(store / "blobs", source, nobody) as begun, pytest.raises(BlobErased):
        data.intake.add(str(source), Asked("t", unread=True), ada, nobody, begun)
    assert data.names() == []


def test_a_child_that_nobody_waits_for_is_ended(source: Path, store: Path) -> None:
    """And what it left is swept."""
    with Ahead(store / "blobs", source, nobody) as begun:
        child = begun._child
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    assert list((BlobStore(store / "blobs").folder / "incoming").iterdir()) == []


def test_unsafe_names_are_refused_before_anything_is_stored(tmp_path: Path, store: Path) -> None:
    """As by any addition."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a:b").write_text("x")
    with pytest.raises(UnsafePath):
        Ahead(store / "blobs", tmp_path / "in", nobody)
    assert not (store / "blobs/packs").exists()
