"""Tables of the pipelines."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "pipeline_runs",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("pipeline", sa.String(63), nullable=False, index=True),
        sa.Column("params", sa.Text, nullable=False),
        sa.Column("dedupe_key", sa.String(200), nullable=False, unique=True),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("submitted_us", sa.BigInteger, nullable=False),
        sa.Column("ended_us", sa.BigInteger),
        sa.Column("cancel_reason", sa.Text),
        sa.Column("error_code", sa.String(80)),
        sa.Column("error", sa.Text),
    )
    op.create_table(
        "pipeline_steps",
        sa.Column("run", sa.String(26), sa.ForeignKey("pipeline_runs.id"), primary_key=True),
        sa.Column("name", sa.String(63), primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("owner", sa.String(200)),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("lease_until_us", sa.BigInteger, nullable=False),
        sa.Column("not_before_us", sa.BigInteger, nullable=False),
        sa.Column("started_us", sa.BigInteger),
        sa.Column("ended_us", sa.BigInteger),
        sa.Column("outputs", sa.Text),
        sa.Column("key_parts", sa.Text),
        sa.Column("reused_from", sa.String(26)),
        sa.Column("error_code", sa.String(80)),
        sa.Column("error", sa.Text),
    )
    op.create_table(
        "pipeline_cache",
        sa.Column("key", sa.String(67), primary_key=True),
        sa.Column("step", sa.String(130), nullable=False, index=True),
        sa.Column("run", sa.String(26), nullable=False),
        sa.Column("key_parts", sa.Text, nullable=False),
        sa.Column("outputs", sa.Text, nullable=False),
        sa.Column("made_us", sa.BigInteger, nullable=False),
    )
