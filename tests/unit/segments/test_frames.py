"""Frames survive torn ends and refuse what is not a frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undrift.segments.frames import BadPayload, frame, scan, wanted_bytes

payloads = st.lists(st.binary(min_size=1, max_size=60), max_size=12)


@given(payloads)
def test_whole_frames_are_read_back_in_order(items: list[bytes]):
    """What was framed is what is scanned, and nothing is left over."""
    data = b"".join(map(frame, items))
    found, end = scan(data)
    assert [payload for _, payload in found] == items
    assert end == len(data)


@given(payloads, st.integers(min_value=0))
def test_a_torn_end_hides_only_the_frame_that_it_tears(items: list[bytes], cut: int):
    """Every frame that lies wholly before the cut is read, and the end is where the torn one begins."""
    data = b"".join(map(frame, items))
    kept = data[: cut % (len(data) + 1)]
    found, end = scan(kept)
    assert kept.startswith(b"".join(frame(payload) for _, payload in found))
    assert end == sum(len(frame(payload)) for _, payload in found)
    assert len(kept) - end < max((len(frame(item)) for item in items), default=1)


def test_a_changed_byte_ends_the_scan():
    """A frame whose check sum is wrong is not returned."""
    data = bytearray(frame(b"one") + frame(b"two"))
    data[-1] ^= 1
    assert [payload for _, payload in scan(bytes(data))[0]] == [b"one"]


def test_zero_bytes_are_never_frames():
    """A run of zeros, as a power cut leaves it, holds nothing."""
    assert scan(bytes(4096)) == ([], 0)


@pytest.mark.parametrize("payload", [b"", bytes(64 * 1024 * 1024 + 1)], ids=["empty", "too large"])
def test_an_empty_or_too_large_payload_is_refused(payload: bytes):
    """Frames hold 1 byte to 64 MiB."""
    with pytest.raises(BadPayload):
        frame(payload)


def test_the_head_says_how_many_bytes_a_frame_takes():
    """A reader that has only the head knows what to read."""
    assert wanted_bytes(frame(b"abc")[:8]) == 11
    assert wanted_bytes(b"") == 8
