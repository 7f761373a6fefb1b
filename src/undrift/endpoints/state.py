"""What is known about an endpoint, and the pure steps from one state to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, assert_never

from undrift.core.decision import Outcome
from undrift.core.ids import RolloutId
from undrift.core.json import JSON
from undrift.endpoints.errors import RolloutEnded

Status: TypeAlias = Literal["serving", "stopped"]
RolloutState: TypeAlias = Literal["running", "waiting", "promoted", "rolled_back", "stopped"]
Move: TypeAlias = Literal["advance", "promote", "roll_back", "stop", "ask"]
WHOLE_BP = 10_000


@dataclass(frozen=True, slots=True)
class VersionRef:
    """A model version as an endpoint knows it.

    Attributes
    ----------
    model : str
        Name of the model.
    number : int
        Its version, from 1.
    package_digest : str
        Digest of the package that is served.
    gate_outcome : {"pass", "fail", "cannot_tell"} or None
        What the gate said; None when there was no gate.
    forced_reason : str
        Why somebody deployed it without a passed gate; empty when nobody did.
    """

    model: str
    number: int
    package_digest: str
    gate_outcome: Outcome | None = None
    forced_reason: str = ""

    @property
    def ref(self) -> str:
        """The version's reference, ``model:NAME@N``."""
        return f"model:{self.model}@{self.number}"

    def as_json(self) -> dict[str, JSON]:
        """Return the version as it is stored."""
        return {
            "model": self.model,
            "number": self.number,
            "package": self.package_digest,
            "gate": self.gate_outcome,
            "forced": self.forced_reason,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> VersionRef:  # Any: stored JSON
        """Return the version that was stored."""
        return cls(stored["model"], stored["number"], stored["package"], stored["gate"], stored["forced"])


@dataclass(frozen=True, slots=True)
class Listen:
    """Where an endpoint listens; port 0 lets the system choose."""

    host: str = "127.0.0.1"
    port: int = 0


@dataclass(frozen=True, slots=True)
class EndpointState:
    """The one row that says what an endpoint serves.

    Attributes
    ----------
    name : str
        Name of the endpoint.
    generation : int
        Grows by one with every change; the value that a change must have read.
    salt : str
        Decides, with a unit's key, the unit's arm; new for each rollout.
    stable : VersionRef
        The one live version.
    canary : VersionRef or None
        The version on trial.
    previous : VersionRef or None
        The version that was live before, for a rollback after promotion.
    share_bp : int
        The canary's share of the traffic in basis points; 0 without a canary.
    rollout : RolloutId or None
        The rollout that has not ended.
    listen : Listen
        Address.
    status : {"serving", "stopped"}
        Whether it is wanted up.
    """

    name: str
    generation: int
    salt: str
    stable: VersionRef
    canary: VersionRef | None = None
    previous: VersionRef | None = None
    share_bp: int = 0
    rollout: RolloutId | None = None
    listen: Listen = Listen()
    status: Status = "serving"

    @property
    def ref(self) -> str:
        """The endpoint's reference."""
        return f"endpoint:{self.name}"

    def summary(self) -> dict[str, JSON]:
        """Return what an event keeps of the state, enough to fold the row again."""
        return {
            "generation": self.generation,
            "stable": self.stable.as_json(),
            "canary": self.canary.as_json() if self.canary else None,
            "previous": self.previous.as_json() if self.previous else None,
            "share_bp": self.share_bp,
            "rollout": self.rollout,
            "status": self.status,
        }


def with_canary(state: EndpointState, canary: VersionRef, rollout: RolloutId, share_bp: int) -> EndpointState:
    """Return the state in which a canary takes its first share; a new salt deals the arms anew.

    Parameters
    ----------
    state : EndpointState
        The state before.
    canary : VersionRef
        The version that takes the share.
    rollout : RolloutId
        The rollout it belongs to.
    share_bp : int
        Its first share, in hundredths of a percent.
    """
    return replace(_next(state), canary=canary, rollout=rollout, share_bp=share_bp, salt=str(rollout))


def with_share(state: EndpointState, share_bp: int) -> EndpointState:
    """Return the state in which the canary has another share."""
    return replace(_next(state), share_bp=share_bp)


def promoted(state: EndpointState, version: VersionRef) -> EndpointState:
    """Return the state in which a version is live alone and the live one is kept as previous."""
    alone = without_canary(state)
    return replace(alone, stable=version, previous=state.stable)


def without_canary(state: EndpointState) -> EndpointState:
    """Return the state without a canary and its rollout."""
    return replace(_next(state), canary=None, rollout=None, share_bp=0)


def reverted(state: EndpointState, to: VersionRef) -> EndpointState:
    """Return the state in which the earlier version is live again, and there is none before it."""
    return replace(without_canary(state), stable=to, previous=None)


def with_status(state: EndpointState, status: Status) -> EndpointState:
    """Return the state in which the endpoint is wanted up or down."""
    return replace(_next(state), status=status)


def _next(state: EndpointState) -> EndpointState:
    return replace(state, generation=state.generation + 1)


def has_ended(state: RolloutState) -> bool:
    """Say whether a rollout can still move."""
    match state:
        case "running" | "waiting":
            return False
        case "promoted" | "rolled_back" | "stopped":
            return True
        case _:
            assert_never(state)


def after(state: RolloutState, move: Move) -> RolloutState:
    """Return the state of a rollout after a move.

    A rollout that waits for a person still rolls back by itself, but goes on only by hand.

    Raises
    ------
    RolloutEnded
        If the rollout cannot move that way any more.
    """
    if has_ended(state) or (state == "waiting" and move in ("advance", "ask")):
        raise RolloutEnded(f"a rollout that is {state} cannot {move}", cure="look at it: undrift rollout show")
    match move:
        case "advance":
            return "running"
        case "ask":
            return "waiting"
        case "promote":
            return "promoted"
        case "roll_back":
            return "rolled_back"
        case "stop":
            return "stopped"
        case _:
            assert_never(move)
