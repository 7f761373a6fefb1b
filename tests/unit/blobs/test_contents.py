"""Files as lists of chunks."""

from __future__ import annotations

from pathlib import Path

import pytest

from undrift.blobs import contents
from undrift.blobs.contents import Chunk, Contents
from undrift.blobs.store import BlobCorrupt, BlobStore
from undrift.core.digest import blake3_bytes


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


def in_pieces(store: BlobStore, *pieces: bytes) -> Contents:
    whole = b"".join(pieces)
    chunks = tuple(Chunk(store.put_bytes(piece), len(piece)) for piece in pieces)
    return Contents(blake3_bytes(whole), len(whole), chunks)


@pytest.mark.parametrize("pieces", [(), (b"one",), (b"one", b"two", b"one")])
def test_a_file_is_put_together_from_its_chunks(store: BlobStore, tmp_path: Path, pieces: tuple[bytes, ...]) -> None:
    """However many there are, and however they were cut."""
    stored = in_pieces(store, *pieces)
    contents.materialise(store, stored, tmp_path / "out")
    assert contents.read(store, stored) == (tmp_path / "out").read_bytes() == b"".join(pieces)


def test_good_pieces_in_the_wrong_order_are_refused(store: BlobStore, tmp_path: Path) -> None:
    """The whole has a digest too."""
    stored = in_pieces(store, b"one", b"two")
    swapped = Contents(stored.digest, stored.size_bytes, stored.chunks[::-1])
    with pytest.raises(BlobCorrupt, match="do not make up"):
        contents.materialise(store, swapped, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_stored_file_is_one_chunk_and_an_empty_one_none(store: BlobStore, tmp_path: Path) -> None:
    """The chunks add up to the size."""
    (tmp_path / "rows").write_bytes(b"rows")
    (tmp_path / "none").write_bytes(b"")
    assert contents.store_file(store, tmp_path / "rows") == contents.store_bytes(store, b"rows")
    assert contents.store_file(store, tmp_path / "none").chunks == ()
    assert contents.single_path(store, in_pieces(store, b"a", b"b")) is None
