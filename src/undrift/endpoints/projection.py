"""What the events say that the rows of endpoints and rollouts must hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from sqlalchemy import Connection

from undrift.core.json import JSON
from undrift.endpoints.repository import EndpointTable, RolloutTable
from undrift.ledger.chain import Event


class EndpointProjection:
    """Folds events into the state of every endpoint and rollout, to compare with the rows."""

    name = "endpoints"

    def fold(self, events: Iterable[Event]) -> dict[str, JSON]:
        """Return what the rows must hold, by reference."""
        folded: dict[str, JSON] = {}
        for event in events:
            if not event.kind.startswith(("endpoint.", "rollout.")):
                continue
            if "endpoint" in event.body:
                folded[event.subject] = event.body["endpoint"]
            if "rollout" in event.body:
                rollout = cast(Mapping[str, JSON], event.body["rollout"])
                folded[f"rollout:{rollout['id']}"] = rollout
        return folded

    def stored(self, connection: Connection) -> dict[str, JSON]:
        """Return what the rows hold, by reference."""
        endpoints: dict[str, JSON] = {state.ref: state.summary() for state in EndpointTable().all(connection)}
        rollouts: dict[str, JSON] = {rollout.ref: rollout.summary() for rollout in RolloutTable().of(connection)}
        return {**endpoints, **rollouts}
