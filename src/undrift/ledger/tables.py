"""The ledger's own tables, and the metadata on which every room declares its tables."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, Text

metadata = MetaData()

events = Table(
    "ledger_events",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("id", String(26), nullable=False, unique=True),
    Column("at_us", BigInteger, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("kind", String(80), nullable=False, index=True),
    Column("subject", String(200), nullable=False, index=True),
    # Salt and body go together: both are null once a body was erased.
    Column("salt", String(32)),
    Column("body", Text),
    Column("body_commitment", String(64), nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

head = Table(
    "ledger_head",
    metadata,
    # One row, number 1: Postgres writers queue on it.
    Column("row", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)

leases = Table(
    "ledger_leases",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("owner", String(200), nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
)
