"""Masks: the same text has the same hash under one key, and no link without it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from undrift.core.masking import FILE, BadMaskingKey, Mask, open_mask


def test_a_mask_joins_and_does_not_tell(tmp_path: Path) -> None:
    """Equal texts are equal, the text is gone, and what is masked stays as it is."""
    mask = open_mask(tmp_path)
    masked = mask.text("ada@example.org")
    assert masked == open_mask(tmp_path).text("ada@example.org") != mask.text("bob@example.org")
    assert "ada" not in masked
    assert mask.text(masked) == masked
    assert "key" not in repr(mask)


def test_another_key_gives_another_hash(tmp_path: Path) -> None:
    """Deleting the key makes old hashes unlinkable."""
    old = open_mask(tmp_path).text("UA-17")
    (tmp_path / FILE).unlink()
    assert open_mask(tmp_path).text("UA-17") != old


def test_the_key_is_private_and_made_once(tmp_path: Path) -> None:
    """Mode 0600 in a folder of 0700; eight at once have one key, and leave nothing behind."""
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: open_mask(tmp_path).key, range(8)))
    path = tmp_path / FILE
    assert len(keys) == 1
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_damaged_key_is_refused(tmp_path: Path) -> None:
    """No hash is made with a key that is cut short."""
    open_mask(tmp_path)
    (tmp_path / FILE).write_bytes(b"short")
    with pytest.raises(BadMaskingKey, match="damaged"):
        open_mask(tmp_path)


def test_any_text_can_be_masked() -> None:
    """Also the empty one and one with a lone surrogate."""
    mask = Mask(b"k" * 32)
    assert len({mask.text(""), mask.text("\ud800"), mask.text("é")}) == 3
