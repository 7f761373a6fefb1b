"""Who did it."""

from __future__ import annotations

import pytest

from undrift.core.errors import BadInput
from undrift.ledger.actor import Actor


def test_an_actor_is_read_as_it_is_written() -> None:
    """Names may hold colons and spaces."""
    for actor in (Actor("os-user", "ada"), Actor("policy", "auto: promote"), Actor("service", "tick")):
        assert Actor.parse(str(actor)) == actor


def test_a_policy_is_no_person() -> None:
    """Decisions are told apart by who took them."""
    assert Actor("policy", "auto-promote").is_policy
    assert not Actor.current().is_policy


@pytest.mark.parametrize("text", ["", "ada", ":ada", "os-user:", "os-user:a\nb", "os-user:" + "x" * 121, "OS:ada"])
def test_what_names_nobody_is_refused(text: str) -> None:
    """Empty, long and unprintable names do not reach the ledger."""
    with pytest.raises(BadInput):
        Actor.parse(text)


def test_the_environment_cannot_change_who_i_am(monkeypatch: pytest.MonkeyPatch) -> None:
    """The account is asked of the system."""
    before = Actor.current()
    for name in ("USER", "LOGNAME", "USERNAME"):
        monkeypatch.setenv(name, "mallory")
    assert Actor.current() == before
