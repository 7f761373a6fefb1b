"""The format of an event."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from undrift.core.canonical import NotCanonical
from undrift.ledger.actor import Actor
from undrift.ledger.chain import GENESIS, Draft, event_of, link

GOLDEN = Path(__file__).parents[2] / "golden" / "ledger" / "event.json"
DRAFT = Draft(
    id="0e2q5b000000000000000000aa",
    at=datetime(2013, 2, 1, 6, 30, 0, 17, tzinfo=UTC),
    actor=Actor("policy", "auto-promote"),
    kind="model.registered",
    subject="model:delay@3",
    body={"run": "run:0e2q", "auc": 0.7345, "rows": 51234, "note": "Zürich", "gate": {"outcome": "pass"}},
    salt=bytes(range(16)),
)


def test_an_event_has_the_bytes_of_the_golden_file() -> None:
    """The format does not change by accident."""
    assert asdict(link(GENESIS, DRAFT)) == json.loads(GOLDEN.read_text())


def test_the_hash_can_be_recomputed_with_nothing_but_sha256_and_json() -> None:
    """A third party needs none of our code to check an event."""
    stored = json.loads(GOLDEN.read_text())
    body = hashlib.sha256(bytes.fromhex(stored["salt"]) + stored["body"].encode()).hexdigest()
    envelope = {key: stored[key] for key in ("seq", "id", "actor", "kind", "subject", "previous_hash")}
    envelope |= {"format": "undrift.event/1", "at": stored["at_us"], "body_commitment": body}
    text = json.dumps(envelope, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode()).hexdigest() == stored["hash"]


def test_an_event_is_what_was_drafted() -> None:
    """Reading an entry gives back what was recorded."""
    event = event_of(link(GENESIS, DRAFT))
    assert (event.at, event.actor, event.body, event.erased) == (DRAFT.at, DRAFT.actor, DRAFT.body, False)


def test_a_body_that_is_not_json_is_refused() -> None:
    """NaN has no canonical form, so it cannot be recorded."""
    bad = Draft(**{**{name: getattr(DRAFT, name) for name in Draft.__slots__}, "body": {"auc": float("nan")}})
    with pytest.raises(NotCanonical):
        link(GENESIS, bad)
