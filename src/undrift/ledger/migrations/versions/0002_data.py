"""Tables of data."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "data_datasets",
        sa.Column("name", sa.String(63), primary_key=True),
        sa.Column("last_number", sa.Integer, nullable=False),
        sa.Column("suite_digest", sa.String(67)),
    )
    op.create_table(
        "data_versions",
        sa.Column("dataset", sa.String(63), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version_id", sa.String(67), nullable=False, index=True),
        sa.Column("parent", sa.Integer),
        sa.Column("rows", sa.BigInteger),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("files", sa.Integer, nullable=False),
        sa.Column("schema", sa.Text),
        sa.Column("table_digest", sa.String(67)),
        sa.Column("created_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "data_tags",
        sa.Column("dataset", sa.String(63), primary_key=True),
        sa.Column("tag", sa.String(63), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "data_admissions",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("dataset", sa.String(63), nullable=False, index=True),
        sa.Column("source_digest", sa.String(67), nullable=False, index=True),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("number", sa.Integer),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("bad_rows", sa.BigInteger, nullable=False),
        sa.Column("report_digest", sa.String(67), nullable=False),
        sa.Column("quarantine", sa.String(200)),
        sa.Column("at_us", sa.BigInteger, nullable=False),
    )
