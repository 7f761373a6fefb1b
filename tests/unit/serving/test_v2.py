"""The Open Inference Protocol over JSON: its shapes, and its errors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from undrift.core.ids import time_us_of

from .conftest import Bench, live_of

TENSORS = [
    {"name": "temp", "shape": [2], "datatype": "FP64", "data": [3.5, 4]},
    {"name": "hour", "shape": [2, 1], "datatype": "INT64", "data": [[7], [18]]},
    {"name": "carrier", "shape": [2], "datatype": "BYTES", "data": ["UA", "AA"]},
    {"name": "wet", "shape": [2], "datatype": "BOOL", "data": [True, False]},
    {"name": "day", "shape": [2], "datatype": "BYTES", "data": ["2013-02-01", "2013-02-02"]},
    {"name": "at", "shape": [2], "datatype": "BYTES", "data": ["2013-02-01T07:00:00Z", "2013-02-02T07:00:00Z"]},
]
INFER = "/v2/models/delay/infer"


def tensors(place: int, **changed: Any) -> list[dict[str, Any]]:
    return [{**tensor, **changed} if index == place else tensor for index, tensor in enumerate(TENSORS)]


def test_server_and_model_describe_themselves(bench: Bench):
    """Metadata in the protocol's words."""
    assert bench.get("/v2").json["name"] == "undrift"
    model = bench.get("/v2/models/delay").json
    assert (model["name"], model["versions"], model["platform"]) == ("delay", ["3"], "undrift")
    assert [(t["name"], t["datatype"], t["shape"]) for t in model["inputs"]] == [
        (t["name"], t["datatype"], [-1]) for t in TENSORS
    ]
    assert [t["name"] for t in model["outputs"]] == ["prediction", "probability", "prediction_id", "variant"]


@pytest.mark.parametrize(
    "path", ["/v2/health/live", "/v2/health/ready", "/v2/models/delay/ready", "/v2/models/delay/versions/3/ready"]
)
def test_a_worker_that_serves_is_live_and_ready(bench: Bench, path: str):
    """Each probe is 200."""
    assert bench.get(path).status == 200


def test_rows_come_and_answers_go_as_tensors(bench: Bench):
    """One tensor per column in, one per fact out, and the request's id comes back."""
    answer = bench.post(INFER, {"id": "mine", "inputs": TENSORS}).json
    assert (answer["model_name"], answer["model_version"], answer["id"]) == ("delay", "3", "mine")
    outputs = {output["name"]: output for output in answer["outputs"]}
    assert outputs["prediction"] == {"name": "prediction", "datatype": "BOOL", "shape": [2], "data": [False, True]}
    assert outputs["probability"]["data"] == pytest.approx([7 / 24, 18 / 24])
    assert all(time_us_of(identifier) for identifier in outputs["prediction_id"]["data"])
    assert [record.row[1] for record in bench.logged() if record.row] == [7, 18]


def test_a_caller_chooses_the_outputs_and_gives_a_key(bench: Bench):
    """Parameters carry key and event time."""
    body = {
        "inputs": TENSORS,
        "outputs": [{"name": "prediction"}],
        "parameters": {"key": "UA-17", "event_time": "2013-02-01T00:00:00Z", "other": 1},
    }
    answer = bench.post(INFER, body).json
    assert [output["name"] for output in answer["outputs"]] == ["prediction"]
    assert {(record.key, record.event_us) for record in bench.logged()} == {("UA-17", 1_359_676_800_000_000)}


def test_a_named_version_goes_around_the_router_and_is_no_evidence(bench: Bench):
    """The record has no share."""
    bench.serve(live_of(bench, share_bp=10_000))
    answer = bench.post("/v2/models/delay/versions/3/infer", {"inputs": TENSORS}).json
    assert answer["model_version"] == "3"
    assert {(record.variant, record.share_bp) for record in bench.logged()} == {("stable", None)}
    assert bench.post("/v2/models/delay/versions/9/infer", {"inputs": TENSORS}).status == 404


BAD: list[tuple[object, int]] = [
    (b"", 400),
    ([], 422),
    ({}, 422),
    ({"inputs": []}, 422),
    ({"inputs": TENSORS[1:]}, 400),
    ({"inputs": [*TENSORS, TENSORS[0]]}, 400),
    ({"inputs": tensors(0, name="other")}, 400),
    ({"inputs": tensors(0, datatype="BYTES")}, 422),
    ({"inputs": tensors(0, data=[1.0])}, 400),
    ({"inputs": tensors(0, shape=[2, 2])}, 400),
    ({"inputs": tensors(0, shape=[])}, 400),
    ({"inputs": tensors(0, shape=[-1])}, 400),
    ({"inputs": tensors(0, data=None)}, 400),
    ({"inputs": tensors(0, parameters={"binary_data_size": 16})}, 400),
    ({"inputs": tensors(1, data=[1.5, 2])}, 422),
    ({"inputs": tensors(1, data=[[[1]], 2])}, 422),
    ({"inputs": tensors(2, data=["UA", None])}, 422),
    ({"inputs": [{**t, "shape": [0], "data": []} for t in TENSORS]}, 422),
    ({"inputs": TENSORS, "outputs": [{"name": "other"}]}, 400),
    ({"inputs": TENSORS, "parameters": {"event_time": "now"}}, 422),
    ({"inputs": TENSORS, "surprise": 1}, 422),
]


@pytest.mark.parametrize(("body", "status"), BAD)
def test_bad_tensors_are_told_in_the_protocols_form(bench: Bench, body: object, status: int):
    """An error is one text under the key "error"."""
    answer = bench.post(INFER, body)
    assert answer.status == status
    assert list(answer.json) == ["error"]
    assert isinstance(answer.error, str)


def test_a_wrong_cell_is_named_by_its_row_and_input(bench: Bench):
    """The text says which row of which tensor."""
    assert "row[1].hour" in bench.post(INFER, {"inputs": tensors(1, data=[1, 2.5])}).error


def test_binary_tensors_are_refused_in_words(bench: Bench):
    """Clients that default to the binary extension learn what to change."""
    answer = bench.post(INFER, json.dumps({"inputs": TENSORS}).encode(), {"inference-header-content-length": "10"})
    assert answer.status == 400
    assert "JSON" in answer.error
