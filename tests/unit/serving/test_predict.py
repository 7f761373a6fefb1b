"""``POST /predict``: forms of a body, answers, and what is logged of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from undrift.core.ids import time_us_of
from undrift.core.masking import Mask
from undrift.segments.records import ColumnsRecord, decode
from undrift.segments.tail import SegmentTail
from undrift.serving.live import Live
from undrift.serving.problem import trace_of

from .conftest import INPUTS, ROW, Bench, HandEngine, live_of, manifest


def row(**changed: Any) -> dict[str, Any]:
    return {**ROW, **changed}


@pytest.mark.parametrize("body", [ROW, {"row": ROW}, {"rows": [ROW]}], ids=["bare", "row", "rows"])
def test_each_form_of_a_body_gets_the_same_shape_of_answer(bench: Bench, body: object):
    """One row or many, wrapped or bare: a list of predictions."""
    answer = bench.post("/predict", body)
    assert answer.status == 200
    [one] = answer.json["predictions"]
    assert {key: one[key] for key in ("prediction", "model_version", "variant")} == {
        "prediction": False,
        "model_version": "model:delay@3",
        "variant": "stable",
    }
    assert one["probability"] == pytest.approx(7 / 24)
    assert time_us_of(one["id"])


def test_every_answer_is_logged_with_what_was_asked_and_said(bench: Bench):
    """The record holds id, key, event time, row, scores, answer and who gave it."""
    body = {"row": row(hour=18), "key": "UA-17", "event_time": "2013-02-01T09:00:00+01:00"}
    [one] = bench.post("/predict", body).json["predictions"]
    [record] = bench.logged()
    assert record.id == one["id"]
    assert (record.key, record.event_us) == ("UA-17", 1_359_705_600_000_000)
    assert (record.endpoint, record.variant, record.version, record.generation) == ("delay", "stable", 3, 7)
    assert record.row == [3.5, 18, "UA", True, "2013-02-01", "2013-02-01T07:00:00Z"]
    assert record.scores == pytest.approx([0.25, 0.75])
    assert (record.prediction, record.status, record.error) == (True, 200, None)


def test_the_columns_stand_before_the_first_row(bench: Bench):
    """Each file says which columns a package's rows have, and of what type."""
    bench.post("/predict", ROW)
    first = decode(SegmentTail(bench.folder / "predictions").poll()[0].payload)
    assert first == ColumnsRecord("b3:stable", [c.name for c in INPUTS], [c.type for c in INPUTS])


def test_many_rows_keep_their_order_their_keys_and_their_times(bench: Bench):
    """Answers come in the order of the rows."""
    times = ["2013-02-01T00:00:00Z", None, "2013-02-02T00:00:00Z"]
    body = {"rows": [row(hour=h) for h in (1, 20, 12)], "keys": ["a", None, "c"], "event_times": times}
    answered = bench.post("/predict", body).json["predictions"]
    assert [one["prediction"] for one in answered] == [False, True, True]
    records = {record.id: record for record in bench.logged()}
    assert [records[one["id"]].key for one in answered] == ["a", None, "c"]
    assert [records[one["id"]].event_us is None for one in answered] == [False, True, False]


def test_a_null_is_answered_only_where_the_schema_has_one(bench: Bench):
    """Temp may be null; hour may not."""
    assert bench.post("/predict", row(temp=None)).status == 200
    refused = bench.post("/predict", row(hour=None))
    assert (refused.status, refused.error["code"], refused.error["path"]) == (422, "null", "$.hour")


CASES: list[tuple[object, int, str, str]] = [
    (b"", 400, "bad-json", "$"),
    (b"{", 400, "bad-json", "$"),
    (b"\xff\xfe", 400, "bad-json", "$"),
    (b'{"temp": NaN}', 400, "bad-json", "$"),
    (b'{"temp": 1e999}', 400, "bad-json", "$"),
    (b"[" * 15_000, 400, "bad-json", "$"),
    ([], 422, "not-an-object", "$"),
    ("text", 422, "not-an-object", "$"),
    (None, 422, "not-an-object", "$"),
    ({}, 422, "missing-column", "$.temp"),
    ({"rows": []}, 422, "empty", "$.rows"),
    ({"rows": {}}, 422, "bad-body", "$.rows"),
    ({"rows": [ROW], "key": "a"}, 422, "bad-body", "$"),
    ({"rows": [ROW, 5]}, 422, "not-a-row", "$.rows[1]"),
    ({"rows": [ROW, row(wet="yes")]}, 422, "wrong-type", "$.rows[1].wet"),
    ({"rows": [ROW], "keys": ["a", "b"]}, 422, "wrong-length", "$.keys"),
    ({"rows": [ROW], "event_times": []}, 422, "wrong-length", "$.event_times"),
    ({"rows": [ROW] * 51}, 413, "too-many-rows", ""),
    ({"row": None}, 422, "not-a-row", "$.row"),
    ({"row": ROW, "key": 5}, 422, "bad-body", "$.key"),
    ({"row": ROW, "key": ""}, 422, "bad-body", "$.key"),
    ({"row": ROW, "key": "k" * 257}, 422, "bad-body", "$.key"),
    ({"row": ROW, "event_time": "yesterday"}, 422, "bad-body", "$.event_time"),
    ({"row": ROW, "event_time": "2013-02-01T00:00:00"}, 422, "bad-body", "$.event_time"),
    ({"row": ROW, "event_time": "0001-01-01T00:00:00Z"}, 422, "out-of-range", "$.event_time"),
    ({"row": ROW, "colour": "red"}, 422, "bad-body", "$"),
    (row(colour="red"), 422, "unknown-column", "$.colour"),
    (row(hour=4.5), 422, "wrong-type", "$.hour"),
    (row(hour=2**80), 422, "out-of-range", "$.hour"),
    (row(temp="3"), 422, "wrong-type", "$.temp"),
    (row(temp=True), 422, "wrong-type", "$.temp"),
    (row(day="2013-02-30"), 422, "bad-text", "$.day"),
    (row(carrier="refuse"), 422, "not-scorable", ""),
    (b"x" * 20_001, 413, "body-too-large", ""),
]


