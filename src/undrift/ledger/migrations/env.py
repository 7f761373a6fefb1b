"""Alembic's entry: it runs on the connection, and inside the transaction, that the caller holds."""

from __future__ import annotations

from alembic import context

from undrift.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
context.run_migrations()
