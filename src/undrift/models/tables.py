"""The tables of the registry."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from undrift.ledger.tables import metadata

names = Table(
    "model_names",
    metadata,
    Column("name", String(63), primary_key=True),
    # Numbers are never given twice, also when a version was deleted.
    Column("last_number", Integer, nullable=False),
    Column("created_us", BigInteger, nullable=False),
)

versions = Table(
    "model_versions",
    metadata,
    Column("model", String(63), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("package", String(67), nullable=False, index=True),
    Column("state", String(16), nullable=False),
    Column("run", String(200), nullable=False),
    Column("data", String(200), nullable=False),
    Column("code", String(200), nullable=False),
    Column("gate_outcome", String(16)),
    Column("gate", Text),
    # Every time somebody went past the gate, kept for ever.
    Column("overrides", Text, nullable=False),
    Column("registered_by", String(200), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
)

aliases = Table(
    "model_aliases",
    metadata,
    Column("model", String(63), primary_key=True),
    Column("alias", String(63), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
)
