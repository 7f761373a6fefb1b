"""Following the endpoint file: a new generation is made ready, served, and confirmed."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from undrift.core.errors import UndriftError
from undrift.segments.endpoint_file import (
    BadEndpointFile,
    EndpointState,
    Refusal,
    WorkerAck,
    ack_path,
    read_state,
    write_ack,
)
from undrift.serving.live import Current, Live
from undrift.serving.loading import Loader
from undrift.serving.logs import EndpointLog

_log = logging.getLogger("undrift.serving")
_LOOK_EVERY_S = 0.05

Stamp = tuple[int, int, int]
LogMaker = Callable[[EndpointState], tuple[EndpointLog, EndpointLog]]


@dataclass(slots=True)
class Follower:
    """Keeps a worker at the newest generation of its endpoint file.

    Attributes
    ----------
    path : Path
        The endpoint file.
    loader : Loader
        Makes packages ready.
    current : Current
        What is served; changed here and nowhere else.
    make_logs : callable
        Opens the two logs that a state names.
    ack : WorkerAck
        What was last confirmed.
    """

    path: Path
    loader: Loader
    current: Current
    make_logs: LogMaker
    ack: WorkerAck
    _seen: Stamp | None = field(default=None)

    async def follow(self) -> None:
        """Look for changes until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            await self.look()

    async def look(self) -> None:
        """Take a new generation, if there is one. One that cannot be loaded is refused, and the old one stays."""
        stamp = _stamp(self.path)
        if stamp is None or stamp == self._seen:
            return
        self._seen = stamp
        try:
            state = read_state(self.path)
        except BadEndpointFile as error:
            await self._refuse(0, error.code, error.message)
            return
        before = self.current.live
        if before is not None and state.generation <= before.state.generation:
            return
        await self._take(state, before)

    async def _take(self, state: EndpointState, before: Live | None) -> None:
        try:
            live = await self.loader.load(state, before)
        except UndriftError as error:
            await self._refuse(state.generation, error.code, error.message)
        except Exception as error:  # noqa: BLE001  # the edge to a stranger's package: it must not stop the worker
            await self._refuse(state.generation, "cannot-load", f"{type(error).__name__}: {error}")
        else:
            await self._flip(live, before)

    async def _flip(self, live: Live, before: Live | None) -> None:
        old = await self._follow_logs(live.state)
        for served in live.served:
            self.current.predictions.introduce(served.loaded.columns_record)
        self.current.live = live
        kept = {served.loaded.package.digest for served in live.served}
        for served in before.served if before else ():
            if served.loaded.package.digest not in kept:
                served.loaded.batcher.retire()
        await self._confirm(live.state.generation, None)
        if old is not None:
            await asyncio.to_thread(_close, old)

    async def _follow_logs(self, state: EndpointState) -> tuple[EndpointLog, EndpointLog] | None:
        """Open the logs that a state names, if they are others than now, and return the old ones to close."""
        predictions, feedback = self.current.predictions, self.current.feedback
        wanted = (self.loader.store / state.log.folder, self.loader.store / state.feedback.folder, state.log.mode)
        if (predictions.folder, feedback.folder, predictions.mode) == wanted:
            return None
        self.current.predictions, self.current.feedback = await asyncio.to_thread(self.make_logs, state)
        return predictions, feedback

    async def _refuse(self, generation: int, code: str, message: str) -> None:
        _log.error("generation %d is refused: %s: %s", generation, code, message)
        await self._confirm(self.ack.generation, Refusal(generation, code, message))

    async def _confirm(self, generation: int, refused: Refusal | None) -> None:
        self.ack = WorkerAck(self.ack.pid, generation, self.ack.address, self.ack.started_us, refused)
        await asyncio.to_thread(write_ack, self.path, self.ack)

    def leave(self) -> None:
        """Take the answer away: this worker does not serve any more."""
        ack_path(self.path, os.getpid()).unlink(missing_ok=True)


def _stamp(path: Path) -> Stamp | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


def _close(logs: tuple[EndpointLog, EndpointLog]) -> None:
    for log in logs:
        log.close()
