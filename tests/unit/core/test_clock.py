"""Clocks."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undrift.core.clock import ClockWentBack, RealClock, SimulatedClock, from_us, to_us
from undrift.core.errors import BadInput

START = datetime(2013, 1, 1, tzinfo=UTC)


def test_a_simulated_clock_stands_until_it_is_stepped(tmp_path: Path) -> None:
    """Nobody waits for simulated time."""
    clock = SimulatedClock(tmp_path / "clock.json", START)
    assert clock.now() == clock.now() == START
    clock.sleep(90)
    assert clock.now() == START + timedelta(seconds=90)


def test_a_simulated_clock_never_goes_back(tmp_path: Path) -> None:
    """Windows and cooldowns rely on it."""
    clock = SimulatedClock(tmp_path / "clock.json", START)
    with pytest.raises(ClockWentBack):
        clock.advance_to(START - timedelta(microseconds=1))


def test_every_process_reads_the_same_simulated_time(tmp_path: Path) -> None:
    """The instant is in a file, and a step is seen at once."""
    path = tmp_path / "clock.json"
    clock, other = SimulatedClock(path, START), SimulatedClock(path)
    for day in range(1, 50):
        clock.advance_to(START + timedelta(days=day))
        assert other.now() == clock.now()
    code = (
        f"from pathlib import Path; from undrift.core.clock import *; print(SimulatedClock(Path({str(path)!r})).now())"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert shown == str(clock.now())


def test_a_simulated_clock_without_a_start_is_refused(tmp_path: Path) -> None:
    """And so is a start without a zone."""
    with pytest.raises(BadInput):
        SimulatedClock(tmp_path / "clock.json")
    with pytest.raises(BadInput):
        SimulatedClock(tmp_path / "clock.json", START.replace(tzinfo=None))


def test_the_real_clock_is_in_utc() -> None:
    """Aware, always."""
    assert RealClock().now().tzinfo is UTC


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.timezones()))  # noqa: DTZ001  # given zones
def test_instants_keep_their_microseconds(instant: datetime) -> None:
    """To an integer and back, whatever the zone."""
    assert from_us(to_us(instant)) == instant.astimezone(UTC)
