"""Deploying, promoting and rolling back: every change of what an endpoint serves."""

from __future__ import annotations

from dataclasses import dataclass, replace

from undrift.core.clock import to_us
from undrift.core.decision import Decision
from undrift.core.ids import RolloutId, check_name
from undrift.core.json import JSON
from undrift.endpoints import state as states
from undrift.endpoints.errors import (
    AlreadyServed,
    EndpointChanged,
    GateNotPassed,
    NoRollout,
    NothingToRollBack,
    RolloutRunning,
)
from undrift.endpoints.plan import RolloutPlan
from undrift.endpoints.repository import EndpointTable, RolloutTable
from undrift.endpoints.rollout import Rollout
from undrift.endpoints.rooms import EndpointRooms
from undrift.endpoints.state import EndpointState, Listen, Move, Status, VersionRef
from undrift.ledger.ledger import Change


@dataclass(frozen=True, slots=True)
class Deployment:
    """What to deploy and how.

    Attributes
    ----------
    version : VersionRef
        The version; it needs a passed gate unless it is forced.
    plan : RolloutPlan or None
        How it is brought in; None, or when nothing is live yet: at once.
    reason : str
        Why.
    force_reason : str
        Why it is deployed without a passed gate; recorded, and shown for ever.
    listen : Listen or None
        Address of a new endpoint.
    """

    version: VersionRef
    plan: RolloutPlan | None = None
    reason: str = ""
    force_reason: str = ""
    listen: Listen | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a rollout moves.

    Attributes
    ----------
    reason : str
        One sentence.
    decision : Decision or None
        The automatic decision behind it.
    generation : int or None
        The generation that was looked at; the move is refused when there is a newer one.
    """

    reason: str
    decision: Decision | None = None
    generation: int | None = None


class Endpoints:
    """Changes endpoints, one row and one transaction each, so that there are never two live versions.

    Callers publish the new state after the commit, with
    :class:`~undrift.endpoints.publisher.Publisher`.

    Parameters
    ----------
    rooms : EndpointRooms
        The project.
    """

    def __init__(self, rooms: EndpointRooms) -> None:
        self._rooms = rooms
        self._endpoints = EndpointTable()
        self._rollouts = RolloutTable()

    def get(self, name: str) -> EndpointState:
        """Return an endpoint.

        Raises
        ------
        UnknownEndpoint
            If there is none of this name.
        """
        with self._rooms.ledger.read() as connection:
            return self._endpoints.get(connection, name)

    def find(self, name: str) -> EndpointState | None:
        """Return an endpoint, or None."""
        with self._rooms.ledger.read() as connection:
            return self._endpoints.find(connection, name)

    def all(self) -> list[EndpointState]:
        """Return all endpoints by name."""
        with self._rooms.ledger.read() as connection:
            return self._endpoints.all(connection)

    def rollouts(self, name: str | None = None) -> list[Rollout]:
        """Return the rollouts of one endpoint or of all, newest first."""
        with self._rooms.ledger.read() as connection:
            return self._rollouts.of(connection, name)

    def running(self, name: str) -> Rollout | None:
        """Return the rollout of an endpoint that has not ended, or None."""
        with self._rooms.ledger.read() as connection:
            rollout = self._endpoints.get(connection, name).rollout
            return self._rollouts.find(connection, rollout) if rollout else None

    def deploy(self, change: Change, name: str, deployment: Deployment) -> EndpointState:
        """Bring a version to an endpoint: at once when nothing is live, else by its plan.

        Parameters
        ----------
        change : Change
            The open change.
        name : str
            The endpoint; made when it does not exist.
        deployment : Deployment
            Version, plan and reasons.

        Raises
        ------
        GateNotPassed
            If the version has no passed gate and no force reason is given.
        AlreadyServed
            If the version is live already.
        RolloutRunning
            If a rollout on this endpoint has not ended.
        """
        version = _through_the_gate(deployment)
        before = self._endpoints.find(change.connection, name)
        if before is None:
            return self._create(change, name, version, deployment)
        if before.rollout is not None:
            raise RolloutRunning(
                f"endpoint {name!r} has a rollout of {before.canary.ref if before.canary else '?'}",
                cure=f"undrift promote {name}, undrift rollback {name}, or wait for its decision",
            )
        if version.package_digest == before.stable.package_digest and version.ref == before.stable.ref:
            raise AlreadyServed(f"endpoint {name!r} serves {version.ref} already", cure="deploy another version")
        _record_forced(change, before.ref, version)
        if deployment.plan is None or len(deployment.plan.steps_bp) == 1:
            return self._switch(change, before, version, deployment.reason)
        return self._start(change, before, version, deployment)

    def advance(self, change: Change, name: str, cause: Cause) -> EndpointState:
        """Give the canary the share of its next step."""
        before, rollout = self._moving(change, name, cause)
        after = states.with_share(before, rollout.plan.steps_bp[rollout.step + 1])
        moved = replace(rollout, step=rollout.step + 1, step_generation=after.generation)
        self._store(change, before, after)
        self._move(change, after, rollout, moved, ("advance", cause))
        return after

    def promote(self, change: Change, name: str, cause: Cause) -> EndpointState:
        """Make the canary the live version and keep the one before for a rollback."""
        before, rollout = self._moving(change, name, cause)
        after = states.promoted(before, rollout.candidate)
        self._store(change, before, after)
        self._rooms.on_live(change, name, before.stable, after.stable)
        self._move(change, after, rollout, rollout, ("promote", cause))
        return after

    def rollback(self, change: Change, name: str, cause: Cause) -> EndpointState:
        """Take the canary out; without one, make the version before the live one live again.

        Raises
        ------
        NothingToRollBack
            If there is neither a canary nor an earlier version.
        """
        before = self._endpoints.get(change.connection, name)
        if before.rollout is not None:
            return self._end(change, name, "roll_back", cause)
        if before.previous is None:
            raise NothingToRollBack(
                f"endpoint {name!r} has no canary and no version before {before.stable.ref}",
                cure="deploy the version you want: undrift deploy MODEL@VERSION",
            )
        after = states.reverted(before, before.previous)
        self._store(change, before, after)
        self._rooms.on_live(change, name, before.stable, after.stable)
        change.record("endpoint.rolled-back", after.ref, {**_body(change, after, cause), "from": before.stable.ref})
        return after

    def abort(self, change: Change, name: str, cause: Cause) -> EndpointState:
        """Take the canary out without a judgement on it."""
        return self._end(change, name, "stop", cause)

    def ask(self, change: Change, name: str, cause: Cause) -> EndpointState:
        """Leave the canary at its share and ask a person to decide."""
        before, rollout = self._moving(change, name, cause)
        self._move(change, before, rollout, rollout, ("ask", cause))
        return before

    def set_status(self, change: Change, name: str, status: Status) -> EndpointState:
        """Record whether an endpoint is wanted up; nothing happens when it already is so."""
        before = self._endpoints.get(change.connection, name)
        if before.status == status:
            return before
        after = states.with_status(before, status)
        self._store(change, before, after)
        kind = "endpoint.started" if status == "serving" else "endpoint.stopped"
        change.record(kind, after.ref, _body(change, after, Cause("")))
        return after

    def _create(self, change: Change, name: str, version: VersionRef, deployment: Deployment) -> EndpointState:
        check_name(name, "endpoint")
        listen = deployment.listen or Listen()
        state = EndpointState(name=name, generation=1, salt=self._rooms.ids.next(), stable=version, listen=listen)
        self._endpoints.add(change, state)
        _record_forced(change, state.ref, version)
        self._rooms.on_live(change, name, None, version)
        change.record("endpoint.created", state.ref, _body(change, state, Cause(deployment.reason)))
        return state

    def _switch(self, change: Change, before: EndpointState, version: VersionRef, reason: str) -> EndpointState:
        after = states.promoted(before, version)
        self._store(change, before, after)
        self._rooms.on_live(change, before.name, before.stable, version)
        change.record("endpoint.deployed", after.ref, _body(change, after, Cause(reason)))
        return after

    def _start(
        self, change: Change, before: EndpointState, version: VersionRef, deployment: Deployment
    ) -> EndpointState:
        plan = deployment.plan or RolloutPlan()
        rollout_id = RolloutId(self._rooms.ids.next())
        after = states.with_canary(before, version, rollout_id, plan.steps_bp[0])
        rollout = Rollout(
            id=rollout_id,
            endpoint=before.name,
            baseline=before.stable,
            candidate=version,
            plan=plan,
            state="running",
            step=0,
            first_generation=after.generation,
            step_generation=after.generation,
            since_us=to_us(self._rooms.clocks.real.now()),
            started_us=to_us(change.at),
            reason=deployment.reason,
            decided_by=str(change.actor),
        )
        self._store(change, before, after)
        self._rollouts.add(change, rollout)
        body = {**_body(change, after, Cause(deployment.reason)), "rollout": rollout.summary(), "plan": plan.as_json()}
        change.record("rollout.started", after.ref, body)
        return after

    def _end(self, change: Change, name: str, move: Move, cause: Cause) -> EndpointState:
        before, rollout = self._moving(change, name, cause)
        after = states.without_canary(before)
        self._store(change, before, after)
        self._move(change, after, rollout, rollout, (move, cause))
        return after

    def _moving(self, change: Change, name: str, cause: Cause) -> tuple[EndpointState, Rollout]:
        state = self._endpoints.get(change.connection, name)
        if cause.generation is not None and cause.generation != state.generation:
            raise EndpointChanged(
                f"endpoint {name!r} is no longer at generation {cause.generation}", cure="look again and repeat"
            )
        rollout = self._rollouts.find(change.connection, state.rollout) if state.rollout else None
        if rollout is None:
            raise NoRollout(
                f"endpoint {name!r} has no rollout", cure=f"start one: undrift deploy MODEL@VERSION --endpoint {name}"
            )
        return state, rollout

    def _store(self, change: Change, before: EndpointState, after: EndpointState) -> None:
        self._endpoints.replace(change, before, after)

    def _move(
        self, change: Change, endpoint: EndpointState, before: Rollout, after: Rollout, why: tuple[Move, Cause]
    ) -> None:
        move, cause = why
        state = states.after(before.state, move)
        moved = replace(
            after,
            state=state,
            ended_us=to_us(change.at) if states.has_ended(state) else None,
            reason=cause.reason,
            decided_by=str(change.actor),
            decision=cause.decision.as_json() if cause.decision else None,
        )
        self._rollouts.replace(change, before, moved)
        body = {**_body(change, endpoint, cause), "rollout": moved.summary()}
        change.record(_EVENT_OF[move], endpoint.ref, body)


_EVENT_OF: dict[Move, str] = {
    "advance": "rollout.advanced",
    "promote": "rollout.promoted",
    "roll_back": "rollout.rolled-back",
    "stop": "rollout.stopped",
    "ask": "rollout.needs-decision",
}


def _through_the_gate(deployment: Deployment) -> VersionRef:
    version = deployment.version
    if version.gate_outcome == "pass":
        return version
    if not deployment.force_reason:
        raise GateNotPassed(
            f"{version.ref} has not passed its gate ({version.gate_outcome or 'there was none'})",
            cure="deploy a version that has, or --force --reason TEXT, which is recorded for ever",
            version=version.ref,
        )
    return replace(version, forced_reason=deployment.force_reason)


def _record_forced(change: Change, endpoint: str, version: VersionRef) -> None:
    if version.forced_reason:
        body = {"version": version.ref, "gate": version.gate_outcome, "reason": version.forced_reason}
        change.record("endpoint.forced", endpoint, body)


def _body(change: Change, state: EndpointState, cause: Cause) -> dict[str, JSON]:
    return {
        "endpoint": state.summary(),
        "reason": cause.reason,
        "decided_by": str(change.actor),
        "decision": cause.decision.as_json() if cause.decision else None,
    }
