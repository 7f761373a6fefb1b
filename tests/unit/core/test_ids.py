"""Ids and names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undrift.core.clock import RealClock, SimulatedClock, to_us
from undrift.core.ids import BadName, IdSource, check_name, new_id, time_us_of

START = datetime(2013, 1, 1, tzinfo=UTC)


def test_ids_of_one_source_grow_also_when_the_clock_stands(tmp_path: Path) -> None:
    """Order of making is order of sorting."""
    source = IdSource(SimulatedClock(tmp_path / "clock.json", START))
    ids = [source.next() for _ in range(1000)]
    assert ids == sorted(set(ids))


def test_ids_of_later_instants_sort_later(tmp_path: Path) -> None:
    """Also between sources."""
    clock = SimulatedClock(tmp_path / "clock.json", START)
    early = new_id(clock)
    clock.advance_to(START + timedelta(microseconds=1))
    assert early < new_id(clock)


def test_an_id_holds_its_instant(tmp_path: Path) -> None:
    """The time can be read back."""
    assert time_us_of(new_id(SimulatedClock(tmp_path / "clock.json", START))) == to_us(START)


def test_ids_of_many_sources_differ() -> None:
    """Processes need not know each other."""
    assert len({new_id(RealClock()) for _ in range(5000)}) == 5000


def test_seeded_ids_repeat(tmp_path: Path) -> None:
    """A replay makes the ids it made before."""
    clock = SimulatedClock(tmp_path / "clock.json", START)
    assert IdSource(clock, bytes).next() == IdSource(clock, bytes).next()


@pytest.mark.parametrize("text", ["", "x", "0" * 25, "0" * 27, "u" * 26, "A" * 26])
def test_what_is_no_id_is_refused(text: str) -> None:
    """26 digits of the alphabet."""
    with pytest.raises(BadName):
        time_us_of(text)


@given(st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,62}", fullmatch=True))
def test_names_of_the_grammar_are_returned(text: str) -> None:
    """Lower case letters, digits and three marks."""
    assert check_name(text, "model") == text


@pytest.mark.parametrize("text", ["", "A", "_a", ".a", "-a", "a/b", "a b", "a\n", "é", "a" * 64, "..", "a@b", "a:b"])
def test_other_names_are_refused(text: str) -> None:
    """Nothing that could leave a folder or a reference."""
    with pytest.raises(BadName):
        check_name(text, "model")