@pytest.mark.parametrize(("body", "status", "code", "path"), CASES)
def test_bad_input_is_told_where_its_fault_is(bench: Bench, body: object, status: int, code: str, path: str):
    """Every bad body is a 4xx with code and path, and never with the value itself."""
    answer = bench.post("/predict", body)
    assert (answer.status, answer.error["code"], answer.error["path"] or "") == (status, code, path)
    assert answer.error["message"]


def test_a_refused_request_is_logged_without_its_rows(bench: Bench):
    """Status, variant and code are kept; values which nobody could read are not."""
    bench.post("/predict", row(hour="seven"))
    bench.post("/predict", b"{")
    assert [(r.status, r.error, r.row, r.variant) for r in bench.logged()] == [
        (422, "wrong-type", None, "stable"),
        (400, "bad-json", None, "stable"),
    ]


@pytest.mark.parametrize("carrier", ["crash", "nan"])
def test_a_model_that_fails_is_a_500_counted_against_its_variant(bench: Bench, carrier: str):
    """The error of a model is an answer, a record with its row, and a count."""
    answer = bench.post("/predict", row(carrier=carrier))
    assert (answer.status, answer.error["code"]) == (500, "model-failed")
    [record] = bench.logged()
    assert (record.status, record.error, record.variant) == (500, "model-failed", "stable")
    assert record.row is not None
    assert b'variant="stable",status="500"' in bench.get("/metrics").body


def test_one_bad_row_does_not_spoil_the_batch_of_others(bench: Bench):
    """Requests of one turn are scored in one call; when it fails, each for itself."""

    async def together() -> list[int]:
        rows = [row(hour=1), row(carrier="crash"), row(hour=2), row(carrier="refuse")]
        answers = await asyncio.gather(*(bench.ask("POST", "/predict", body) for body in rows))
        return [answer.status for answer in answers]

    assert bench.run(together()) == [200, 500, 200, 422]


def test_what_arrives_in_one_turn_is_scored_in_one_call(bench: Bench):
    """Forty requests, one call of the model."""

    async def together() -> list[float]:
        bodies = [row(hour=hour % 24) for hour in range(40)]
        answers = await asyncio.gather(*(bench.ask("POST", "/predict", body) for body in bodies))
        return [answer.json["predictions"][0]["probability"] for answer in answers]

    found = bench.run(together())
    assert found == pytest.approx([hour % 24 / 24 for hour in range(40)])
    assert bench.engines["b3:stable"].calls == [40]


def test_a_full_queue_says_when_to_come_again(bench: Bench):
    """More rows than may wait are 503 with Retry-After, and logged as such."""

    async def flood() -> list[tuple[int, str | None]]:
        body = {"rows": [ROW] * 40}
        answers = await asyncio.gather(*(bench.ask("POST", "/predict", body) for _ in range(4)))
        return [(answer.status, answer.headers.get("retry-after")) for answer in answers]

    assert bench.run(flood()) == [(200, None), (200, None), (503, "1"), (503, "1")]
    assert sum(record.status == 503 for record in bench.logged()) == 80


def test_a_slow_model_runs_in_a_thread_and_health_answers_meanwhile(bench: Bench):
    """Beyond two milliseconds a call, the loop stays free."""
    live = bench.parts.current.live
    assert live is not None
    live.stable.loaded.batcher.call_s = 1.0
    order: list[str] = []

    async def ask(name: str, method: str, path: str, body: object) -> None:
        assert (await bench.ask(method, path, body)).status == 200
        order.append(name)

    async def both() -> None:
        await asyncio.gather(ask("predict", "POST", "/predict", ROW), ask("health", "GET", "/health", b""))
        live.stable.loaded.batcher.retire()

    bench.run(both())
    assert order == ["health", "predict"]


