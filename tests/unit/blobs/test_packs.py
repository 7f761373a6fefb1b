"""Packs: what they promise, byte by byte."""

from __future__ import annotations

import multiprocessing
import sqlite3
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from undrift.blobs.errors import BlobCorrupt, BlobMissing, PackCorrupt
from undrift.blobs.packs import writer as writing
from undrift.blobs.packs.toc import FOOTER_BYTES, Toc, read_footer, read_toc, toc_of
from undrift.blobs.packs.writer import ChunkTooLarge
from undrift.blobs.store import BlobStore
from undrift.core.digest import blake3_bytes

from .kept import damage_chunk, flip, noise, pack_files

GOLDEN = Path(__file__).parents[2] / "golden/blobs/three.pack"
CHUNKS = (b"first piece", b"second", b"\x00" * 300)


def put(store: BlobStore, *pieces: bytes) -> list[str]:
    """Store chunks in one pack and return their digests."""
    with store.packs.writer() as writer:
        for piece in pieces:
            writer.add(blake3_bytes(piece), piece)
    return [blake3_bytes(piece) for piece in pieces]


def test_a_pack_is_written_as_its_format_says(store: BlobStore) -> None:
    """The golden file is what is written and what is read."""
    put(store, *CHUNKS)
    (path,) = pack_files(store)
    assert path.read_bytes() == GOLDEN.read_bytes()
    assert path.stem == toc_of(GOLDEN).name
    assert path.stat().st_mode & 0o777 == 0o400


def test_a_pack_can_be_read_by_its_end(store: BlobStore) -> None:
    """Footer, table, one chunk: three ranges."""
    data = GOLDEN.read_bytes()
    span = read_footer(data[-FOOTER_BYTES:], len(data), "golden")
    toc = read_toc(data[span.offset : span.offset + span.length], span, "golden")
    place = toc.places[1]
    assert data[place.offset : place.offset + place.length] == b"second"
    assert (toc.data_bytes, toc.size_bytes) == (sum(map(len, CHUNKS)), len(data))


