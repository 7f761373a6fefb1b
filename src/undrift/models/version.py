"""A registered model version and the rules of its states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, assert_never

from undrift.core.decision import Outcome
from undrift.core.errors import BadInput, CheckFailed, Conflict, NotFound
from undrift.core.json import JSON

State: TypeAlias = Literal["proposed", "approved", "admitted", "live", "retired"]
Move: TypeAlias = Literal["approve", "admit", "go_live", "retire"]
_PASSIVE: dict[Move, str] = {"approve": "be approved", "admit": "be admitted by a policy", "go_live": "go live"}
PROTECTED = frozenset({"champion", "production"})
"""Aliases which only a version that may go live, or is live, may bear."""
CLEARED: frozenset[State] = frozenset({"approved", "admitted"})
"""States of a version that may go live: a person approved it, or a policy admitted it."""


class UnknownVersion(NotFound):
    """There is no such model, version or alias."""

    code = "unknown-version"


class WrongState(BadInput):
    """A version's state does not allow the move."""

    code = "wrong-state"


class GateNotPassed(CheckFailed):
    """A version has no gate report that says pass, and nobody forced it with a reason."""

    code = "gate-not-passed"


class NotAPerson(BadInput):
    """A policy or service was to approve a version, which only a person does."""

    code = "not-a-person"


class ReasonMissing(BadInput):
    """A move needs a reason."""

    code = "reason-missing"


class VersionInUse(BadInput):
    """A version that is live, or bears an alias, cannot be deleted."""

    code = "version-in-use"


class VersionMoved(Conflict):
    """A state or alias was changed by somebody else first."""

    code = "version-moved"


@dataclass(frozen=True, slots=True)
class Override:
    """One time that somebody went past the gate.

    Attributes
    ----------
    move : str
        What was done: ``approve`` or ``go_live``.
    actor, reason : str
        Who and why.
    at_us : int
        When, in microseconds since 1970 UTC, by the project's clock.
    """

    move: Move
    actor: str
    reason: str
    at_us: int

    def as_json(self) -> dict[str, JSON]:
        """Return the override as it is stored."""
        return {"move": self.move, "actor": self.actor, "reason": self.reason, "at_us": self.at_us}


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A registered package.

    Attributes
    ----------
    model : str
        Name of the model.
    number : int
        From 1; never given twice.
    package : str
        Digest of the package.
    state : {"proposed", "approved", "admitted", "live", "retired"}
        Where it stands: a person approves, a policy admits.
    run, data, code : str
        References to what it came from; empty when not stated.
    gate : mapping or None
        The gate's report.
    gate_outcome : {"pass", "fail", "cannot_tell"} or None
        What it said.
    overrides : tuple of Override
        Every time that somebody went past the gate.
    aliases : tuple of str
        The aliases it bears, sorted.
    registered_by : str
        The actor that registered it.
    created_at : datetime
        When, by the project's clock.
    """

    model: str
    number: int
    package: str
    state: State
    run: str
    data: str
    code: str
    gate: Mapping[str, JSON] | None
    gate_outcome: Outcome | None
    overrides: tuple[Override, ...]
    aliases: tuple[str, ...]
    registered_by: str
    created_at: datetime

    def __repr__(self) -> str:
        """Return reference, state and what the gate said, on one line."""
        gate = {None: "no gate report", "pass": "gate passed", "fail": "gate failed", "cannot_tell": "gate cannot tell"}
        forced = ", forced" if self.forced else ""
        return f"<{type(self).__name__} {self.ref}: {self.state}, {gate[self.gate_outcome]}{forced}>"

    @property
    def ref(self) -> str:
        """The reference, ``model:NAME@N``."""
        return f"model:{self.model}@{self.number}"

    @property
    def forced(self) -> bool:
        """Whether anybody ever went past the gate with it."""
        return bool(self.overrides)

    def summary(self) -> dict[str, JSON]:
        """Return what events must explain: the state, the package and whether it was forced."""
        return {"state": self.state, "package": self.package, "gate": self.gate_outcome, "forced": self.forced}


def state_after(version: ModelVersion, move: Move) -> State:
    """Return the state that a move leads to.

    proposed -> approved or admitted -> live -> retired; a retired version may go live again, which is what
    a rollback does; any version may be retired.

    Raises
    ------
    WrongState
        If the version's state does not allow the move.
    """
    allowed, after = _step(move)
    if version.state not in allowed:
        raise WrongState(
            f"{version.ref} is {version.state}; to {move.replace('_', ' ')} it must be {' or '.join(allowed)}",
            cure=f"undrift model show {version.ref}",
            state=version.state,
        )
    return after


def _step(move: Move) -> tuple[tuple[State, ...], State]:
    """Return the states that a move may start from, and the one it ends in."""
    match move:
        case "approve":
            return ("proposed",), "approved"
        case "admit":
            return ("proposed",), "admitted"
        case "go_live":
            return ("approved", "admitted", "retired"), "live"
        case "retire":
            return ("proposed", "approved", "admitted", "live"), "retired"
        case _:
            assert_never(move)


def check_gate(version: ModelVersion, move: Move, forced_reason: str) -> bool:
    """Say whether a move goes past the gate.

    Raises
    ------
    GateNotPassed
        If the gate did not pass and nobody forces it with a reason.
    """
    if version.gate_outcome == "pass":
        return False
    if not forced_reason.strip():
        said = "has no gate report" if version.gate_outcome is None else f"has the gate outcome {version.gate_outcome}"
        raise GateNotPassed(
            f"{version.ref} {said}: it cannot {_PASSIVE.get(move, move)}",
            cure=f"undrift model show {version.ref}; or undrift deploy --force --reason TEXT, which is kept for ever",
            outcome=version.gate_outcome,
        )
    return True
