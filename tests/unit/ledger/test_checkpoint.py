"""The checkpoint file."""

from __future__ import annotations

from pathlib import Path

import pytest

from undrift.ledger.chain import Head
from undrift.ledger.checkpoint import Checkpoint

GOLDEN = Path(__file__).parents[2] / "golden" / "ledger" / "ledger.head"


def test_the_file_has_the_bytes_of_the_golden_file(tmp_path: Path) -> None:
    """The format does not change by accident."""
    checkpoint = Checkpoint(tmp_path / "ledger.head")
    checkpoint.advance(Head(7, "ab" * 32))
    assert checkpoint.path.read_bytes() == GOLDEN.read_bytes()
    assert checkpoint.read() == Head(7, "ab" * 32)


def test_the_file_never_goes_back(tmp_path: Path) -> None:
    """A slow writer does not overwrite a later head."""
    checkpoint = Checkpoint(tmp_path / "ledger.head")
    checkpoint.advance(Head(10**12, "ab" * 32))
    checkpoint.advance(Head(9, "cd" * 32))
    assert checkpoint.read() == Head(10**12, "ab" * 32)


def test_a_damaged_file_is_told_and_mended(tmp_path: Path) -> None:
    """Reading raises; the next change writes it anew."""
    checkpoint = Checkpoint(tmp_path / "ledger.head")
    checkpoint.path.write_text("{" * 400)
    with pytest.raises(ValueError, match="Expecting"):
        checkpoint.read()
    checkpoint.advance(Head(3, "ab" * 32))
    assert checkpoint.read() == Head(3, "ab" * 32)


def test_no_file_is_no_head(tmp_path: Path) -> None:
    """A new ledger has none yet."""
    assert Checkpoint(tmp_path / "ledger.head").read() is None
