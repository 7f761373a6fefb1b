"""Tables of models."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision: str | None = "0004"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "model_names",
        sa.Column("name", sa.String(63), primary_key=True),
        sa.Column("last_number", sa.Integer, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "model_versions",
        sa.Column("model", sa.String(63), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("package", sa.String(67), nullable=False, index=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("run", sa.String(200), nullable=False),
        sa.Column("data", sa.String(200), nullable=False),
        sa.Column("code", sa.String(200), nullable=False),
        sa.Column("gate_outcome", sa.String(16)),
        sa.Column("gate", sa.Text),
        sa.Column("overrides", sa.Text, nullable=False),
        sa.Column("registered_by", sa.String(200), nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("changed_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "model_aliases",
        sa.Column("model", sa.String(63), primary_key=True),
        sa.Column("alias", sa.String(63), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("changed_us", sa.BigInteger, nullable=False),
    )
