"""Whatever is done to a chain is named, with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from undrift.core import canonical
from undrift.core.json import JSON
from undrift.ledger.actor import Actor
from undrift.ledger.chain import GENESIS, Draft, Entry, Event, Head, commitment, hash_of, link
from undrift.ledger.verify import (
    Finding,
    Walk,
    end_findings,
    expected_finding,
    projection_findings,
    remembered_finding,
    walk,
)

START = datetime(2013, 1, 1, tzinfo=UTC)


def draft(number: int) -> Draft:
    """Return a draft that is always the same for one number."""
    return Draft(
        id=f"{number:026d}",
        at=START + timedelta(hours=number),
        actor=Actor("os-user", "ada"),
        kind="model.registered",
        subject=f"model:delay@{number}",
        body={"auc": number / 7, "note": "é", "data": "data:flights@3"},
        salt=bytes([number % 256]) * 16,
    )


def chain(length: int) -> list[Entry]:
    """Return a chain of so many entries."""
    entries: list[Entry] = []
    head = GENESIS
    for number in range(1, length + 1):
        entries.append(link(head, draft(number)))
        head = Head(entries[-1].seq, entries[-1].hash)
    return entries


def head_of(entries: list[Entry]) -> Head:
    """Return the end of a chain."""
    return Head(entries[-1].seq, entries[-1].hash)


def renumbered(entries: list[Entry]) -> list[Entry]:
    """Return the entries with places 1, 2, 3, ... and nothing else changed."""
    return [replace(entry, seq=place) for place, entry in enumerate(entries, 1)]


def rehashed(entries: list[Entry]) -> list[Entry]:
    """Return the entries with every link and hash made to fit, as a patient forger would."""
    done: list[Entry] = []
    previous = GENESIS.hash
    for entry in entries:
        linked = replace(entry, previous_hash=previous)
        done.append(replace(linked, hash=hash_of(linked)))
        previous = done[-1].hash
    return done


def first_finding(entries: list[Entry], head: Head, remembered: Head | None = None) -> tuple[str, int | None] | None:
    """Return the first thing that verification says of a chain: what was done, and where."""
    seen = walk(entries, lambda: entries)
    findings: list[Finding | None] = [seen.finding] if seen.finding else [*end_findings(seen, head)]
    if remembered and not findings:
        findings = [remembered_finding(seen, remembered, "the checkpoint")]
    return next(((found.problem, found.seq) for found in findings if found), None)


LENGTH = 9
PLACES = st.integers(1, LENGTH)
WHOLE = chain(LENGTH)
HEAD = head_of(WHOLE)

EDITS: dict[str, Callable[[Entry], Entry]] = {
    "id": lambda entry: replace(entry, id="z" * 26),
    "at_us": lambda entry: replace(entry, at_us=entry.at_us + 1),
    "actor": lambda entry: replace(entry, actor="os-user:eve"),
    "kind": lambda entry: replace(entry, kind="model.approved"),
    "subject": lambda entry: replace(entry, subject="model:other@1"),
    "body": lambda entry: replace(entry, body='{"auc":1}'),
    "salt": lambda entry: replace(entry, salt="00" * 15),
    "salt that is no number": lambda entry: replace(entry, salt="xyz"),
    "body gone, salt kept": lambda entry: replace(entry, body=None),
    "body_commitment": lambda entry: replace(entry, body_commitment="0" * 64),
    "previous_hash": lambda entry: replace(entry, previous_hash="1" * 64),
    "hash": lambda entry: replace(entry, hash="2" * 64),
    "body with its commitment": lambda entry: replace(
        entry, body="{}", body_commitment=commitment(bytes.fromhex(entry.salt or ""), b"{}")
    ),
}


def _altered(place: int, edit: Callable[[Entry], Entry]) -> list[Entry]:
    return [edit(entry) if entry.seq == place else entry for entry in WHOLE]


def test_an_untouched_chain_holds() -> None:
    """No finding where nothing was done, with or without a remembered head."""
    for remembered in (None, GENESIS, HEAD, head_of(WHOLE[:4])):
        assert first_finding(WHOLE, HEAD, remembered) is None


def test_an_empty_chain_holds() -> None:
    """A ledger without events is fine."""
    assert first_finding([], GENESIS) is None


@given(place=PLACES, field=st.sampled_from(sorted(EDITS)))
def test_an_altered_event_is_named(place: int, field: str) -> None:
    """Any edited field is found at its event."""
    found = first_finding(_altered(place, EDITS[field]), HEAD)
    assert found == ("altered", place)


@given(place=PLACES)
def test_an_altered_event_with_a_mended_hash_is_named(place: int) -> None:
    """Recomputing the event's own hash does not hide the edit."""

    def edit(entry: Entry) -> Entry:
        edited = replace(entry, actor="os-user:eve")
        return replace(edited, hash=hash_of(edited))

    found = first_finding(_altered(place, edit), HEAD)
    assert found == ("altered", place)


