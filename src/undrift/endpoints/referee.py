"""Acting on rollouts: one process at a time judges an endpoint and carries the verdict out."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import assert_never

import msgspec

from undrift.core.clock import to_us
from undrift.core.decision import Decision
from undrift.core.errors import Conflict
from undrift.core.files import make_private, write_atomic
from undrift.endpoints.judge import Judge
from undrift.endpoints.publisher import Publisher
from undrift.endpoints.rollout import Rollout
from undrift.endpoints.rooms import EndpointRooms
from undrift.endpoints.service import Cause, Endpoints
from undrift.endpoints.state import EndpointState
from undrift.endpoints.verdict import Verdict
from undrift.ledger.actor import Actor
from undrift.ledger.errors import LeaseLost
from undrift.ledger.leases import Lease, Leases
from undrift.ledger.ledger import Change

POLICY = Actor("policy", "rollout")
_LEASE_S = 4.0
_RENEW_S = 1.0


class JudgeFile(msgspec.Struct, frozen=True):
    """How far an endpoint's judge has read, in ``NAME.judge.json``.

    Attributes
    ----------
    rollout : str
        The rollout it judges.
    generation : int
        The endpoint's generation that it looked at.
    through_us : int
        Everything that arrived before this instant of real time is taken in and nothing
        follows from it.
    """

    rollout: str
    generation: int
    through_us: int


class Referee:
    """Judges the rollout of one endpoint under a lease. Not safe for threads.

    Parameters
    ----------
    rooms : EndpointRooms
        The project.
    name : str
        The endpoint.
    watermark_s : float
        How long a record may take from its answer to its segment file.
    """

    def __init__(self, rooms: EndpointRooms, name: str, watermark_s: float = 0.25) -> None:
        self._rooms = rooms
        self._name = name
        self._watermark_us = int(watermark_s * 1e6)
        self._endpoints = Endpoints(rooms)
        self._publisher = Publisher(rooms)
        self._leases = Leases(rooms.ledger, rooms.clocks.real)
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{rooms.ids.next()}"
        self._lease: Lease | None = None
        self._renewed = 0.0
        self._judge: tuple[str, Judge] | None = None

    def look(self) -> Verdict | None:
        """Judge once and carry out what follows; return it, or None when nothing does.

        Nothing is done while another process holds the lease, or when the endpoint has
        changed meanwhile: the next look sees the new state.
        """
        rollout = self._endpoints.running(self._name)
        if rollout is None:
            self.close()
            return None
        if not self._holds_the_lease():
            return None
        state = self._endpoints.get(self._name)
        if state.rollout != rollout.id:
            return None
        verdict = self._verdict(rollout, state)
        if verdict is None:
            return None
        return verdict if self._carry_out(verdict, state) else None

    def condemn(self, decision: Decision) -> bool:
        """Roll the canary back for what no record shows: workers that die of it or cannot load it."""
        state = self._endpoints.get(self._name)
        if state.rollout is None or not self._holds_the_lease():
            return False
        return self._carry_out(Verdict("roll_back", decision), state)

    def close(self) -> None:
        """Give the lease back and forget the evidence."""
        if self._lease is not None:
            self._leases.release(self._lease)
        self._lease = None
        self._judge = None

    def _verdict(self, rollout: Rollout, state: EndpointState) -> Verdict | None:
        if self._judge is None or self._judge[0] != rollout.id:
            self._judge = (rollout.id, Judge(self._rooms, rollout))
        clocks = self._rooms.clocks
        until = to_us(clocks.real.now()) - self._watermark_us
        verdict = self._judge[1].verdict(rollout, until, to_us(clocks.business.now()))
        if verdict is None:
            said = JudgeFile(rollout.id, state.generation, until)
            write_atomic(judge_path(self._rooms, self._name), msgspec.json.encode(said))
        return verdict

    def _carry_out(self, verdict: Verdict, state: EndpointState) -> bool:
        cause = Cause(verdict.reason, verdict.decision, state.generation)
        try:
            with self._rooms.ledger.change(POLICY) as change:
                if self._lease is not None:
                    self._leases.check(change, self._lease)
                self._act(change, verdict, cause)
        except LeaseLost:
            self._lease = None
            return False
        except Conflict:
            return False
        self._publisher.render(self._name)
        return True

    def _act(self, change: Change, verdict: Verdict, cause: Cause) -> EndpointState:
        match verdict.move:
            case "advance":
                return self._endpoints.advance(change, self._name, cause)
            case "promote":
                return self._endpoints.promote(change, self._name, cause)
            case "roll_back":
                return self._endpoints.rollback(change, self._name, cause)
            case "ask":
                return self._endpoints.ask(change, self._name, cause)
            case "stop":
                return self._endpoints.abort(change, self._name, cause)
            case _:
                assert_never(verdict.move)

    def _holds_the_lease(self) -> bool:
        now = self._rooms.clocks.real.monotonic()
        try:
            if self._lease is None:
                self._lease = self._leases.claim(f"rollout:{self._name}", self._owner, _LEASE_S)
                self._renewed = now
            elif now - self._renewed >= _RENEW_S:
                self._leases.renew(self._lease)
                self._renewed = now
        except LeaseLost:
            self._lease = None
        return self._lease is not None


def judge_path(rooms: EndpointRooms, name: str) -> Path:
    """Return where a judge says how far it has read."""
    return make_private(rooms.run_folder) / f"{name}.judge.json"


def is_settled(rooms: EndpointRooms, name: str, since_us: int) -> bool:
    """Say whether nothing that arrived before an instant of real time is left to be judged.

    It is so when the endpoint has no rollout, or when its judge, in whatever process it runs,
    has taken everything in and left the rollout as it is.
    """
    state = Endpoints(rooms).get(name)
    if state.rollout is None:
        return True
    try:
        said = msgspec.json.decode(judge_path(rooms, name).read_bytes(), type=JudgeFile)
    except (OSError, msgspec.DecodeError):
        return False
    return said.rollout == state.rollout and said.generation == state.generation and said.through_us >= since_us
