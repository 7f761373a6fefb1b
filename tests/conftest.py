"""What every test may ask for: a Postgres database of its own, a bucket of its own."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import urllib.request
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


# In a process of its own: libraries that keep the interpreter's lock while they wait would wait for ever for it.
_S3_SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print("http://%s:%s" % server.get_host_and_port(), flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="session")
def _s3_server() -> Iterator[str]:
    """Give the address of a server that speaks S3, on a port that the system chose; it ends with this process."""
    pytest.importorskip("moto.server")
    server = subprocess.Popen(
        [sys.executable, "-c", _S3_SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    yield server.stdout.readline().strip()
    server.stdin.close()
    server.kill()
    server.wait()


@pytest.fixture
def s3(_s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the address ``s3://...`` of a new, empty bucket; the environment says where it is and lets us in."""
    told = {
        "AWS_ENDPOINT_URL": _s3_server,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "hunter2-secret",
        "AWS_REGION": "us-east-1",
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    name = f"undrift-{secrets.token_hex(6)}"
    made = urllib.request.Request(f"{_s3_server}/{name}", method="PUT", headers={"Authorization": "AWS test:test"})
    with urllib.request.urlopen(made):
        return f"s3://{name}"
