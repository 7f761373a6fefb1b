"""Whatever is sent, a worker answers with a 4xx, and lives."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import ROW, Worker

QUIET = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
names = st.sampled_from(
    ["row", "rows", "key", "keys", "event_time", "event_times", "temp", "carrier", "labels", "actual"]
)
nearly = st.dictionaries(names | st.text(max_size=5), values, max_size=5)
wrapped = st.fixed_dictionaries(
    {"rows": st.lists(st.fixed_dictionaries({"temp": scalars, "carrier": scalars}), max_size=4)}
)
paths = st.sampled_from(["/predict", "/feedback", "/v2/models/delay/infer", "/v2/models/delay/versions/1/infer"])


def check(worker: Worker, path: str, body: bytes) -> None:
    status, answer = worker.ask("POST", path, body)
    assert status < 500, (path, body, answer)
    assert status == 200 or answer["error"]


@QUIET
@given(path=paths, body=values | nearly | wrapped)
def test_any_json_is_answered_below_500(served: Worker, path: str, body: Any):
    """JSON of any shape, NaN and huge numbers among it."""
    check(served, path, json.dumps(body).encode())


@QUIET
@given(path=paths, body=st.binary(max_size=200))
def test_any_bytes_are_answered_below_500(served: Worker, path: str, body: bytes):
    """Bytes of any kind."""
    check(served, path, body)


@QUIET
@given(path=paths, place=st.integers(0, 60), change=st.integers(0, 255))
def test_any_damage_to_a_good_body_is_answered_below_500(served: Worker, path: str, place: int, change: int):
    """One byte of a good request is changed."""
    good = bytearray(json.dumps({"rows": [ROW, ROW], "keys": ["a", None]}).encode())
    good[place % len(good)] = change
    check(served, path, bytes(good))


SURROGATE = b'{"temp": 1, "carrier": "\\ud800"}'


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (SURROGATE, 400),
        (b"[" * 20_000 + b"]" * 20_000, 400),
        (b'{"rows": [' + b",".join([b"{}"] * 101) + b"]}", 413),
        (b" " * 50_001, 413),
        (b'{"temp": 1, "carrier": "UA", "temp": 2}', 200),
        (b"\xef\xbb\xbf{}", 400),
    ],
    ids=["lone surrogate", "deep", "many rows", "large", "a name twice", "byte order mark"],
)
def test_odd_bodies_have_a_stated_answer(served: Worker, body: bytes, status: int):
    """Each odd body gets its own 4xx."""
    assert served.ask("POST", "/predict", body)[0] == status


def test_half_sent_requests_do_not_hold_up_others(served: Worker):
    """A hundred slow callers, and the next good one is answered."""
    slow = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(100)]
    for connection in slow:
        connection.sendall(b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 500\r\n\r\n{")
    assert served.ask("POST", "/predict", ROW)[0] == 200
    for connection in slow:
        connection.close()


def test_a_body_in_chunks_has_the_same_limit(served: Worker):
    """Without Content-Length the bytes are counted as they come."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        connection.sendall(b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(6):
            connection.sendall(b"2710\r\n" + b" " * 10_000 + b"\r\n")
        assert connection.recv(200).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01 not http at all\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused_and_the_worker_lives(served: Worker, raw: bytes):
    """A broken request line costs its own connection only."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        connection.sendall(raw)
        assert connection.recv(200)[:12] in {b"HTTP/1.1 400", b""}
    assert served.ask("POST", "/predict", ROW)[0] == 200
