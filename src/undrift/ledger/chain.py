"""The hash chain, as pure functions: no database, no clock.

An event's hash is SHA-256 over the canonical JSON of its envelope, in which the body stands
as a salted commitment, so that a body can be erased while the chain still verifies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from undrift.core import canonical
from undrift.core.clock import from_us, to_us
from undrift.core.json import JSON
from undrift.ledger.actor import Actor

FORMAT = "undrift.event/1"
GENESIS_HASH = "0" * 64


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: how many events it has and the hash of the last one."""

    seq: int
    hash: str


GENESIS = Head(0, GENESIS_HASH)


@dataclass(frozen=True, slots=True)
class Draft:
    """An event before it has its place in the chain."""

    id: str
    at: datetime
    actor: Actor
    kind: str
    subject: str
    body: Mapping[str, JSON]
    salt: bytes


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the ledger.

    Attributes
    ----------
    seq : int
        Place in the chain, from 1, without gaps; the order of commits.
    id : str
        Time-ordered id.
    at : datetime
        Business time of the change; information, never an order.
    actor : Actor
        Who did it.
    kind : str
        ``noun.verb-in-past``.
    subject : str
        Reference of the thing that changed.
    body : mapping
        References, digests, numbers and decisions; empty once erased.
    previous_hash, hash : str
        64 hexadecimal digits each.
    erased : bool
        Whether the body was erased.
    """

    seq: int
    id: str
    at: datetime
    actor: Actor
    kind: str
    subject: str
    body: Mapping[str, JSON]
    previous_hash: str
    hash: str
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as it is stored: texts and numbers, nothing interpreted."""

    seq: int
    id: str
    at_us: int
    actor: str
    kind: str
    subject: str
    salt: str | None
    body: str | None
    body_commitment: str
    previous_hash: str
    hash: str


def commitment(salt: bytes, body: bytes) -> str:
    """Return SHA-256(salt || canonical body) in hexadecimal."""
    return hashlib.sha256(salt + body).hexdigest()


def hash_of(entry: Entry) -> str:
    """Return the hash that an entry's envelope must have."""
    envelope: dict[str, JSON] = {
        "format": FORMAT,
        "seq": entry.seq,
        "id": entry.id,
        "at": entry.at_us,
        "actor": entry.actor,
        "kind": entry.kind,
        "subject": entry.subject,
        "body_commitment": entry.body_commitment,
        "previous_hash": entry.previous_hash,
    }
    return hashlib.sha256(canonical.dumps(envelope)).hexdigest()


def event_of(entry: Entry) -> Event:
    """Return the event that a stored entry holds."""
    body = canonical.loads(entry.body) if entry.body is not None else {}
    return Event(
        seq=entry.seq,
        id=entry.id,
        at=from_us(entry.at_us),
        actor=Actor.parse(entry.actor),
        kind=entry.kind,
        subject=entry.subject,
        body=cast(Mapping[str, JSON], body),
        previous_hash=entry.previous_hash,
        hash=entry.hash,
        erased=entry.body is None,
    )


def link(head: Head, draft: Draft) -> Entry:
    """Return the entry that a draft becomes behind a head.

    Raises
    ------
    NotCanonical
        If the body has no canonical JSON form.
    """
    body = canonical.dumps(draft.body)
    unsigned = Entry(
        seq=head.seq + 1,
        id=draft.id,
        at_us=to_us(draft.at),
        actor=str(draft.actor),
        kind=draft.kind,
        subject=draft.subject,
        salt=draft.salt.hex(),
        body=body.decode(),
        body_commitment=commitment(draft.salt, body),
        previous_hash=head.hash,
        hash="",
    )
    return _signed(unsigned)


def _signed(entry: Entry) -> Entry:
    return replace(entry, hash=hash_of(entry))
