"""Many small packs become few full ones, and nothing is lost on the way."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from undrift.blobs import assembly, copying, merging
from undrift.blobs.checking import check
from undrift.blobs.contents import Contents
from undrift.blobs.merging import MOST_SMALL, Merged, groups, merge, planned
from undrift.blobs.packs.files import Filled
from undrift.blobs.packs.index import PackIndex
from undrift.blobs.packs.toc import FULL_BYTES, FULL_CHUNKS, toc_of
from undrift.blobs.packs.writer import PackWriter
from undrift.blobs.sharing import StoreLock
from undrift.blobs.store import BlobStore
from undrift.blobs.storing import store_bytes
from undrift.core.digest import blake3_bytes

from .kept import damage_chunk, noise, pack_files


def fill(store: BlobStore, count: int, size_bytes: int = 300) -> list[Contents]:
    """Store files by themselves, so that each has a pack of its own."""
    return [store_bytes(store, noise(size_bytes, seed)).contents[0] for seed in range(count)]


def filled(store: BlobStore) -> list[Filled]:
    tocs = map(toc_of, pack_files(store))
    return [Filled(toc.name, toc.data_bytes, len(toc.chunks)) for toc in tocs]


def put_together(store: BlobStore) -> Merged:
    return merge(store, groups(store, filled(store)))


def is_whole(store: BlobStore, contents: list[Contents]) -> bool:
    """Say whether all files are what they were, and nothing else is wrong."""
    return all(blake3_bytes(assembly.read(store, one)) == one.digest for one in contents) and not check(store).findings


def test_small_packs_become_one_in_the_order_in_which_they_were_written(store: BlobStore) -> None:
    """So what was added together is read together."""
    contents = fill(store, MOST_SMALL + 1)
    assert put_together(store) == Merged(MOST_SMALL + 1, 1)
    (path,) = pack_files(store)
    assert [f"b3:{digest.hex()}" for digest, _ in toc_of(path).chunks] == [one.digest for one in contents]
    assert is_whole(store, contents)
    assert is_whole(BlobStore(store.folder), contents)


def test_few_small_packs_are_left_alone(store: BlobStore) -> None:
    """Their bytes need not move."""
    fill(store, MOST_SMALL)
    assert groups(store, filled(store)) == []


@pytest.mark.parametrize(("size_bytes", "chunks"), [(FULL_BYTES // 4, 1), (1, FULL_CHUNKS // 4)])
def test_a_pack_that_is_a_quarter_full_is_not_small(store: BlobStore, size_bytes: int, chunks: int) -> None:
    """By bytes or by chunks: a day's work must not be copied every day."""
    fill(store, MOST_SMALL + 1)
    found = filled(store)
    assert groups(store, [*found[:-1], Filled(found[-1].name, size_bytes, chunks)]) == []
    assert len(groups(store, found)) == 1


