"""The supervisor: keeps an endpoint's workers up, its file current, and its rollout judged."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from undrift.core.decision import Decision
from undrift.core.process import set_by_signals
from undrift.endpoints.errors import NotAcknowledged, WorkersDoNotStart
from undrift.endpoints.fleet import Fleet, ServeOptions, log_tail
from undrift.endpoints.publisher import Publisher, SupervisorFile, read_supervisor
from undrift.endpoints.referee import Referee
from undrift.endpoints.rooms import EndpointRooms
from undrift.endpoints.service import Endpoints
from undrift.endpoints.watch import Watch
from undrift.ledger.actor import Actor

_log = logging.getLogger("undrift.endpoints")
_LOOK_EVERY_S = 0.1
_PUBLISH_EVERY_S = 0.5
_CRASHES_OF_A_CANARY = 3
_CRASHES_AT_START = 3
_WAIT_POLL_S = 0.02

OnReady = Callable[[SupervisorFile], None]


def _tell_nobody(said: SupervisorFile) -> None:
    """Take no notice."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """Who is told what.

    Attributes
    ----------
    stop : threading.Event
        Set it to stop the supervisor.
    on_ready : callable
        Called once, when all workers serve.
    """

    stop: threading.Event
    on_ready: OnReady = _tell_nobody


class Supervisor:
    """Owns one endpoint until told to stop.

    Parameters
    ----------
    rooms : EndpointRooms
        The project.
    name : str
        The endpoint.
    options : ServeOptions
        How it is served.
    """

    def __init__(self, rooms: EndpointRooms, name: str, options: ServeOptions) -> None:
        self._rooms = rooms
        self._name = name
        self._options = options
        self._endpoints = Endpoints(rooms)
        self._publisher = Publisher(rooms)
        self._fleet = Fleet(rooms, name, options)
        self._watch = Watch(rooms, name, options.watch_command, options.watch_every_s)
        self._was_ready = False
        self._published = 0.0
        self._guarded: str | None = None
        self._crashes_before = 0

    def run(self, hooks: Hooks) -> None:
        """Serve until ``hooks.stop`` is set or the endpoint is recorded as stopped.

        Raises
        ------
        UnknownEndpoint
            If there is no such endpoint.
        SupervisorRunning
            If another process supervises it.
        WorkersDoNotStart
            If the workers end again and again before they have ever served.
        """
        state = self._endpoints.get(self._name)
        self._fleet.open(self._options.listen or state.listen)
        done = threading.Event()
        judging = threading.Thread(target=self._judge, args=(done,), name=f"judge-{self._name}")
        try:
            self._want_it_up()
            self._publisher.render(self._name)
            judging.start()
            while not hooks.stop.is_set() and self._look(hooks.on_ready):
                hooks.stop.wait(_LOOK_EVERY_S)
        finally:
            done.set()
            if judging.is_alive():
                judging.join()
            self._watch.stop()
            self._fleet.stop()

    def _want_it_up(self) -> None:
        if self._endpoints.get(self._name).status == "stopped":
            with self._rooms.ledger.change(Actor.current()) as change:
                self._endpoints.set_status(change, self._name, "serving")

    def _look(self, on_ready: OnReady) -> bool:
        """Mend what is broken and say whether to go on."""
        self._fleet.ensure()
        self._watch.look()
        now = self._rooms.clocks.real.monotonic()
        if now - self._published >= _PUBLISH_EVERY_S or not self._was_ready:
            self._published = now
            try:
                return self._publish(on_ready)
            except WorkersDoNotStart:
                raise
            except Exception:  # noqa: BLE001  # the edge of a long-lived process: answers go on while the ledger is away
                _log.exception("endpoint %s: its state could not be looked at", self._name)
        return True

    def _publish(self, on_ready: OnReady) -> bool:
        state = self._endpoints.get(self._name)
        if self._name in self._publisher.lagging():
            self._publisher.render(self._name)
        found = self._publisher.acknowledged(self._name, state.generation)
        ready = found is not None and len(found.workers) == self._options.workers
        self._fleet.tell(ready=ready)
        if ready and not self._was_ready:
            self._was_ready = True
            said = read_supervisor(self._rooms, self._name)
            if said is not None:
                on_ready(said)
        if not self._was_ready and self._fleet.crashes >= _CRASHES_AT_START and state.rollout is None:
            raise WorkersDoNotStart(
                f"the workers of {self._name!r} end before they serve:\n{log_tail(self._rooms, self._name, 5)}",
                cure=f"undrift logs {self._name}",
            )
        return state.status == "serving"

    def _judge(self, done: threading.Event) -> None:
        referee = Referee(self._rooms, self._name, self._options.watermark_s)
        while not done.wait(self._options.judge_every_s):
            try:
                self._guard(referee)
                verdict = referee.look()
                if verdict is not None:
                    _log.info("endpoint %s: %s: %s", self._name, verdict.move, verdict.reason)
            except Exception:  # noqa: BLE001  # the edge of a long-lived thread: a judge that fails once looks again
                _log.exception("endpoint %s: its rollout could not be judged", self._name)
        referee.close()

    def _guard(self, referee: Referee) -> None:
        """Take out a canary that no worker can load, or that workers die of."""
        state = self._endpoints.get(self._name)
        if state.rollout is None or state.canary is None:
            return
        refusals = self._publisher.refusals(self._name, state.generation)
        crashes = self._crashes_since(state.rollout)
        if refusals:
            referee.condemn(_guilty(f"workers cannot load {state.canary.ref}: {refusals[0].message}", len(refusals)))
        elif crashes >= _CRASHES_OF_A_CANARY:
            referee.condemn(_guilty(f"workers that load {state.canary.ref} die at once, {crashes} times", crashes))

    def _crashes_since(self, rollout: str) -> int:
        """Return how often workers died young since a rollout began: earlier deaths are not its canary's."""
        crashes = self._fleet.crashes
        if self._guarded != rollout:
            self._guarded, self._crashes_before = rollout, crashes
        self._crashes_before = min(self._crashes_before, crashes)
        return crashes - self._crashes_before


