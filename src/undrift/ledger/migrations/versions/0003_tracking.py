"""Tables of tracking."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    """Create the tables."""
    _runs()
    _facts()


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("name", sa.String(63), nullable=False, index=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("started_us", sa.BigInteger, nullable=False),
        sa.Column("ended_us", sa.BigInteger),
        sa.Column("process", sa.String(200), nullable=False),
        sa.Column("heartbeat_us", sa.BigInteger, nullable=False),
        sa.Column("pipeline", sa.String(26)),
        sa.Column("seed", sa.BigInteger),
        sa.Column("environment", sa.String(67), nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
    )
    op.create_table(
        "run_warnings",
        sa.Column("run", sa.String(26), sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("code", sa.String(80), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )


def _facts() -> None:
    op.create_table(
        "run_params",
        sa.Column("run", sa.String(26), sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("source", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(250), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "run_metrics",
        sa.Column("run", sa.String(26), sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("name", sa.String(250), primary_key=True),
        sa.Column("value", sa.Float, nullable=False),
        sa.Column("low", sa.Float),
        sa.Column("high", sa.Float),
        sa.Column("alpha", sa.Float),
        sa.Column("method", sa.String(120)),
        sa.Column("n", sa.BigInteger),
        sa.Column("units", sa.BigInteger),
        sa.Column("unit", sa.String(63)),
    )
    op.create_index("ix_run_metrics_name_value", "run_metrics", ["name", "value"])
    op.create_table(
        "run_artifacts",
        sa.Column("run", sa.String(26), sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("name", sa.String(250), primary_key=True),
        sa.Column("digest", sa.String(67), nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "run_inputs",
        sa.Column("run", sa.String(26), sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("role", sa.String(63), primary_key=True),
        sa.Column("ref", sa.String(200), nullable=False),
        sa.Column("digest", sa.String(67), nullable=False),
    )
