"""Routes, limits, access, feedback and metrics of the application."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from undrift.core.ids import new_id
from undrift.segments.endpoint_file import FeedbackState
from undrift.serving.access import BadTokenFile, Gate, OpenToStrangers, is_loopback
from undrift.serving.options import Options

from .conftest import ROW, Bench, live_of, manifest

TOKEN = "correct-horse-battery"
DIGEST = hashlib.sha256(TOKEN.encode()).hexdigest()
BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/predict", 405),
        ("DELETE", "/feedback", 405),
        ("POST", "/health", 405),
        ("GET", "/", 404),
        ("GET", "/admin", 404),
        ("POST", "/predict/", 404),
        ("GET", "/v2/models/delay/infer", 405),
        ("POST", "/v2/models/delay", 405),
        ("GET", "/v2/models/other", 404),
        ("GET", "/v2/models/delay/versions/9", 404),
        ("GET", "/v2/nothing", 404),
        ("GET", "/health", 200),
        ("GET", "/metrics", 200),
        ("HEAD", "/health", 200),
    ],
)
def test_routes_have_their_methods_and_nothing_else_is_there(bench: Bench, method: str, path: str, status: int):
    """Unknown routes are 404, other methods 405, each with a JSON error."""
    answer = asyncio.run(bench.ask(method, path))
    assert answer.status == status
    if status == 405:
        assert answer.headers["allow"] in {"POST", "GET"}
    if status >= 400:
        assert answer.error


def test_health_says_what_is_served(bench: Bench):
    """Generation and variants with their shares."""
    bench.serve(live_of(bench, share_bp=500))
    health = bench.get("/health").json
    assert (health["status"], health["generation"]) == ("ok", 7)
    assert [variant["share_bp"] for variant in health["variants"]] == [9_500, 500]


def test_before_the_first_model_everything_waits(bench: Bench):
    """A worker that loads says so with 503."""
    bench.parts.current.live = None
    paths = [bench.get("/health"), bench.get("/v2/health/ready"), bench.post("/predict", ROW)]
    assert [answer.status for answer in paths] == [503, 503, 503]
    assert bench.get("/v2/health/live").status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "127.0.0.1:8000"}, 200),
        ({"host": "localhost"}, 200),
        ({"host": "[::1]:8000"}, 200),
        ({"host": "evil.example:8000"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://localhost:3000"}, 200),
    ],
)
def test_a_loopback_worker_answers_no_foreign_page(bench: Bench, headers: dict[str, str], status: int):
    """A browser that a foreign page or a rebound name drives gets nothing."""
    assert bench.post("/predict", ROW, headers).status == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": f"Basic {TOKEN}"}, 401),
        (BEARER, 200),
    ],
)
def test_a_token_is_asked_for_where_there_is_one(
    make_bench: Callable[..., Bench], headers: dict[str, str], status: int
):
    """Everything but health asks for it."""
    bench = make_bench(Gate(local=False, token_sha256=DIGEST))
    assert bench.post("/predict", ROW, headers).status == status
    assert bench.get("/metrics", headers).status == status
    assert bench.post("/v2/models/delay/infer", {}, headers).status == (401 if status == 401 else 422)
    assert bench.get("/health").status == 200


def test_a_published_token_is_asked_for_too(bench: Bench):
    """The endpoint's state can bring the token."""
    bench.serve(live_of(bench, token_sha256=DIGEST))
    assert bench.post("/predict", ROW).status == 401
    assert bench.post("/predict", ROW, BEARER).status == 200


def test_without_a_token_labels_are_refused_beyond_this_machine(make_bench: Callable[..., Bench]):
    """Labels can roll a model back: nobody in particular may not send them."""
    bench = make_bench(Gate(local=False, token_sha256=None))
    assert bench.post("/predict", ROW).status == 200
    assert bench.post("/feedback", {"key": "a", "actual": True}).status == 403


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "example.org"])
def test_a_worker_does_not_start_open_to_strangers(host: str):
    """Beyond loopback: a token, or the explicit word."""
    options = Options(Path("s.json"), Path(), host=host)
    with pytest.raises(OpenToStrangers, match="token"):
        options.gate(None)
    assert not options.gate(DIGEST).local
    assert not Options(Path("s.json"), Path(), host=host, insecure_no_auth=True).gate(None).local


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_token(host: str):
    """Only this machine reaches it."""
    assert is_loopback(host)
    assert Options(Path("s.json"), Path(), host=host).gate(None).local


def test_a_token_file_is_read_and_a_weak_one_refused(tmp_path: Path):
    """At least 16 characters."""
    good, weak = tmp_path / "token", tmp_path / "weak"
    good.write_text(f"{TOKEN}\n")
    weak.write_text("abc\n")
    assert Options(Path("s"), Path(), host="0.0.0.0", token_file=good).gate(None).token_sha256 == DIGEST
    for bad in (weak, tmp_path / "missing"):
        with pytest.raises(BadTokenFile):
            Options(Path("s"), Path(), token_file=bad).gate(None)


