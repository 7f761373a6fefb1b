"""Checking the chain: what was altered, deleted, inserted or reordered, and where first.

The chain shows any edit of stored events by somebody who does not also recompute every hash
after it. A chain recomputed from some event to its end still shows against the checkpoint
file, and, when that was edited too, only against a head that was kept elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, TypeAlias

from sqlalchemy import Connection

from undrift.core.json import JSON
from undrift.ledger.chain import GENESIS, Entry, Event, Head, commitment, hash_of
from undrift.ledger.erasure import erased_seq

Problem: TypeAlias = Literal["altered", "deleted", "inserted", "reordered", "rewritten", "disagrees"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that verification found wrong.

    Attributes
    ----------
    problem : str
        What was done: ``altered``, ``deleted``, ``inserted``, ``reordered``; ``rewritten`` when
        the chain holds together but is not the one that was seen before; ``disagrees`` when
        a stored state is not what the events say.
    seq : int or None
        Place of the first event concerned.
    message : str
        One sentence for a person.
    """

    problem: Problem
    seq: int | None
    message: str


@dataclass(frozen=True, slots=True)
class Verification:
    """The answer of a verification.

    Attributes
    ----------
    events : int
        How many events are stored.
    head : Head
        The end of the chain; keep a copy of its hash elsewhere.
    findings : tuple of Finding
        Empty when everything holds.
    """

    events: int
    head: Head
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether everything holds."""
        return not self.findings


class Projection(Protocol):
    """A state that a room stores and that its events must explain.

    ``fold`` and ``stored`` return the same mapping, key by key, or the ledger and the rows
    disagree. Values are JSON, keys are references.
    """

    name: str

    def fold(self, events: Iterable[Event]) -> Mapping[str, JSON]:
        """Return the state that the events lead to."""
        ...

    def stored(self, connection: Connection) -> Mapping[str, JSON]:
        """Return the state that the rows hold."""
        ...


@dataclass(slots=True)
class Walk:
    """What a walk along the chain has seen.

    Attributes
    ----------
    last : Head
        The last event that holds.
    count : int
        How many events were seen.
    hashes : dict
        Hash of each event by its place, for comparing remembered heads.
    erased, allowed : set of int
        Events without a body, and those whose erasure an event records.
    """

    last: Head
    count: int
    hashes: dict[int, str]
    erased: set[int]
    allowed: set[int]
    finding: Finding | None = None


def walk(entries: Iterable[Entry], everything: Callable[[], Sequence[Entry]]) -> Walk:
    """Walk along the chain until its end or the first event that does not hold.

    Parameters
    ----------
    entries : iterable of Entry
        In order of ``seq``; read once.
    everything : callable
        Returns all entries again; called only to explain a break.

    Returns
    -------
    Walk
        What was seen, with a finding if the chain is broken.
    """
    seen = Walk(GENESIS, 0, {}, set(), set())
    previous: Entry | None = None
    for entry in entries:
        seen.count += 1
        if not _holds(seen.last, entry):
            seen.finding = _explain(seen.last, previous, entry, everything())
            return seen
        seen.last = Head(entry.seq, entry.hash)
        seen.hashes[entry.seq] = entry.hash
        _note_erasure(seen, entry)
        previous = entry
    return seen


def end_findings(seen: Walk, head: Head) -> list[Finding]:
    """Return what is wrong between an unbroken walk and the stored head, and with erasures."""
    findings = []
    if head.seq > seen.last.seq:
        first = seen.last.seq + 1
        findings.append(Finding("deleted", first, f"event {first} was deleted: the head is at {head.seq}"))
    elif head.seq < seen.last.seq:
        first = head.seq + 1
        findings.append(Finding("inserted", first, f"event {first} was inserted: the head is at {head.seq}"))
    elif head.hash != seen.last.hash:
        findings.append(Finding("altered", head.seq, f"event {head.seq} was altered: the head holds another hash"))
    unrecorded = min(seen.erased - seen.allowed, default=None)
    if unrecorded is not None:
        message = f"the body of event {unrecorded} is gone and no event records its erasure"
        findings.append(Finding("altered", unrecorded, message))
    return findings


def remembered_finding(seen: Walk, remembered: Head, where: str) -> Finding | None:
    """Return what is wrong between the chain and a head that was seen before."""
    found = seen.hashes.get(remembered.seq)
    if found == remembered.hash or remembered == GENESIS:
        return None
    if found is None:
        first = seen.last.seq + 1
        return Finding("deleted", first, f"event {first} was deleted: {where} has seen {remembered.seq} events")
    message = f"event {remembered.seq} or one before it was rewritten: {where} has seen another hash"
    return Finding("rewritten", remembered.seq, message)


def expected_finding(seen: Walk, expected: str) -> Finding | None:
    """Return what is wrong when a head's hash that was kept elsewhere is not in the chain."""
    if expected.lower() in seen.hashes.values():
        return None
    return Finding("rewritten", None, f"no event has the expected hash {expected}: the chain was cut or rewritten")


