"""What every test may ask for: a Postgres database of its own."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# The same examples in every run: a red run can be repeated. HYPOTHESIS_PROFILE=search looks for new ones.
settings.register_profile("same", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", deadline=None, max_examples=2000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

_SERVER = os.environ.get("UNDRIFT_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432")


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """Give the URL of a new, empty Postgres database, dropped afterwards.

    Without a server the test is skipped, in CI it fails.
    """
    psycopg = pytest.importorskip("psycopg")
    name = f"undrift_test_{secrets.token_hex(6)}"
    try:
        server = psycopg.connect(f"{_SERVER}/postgres", autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"PostgreSQL does not answer: {error}")
        pytest.skip("PostgreSQL does not answer; set UNDRIFT_TEST_POSTGRES or start it")
    with server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{_SERVER}/{name}"
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
