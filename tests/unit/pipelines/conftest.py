from __future__ import annotations

from pathlib import Path

import pytest

from undrift.core.clock import real_clocks
from undrift.ledger.ledger import Ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(tmp_path / "ledger.db", clock=real_clocks().business)
