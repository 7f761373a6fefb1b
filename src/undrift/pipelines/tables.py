"""Tables of the pipelines."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, Table, Text

from undrift.ledger.tables import metadata

runs = Table(
    "pipeline_runs",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("pipeline", String(63), nullable=False, index=True),
    Column("params", Text, nullable=False),
    Column("dedupe_key", String(200), nullable=False, unique=True),
    Column("state", String(16), nullable=False, index=True),
    Column("actor", String(200), nullable=False),
    Column("submitted_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger),
    Column("cancel_reason", Text),
    Column("error_code", String(80)),
    Column("error", Text),
)

steps = Table(
    "pipeline_steps",
    metadata,
    Column("run", String(26), ForeignKey("pipeline_runs.id"), primary_key=True),
    Column("name", String(63), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("owner", String(200)),
    # Grows with every claim: the commit of an older claim is refused.
    Column("fence", BigInteger, nullable=False),
    Column("lease_until_us", BigInteger, nullable=False),
    Column("not_before_us", BigInteger, nullable=False),
    Column("started_us", BigInteger),
    Column("ended_us", BigInteger),
    Column("outputs", Text),
    Column("key_parts", Text),
    Column("reused_from", String(26)),
    Column("error_code", String(80)),
    Column("error", Text),
)

cache = Table(
    "pipeline_cache",
    metadata,
    Column("key", String(67), primary_key=True),
    Column("step", String(130), nullable=False, index=True),
    Column("run", String(26), nullable=False),
    Column("key_parts", Text, nullable=False),
    Column("outputs", Text, nullable=False),
    Column("made_us", BigInteger, nullable=False),
)
