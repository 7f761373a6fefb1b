"""The small part of HTTP that a scoring worker needs, over ASGI."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import msgspec

from undrift.core.json import JSON
from undrift.serving.problem import BAD_REQUEST, TIMED_OUT, TOO_LARGE, Problem

Message: TypeAlias = MutableMapping[str, Any]  # Any: ASGI's own type of messages
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

JSON_TYPE = b"application/json"
BODY_TIMEOUT_S = 15.0

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class ClientGone(Exception):  # a signal between two functions of the worker
    """The caller hung up before the request was whole."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent back."""

    status: int
    body: bytes
    content_type: bytes = JSON_TYPE
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass
class Request:
    """A request as the application sees it.

    Attributes
    ----------
    scope : mapping
        The ASGI scope.
    receive : callable
        Gives the parts of the body.
    """

    scope: Message
    receive: Receive

    @property
    def method(self) -> str:
        """The method in capitals."""
        return str(self.scope["method"])

    @property
    def path(self) -> str:
        """The decoded path."""
        return str(self.scope["path"])

    @cached_property
    def headers(self) -> dict[bytes, bytes]:
        """Headers by lower-case name; of repeated ones the last."""
        return dict(self.scope["headers"])

    async def body(self, limit: int) -> bytes:
        """Return the whole body.

        Raises
        ------
        Problem
            413 if it is larger than the limit, 408 if it takes more than 15 seconds.
        ClientGone
            If the caller hangs up.
        """
        length = self.headers.get(b"content-length", b"")
        if length.isdigit() and int(length) > limit:
            raise _too_large(limit)
        message = await self.receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            whole: bytes = message.get("body", b"")
            if len(whole) > limit:
                raise _too_large(limit)
            return whole
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                return await self._rest(message, limit)
        except TimeoutError:
            raise Problem(TIMED_OUT, "slow-body", "the body did not arrive in time", cure="send it again") from None

    async def _rest(self, message: Message, limit: int) -> bytes:
        parts, size = [], 0
        while True:
            if message["type"] == "http.disconnect":
                raise ClientGone
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > limit:
                raise _too_large(limit)
            if not message.get("more_body"):
                return b"".join(parts)
            message = await self.receive()


def parse_json(body: bytes) -> JSON:
    """Return the value of a JSON body.

    Raises
    ------
    Problem
        400 if it is not JSON. NaN and infinities are not; neither are numbers beyond a double.
    """
    try:
        value: JSON = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem(
            BAD_REQUEST, "bad-json", f"the body is not JSON: {error}", path="$", cure="send JSON; NaN is not JSON"
        ) from None
    except RecursionError:
        raise Problem(
            BAD_REQUEST, "bad-json", "the body is nested too deeply", path="$", cure="send flat rows"
        ) from None
    return value


def json_reply(value: object, status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Reply:
    """Return a reply with a JSON body."""
    return Reply(status, _encode(value), headers=headers)


async def send_reply(send: Send, reply: Reply, *, without_body: bool = False) -> None:
    """Send a reply; to a HEAD request without its body."""
    headers = [
        (b"content-type", reply.content_type),
        (b"content-length", b"%d" % len(reply.body)),
        *reply.headers,
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if without_body else reply.body})


def _too_large(limit: int) -> Problem:
    return Problem(TOO_LARGE, "body-too-large", f"a body has at most {limit} bytes", cure="send fewer rows at a time")
