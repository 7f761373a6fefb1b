"""The migrated schema is the declared one."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, cast

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

import undrift
from undrift.ledger.ledger import Ledger
from undrift.ledger.tables import metadata

_ROOMS = sorted(
    path.parent.name
    for path in Path(undrift.__path__[0]).glob("*/tables.py")
    if "metadata" in path.read_text()  # a room may have tables of another kind
)


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Ledger:
    """Give a new ledger of each kind."""
    if request.param == "sqlite":
        return Ledger.open(tmp_path / "ledger.db")
    return Ledger.open(cast(str, request.getfixturevalue("postgres_url")))


def _ours(thing: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
    return name != "alembic_version"


def test_every_room_has_its_tables_migrated_as_declared(ledger: Ledger) -> None:
    """Tables, columns, types, nullability, indexes and unique constraints agree."""
    for room in _ROOMS:
        importlib.import_module(f"undrift.{room}.tables")
    with ledger.read() as connection:
        options = {"compare_type": True, "include_object": _ours}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
