"""Files put together from chunks, wherever these lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from undrift.blobs import assembly, copying
from undrift.blobs.contents import Chunk, Contents, remember
from undrift.blobs.errors import BlobCorrupt, BlobMissing
from undrift.blobs.packs.packs import raw_of
from undrift.blobs.runs import LARGEST_RUN_BYTES
from undrift.blobs.store import BlobStore
from undrift.blobs.storing import store_file
from undrift.core.digest import blake3_bytes

from .kept import damage_chunk, noise, pack_files


def in_objects(store: BlobStore, *pieces: bytes) -> Contents:
    """Return contents as stores of before packs kept them."""
    return listed(tuple(pieces), [store.put_bytes(piece) for piece in pieces])


def in_packs(store: BlobStore, *pieces: bytes) -> Contents:
    """Return contents whose pieces lie in one pack each."""
    for piece in pieces:
        with store.packs.writer() as writer:
            writer.add(blake3_bytes(piece), piece)
    return listed(tuple(pieces), [blake3_bytes(piece) for piece in pieces])


def listed(pieces: tuple[bytes, ...], digests: list[str]) -> Contents:
    chunks = tuple(Chunk(digest, len(piece)) for digest, piece in zip(digests, pieces, strict=True))
    whole = b"".join(pieces)
    return Contents(blake3_bytes(whole), len(whole), chunks)


@pytest.mark.parametrize("kept", [in_objects, in_packs])
@pytest.mark.parametrize("pieces", [(), (b"one",), (b"one", b"two", b"one")])
def test_a_file_is_put_together_from_its_chunks(store: BlobStore, tmp_path: Path, kept, pieces) -> None:  # noqa: ANN001
    """However many there are, however they were cut, and wherever they lie."""
    stored = kept(store, *pieces)
    copying.materialise(store, stored, tmp_path / "out")
    whole = b"".join(pieces)
    assert assembly.read(store, stored) == (tmp_path / "out").read_bytes() == whole
    assert assembly.verified_path(store, stored).read_bytes() == whole


def test_good_pieces_in_the_wrong_order_are_refused(store: BlobStore) -> None:
    """The whole has a digest too."""
    stored = in_packs(store, b"one", b"two")
    swapped = Contents(stored.digest, stored.size_bytes, stored.chunks[::-1])
    for read in (assembly.read, assembly.verified_path):
        with pytest.raises(BlobCorrupt, match="do not make up"):
            read(store, swapped)


def test_of_an_erased_file_the_sum_of_what_is_left_is_verified(store: BlobStore, tmp_path: Path) -> None:
    """No version's id stands for the list of what is left."""
    stored, left = in_packs(store, b"one", b"two"), in_packs(store, b"rest", b"of it")
    remember(store, Contents(left.digest, left.size_bytes, left.chunks[::-1]))
    store.erase(stored.digest, left.digest)
    with pytest.raises(BlobCorrupt, match="do not make up"):
        copying.materialise(store, stored, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    remember(store, left)
    copying.materialise(store, stored, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"restof it"


@pytest.mark.parametrize("size_bytes", [LARGEST_RUN_BYTES, LARGEST_RUN_BYTES + 1, 20 << 20])
def test_large_files_are_written_byte_by_byte_as_they_were(store: BlobStore, tmp_path: Path, size_bytes: int) -> None:
    """By one thread or two, and what is told of progress adds up."""
    source, told = tmp_path / "source", []
    source.write_bytes(noise(size_bytes))
    copying.materialise(store, store_file(store, source), tmp_path / "out", told.append)
    assert (tmp_path / "out").read_bytes() == source.read_bytes()
    assert sum(told) == size_bytes


def test_a_chunk_larger_than_any_run_is_written(store: BlobStore, tmp_path: Path) -> None:
    """Other ways of cutting may make such chunks."""
    pieces = (noise(LARGEST_RUN_BYTES + 5), b"small", noise(LARGEST_RUN_BYTES + 7, 2))
    copying.materialise(store, in_packs(store, *pieces), tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"".join(pieces)


def test_a_damaged_chunk_is_named_with_its_pack_and_reaches_nobody(store: BlobStore, tmp_path: Path) -> None:
    """In the middle of a large file too."""
    source = tmp_path / "large"
    source.write_bytes(noise(20 << 20))
    stored = store_file(store, source)
    victim = stored.chunks[100]
    damage_chunk(store, victim.digest)
    for read in (assembly.read, assembly.verified_path):
        with pytest.raises(BlobCorrupt, match=f"{victim.digest} in the pack [0-9a-f]{{64}} is damaged"):
            read(store, stored)
    with pytest.raises(BlobCorrupt):
        copying.materialise(store, stored, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blobs", "large"]


def test_of_two_copies_the_good_one_is_used(store: BlobStore) -> None:
    """Whichever is damaged."""
    stored = in_packs(store, b"first", b"second")
    damage_chunk(store, stored.chunks[0].digest)
    with pytest.raises(BlobCorrupt):
        assembly.read(store, stored)
    with store.packs.writer() as writer:  # what was found damaged is stored again
        writer.add(stored.chunks[0].digest, b"first")
        writer.add(blake3_bytes(b"third"), b"third")
    assert assembly.read(store, stored) == b"firstsecond"
    assert len(store.packs.find([stored.chunks[0].digest])[stored.chunks[0].digest]) == 2


def test_adding_the_original_again_heals_what_was_found_damaged(store: BlobStore, tmp_path: Path) -> None:
    """Only the damaged chunk is stored again."""
    source = tmp_path / "file"
    source.write_bytes(noise(1 << 20))
    stored = store_file(store, source)
    damage_chunk(store, stored.chunks[3].digest)
    with pytest.raises(BlobCorrupt):
        assembly.read(store, stored)
    assert store_file(store, source) == stored
    assert assembly.read(store, stored) == source.read_bytes()
    assert sum(path.stat().st_size for path in pack_files(store)) < (1 << 20) + (1 << 19)


def test_a_missing_chunk_is_named(store: BlobStore) -> None:
    """Nothing is given in its place."""
    stored = in_packs(store, b"one", b"two")
    for path in pack_files(store):
        path.unlink()
    with pytest.raises(BlobMissing, match=stored.chunks[0].digest):
        assembly.read(store, stored)


def test_a_pack_that_was_rewritten_meanwhile_is_found_again(store: BlobStore) -> None:
    """Readers hold no lock."""
    stored = in_packs(store, b"one")
    held = store.packs.find([stored.digest])[stored.digest][0]
    with store.packs.writer() as writer:
        writer.add(blake3_bytes(b"other"), b"other")
    other = BlobStore(store.folder)
    other.packs.replace(held.pack, [stored.digest])
    assert store.packs.read_chunk(stored.digest) == b"one"
    assert raw_of(stored.digest)


def test_a_whole_file_is_put_together_once_and_verified_each_time(store: BlobStore) -> None:
    """Training reads a table many times."""
    stored = in_packs(store, b"one", b"two")
    path = assembly.verified_path(store, stored)
    assert path.stat().st_mode & 0o777 == 0o400
    first = path.stat().st_ino
    assert assembly.verified_path(store, stored).stat().st_ino == first
    path.chmod(0o600)
    path.write_bytes(b"wrong!")
    assert assembly.verified_path(store, stored).read_bytes() == b"onetwo"


def test_the_whole_files_are_bounded(tmp_path: Path) -> None:
    """Those that were not used for longest go; those of a moment ago stay."""
    store = BlobStore(tmp_path / "blobs", cache_bytes=10)
    paths = [assembly.verified_path(store, in_packs(store, b"%d" % n * 3, b"x")) for n in range(4)]
    assert all(path.exists() for path in paths)
    os.utime(paths[1], ns=(0, 0))
    os.utime(paths[2], ns=(1, 1))
    paths.append(assembly.verified_path(store, in_packs(store, b"new", b"x")))
    assert [path.exists() for path in paths] == [True, False, False, True, True]


def test_a_checked_out_file_is_the_users(store: BlobStore, tmp_path: Path) -> None:
    """Its mode follows the umask, and writing it does not touch the store."""
    stored = in_packs(store, b"rows")
    target = tmp_path / "out"
    copying.materialise(store, stored, target)
    assert target.stat().st_mode & 0o200
    target.write_bytes(b"mine")
    assert assembly.read(store, stored) == b"rows"
