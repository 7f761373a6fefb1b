"""Tables of tracking."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from undrift.ledger.tables import metadata

runs = Table(
    "runs",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("name", String(63), nullable=False, index=True),
    Column("status", String(16), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("started_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger),
    Column("process", String(200), nullable=False),
    # In real time: a simulated business clock says nothing about a process being alive.
    Column("heartbeat_us", BigInteger, nullable=False),
    # The pipeline run that this run belongs to; its journal then says whether it is alive.
    Column("pipeline", String(26)),
    Column("seed", BigInteger),
    Column("environment", String(67), nullable=False),
    Column("code", Text, nullable=False),
    Column("error", Text),
)

params = Table(
    "run_params",
    metadata,
    Column("run", String(26), ForeignKey("runs.id"), primary_key=True),
    Column("source", String(16), primary_key=True),
    Column("name", String(250), primary_key=True),
    Column("value", Text, nullable=False),
)

metrics = Table(
    "run_metrics",
    metadata,
    Column("run", String(26), ForeignKey("runs.id"), primary_key=True),
    Column("name", String(250), primary_key=True),
    Column("value", Float, nullable=False),
    Column("low", Float),
    Column("high", Float),
    Column("alpha", Float),
    Column("method", String(120)),
    Column("n", BigInteger),
    Column("units", BigInteger),
    Column("unit", String(63)),
    Index("ix_run_metrics_name_value", "name", "value"),
)

artifacts = Table(
    "run_artifacts",
    metadata,
    Column("run", String(26), ForeignKey("runs.id"), primary_key=True),
    Column("name", String(250), primary_key=True),
    Column("digest", String(67), nullable=False),
    Column("bytes", BigInteger, nullable=False),
)

inputs = Table(
    "run_inputs",
    metadata,
    Column("run", String(26), ForeignKey("runs.id"), primary_key=True),
    Column("role", String(63), primary_key=True),
    Column("ref", String(200), nullable=False),
    Column("digest", String(67), nullable=False),
)

warnings = Table(
    "run_warnings",
    metadata,
    Column("run", String(26), ForeignKey("runs.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("code", String(80), nullable=False),
    Column("text", Text, nullable=False),
)