def test_a_full_pack_is_closed_and_the_rest_goes_into_another(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is planned is what is done, and a second time there is nothing to do."""
    monkeypatch.setattr(merging, "FULL_BYTES", 3000)
    contents = fill(store, 25)
    plan = planned(groups(store, filled(store)))
    assert plan == Merged(25, 3)
    assert put_together(store) == plan
    assert sorted(len(toc_of(path).chunks) for path in pack_files(store)) == [5, 10, 10]
    assert is_whole(store, contents)
    assert groups(store, filled(store)) == []


def test_a_damaged_pack_stays_as_it_is(store: BlobStore) -> None:
    """It is told, the others are merged, and a repair still finds what is good in it."""
    contents = fill(store, MOST_SMALL + 2)
    name = damage_chunk(store, contents[3].digest)
    before = store.packs.files.path(name).read_bytes()
    assert put_together(store) == Merged(MOST_SMALL + 1, 1, damaged=(name,))
    assert store.packs.files.path(name).read_bytes() == before
    assert [(one.kind, one.digest) for one in check(store).findings] == [("chunk", contents[3].digest)]
    assert all(assembly.read(store, one) for one in contents if one != contents[3])


def test_nothing_is_written_where_all_but_one_are_damaged(store: BlobStore) -> None:
    """One pack is not put in its own place."""
    contents = fill(store, MOST_SMALL + 1)
    for one in contents[1:]:
        damage_chunk(store, one.digest)
    before = store.packs.files.names()
    merged = put_together(store)
    assert (merged.packs, merged.into, len(merged.damaged)) == (0, 0, MOST_SMALL)
    assert store.packs.files.names() == before


def pack_anew(store: BlobStore, pieces: list[bytes]) -> str:
    """Write a pack whatever others hold, as two additions at the same time do, and return its name."""
    before = set(store.packs.files.names())
    with PackWriter(store.incoming, lambda _: set(), store.packs._place) as writer:
        for piece in pieces:
            writer.add(blake3_bytes(piece), piece)
    (name,) = set(store.packs.files.names()) - before
    return name


def test_a_chunk_that_lies_in_several_packs_lies_in_one_afterwards(store: BlobStore) -> None:
    """As additions at the same time, or a merging that was killed, leave them; a damaged copy counts for nothing."""
    pieces = [noise(300, seed) for seed in range(3)]
    digests = list(map(blake3_bytes, pieces))
    large = pack_anew(store, pieces)
    small = [pack_anew(store, [*pieces, b"own"]), pack_anew(store, [b"own", b"another"])]
    damage_chunk(store, digests[0], [one.pack for one in store.packs.find(digests)[digests[0]]].index(large))
    merged = store.packs.merge(small)
    assert merged.pack is not None
    lying = [f"b3:{digest.hex()}" for digest, _ in store.packs.files.toc(merged.pack).chunks]
    assert lying == [digests[0], blake3_bytes(b"own"), blake3_bytes(b"another")]
    assert [store.packs.read_chunk(one) for one in digests] == pieces


def test_a_reader_that_looked_up_places_before_finds_its_chunks(store: BlobStore, tmp_path: Path) -> None:
    """It looks again; so does a reader in another process, whose index is the same file."""
    contents = fill(store, MOST_SMALL + 1)
    other = BlobStore(store.folder)
    places = other.packs.find(one.digest for one in contents)
    put_together(store)
    for seed, one in enumerate(contents):
        copying.write_new(other, one, f"{tmp_path}/{seed}", places)
        assert (tmp_path / str(seed)).read_bytes() == noise(300, seed)


def _die_at(nth: int) -> None:
    """Kill this process before its n-th write, flush, renaming, deletion or change of the index."""
    left = [nth]

    def deadly(real: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)

        return call

    for name in ("writev", "fsync", "replace", "unlink"):
        setattr(os, name, deadly(getattr(os, name)))
    PackIndex.change = deadly(PackIndex.change)  # type: ignore[method-assign, assignment]


def _dies_merging(folder: Path, nth: int) -> bool:
    """Say whether a process that merges comes to its n-th step, at which it dies."""
    child = os.fork()
    if child == 0:
        store = BlobStore(folder)
        together = groups(store, filled(store))
        _die_at(nth)
        merge(store, together)
        os._exit(0)
    return os.waitpid(child, 0)[1] != 0


def test_kill_9_at_every_step_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is whole after each death, and who merges next leaves one pack without doubles."""
    monkeypatch.setattr(merging, "MOST_SMALL", 3)
    contents = fill(BlobStore(tmp_path / "made"), 5)
    nth = 0
    while True:
        shutil.copytree(tmp_path / "made", tmp_path / str(nth))
        is_dead = _dies_merging(tmp_path / str(nth), nth)
        store = BlobStore(tmp_path / str(nth))
        assert is_whole(store, contents)
        assert list((store.folder / "incoming").iterdir()) == []
        later = [store_bytes(store, noise(300, 1000 + seed)).contents[0] for seed in range(4)]
        merged = put_together(store)
        assert merged.into == 1
        (path,) = pack_files(store)
        assert len(toc_of(path).chunks) == len(contents) + len(later)
        assert is_whole(store, contents + later)
        if not is_dead:
            break
        shutil.rmtree(store.folder)
        nth += 1
    assert nth > 2 * 5  # at least each chunk that was written and each old pack that went


@contextmanager
def shared_by_another(store: BlobStore) -> Iterator[None]:
    """Hold the lock as an addition does."""
    descriptor = os.open(store.folder / "store.lock", os.O_CREAT | os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    try:
        yield
    finally:
        os.close(descriptor)


def test_additions_that_hold_the_store_are_not_disturbed(store: BlobStore) -> None:
    """The rest is merged next time, and that is said."""
    contents = fill(store, MOST_SMALL + 1)
    together = groups(store, filled(store))
    store.lock = StoreLock(store.folder / "store.lock", timeout_s=0)
    with shared_by_another(store):
        assert merge(store, together) == Merged(is_complete=False)
    assert len(pack_files(store)) == MOST_SMALL + 1
    assert merge(store, together).into == 1
    assert is_whole(store, contents)


def test_packs_that_went_since_they_were_chosen_are_left_out(store: BlobStore) -> None:
    """Somebody erased, or merged, between."""
    contents = fill(store, MOST_SMALL + 2)
    together = groups(store, filled(store))
    gone: Path = store.packs.files.path(together[0][0])
    gone.unlink()
    assert merge(store, together) == Merged(MOST_SMALL + 1, 1)
    assert is_whole(store, contents[1:])
