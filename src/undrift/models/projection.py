"""What the events say that the registry's rows must hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from sqlalchemy import Connection

from undrift.core.json import JSON
from undrift.ledger.chain import Event
from undrift.models.repository import AliasTable, VersionTable

_STATES = {
    "model.approved": "approved",
    "model.admitted": "admitted",
    "model.went-live": "live",
    "model.retired": "retired",
}


class ModelProjection:
    """Folds events into states of versions and targets of aliases, to compare with the rows."""

    name = "models"

    def fold(self, events: Iterable[Event]) -> dict[str, JSON]:
        """Return what the rows must hold, by reference."""
        folded: dict[str, JSON] = {}
        for event in events:
            if event.kind == "model.registered":
                summary = {"package": event.body.get("package"), "gate": event.body.get("gate")}
                folded[event.subject] = {"state": "proposed", "forced": False, **summary}
            elif event.kind in _STATES:
                before = cast("dict[str, JSON]", folded.get(event.subject, {}))
                forced = bool(before.get("forced")) or "forced" in event.body
                folded[event.subject] = {**before, "state": _STATES[event.kind], "forced": forced}
            elif event.kind == "model.deleted":
                folded.pop(event.subject, None)
            elif event.kind == "model.alias-moved":
                _fold_alias(folded, event)
        return folded

    def stored(self, connection: Connection) -> dict[str, JSON]:
        """Return what the rows hold, by reference."""
        versions: dict[str, JSON] = {version.ref: version.summary() for version in VersionTable().of(connection)}
        aliases: dict[str, JSON] = {
            f"model:{model}@{alias}": number
            for model, names in AliasTable().all(connection).items()
            for alias, number in names.items()
        }
        return {**versions, **aliases}


def _fold_alias(folded: dict[str, JSON], event: Event) -> None:
    if event.body.get("to") is None:
        folded.pop(event.subject, None)
    else:
        folded[event.subject] = event.body["to"]
