"""The Open Inference Protocol (V2) over JSON: what KServe's and Triton's clients speak.

The model's name there is the endpoint's. Asking for a version by number goes around the router:
such answers are logged without a share, and rollouts take no evidence from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import Annotated

import msgspec

from undrift.serving.bodies import EventTime, Key, converted, event_us
from undrift.serving.http import Reply, Request, json_reply, parse_json
from undrift.serving.live import Live, Served
from undrift.serving.predictor import Asked, Predictor
from undrift.serving.problem import BAD_REQUEST, NOT_ALLOWED, NOT_FOUND, Problem
from undrift.serving.tensors import (
    InputTensor,
    OutputTensor,
    Parameters,
    described_inputs,
    described_outputs,
    outputs_of,
    rows_of,
)


class _Wanted(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    parameters: Parameters | None = None


class _Infer(msgspec.Struct, forbid_unknown_fields=True):
    inputs: Annotated[list[InputTensor], msgspec.Meta(min_length=1)]
    id: str | None = None
    parameters: Parameters | None = None
    outputs: list[_Wanted] | None = None


class _About(msgspec.Struct):
    """The request parameters that we know; others belong to other servers and are passed over."""

    key: Key | None = None
    event_time: EventTime | None = None


class _Inferred(msgspec.Struct, omit_defaults=True):
    model_name: str
    outputs: list[OutputTensor]
    model_version: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class V2:
    """Answers below ``/v2``.

    Attributes
    ----------
    predictor : Predictor
        Scores and logs.
    """

    predictor: Predictor

    def look(self, live: Live | None, parts: list[str]) -> Reply:
        """Return the answer to a GET.

        Parameters
        ----------
        live : Live, optional
            What is served; None before the first package is loaded.
        parts : list of str
            The path's parts behind ``/v2``.

        Raises
        ------
        Problem
            404 for what there is not.
        """
        match parts:
            case []:
                return json_reply({"name": "undrift", "version": version("undrift"), "extensions": []})
            case ["health", "live"]:
                return json_reply({"live": True})
            case ["health", "ready"]:
                return json_reply({"ready": live is not None}, 200 if live is not None else 503)
            case ["models", *rest]:
                model = _model(live, rest)
                return model.ready() if model.verb == "ready" else model.metadata()
            case _:
                raise _nothing()

    async def infer(self, live: Live | None, parts: list[str], body: bytes, began: float) -> Reply:
        """Return the answer to a POST.

        Parameters
        ----------
        live : Live or None
            What is served; None before the first package is loaded.
        parts : list of str
            The path behind ``/v2/models/``.
        body : bytes
            The request.
        began : float
            When the request came, on the monotonic clock.

        Raises
        ------
        Problem
            If it cannot be answered.
        """
        if live is None or parts[:1] != ["models"]:
            raise _nothing()
        model = _model(live, parts[1:])
        if model.verb != "infer":
            raise Problem(NOT_ALLOWED, "not-allowed", "this is asked with GET")
        served = model.pinned or live.stable
        try:
            asked, request = _read(body, served, model.pinned)
        except Problem as problem:
            raise self.predictor.refuse(live, problem, began) from None
        answered = await self.predictor.ask(live, asked, began)
        manifest = served.loaded.package.manifest
        wanted = None if request.outputs is None else [output.name for output in request.outputs]
        versions = {str(one.served.state.version) for one in answered}
        return json_reply(
            _Inferred(
                live.state.endpoint,
                outputs_of(answered, manifest, wanted),
                versions.pop() if len(versions) == 1 else None,
                request.id,
            )
        )


@dataclass(frozen=True, slots=True)
class _Model:
    live: Live
    pinned: Served | None
    verb: str

    def ready(self) -> Reply:
        return json_reply({"name": self.live.state.endpoint, "ready": True})

    def metadata(self) -> Reply:
        manifest = (self.pinned or self.live.stable).loaded.package.manifest
        return json_reply(
            {
                "name": self.live.state.endpoint,
                "versions": [str(served.state.version) for served in self.live.served],
                "platform": "undrift",
                "inputs": described_inputs(manifest.inputs),
                "outputs": described_outputs(manifest),
            }
        )


def is_inference(parts: list[str]) -> bool:
    """Say whether a path behind ``/v2`` is one that is posted to."""
    return parts[:1] == ["models"] and parts[-1:] == ["infer"]


def tensors_expected(request: Request) -> None:
    """Refuse the binary extension, whose bodies are not JSON.

    Raises
    ------
    Problem
        400 if the request uses it.
    """
    if b"inference-header-content-length" in request.headers:
        raise Problem(
            BAD_REQUEST, "binary-tensors", "this server takes tensors as JSON data", cure="send binary_data=False"
        )


def _model(live: Live | None, parts: list[str]) -> _Model:
    """Return the model that the parts behind ``/v2/models`` name."""
    if live is None or not parts or parts[0] != live.state.endpoint:
        raise _nothing()
    rest, pinned = parts[1:], None
    if rest[:1] == ["versions"] and len(rest) > 1:
        pinned = live.version(rest[1])
        if pinned is None:
            raise Problem(NOT_FOUND, "no-such-version", "this version is not served here")
        rest = rest[2:]
    if rest not in ([], ["ready"], ["infer"]):
        raise _nothing()
    return _Model(live, pinned, rest[0] if rest else "")


def _read(body: bytes, served: Served, pinned: Served | None) -> tuple[Asked, _Infer]:
    request = converted(parse_json(body), _Infer)
    about = converted(request.parameters or {}, _About)
    rows = rows_of(request.inputs, served.loaded.package.manifest.inputs)
    count = len(rows)
    when = event_us(about.event_time, "$.parameters.event_time")
    asked = Asked(rows, [about.key] * count, [when] * count, [f"row[{place}]" for place in range(count)], pinned)
    return asked, request


def _nothing() -> Problem:
    return Problem(NOT_FOUND, "not-found", "there is nothing at this path", cure="GET /health says what is served")
