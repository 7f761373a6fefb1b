"""The store of objects."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from undrift.blobs.store import BlobCorrupt, BlobMissing, BlobStore
from undrift.core.digest import BadDigest, blake3_bytes


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


def objects(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "blobs/objects").rglob("*") if path.is_file()]


def flip(path: Path) -> None:
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)


def test_bytes_are_read_back_by_their_digest(store: BlobStore) -> None:
    """The digest is BLAKE3 of the bytes."""
    digest = store.put_bytes(b"rows")
    assert digest == blake3_bytes(b"rows")
    assert store.read_bytes(digest) == b"rows"
    assert store.verified_path(digest).read_bytes() == b"rows"
    assert store.size(digest) == 4


def test_the_same_bytes_are_stored_once(store: BlobStore, tmp_path: Path) -> None:
    """One object."""
    assert store.put_bytes(b"rows") == store.put_bytes(b"rows")
    assert len(objects(tmp_path)) == 1


def test_a_flipped_byte_is_found_on_every_way_to_read(store: BlobStore, tmp_path: Path) -> None:
    """Wrong bytes are never given out."""
    digest = store.put_bytes(b"rows")
    flip(objects(tmp_path)[0])
    for read in (store.read_bytes, store.verified_path):
        with pytest.raises(BlobCorrupt, match=digest):
            read(digest)


def test_adding_the_good_bytes_again_heals_a_damaged_object(store: BlobStore, tmp_path: Path) -> None:
    """A damaged object does not count as stored."""
    digest = store.put_bytes(b"rows")
    flip(objects(tmp_path)[0])
    store.put_bytes(b"rows")
    assert store.read_bytes(digest) == b"rows"


def test_a_missing_object_is_named(store: BlobStore) -> None:
    """Reading what is not there is an error of its own."""
    with pytest.raises(BlobMissing, match="no object"):
        store.read_bytes(blake3_bytes(b"other"))


@pytest.mark.parametrize("digest", ["", "b3:../../etc/passwd", "../x", "b3:" + "A" * 64, "sha256:" + "0" * 64])
def test_only_digests_become_paths(store: BlobStore, digest: str) -> None:
    """What a client sent never names a file."""
    with pytest.raises(BadDigest):
        store.read_bytes(digest)


def test_folders_and_objects_are_private(store: BlobStore, tmp_path: Path) -> None:
    """Nobody else reads them, and an object cannot be written by accident."""
    store.put_bytes(b"rows")
    (found,) = objects(tmp_path)
    assert found.stat().st_mode & 0o777 == 0o400
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "blobs").rglob("*"))


def test_left_overs_of_dead_writers_are_swept_and_those_of_live_ones_kept(store: BlobStore, tmp_path: Path) -> None:
    """A file whose lock is free belongs to nobody."""
    dead = tmp_path / "blobs/incoming/dead.part"
    dead.write_bytes(b"half")
    with store.incoming.file() as file:
        BlobStore(tmp_path / "blobs")
        assert file.path.exists()
    assert not dead.exists()


def test_many_threads_store_the_same_and_different_bytes(store: BlobStore, tmp_path: Path) -> None:
    """Nobody waits, nothing is lost."""
    threads = [threading.Thread(target=store.put_bytes, args=(b"%d" % (n % 5),)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {store.read_bytes(blake3_bytes(b"%d" % n)) for n in range(5)} == {b"0", b"1", b"2", b"3", b"4"}
    assert len(objects(tmp_path)) == 5


@settings(deadline=None)
@given(data=st.binary(max_size=5000))
def test_any_bytes_come_back(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Empty ones too."""
    store = BlobStore(tmp_path_factory.getbasetemp() / "shared")
    assert store.read_bytes(store.put_bytes(data)) == data