def projection_findings(
    projection: Projection, folded: Mapping[str, JSON], stored: Mapping[str, JSON]
) -> list[Finding]:
    """Return each key in which the events and the rows of a room disagree."""
    absent = object()
    findings = []
    for key in sorted({*folded, *stored}):
        if folded.get(key, absent) != stored.get(key, absent):
            told, held = folded.get(key, "nothing"), stored.get(key, "nothing")
            message = f"{projection.name}: {key} is stored as {held}, the events say {told}"
            findings.append(Finding("disagrees", None, message))
    return findings


def _holds(last: Head, entry: Entry) -> bool:
    return (
        entry.seq == last.seq + 1
        and entry.previous_hash == last.hash
        and hash_of(entry) == entry.hash
        and _body_holds(entry)
    )


def _body_holds(entry: Entry) -> bool:
    if entry.body is None or entry.salt is None:
        return entry.body is None and entry.salt is None
    try:
        salt = bytes.fromhex(entry.salt)
    except ValueError:
        return False
    return commitment(salt, entry.body.encode()) == entry.body_commitment


def _note_erasure(seen: Walk, entry: Entry) -> None:
    if entry.body is None:
        seen.erased.add(entry.seq)
    allowed = erased_seq(entry)
    if allowed is not None:
        seen.allowed.add(allowed)


def _explain(last: Head, previous: Entry | None, entry: Entry, entries: Sequence[Entry]) -> Finding:
    """Say what was done at the first place where the chain does not hold.

    ``last`` is the end of what holds, ``entry`` what stands behind it.
    """
    place = last.seq + 1
    belonging = [other.seq for other in entries if other.previous_hash == last.hash and other.seq > last.seq]
    if any(seq != entry.seq for seq in belonging):
        return _displaced(entry, place, entries)
    if entry.seq != place:
        return Finding("deleted", place, f"event {place} was deleted: {entry.seq} follows {last.seq}")
    if belonging:
        return Finding("altered", place, f"event {place} was altered")
    return _unlinked(previous, entry, entries)


def _unlinked(previous: Entry | None, entry: Entry, entries: Sequence[Entry]) -> Finding:
    """Explain an entry that follows something else than what stands before it."""
    before = entry.seq - 1
    if previous is not None and entry.previous_hash == previous.previous_hash:
        return Finding("inserted", before, f"event {before} was inserted: the next one does not follow it")
    if previous is not None and hash_of(entry) == entry.hash:
        return Finding("altered", before, f"event {before} was altered: the next one holds another hash of it")
    if _signed_place(entry, entries) is not None:
        return Finding("deleted", entry.seq, f"event {entry.seq} was deleted and those after it renumbered")
    return Finding("altered", entry.seq, f"event {entry.seq} was altered")


def _displaced(entry: Entry, place: int, entries: Sequence[Entry]) -> Finding:
    """Explain an entry that stands where another one belongs."""
    if entry.seq != place or _signed_place(entry, entries) not in {None, place}:
        return Finding("reordered", place, f"event {place} was moved to another place")
    return Finding("inserted", place, f"event {place} was inserted: another one follows {place - 1}")


def _signed_place(entry: Entry, entries: Sequence[Entry]) -> int | None:
    """Return the ``seq`` under which an entry's hash is right."""
    longest = max(other.seq for other in entries) + len(entries) + 1
    places = range(1, longest + 1)
    return next((seq for seq in places if hash_of(replace(entry, seq=seq)) == entry.hash), None)
