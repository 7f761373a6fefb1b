"""Tables of sources: where versions came from, and what became of files in watched folders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision: str | None = "0008"


def upgrade() -> None:
    """Add the columns and tables."""
    op.add_column("data_versions", sa.Column("origin", sa.Text))
    op.create_table(
        "data_arrivals",
        sa.Column("dataset", sa.String(63), primary_key=True),
        sa.Column("path", sa.String(1024), primary_key=True),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("mtime_ns", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("digest", sa.String(67)),
        sa.Column("told", sa.String(200), nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "data_deliveries",
        sa.Column("dataset", sa.String(63), primary_key=True),
        sa.Column("digest", sa.String(67), primary_key=True),
        sa.Column("at_us", sa.BigInteger, nullable=False),
    )