def test_feedback_is_kept_and_the_same_content_has_the_same_id(bench: Bench):
    """Sent twice, it counts once for every reader."""
    identifier = new_id(bench.clock)
    body = {"prediction_id": identifier, "actual": True}
    first, again = bench.post("/feedback", body).json, bench.post("/feedback", body).json
    other = bench.post("/feedback", {**body, "actual": False}).json
    assert first == again != other
    assert [(label.prediction_id, label.actual) for label in bench.labels()] == [
        (identifier, True),
        (identifier, True),
        (identifier, False),
    ]


def test_labels_come_by_key_and_many_at_once(bench: Bench):
    """A list of labels is one group."""
    labels = [{"key": f"k{n}", "actual": n % 2 == 0, "event_time": "2013-02-01T00:00:00Z"} for n in range(5)]
    answer = bench.post("/feedback", {"labels": labels})
    assert len(answer.json["feedback"]) == 5
    assert [label.key for label in bench.labels()] == [f"k{n}" for n in range(5)]


FEEDBACK: list[tuple[object, int, str]] = [
    (b"[", 400, "$"),
    ([], 422, "$"),
    ({}, 422, "$"),
    ({"actual": True}, 422, "$"),
    ({"actual": True, "key": "a", "prediction_id": "b"}, 422, "$"),
    ({"actual": True, "prediction_id": "../etc"}, 422, "$.prediction_id"),
    ({"actual": "late", "key": "a"}, 422, "$.actual"),
    ({"actual": 1, "key": "a"}, 422, "$.actual"),
    ({"actual": None, "key": "a"}, 422, "$.actual"),
    ({"key": "a"}, 422, "$"),
    ({"labels": []}, 422, "$.labels"),
    ({"labels": [{"key": "a", "actual": True}, {"key": "a", "actual": 7}]}, 422, "$.labels[1].actual"),
    ({"labels": [{"key": "a", "actual": True}] * 51}, 413, ""),
]


@pytest.mark.parametrize(("body", "status", "path"), FEEDBACK)
def test_bad_feedback_is_told_where_its_fault_is(bench: Bench, body: object, status: int, path: str):
    """Nothing of a bad request is kept."""
    answer = bench.post("/feedback", body)
    assert (answer.status, answer.error["path"] or "") == (status, path)
    assert bench.labels() == []


@pytest.mark.parametrize(("actual", "status"), [(3, 200), (3.5, 200), (10**400, 422), (True, 422), ("3", 422)])
def test_the_truth_of_a_regression_is_a_finite_number(bench: Bench, actual: Any, status: int):
    """And is kept as a float."""
    bench.serve(live_of(bench, about=manifest(task="regression", classes=(), positive=None)))
    answer = bench.post("/feedback", {"key": "a", "actual": actual})
    assert answer.status in ({400, 422} if status == 422 else {200})
    assert all(isinstance(label.actual, float) for label in bench.labels())


def test_labels_from_other_machines_are_rationed(make_bench: Callable[..., Bench]):
    """A token bucket: a second's worth at once, then 429."""
    bench = make_bench(Gate(local=False, token_sha256=DIGEST))
    bench.serve(live_of(bench, feedback=FeedbackState("feedback", per_second=0.1)))
    body = {"key": "a", "actual": True}
    statuses = [bench.post("/feedback", body, BEARER).status for _ in range(8)]
    assert statuses[0] == 200
    assert 429 in statuses


def test_metrics_are_what_prometheus_reads(bench: Bench):
    """The text parses; labels are model, version, variant, status; counts are right."""
    for _ in range(3):
        bench.post("/predict", ROW)
    bench.post("/predict", {})
    families = {family.name: family for family in text_string_to_metric_families(bench.get("/metrics").body.decode())}
    counts = {sample.labels["status"]: sample.value for sample in families["undrift_predictions"].samples}
    assert counts == {"200": 3.0, "422": 1.0}
    labels = families["undrift_predictions"].samples[0].labels
    assert labels.keys() == {"model", "version", "variant", "status", "worker"}
    [generation] = families["undrift_endpoint_generation"].samples
    assert generation.value == 7
    latency = [s for s in families["undrift_prediction_seconds"].samples if s.name.endswith("_count")]
    assert latency[0].value == 4


def test_a_fault_of_ours_is_one_answer_and_not_the_end(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    """The edge of the process turns any exception into a 500."""
    import undrift.serving.app as module

    def broken(body: bytes) -> None:
        raise LookupError

    monkeypatch.setattr(module, "read_asked", broken)
    assert bench.post("/predict", ROW).status == 500
    monkeypatch.undo()
    assert bench.post("/predict", ROW).status == 200
