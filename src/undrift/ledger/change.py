"""One change of state: domain rows and the events that tell of them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from undrift.core.ids import IdSource
from undrift.core.json import JSON
from undrift.ledger.actor import Actor
from undrift.ledger.chain import Draft
from undrift.ledger.errors import BadEvent

_KIND = re.compile(r"[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+\Z")
_LONGEST_KIND = 80
_LONGEST_SUBJECT = 200
_SALT_BYTES = 16


class Change:
    """One open change: a write transaction and the events that will be chained at its end.

    It belongs to one thread, is short, and never spans user code, file transfer or HTTP.

    Attributes
    ----------
    connection : Connection
        Where the domain rows are written.
    actor : Actor
        Who makes the change.
    at : datetime
        Business time of the change, the same for all its events.
    """

    def __init__(self, connection: Connection, actor: Actor, at: datetime, ids: IdSource) -> None:
        self.connection = connection
        self.actor = actor
        self.at = at
        self._ids = ids
        self.drafts: list[Draft] = []

    def record(self, kind: str, subject: str, body: Mapping[str, JSON] | None = None) -> str:
        """Add an event to the change and return its id; it is chained just before the commit.

        Parameters
        ----------
        kind : str
            ``noun.verb-in-past``, for instance ``model.registered``.
        subject : str
            Reference of the thing that changed.
        body : mapping, optional
            References, digests, numbers, decisions; never a user's row or cell.

        Raises
        ------
        BadEvent
            If kind or subject does not follow the grammar.
        """
        if len(kind) > _LONGEST_KIND or not _KIND.match(kind):
            raise BadEvent(f"{kind[:80]!r} is not a kind of event", cure="write noun.verb-in-past")
        if not (0 < len(subject) <= _LONGEST_SUBJECT and subject.isprintable()):
            raise BadEvent(f"{subject[:80]!r} cannot be the subject of an event", cure="name it by a reference")
        draft = Draft(self._ids.next(), self.at, self.actor, kind, subject, body or {}, os.urandom(_SALT_BYTES))
        self.drafts.append(draft)
        return draft.id
