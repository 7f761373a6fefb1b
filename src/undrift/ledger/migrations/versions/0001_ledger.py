"""Tables of the ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None

_GENESIS = "0" * 64

# Events are never deleted, and only salt and body may change, together, to nothing.
_KEPT = ("seq", "id", "at_us", "actor", "kind", "subject", "body_commitment", "previous_hash", "hash")
_SAME = " AND ".join(f"NEW.{column} = OLD.{column}" for column in _KEPT)
_ERASES = f"NEW.salt IS NULL AND NEW.body IS NULL AND {_SAME}"

_SQLITE_GUARDS = (
    (
        "CREATE TRIGGER ledger_events_stay BEFORE DELETE ON ledger_events "
        "BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END"
    ),
    (
        f"CREATE TRIGGER ledger_events_hold BEFORE UPDATE ON ledger_events WHEN NOT ({_ERASES}) "
        "BEGIN SELECT RAISE(ABORT, 'events are never changed'); END"
    ),
)
_POSTGRES_GUARDS = (
    (
        "CREATE FUNCTION ledger_events_guard() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'events are never changed or deleted'; END $$"
    ),
    (
        "CREATE TRIGGER ledger_events_stay BEFORE DELETE ON ledger_events "
        "FOR EACH ROW EXECUTE FUNCTION ledger_events_guard()"
    ),
    (
        f"CREATE TRIGGER ledger_events_hold BEFORE UPDATE ON ledger_events FOR EACH ROW WHEN (NOT ({_ERASES})) "
        "EXECUTE FUNCTION ledger_events_guard()"
    ),
)


def upgrade() -> None:
    """Create the tables and the head of an empty chain."""
    op.create_table(
        "ledger_events",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("id", sa.String(26), nullable=False, unique=True),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(80), nullable=False, index=True),
        sa.Column("subject", sa.String(200), nullable=False, index=True),
        sa.Column("salt", sa.String(32)),
        sa.Column("body", sa.Text),
        sa.Column("body_commitment", sa.String(64), nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    head = op.create_table(
        "ledger_head",
        sa.Column("row", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.bulk_insert(head, [{"row": 1, "seq": 0, "hash": _GENESIS}])
    op.create_table(
        "ledger_leases",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("expires_us", sa.BigInteger, nullable=False),
    )
    for guard in _SQLITE_GUARDS if op.get_bind().dialect.name == "sqlite" else _POSTGRES_GUARDS:
        op.execute(guard)
