"""The worker's ASGI application: routes, limits, and the edge where every error becomes an answer."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from undrift.core.clock import Clock
from undrift.core.errors import UndriftError
from undrift.segments.endpoint_file import Limits
from undrift.serving.access import Allowance, Gate
from undrift.serving.bodies import predictions_of, read_asked
from undrift.serving.feedback import read_feedback
from undrift.serving.http import ClientGone, Message, Receive, Reply, Request, Send, json_reply, send_reply
from undrift.serving.live import Current, Live
from undrift.serving.metrics import CONTENT_TYPE, Metrics
from undrift.serving.predictor import Predictor
from undrift.serving.problem import NOT_ALLOWED, NOT_FOUND, SERVER_ERROR, UNAVAILABLE, Problem, trace_of
from undrift.serving.v2 import V2, is_inference, tensors_expected

Handler = Callable[[Request], Awaitable[Reply]]
_V2 = "/v2"
_log = logging.getLogger("undrift.serving")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the application is made of.

    Attributes
    ----------
    current : Current
        What is served and where it is logged, now.
    predictor : Predictor
        Scores and logs.
    gate : Gate
        Who may ask.
    metrics : Metrics
        Counts.
    clock : Clock
        Real time.
    """

    current: Current
    predictor: Predictor
    gate: Gate
    metrics: Metrics
    clock: Clock


class App:
    """The ASGI application.

    Parameters
    ----------
    parts : Parts
        What it is made of.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._v2 = V2(parts.predictor)
        self._allowance = Allowance(parts.clock)
        self._routes: dict[str, dict[str, Handler]] = {
            "/predict": {"POST": self._predict},
            "/feedback": {"POST": self._feedback},
            "/health": {"GET": self._health},
            "/metrics": {"GET": self._metrics},
        }

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        route = self._route_of(request.path)
        try:
            reply = await self._answer(request, route)
        except ClientGone:
            return
        self._parts.metrics.requests[route, reply.status] += 1
        await send_reply(send, reply, without_body=request.method == "HEAD")

    async def _answer(self, request: Request, route: str) -> Reply:
        try:
            self._parts.gate.check_origin(request)
            return await self._handler(request, route)(request)
        except Problem as problem:
            return _told(problem, route)
        except Exception as error:  # noqa: BLE001  # the process edge: a fault of ours is one answer, not the end of the worker
            _log.error("a request failed: %s", trace_of(error))
            return _told(Problem(SERVER_ERROR, "fault", "the worker failed", cure="undrift logs shows why"), route)

    def _route_of(self, path: str) -> str:
        """Return the route's name, one of a few: it is a label of metrics."""
        if path in self._routes:
            return path
        return _V2 if path == _V2 or path.startswith(f"{_V2}/") else "other"

    def _handler(self, request: Request, route: str) -> Handler:
        method = "GET" if request.method == "HEAD" else request.method
        if route == _V2:
            methods: dict[str, Handler] = (
                {"POST": self._infer} if is_inference(_parts_of(request)) else {"GET": self._look}
            )
        elif route in self._routes:
            methods = self._routes[route]
        else:
            raise Problem(NOT_FOUND, "not-found", "there is nothing at this path", cure="POST /predict, GET /health")
        if method not in methods:
            problem = Problem(NOT_ALLOWED, "not-allowed", f"this is asked with {', '.join(methods)}")
            problem.headers = ((b"allow", ", ".join(methods).encode()),)
            raise problem
        return methods[method]

    async def _predict(self, request: Request) -> Reply:
        body, began = await self._body(request)
        live = self._live()
        try:
            asked = read_asked(body)
        except Problem as problem:
            raise self._parts.predictor.refuse(live, problem, began) from None
        return json_reply(predictions_of(await self._parts.predictor.ask(live, asked, began)))

    async def _infer(self, request: Request) -> Reply:
        tensors_expected(request)
        body, began = await self._body(request)
        return await self._v2.infer(self._live(), _parts_of(request), body, began)

    async def _look(self, request: Request) -> Reply:
        return self._v2.look(self._parts.current.live, _parts_of(request))

    async def _feedback(self, request: Request) -> Reply:
        live = self._live()
        self._parts.gate.check_feedback(live.state.token_sha256)
        body, _ = await self._body(request)
        live = self._live()
        manifest, most = live.stable.loaded.package.manifest, live.state.limits.rows
        records = read_feedback(body, manifest, self._parts.clock, most, live.mask)
        if not self._parts.gate.local:
            self._allowance.take(len(records), live.state.feedback.per_second)
        error = await self._parts.current.feedback.keep(records)
        if error is not None:
            raise _not_kept(error)
        self._parts.metrics.feedback += len(records)
        return json_reply({"feedback": [{"id": record.id} for record in records]})

    async def _health(self, _: Request) -> Reply:
        live = self._parts.current.live
        if live is None:
            return json_reply({"status": "starting"}, UNAVAILABLE)
        state = live.state
        return json_reply(
            {
                "status": "ok",
                "endpoint": state.endpoint,
                "generation": state.generation,
                "variants": [
                    {"variant": served.state.name, "model_version": served.version, "share_bp": served.state.share_bp}
                    for served in live.served
                ],
            }
        )

    async def _metrics(self, request: Request) -> Reply:
        live = self._parts.current.live
        self._parts.gate.check_token(request, live.state.token_sha256 if live else None)
        current = self._parts.current
        waiting = sum(served.loaded.batcher.rows for served in live.served) if live else 0
        gauges = {"endpoint_generation": live.state.generation if live else 0, "queue_rows": waiting}
        counters = {
            "log_records_total": current.predictions.counts.records,
            "log_dropped_total": current.predictions.counts.dropped,
            "log_failures_total": current.predictions.counts.failures,
            "feedback_total": self._parts.metrics.feedback,
        }
        return Reply(200, self._parts.metrics.render(gauges, counters), CONTENT_TYPE)

    async def _body(self, request: Request) -> tuple[bytes, float]:
        """Return the body of somebody who may ask, and when it was whole."""
        live = self._parts.current.live
        self._parts.gate.check_token(request, live.state.token_sha256 if live else None)
        limits = live.state.limits if live else Limits()
        body = await request.body(limits.body_bytes)
        return body, self._parts.clock.monotonic()

    def _live(self) -> Live:
        live = self._parts.current.live
        if live is None:
            raise Problem(UNAVAILABLE, "starting", "the model is still being loaded", cure="retry in 1 s")
        return live


def _parts_of(request: Request) -> list[str]:
    """Return the parts of a path behind ``/v2``."""
    rest = request.path[len(_V2) :].strip("/")
    return rest.split("/") if rest else []


def _told(problem: Problem, route: str) -> Reply:
    body = {"error": problem.as_text()} if route == _V2 else problem.as_json()
    return json_reply(body, problem.status, problem.headers)


def _not_kept(error: UndriftError) -> Problem:
    return Problem(UNAVAILABLE, "log-unavailable", "the labels could not be kept", cure=error.cure or "retry")
