"""Errors of endpoints."""

from __future__ import annotations

from undrift.core.errors import BadInput, CheckFailed, Conflict, DecisionNeeded, Fault, NotFound


class UnknownEndpoint(NotFound):
    """No endpoint has this name."""

    code = "unknown-endpoint"


class EndpointExists(Conflict):
    """An endpoint of this name exists already."""

    code = "endpoint-exists"


class EndpointChanged(Conflict):
    """Somebody else changed the endpoint since it was read."""

    code = "endpoint-changed"


class AlreadyServed(BadInput):
    """The version to deploy is the one that is served."""

    code = "already-served"


class GateNotPassed(CheckFailed):
    """A version without a passed gate was to be deployed."""

    code = "gate-not-passed"


class RolloutRunning(DecisionNeeded):
    """A rollout on this endpoint has not ended yet."""

    code = "rollout-running"


class NoRollout(NotFound):
    """The endpoint has no rollout to move."""

    code = "no-rollout"


class RolloutEnded(Conflict):
    """The rollout has ended and cannot move any more."""

    code = "rollout-ended"


class NothingToRollBack(NotFound):
    """There is neither a canary nor an earlier version to go back to."""

    code = "nothing-to-roll-back"


class BadPlan(BadInput):
    """A rollout's plan cannot be followed."""

    code = "bad-plan"


class NotAcknowledged(Fault):
    """Some live workers did not confirm a generation in time."""

    code = "not-acknowledged"


class SupervisorRunning(BadInput):
    """Another process supervises this endpoint."""

    code = "supervisor-running"


class WorkersDoNotStart(Fault):
    """The scoring processes end before they serve."""

    code = "workers-do-not-start"


class BadLabels(BadInput):
    """A table of labels cannot be used."""

    code = "bad-labels"


class AddressTaken(BadInput):
    """The address to listen on cannot be had."""

    code = "address-taken"
