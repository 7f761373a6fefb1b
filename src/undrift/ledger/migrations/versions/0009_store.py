"""Versions whose bytes were let go of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision: str | None = "0010"


def upgrade() -> None:
    """Add the column."""
    op.add_column("data_versions", sa.Column("is_gone", sa.Boolean, nullable=False, server_default=sa.false()))
