"""Digests."""

from __future__ import annotations

from pathlib import Path

import pytest

from undrift.core.digest import BadDigest, blake3_bytes, blake3_file, check_digest, hex_of

EMPTY = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"  # BLAKE3's own test vector


def test_the_digest_of_nothing_is_the_published_one() -> None:
    """BLAKE3, 256 bits."""
    assert blake3_bytes(b"") == f"b3:{EMPTY}"


@pytest.mark.parametrize("size", [0, 1, 100_000])
def test_a_file_has_the_digest_of_its_bytes(tmp_path: Path, size: int) -> None:
    """Also an empty one."""
    (tmp_path / "file").write_bytes(b"x" * size)
    assert blake3_file(tmp_path / "file") == blake3_bytes(b"x" * size)


@pytest.mark.parametrize(
    "text", ["", EMPTY, f"b3:{EMPTY}\n", f"b3:{EMPTY.upper()}", f"b3:{EMPTY[:-1]}", "b3:../" + EMPTY[3:]]
)
def test_only_digests_become_parts_of_paths(text: str) -> None:
    """Anything else is refused."""
    for function in (check_digest, hex_of):
        with pytest.raises(BadDigest):
            function(text)