@given(place=PLACES, renumber=st.booleans())
def test_a_deleted_event_is_named(place: int, *, renumber: bool) -> None:
    """A hole is found, also when the events behind it moved up."""
    rest = [entry for entry in WHOLE if entry.seq != place]
    found = first_finding(renumbered(rest) if renumber else rest, HEAD)
    assert found == ("deleted", place)


@given(place=PLACES, sound=st.booleans())
def test_an_inserted_event_is_named(place: int, *, sound: bool) -> None:
    """A forged event is found, also when its own hash is right."""
    original = WHOLE[place - 1]
    forged = replace(original, id="f" * 26, actor="os-user:eve")
    forged = replace(forged, hash=hash_of(forged) if sound else "3" * 64)
    entries = renumbered([*WHOLE[: place - 1], forged, *WHOLE[place - 1 :]])
    found = first_finding(entries, HEAD)
    assert found == ("inserted", place)


@given(places=st.lists(PLACES, min_size=2, max_size=2, unique=True).map(sorted))
def test_reordered_events_are_named(places: list[int]) -> None:
    """Two events that changed places are found at the earlier one."""
    entries = list(WHOLE)
    first, second = places[0] - 1, places[1] - 1
    entries[first], entries[second] = entries[second], entries[first]
    found = first_finding(renumbered(entries), HEAD)
    assert found == ("reordered", places[0])


@given(place=st.integers(1, LENGTH - 1))
def test_an_event_moved_behind_the_end_is_named(place: int) -> None:
    """Giving an event a late number leaves a hole whose event is found elsewhere."""
    moved = replace(WHOLE[place - 1], seq=LENGTH + 90)
    found = first_finding([*(e for e in WHOLE if e.seq != place), moved], HEAD)
    assert found == ("reordered", place)


@given(place=PLACES)
def test_a_chain_recomputed_to_its_end_shows_against_the_checkpoint(place: int) -> None:
    """A patient forger is caught by the head that was seen before."""
    forged = rehashed(_altered(place, EDITS["actor"]))
    found = first_finding(forged, head_of(forged), HEAD)
    assert found == ("rewritten", LENGTH)


@given(kept=st.integers(1, LENGTH - 1))
def test_a_cut_tail_shows_against_the_checkpoint(kept: int) -> None:
    """Deleting the last events, and mending the head row, is caught by the checkpoint."""
    found = first_finding(WHOLE[:kept], head_of(WHOLE[:kept]), HEAD)
    assert found == ("deleted", kept + 1)


def test_a_head_kept_elsewhere_must_be_in_the_chain() -> None:
    """An older head is fine; one that no event has is not."""
    seen = walk(WHOLE, lambda: WHOLE)
    assert expected_finding(seen, WHOLE[3].hash) is None
    missing = expected_finding(seen, "a" * 64)
    assert missing is not None
    assert missing.problem == "rewritten"


def _erased(record: bool) -> Walk:
    entries = [replace(entry, salt=None, body=None) if entry.seq == 4 else entry for entry in WHOLE]
    if record:
        body = canonical.text({"seq": 4})
        edited = replace(WHOLE[-1], kind="event.body-erased", body=body)
        salt = bytes.fromhex(edited.salt or "")
        entries[-1] = replace(edited, body_commitment=commitment(salt, body.encode()))
        entries[-1] = replace(entries[-1], hash=hash_of(entries[-1]))
    return walk(entries, lambda: entries)


def test_an_erased_body_needs_an_event_that_says_so() -> None:
    """The chain holds without the body; only an unrecorded erasure is a finding."""
    assert end_findings(_erased(record=True), _erased(record=True).last) == []
    found = end_findings(_erased(record=False), HEAD)
    assert [(f.problem, f.seq) for f in found] == [("altered", 4)]


class Aliases:
    """A projection for the test of disagreement."""

    name = "aliases"

    def fold(self, events: Iterable[Event]) -> Mapping[str, JSON]:
        """Return nothing."""
        return {}

    def stored(self, connection: Connection) -> Mapping[str, JSON]:
        """Return nothing."""
        return {}


@pytest.mark.parametrize(
    ("folded", "stored", "keys"),
    [
        ({}, {}, []),
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, ["a"]),
        ({"a": None}, {}, ["a"]),
        ({}, {"b": 1}, ["b"]),
    ],
)
def test_a_stored_state_that_the_events_do_not_explain_is_named(folded: Any, stored: Any, keys: list[str]) -> None:
    """Each key in which rows and events differ is one finding."""
    found = projection_findings(Aliases(), folded, stored)
    assert [finding.message.split(": ")[1].split(" ")[0] for finding in found] == keys
