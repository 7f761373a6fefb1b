"""Storing files as chunks."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from undrift.blobs import assembly, storing
from undrift.blobs.contents import EMPTY, is_there, named, remember
from undrift.blobs.errors import BlobMissing
from undrift.blobs.packs.toc import toc_of
from undrift.blobs.store import BlobStore
from undrift.blobs.storing import store_bytes, store_file, store_files
from undrift.blobs.tombstones import BlobErased
from undrift.core.digest import blake3_bytes
from undrift.core.files import DiskFull

from .kept import noise, pack_files


@settings(deadline=None, max_examples=20)
@given(size=st.integers(0, 300_000), seed=st.integers(0, 100))
def test_any_file_comes_back(tmp_path_factory: pytest.TempPathFactory, size: int, seed: int) -> None:
    """Of any size, as one chunk or many."""
    store = BlobStore(tmp_path_factory.getbasetemp() / "any")
    data = noise(size, seed)
    contents = store_bytes(store, data).contents[0]
    assert (contents.digest, contents.size_bytes) == (blake3_bytes(data), size)
    assert assembly.read(store, contents) == data


def test_a_large_file_is_cut_as_a_small_one_is(
    store: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading in windows changes nothing."""
    source = tmp_path / "file"
    source.write_bytes(noise(5 << 20))
    whole = store_file(store, source)
    monkeypatch.setattr(storing, "_WINDOW_BYTES", 1 << 20)
    before = len(pack_files(store))
    assert store_file(store, source) == whole
    assert len(pack_files(store)) == before
    assert assembly.read(store, whole) == source.read_bytes()


def test_many_small_files_share_packs(store: BlobStore, tmp_path: Path) -> None:
    """Not one file each, and equal ones are stored once."""
    files = [tmp_path / f"{number}" for number in range(600)]
    for number, file in enumerate(files):
        file.write_bytes(noise(2000, number % 500))
    stored = store_files(store, files)
    assert [contents.digest for contents in stored.contents] == [blake3_bytes(file.read_bytes()) for file in files]
    assert stored.added_bytes == 500 * 2000
    (pack,) = pack_files(store)
    assert len(toc_of(pack).chunks) == 500


def test_files_keep_their_order_when_large_and_small_ones_mix(
    store: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The contents are those of the files that were given, one by one."""
    monkeypatch.setattr(storing, "_WINDOW_BYTES", 200_000)
    files = [tmp_path / f"{number}" for number in range(9)]
    for number, file in enumerate(files):
        file.write_bytes(noise(number * 70_000, number))
    told: list[int] = []
    stored = store_files(store, files, told.append)
    assert [assembly.read(store, contents) for contents in stored.contents] == [file.read_bytes() for file in files]
    assert sum(told) == sum(file.stat().st_size for file in files)


def test_an_edit_stores_little(store: BlobStore, tmp_path: Path) -> None:
    """Only the chunks around it."""
    source = tmp_path / "file"
    data = noise(4 << 20)
    source.write_bytes(data)
    store_file(store, source)
    source.write_bytes(data[: 2 << 20] + b"inserted" + data[2 << 20 :])
    assert 0 < store_files(store, [source]).added_bytes < 1 << 19


def test_a_failed_write_leaves_nothing_behind(store: BlobStore, tmp_path: Path) -> None:
    """A source that cannot be read changes nothing."""
    with pytest.raises(OSError, match="directory"):
        store_file(store, tmp_path)
    assert pack_files(store) == []
    assert list((tmp_path / "blobs/incoming").iterdir()) == []


@pytest.mark.parametrize("call", ["writev", "fsync", "open"])
@pytest.mark.parametrize("nth", range(4))
def test_a_full_disk_is_told_and_leaves_nothing_half_made(
    store: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, nth: int
) -> None:
    """At any write, whatever fails."""
    old = store_bytes(store, b"old").contents[0]
    files = [tmp_path / "small", tmp_path / "large"]
    files[0].write_bytes(noise(100_000))
    files[1].write_bytes(noise(20 << 20, 2))
    real, count = getattr(os, call), iter(range(1000))

    def full(*args: object, **kwargs: object) -> object:
        if next(count) == nth:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(os, call, full)
        try:
            store_files(store, files)
        except (DiskFull, OSError) as error:
            told = error
        else:
            told = None
    if call == "writev":
        assert isinstance(told, DiskFull)
    assert list((tmp_path / "blobs/incoming").iterdir()) == []
    assert assembly.read(store, old) == b"old"
    assert [assembly.read(store, one) for one in store_files(store, files).contents] == [
        file.read_bytes() for file in files
    ]


def test_erased_bytes_are_refused_before_a_byte_of_them_is_written(store: BlobStore, tmp_path: Path) -> None:
    """Small files and large ones."""
    for size in (1000, 20 << 20):
        source = tmp_path / f"{size}"
        source.write_bytes(noise(size))
        store.tombstones.write(blake3_bytes(source.read_bytes()), None)
        with pytest.raises(BlobErased):
            store_file(store, source)
    assert pack_files(store) == []


def test_contents_are_found_by_digest_where_no_manifest_lists_them(store: BlobStore) -> None:
    """One chunk, an object, an empty file, and many chunks that were remembered."""
    one, many = store_bytes(store, b"one").contents[0], store_bytes(store, noise(500_000)).contents[0]
    assert named(store, one.digest) == one
    assert named(store, store.put_bytes(b"object")).size_bytes == 6
    assert named(store, EMPTY).chunks == ()
    with pytest.raises(BlobMissing):
        named(store, many.digest)
    remember(store, many)
    assert named(store, many.digest) == many
    store.erase(one.digest, many.digest)
    assert named(store, one.digest) == many
    store.erase(many.digest, None)
    assert not is_there(store, one.digest)
