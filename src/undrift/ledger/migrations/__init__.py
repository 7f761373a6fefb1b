"""Alembic's line of migrations; every step adds and none takes away."""
