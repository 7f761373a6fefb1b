"""Tables of endpoints and rollouts."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from undrift.ledger.tables import metadata

endpoints = Table(
    "endpoint_state",
    metadata,
    Column("name", String(63), primary_key=True),
    Column("generation", BigInteger, nullable=False),
    Column("salt", String(64), nullable=False),
    Column("stable", Text, nullable=False),
    Column("canary", Text),
    Column("previous", Text),
    Column("share_bp", Integer, nullable=False),
    Column("rollout", String(26)),
    Column("host", String(255), nullable=False),
    Column("port", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
)

rollouts = Table(
    "endpoint_rollouts",
    metadata,
    Column("id", String(26), primary_key=True),
    Column("endpoint", String(63), nullable=False, index=True),
    Column("baseline", Text, nullable=False),
    Column("candidate", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("step", Integer, nullable=False),
    # The endpoint's generations in which the rollout and its present step began.
    Column("first_generation", BigInteger, nullable=False),
    Column("step_generation", BigInteger, nullable=False),
    # Real time: segments older than this hold nothing of the rollout.
    Column("since_us", BigInteger, nullable=False),
    Column("started_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger),
    Column("reason", Text, nullable=False),
    Column("decided_by", String(200), nullable=False),
    Column("decision", Text),
)
