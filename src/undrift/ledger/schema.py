"""Bringing a database to this version's schema; Alembic is imported only when there is something to do."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from undrift.ledger.errors import StoreTooNew

_MIGRATIONS = Path(__file__).parent / "migrations"


@cache
def revisions() -> tuple[str, ...]:
    """Return the numbers of all migrations, oldest first."""
    return tuple(sorted(path.name.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*_*.py")))


def stored_revision(connection: Connection) -> str | None:
    """Return the revision a database is at, None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def is_current(connection: Connection) -> bool:
    """Say whether a database is at this version's schema.

    Raises
    ------
    StoreTooNew
        If it is at a revision that this version does not know.
    """
    stored = stored_revision(connection)
    if stored is not None and stored not in revisions():
        raise StoreTooNew(
            f"this store is at schema {stored}, this undrift knows schemas up to {revisions()[-1]}",
            cure="install the newer undrift that wrote it",
        )
    return stored == revisions()[-1]


def migrate(connection: Connection) -> None:
    """Run the missing migrations inside the caller's transaction, which holds the lock."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
