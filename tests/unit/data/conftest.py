"""A store with datasets."""

from __future__ import annotations

from pathlib import Path

import pytest

from undrift.blobs.store import BlobStore
from undrift.core.clock import real_clocks
from undrift.data.service import Data
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Ledger


@pytest.fixture
def ada() -> Actor:
    return Actor("os-user", "ada")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def ledger(store: Path) -> Ledger:
    return Ledger.open(store / "ledger.db")


@pytest.fixture
def data(ledger: Ledger, store: Path) -> Data:
    return Data(ledger, BlobStore(store / "blobs"), real_clocks(), store)
