"""Measurements of dataset versions, which later ones are compared with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision: str | None = "0009"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "data_measurements",
        sa.Column("dataset", sa.String(63), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("measured", sa.Text, nullable=False),
    )
    op.create_table(
        "data_metrics",
        sa.Column("dataset", sa.String(63), primary_key=True),
        sa.Column("metric", sa.String(63), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("value", sa.Float, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
    )