def test_a_unit_keeps_its_arm_and_the_arms_have_their_shares(bench: Bench):
    """The same key gets the same variant; a quarter of the keys gets the canary."""
    bench.serve(live_of(bench, share_bp=2_500))
    keys = [f"key-{number}" for number in range(50)]

    def arms() -> list[str]:
        answered = bench.post("/predict", {"rows": [ROW] * 50, "keys": keys}).json["predictions"]
        return [one["variant"] for one in answered]

    first = arms()
    assert first == arms()
    assert 3 <= first.count("canary") <= 25
    assert {record.share_bp for record in bench.logged()} == {2_500}


def test_growing_the_share_never_takes_a_unit_back(bench: Bench):
    """Who got the canary at 5 % gets it at 25 % too."""
    body = {"rows": [ROW] * 50, "keys": [f"k{number}" for number in range(50)]}
    before: set[str] = set()
    for share in (500, 2_500, 10_000):
        bench.serve(live_of(bench, share_bp=share))
        answered = bench.post("/predict", body).json["predictions"]
        got = {key for key, one in zip(body["keys"], answered, strict=True) if one["variant"] == "canary"}
        assert before <= got
        before = got
    assert len(before) == 50


def test_a_crashing_canary_costs_only_its_own_units(bench: Bench):
    """Units of the stable variant are answered; the canary's are its errors."""
    bench.engines["b3:canary"] = HandEngine(offset=float("nan"))
    bench.serve(live_of(bench, share_bp=5_000))
    statuses = [bench.post("/predict", {"row": ROW, "key": f"k{number}"}).status for number in range(20)]
    assert set(statuses) == {200, 500}
    assert {record.variant for record in bench.logged() if record.status == 500} == {"canary"}
    assert {record.variant for record in bench.logged() if record.status == 200} == {"stable"}


def test_a_mixed_request_is_refused_when_one_arm_fails(bench: Bench):
    """All rows of a request are answered or none."""
    bench.engines["b3:canary"] = HandEngine(offset=float("nan"))
    bench.serve(live_of(bench, share_bp=5_000))
    keys = [f"k{number}" for number in range(20)]
    assert bench.post("/predict", {"rows": [ROW] * 20, "keys": keys}).status == 500


@pytest.mark.parametrize(
    ("changed", "member", "answer"),
    [
        ({"task": "regression", "classes": (), "positive": None}, "value", 7.0),
        ({"task": "multiclass", "classes": ("early", "late"), "positive": None}, "probabilities", "early"),
    ],
)
def test_each_task_says_its_scores_in_its_own_word(bench: Bench, changed: dict[str, Any], member: str, answer: object):
    """A number has a value; classes without a positive one have a probability each."""

    class Number(HandEngine):
        def score(self, columns: Any, rows: int) -> Any:
            scores = super().score(columns, rows)
            return scores[:, 1:] * 24 if member == "value" else scores

    bench.engines["b3:stable"] = Number()
    bench.serve(live_of(bench, about=manifest(**changed)))
    [one] = bench.post("/predict", ROW).json["predictions"]
    assert one["prediction"] == answer
    assert one[member] == pytest.approx(7.0 if member == "value" else {"early": 17 / 24, "late": 7 / 24})


@pytest.mark.parametrize("mode", ["written", "durable", "async"])
def test_each_mode_of_the_log_answers_and_keeps(make_bench: Callable[..., Bench], mode: str):
    """In written and durable mode the record is there when the answer is; in async soon after."""
    bench = make_bench(mode=mode)
    assert bench.post("/predict", ROW).status == 200
    if mode == "async":
        bench.parts.current.predictions.close()
    assert len(bench.logged()) == 1


def test_an_answer_that_cannot_be_logged_is_not_given(bench: Bench):
    """A log that fails is a 503 and counted, never a silent gap."""
    (bench.folder / "predictions").rmdir()
    answer = bench.post("/predict", ROW)
    assert (answer.status, answer.error["code"]) == (503, "log-unavailable")
    assert b"undrift_log_failures_total" in bench.get("/metrics").body


def test_keys_and_personal_cells_are_logged_masked(bench: Bench) -> None:
    """The log joins and does not tell: masks of texts, no personal number; the arm goes by the key as it came."""
    mask = Mask(b"k" * 32)
    inputs = tuple(replace(one, role="personal") if one.name in ("carrier", "hour", "day") else one for one in INPUTS)
    live = live_of(bench, about=manifest(inputs=inputs))
    bench.serve(Live(live.state, live.stable, None, mask))
    assert bench.post("/predict", {"row": ROW, "key": "ada@example.org"}).status == 200
    assert bench.post("/feedback", {"key": "ada@example.org", "actual": True}).status == 200
    [logged], [label] = bench.logged(), bench.labels()
    assert logged.key == label.key == mask.text("ada@example.org")
    assert logged.row is not None
    assert logged.row[:5] == [3.5, None, mask.text("UA"), True, None]


def test_an_error_is_logged_without_its_words() -> None:
    """A library's message may quote the row: the log says what kind of error and where, and its causes."""
    cell = "ada"
    try:
        try:
            int(cell)
        except ValueError as error:
            raise RuntimeError(cell) from error
    except RuntimeError as error:
        told = trace_of(error)
    assert "RuntimeError" in told
    assert "int(cell)" in told
    assert cell not in told.replace("undrift", "")
