"""Tables of monitoring."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision: str | None = "0006"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "monitor_windows",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("endpoint", sa.String(63), nullable=False),
        sa.Column("model_version", sa.String(200), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("window_start_us", sa.BigInteger, nullable=False),
        sa.Column("window_end_us", sa.BigInteger, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("closed_us", sa.BigInteger, nullable=False),
        sa.Column("report", sa.Text, nullable=False),
        sa.Column("scored_us", sa.BigInteger),
        sa.Column("performance", sa.Text),
        sa.UniqueConstraint(
            "endpoint", "model_version", "window_start_us", "window_end_us", name="monitor_windows_once_per_span"
        ),
        sa.UniqueConstraint("endpoint", "model_version", "number", name="monitor_windows_in_order"),
    )
    op.create_table(
        "monitor_incidents",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("endpoint", sa.String(63), nullable=False, index=True),
        sa.Column("model_version", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("open_cause", sa.String(300), unique=True),
        sa.Column("opened_us", sa.BigInteger, nullable=False),
        sa.Column("updated_us", sa.BigInteger, nullable=False),
        sa.Column("closed_us", sa.BigInteger),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("decision", sa.Text, nullable=False),
        sa.Column("closed_because", sa.Text, nullable=False),
    )
