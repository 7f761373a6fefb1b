from __future__ import annotations

from pathlib import Path

import pytest

from undrift.blobs.store import BlobStore
from undrift.core.clock import real_clocks
from undrift.ledger.ledger import Ledger
from undrift.tracking.runs import Runs


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    ledger = Ledger.open(tmp_path / "ledger.db")
    return Runs(ledger, BlobStore(tmp_path / "blobs"), tmp_path, real_clocks())
