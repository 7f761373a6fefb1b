"""The manifest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from undrift.blobs.contents import Chunk, Contents
from undrift.core import canonical
from undrift.core.digest import blake3_bytes
from undrift.data.manifest import BadManifest, Manifest, Part
from undrift.data.paths import UnsafePath, check_path
from unit.data.golden_table import MANIFEST

GOLDEN = Path(__file__).parents[2] / "golden/data/manifest.json"


ZERO = "b3:" + "0" * 64


def _is_safe(path: str) -> bool:
    try:
        check_path(path)
    except UnsafePath:
        return False
    return True


def part(path: str, data: bytes = b"x") -> Part:
    return Part(path, Contents(blake3_bytes(data), len(data), (Chunk(blake3_bytes(data), len(data)),)))


def altered(**changes: Any) -> bytes:
    file = {"path": "a", "bytes": 1, "digest": blake3_bytes(b"x"), "chunks": [[blake3_bytes(b"x"), 1]]}
    return canonical.dumps({"format": "undrift.data-manifest/1", "files": [{**file, **changes}]})


def test_a_manifest_has_the_bytes_of_the_golden_file() -> None:
    """The format does not change by accident."""
    assert MANIFEST.encode() == GOLDEN.read_bytes()
    assert Manifest.decode(GOLDEN.read_bytes()) == MANIFEST


def test_the_version_id_is_the_digest_of_the_bytes() -> None:
    """A third party needs BLAKE3 and nothing else."""
    assert MANIFEST.version_id == blake3_bytes(GOLDEN.read_bytes())


@pytest.mark.parametrize("path", ["../a", "/a", "a\x00", "C:a", ".git/x"])
def test_a_hostile_path_is_refused_when_the_manifest_is_read(path: str) -> None:
    """Its own digest is right; that does not help it."""
    with pytest.raises(UnsafePath):
        Manifest.decode(altered(path=path))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"files":[],"format":"undrift.data-manifest/2"}',
        altered(bytes=2),
        altered(chunks=[]),
        altered(chunks=[[blake3_bytes(b"x"), 1], [blake3_bytes(b""), 0]]),
        altered(digest="sha256:00"),
        altered(extra=1),
        MANIFEST.encode() + b"\n",
        json.dumps(json.loads(MANIFEST.encode())).encode(),
    ],
)
def test_bytes_that_are_not_canonical_are_no_manifest(data: bytes) -> None:
    """One manifest has one form."""
    with pytest.raises(BadManifest):
        Manifest.decode(data)


def test_colliding_paths_make_no_manifest() -> None:
    """They would be one file on another machine."""
    with pytest.raises(UnsafePath):
        Manifest((part("a.csv"), part("A.csv")))


def test_the_order_of_files_is_part_of_the_id() -> None:
    """It is the order of rows."""
    assert Manifest((part("a"), part("b"))).version_id != Manifest((part("b"), part("a"))).version_id


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8})?", fullmatch=True), st.binary(min_size=1)), max_size=5)
)
def test_a_manifest_comes_back_as_it_was(files: list[tuple[str, bytes]]) -> None:
    """Whatever is in it."""
    try:
        manifest = Manifest(tuple(part(path, data) for path, data in files))
    except UnsafePath:
        return
    assert Manifest.decode(manifest.encode()) == manifest


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=30).filter(_is_safe),
        st.lists(st.integers(1, 2**53 - 1), max_size=3),
        max_size=4,
    )
)
def test_the_fast_writer_and_the_canonical_one_agree(files: dict[str, list[int]]) -> None:
    """Whatever stands in the paths, and however long files are."""
    try:
        manifest = Manifest(
            tuple(
                Part(
                    path, Contents(blake3_bytes(path.encode()), sum(sizes), tuple(Chunk(ZERO, size) for size in sizes))
                )
                for path, sizes in files.items()
            )
        )
    except UnsafePath:  # two are one file where case is ignored
        return
    listed = [
        {
            "path": one.path,
            "bytes": one.contents.size_bytes,
            "digest": one.contents.digest,
            "chunks": [[chunk.digest, chunk.size_bytes] for chunk in one.contents.chunks],
        }
        for one in manifest.parts
    ]
    if sum(map(sum, files.values())) < 2**53:
        assert manifest.encode() == canonical.dumps({"format": "undrift.data-manifest/1", "files": listed})
        assert Manifest.decode(manifest.encode()) == manifest
