"""One scoring process: binds its port, loads, serves, follows its file, and ends cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import uvicorn

from undrift.core.clock import Clocks, real_clocks, to_us
from undrift.core.errors import Fault
from undrift.core.ids import IdSource
from undrift.segments.endpoint_file import EndpointState, WorkerAck, read_state
from undrift.serving.access import Gate
from undrift.serving.app import App, Parts
from undrift.serving.follow import Follower
from undrift.serving.live import Current
from undrift.serving.loading import Loader
from undrift.serving.logs import EndpointLog
from undrift.serving.metrics import Metrics
from undrift.serving.options import Options
from undrift.serving.predictor import Predictor
from undrift.serving.random_pool import RandomPool

_log = logging.getLogger("undrift.serving")
_BACKLOG = 2048
_KEEP_ALIVE_S = 75
"""Longer than proxies and load balancers keep their side open, so that it is never us who closes under a request."""
_GRACE_S = 10
_PARENT_EVERY_S = 0.5


class CannotServe(Fault):
    """A worker could not begin: its port is taken or its first generation cannot be loaded."""

    code = "cannot-serve"


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: ours end the worker with exit code 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


@dataclass(frozen=True, slots=True)
class _Rooms:
    """The parts of a worker which outlive a generation."""

    parts: Parts
    follower: Follower


async def serve(options: Options, clocks: Clocks | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then answer what is in flight, seal the logs and return.

    Raises
    ------
    CannotServe
        If the port is taken or the first generation cannot be loaded.
    OpenToStrangers, BadTokenFile, BadEndpointFile
        If the worker is not told what it needs.
    """
    clocks = clocks or real_clocks()
    state = read_state(options.state)
    gate = options.gate(state.token_sha256)
    listener = _listen(options)
    rooms = _rooms(options, clocks, state, _address(listener), gate)
    try:
        await rooms.follower.look()
        await rooms.follower.look()  # a state published while the first was loaded: nobody waited for us yet
        if rooms.parts.current.live is None:
            refused = rooms.follower.ack.refused
            raise CannotServe(refused.message if refused else "the endpoint file changed", cure="undrift deploy")
        await _run(options, rooms, listener)
    finally:
        listener.close()
        rooms.follower.leave()
        await asyncio.to_thread(rooms.parts.current.predictions.close)
        await asyncio.to_thread(rooms.parts.current.feedback.close)


def _rooms(options: Options, clocks: Clocks, state: EndpointState, address: str, gate: Gate) -> _Rooms:
    def make_logs(wanted: EndpointState) -> tuple[EndpointLog, EndpointLog]:
        owner = f"worker-{os.getpid()}"
        return (
            EndpointLog(options.store / wanted.log.folder, wanted.log.mode, owner, clocks),
            EndpointLog(options.store / wanted.feedback.folder, wanted.log.mode, owner, clocks),
        )

    metrics = Metrics(str(os.getpid()))
    current = Current(*make_logs(state))
    predictor = Predictor(clocks.real, IdSource(clocks.real, RandomPool()), metrics, current)
    loader = Loader(options.store, clocks.real, predictor.finish)
    ack = WorkerAck(os.getpid(), 0, address, to_us(clocks.real.now()))
    follower = Follower(options.state, loader, current, make_logs, ack)
    return _Rooms(Parts(current, predictor, gate, metrics, clocks.real), follower)


async def _run(options: Options, rooms: _Rooms, listener: socket.socket) -> None:
    server = _Server(
        uvicorn.Config(
            App(rooms.parts),
            http="httptools",
            loop="none",
            ws="none",
            lifespan="off",
            interface="asgi3",
            access_log=False,
            log_config=None,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            backlog=_BACKLOG,
            timeout_graceful_shutdown=_GRACE_S,
            timeout_keep_alive=_KEEP_ALIVE_S,
        )
    )

    def stop() -> None:
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    watching = [asyncio.create_task(rooms.follower.follow())]
    if options.parent is not None:
        watching.append(asyncio.create_task(_watch_parent(server, options.parent)))
    _log.info("serving %s", rooms.follower.ack.address)
    try:
        await server.serve(sockets=[listener])
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)


async def _watch_parent(server: uvicorn.Server, parent: int) -> None:
    """End the server when the process that started this one is gone."""
    while os.getppid() == parent:  # noqa: ASYNC110  # the system tells nobody that a parent ended
        await asyncio.sleep(_PARENT_EVERY_S)
    server.should_exit = True


def _listen(options: Options) -> socket.socket:
    """Bind the address; several workers may share it. Nobody is let in before the server listens."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
    except OSError as error:
        raise CannotServe(
            f"{options.host}:{options.port} cannot be listened on: {error.strerror}", cure="choose another port"
        ) from error
    listener.setblocking(False)
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