def _guilty(reason: str, times: int) -> Decision:
    return Decision(
        question="the canary can be served",
        outcome="fail",
        method="a worker that does not load it, or dies within seconds of its start three times in succession",
        alpha=0.0,
        n=times,
        unit="worker",
        reason=reason,
    )


def run_supervisor(
    rooms: EndpointRooms, names: Sequence[str], options: ServeOptions, hooks: Hooks | None = None
) -> None:
    """Serve endpoints in this process until SIGTERM, SIGINT or ``hooks.stop``.

    Parameters
    ----------
    rooms : EndpointRooms
        The project.
    names : sequence of str
        The endpoints.
    options : ServeOptions
        How they are served.
    hooks : Hooks, optional
        Who is told; signals are handled only when this is the main thread.

    Raises
    ------
    UnknownEndpoint, SupervisorRunning, AddressTaken, WorkersDoNotStart
        If an endpoint cannot be served; the others are stopped.
    """
    hooks = hooks or Hooks(threading.Event())
    errors: list[Exception] = []

    def run(name: str) -> None:
        try:
            Supervisor(rooms, name, options).run(hooks)
        except Exception as error:  # noqa: BLE001  # a thread's edge: it is raised again below
            errors.append(error)
            hooks.stop.set()

    with set_by_signals(hooks.stop):
        if len(names) == 1:
            run(names[0])
        else:
            threads = [threading.Thread(target=run, args=(name,), name=f"supervisor-{name}") for name in names]
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive():
                    thread.join(_LOOK_EVERY_S)
    if errors:
        raise errors[0]


def wait_ready(rooms: EndpointRooms, name: str, timeout_s: float = 30.0) -> SupervisorFile:
    """Return what an endpoint's supervisor says once all its workers serve.

    Raises
    ------
    NotAcknowledged
        If that does not happen in time.
    """
    real = rooms.clocks.real
    deadline = real.monotonic() + timeout_s
    while real.monotonic() < deadline:
        said = read_supervisor(rooms, name)
        if said is not None and said.ready and said.is_up:
            return said
        real.sleep(_WAIT_POLL_S)
    raise NotAcknowledged(
        f"endpoint {name!r} does not serve after {timeout_s:g} s:\n{log_tail(rooms, name, 5)}",
        cure=f"undrift logs {name}",
    )


def ask_to_stop(rooms: EndpointRooms, name: str) -> SupervisorFile | None:
    """Ask the supervisor of an endpoint to stop, and return what it said last; None when there is none."""
    said = read_supervisor(rooms, name)
    if said is None or not said.is_up:
        return None
    with suppress(ProcessLookupError):
        os.kill(said.pid, signal.SIGTERM)
    return said


def stop_supervisor(rooms: EndpointRooms, name: str, timeout_s: float = 20.0) -> bool:
    """Ask the supervisor of an endpoint to stop, wait until it has, and say whether there was one.

    Raises
    ------
    NotAcknowledged
        If it does not stop in time.
    """
    said = ask_to_stop(rooms, name)
    if said is None:
        return False
    real = rooms.clocks.real
    deadline = real.monotonic() + timeout_s
    while said.is_up:  # its file goes first; what it holds open is closed with it
        if real.monotonic() >= deadline:
            raise NotAcknowledged(f"process {said.pid} does not stop", cure=f"kill {said.pid}")
        real.sleep(_WAIT_POLL_S)
    return True