@settings(deadline=None)
@given(pieces=st.lists(st.binary(min_size=1, max_size=200), unique=True))
def test_a_table_of_contents_comes_back(pieces: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Any chunks, none too."""
    toc = Toc(tuple((blake3(piece).digest(), len(piece)) for piece in pieces))
    path = tmp_path_factory.getbasetemp() / "one.pack"
    path.write_bytes(b"".join(pieces) + toc.end)
    assert toc_of(path) == toc


@settings(deadline=None, max_examples=200)
@given(at=st.integers(0, GOLDEN.stat().st_size - 1), bit=st.integers(0, 7))
def test_any_flipped_bit_is_found(at: int, bit: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A pack from elsewhere with one wrong bit is not taken in."""
    folder = tmp_path_factory.mktemp("flipped")
    data = bytearray(GOLDEN.read_bytes())
    data[at] ^= 1 << bit
    (folder / "x.pack").write_bytes(data)
    store = BlobStore(folder / "blobs")
    with pytest.raises((PackCorrupt, BlobCorrupt)):
        store.packs.adopt(folder / "x.pack")
    assert store.packs.files.names() == []
    assert list((folder / "blobs/incoming").iterdir()) == []


@pytest.mark.parametrize("size", range(GOLDEN.stat().st_size))
def test_any_truncation_is_found(size: int, tmp_path: Path) -> None:
    """However much is missing."""
    (tmp_path / "x.pack").write_bytes(GOLDEN.read_bytes()[:size])
    with pytest.raises(PackCorrupt):
        toc_of(tmp_path / "x.pack")


@pytest.mark.parametrize(
    "chunks",
    [((b"\x01" * 32, 0),), ((b"\x01" * 32, 1 << 25),), ((b"\x01" * 32, 4), (b"\x01" * 32, 4)), ((b"\x01" * 32, 9),)],
)
def test_a_hostile_table_is_refused(chunks: tuple[tuple[bytes, int], ...], tmp_path: Path) -> None:
    """Empty, giant and doubled chunks, and lengths that do not add up."""
    (tmp_path / "x.pack").write_bytes(b"12345678" + Toc(chunks).end)
    with pytest.raises(PackCorrupt):
        toc_of(tmp_path / "x.pack")


def test_adopted_chunks_are_read_and_a_chunk_that_was_erased_is_left_out(store: BlobStore) -> None:
    """The rest makes another pack."""
    store.tombstones.write(blake3_bytes(b"second"), None)
    name = store.packs.adopt(GOLDEN)
    assert store.packs.read_chunk(blake3_bytes(b"first piece")) == b"first piece"
    assert store.packs.missing(map(blake3_bytes, CHUNKS)) == {blake3_bytes(b"second")}
    assert b"second" not in store.packs.files.path(name).read_bytes()


def test_a_chunk_is_stored_once_and_its_name_is_checked(store: BlobStore) -> None:
    """Across writers and within one."""
    put(store, b"one", b"two", b"one")
    with store.packs.writer() as writer:
        assert not writer.add(blake3_bytes(b"one"), b"one")
        assert writer.add(blake3_bytes(b"three"), b"three")
        with pytest.raises(BlobCorrupt):
            writer.add(blake3_bytes(b"four"), b"five")
        with pytest.raises(ChunkTooLarge):
            writer.add(blake3_bytes(b""), b"")
    assert writer.added_bytes == 5
    assert sum(len(toc_of(path).chunks) for path in pack_files(store)) == 3


def test_a_full_pack_is_closed_and_another_begun(store: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """And all chunks are found again, those of packs that are just being closed too."""
    monkeypatch.setattr(writing, "FULL_BYTES", 1000)
    pieces = [noise(300, seed) for seed in range(20)]
    put(store, *pieces, *pieces)
    tocs = [toc_of(path) for path in pack_files(store)]
    assert [len(toc.chunks) for toc in tocs] == [4] * 5
    assert [store.packs.read_chunk(blake3_bytes(piece)) for piece in pieces] == pieces


def test_a_writer_that_fails_leaves_nothing_behind(store: BlobStore, tmp_path: Path) -> None:
    """No pack and no half file."""

    def fail() -> None:
        with store.packs.writer() as writer:
            writer.add(blake3_bytes(b"one"), b"one")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert pack_files(store) == []
    assert list((tmp_path / "blobs/incoming").iterdir()) == []
    with pytest.raises(BlobMissing):
        store.packs.read_chunk(blake3_bytes(b"one"))


def _delete(path: Path) -> None:
    for one in path.parent.glob("index.db*"):
        one.unlink()


def _scribble(path: Path) -> None:
    _delete(path)
    path.write_bytes(b"no database" * 1000)


def _cut(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path.write_bytes(path.read_bytes()[:5000])


def _forget(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM packs")
        connection.execute("DELETE FROM chunks")


def _older(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE chunks")
        connection.execute("PRAGMA user_version = 77")


@pytest.mark.parametrize("break_it", [_delete, _scribble, _cut, _forget, _older])
def test_the_index_is_made_again_from_the_packs(store: BlobStore, break_it) -> None:  # noqa: ANN001
    """When it is missing, damaged, cut off, behind, or of another version."""
    digests = put(store, *CHUNKS)
    put(store, b"more")
    break_it(store.folder / "index.db")
    again = BlobStore(store.folder)
    assert [again.packs.read_chunk(digest) for digest in digests] == list(CHUNKS)
    assert again.packs.missing(digests) == set()


def test_what_is_damaged_or_gone_does_not_count_as_held(store: BlobStore) -> None:
    """Else adding the good bytes again would not heal it."""
    first, second = put(store, b"first")[0], put(store, b"second")[0]
    damage_chunk(store, first)
    with pytest.raises(BlobCorrupt):
        store.packs.read_chunk(first)
    store.packs.files.path(store.packs.find([second])[second][0].pack).unlink()
    assert store.packs.missing([first, second]) == {first, second}
    assert store.packs.has_damage()


def test_a_pack_is_replaced_by_one_with_fewer_chunks(store: BlobStore) -> None:
    """The rest stays readable, what went is in no file."""
    digests = put(store, *CHUNKS)
    (name,) = store.packs.files.names()
    store.packs.replace(name, digests[1:])
    assert [store.packs.read_chunk(digest) for digest in digests[1:]] == list(CHUNKS[1:])
    assert not any(b"first piece" in path.read_bytes() for path in store.folder.rglob("*") if path.is_file())
    (name,) = store.packs.files.names()
    assert store.packs.replace(name, []) is None
    assert pack_files(store) == []


def test_the_end_of_a_pack_is_healed_from_the_index(store: BlobStore) -> None:
    """Its chunks are whole, only its table is damaged."""
    digests = put(store, *CHUNKS)
    (path,) = pack_files(store)
    good = path.read_bytes()
    flip(path, len(good) - FOOTER_BYTES - 5)
    assert store.packs.replace(path.stem, digests) == toc_of(path)
    assert path.read_bytes() == good


def _add_many(folder: Path, number: int) -> None:
    store = BlobStore(folder)
    for round_ in range(5):
        put(store, b"shared %d" % round_, b"own %d %d" % (number, round_))


def test_eight_processes_write_at_once_and_nothing_is_lost(store: BlobStore) -> None:
    """Nobody waits for anybody's pack."""
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_add_many, args=(store.folder, number)) for number in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 8
    wanted = [b"shared %d" % n for n in range(5)] + [b"own %d %d" % (p, n) for p in range(8) for n in range(5)]
    assert [store.packs.read_chunk(blake3_bytes(piece)) for piece in wanted] == wanted
