"""The tail returns each frame once, across sealing, rotation and restarts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from undrift.segments.frames import MAGIC, frame
from undrift.segments.seal import SegmentCorrupt
from undrift.segments.tail import SegmentTail
from undrift.segments.writer import Rotation, SegmentWriter


def polled(tail: SegmentTail) -> list[bytes]:
    return [found.payload for found in tail.poll()]


def test_a_missing_folder_has_no_frames(tmp_path: Path):
    """A tail may begin before the first writer."""
    assert SegmentTail(tmp_path / "none").poll() == []


def test_each_frame_comes_once_though_the_file_is_sealed_meanwhile(tmp_path: Path):
    """Sealing renames the file and does not change a position."""
    writer, tail = SegmentWriter(tmp_path, owner="w"), SegmentTail(tmp_path)
    writer.append(b"one")
    assert polled(tail) == [b"one"]
    writer.append(b"two")
    writer.seal()
    writer.append(b"three")
    assert polled(tail) == [b"two", b"three"]
    writer.close()
    assert polled(tail) == []


def test_a_tail_goes_on_where_another_stood(tmp_path: Path):
    """A position survives JSON and a new process."""
    writer, first = SegmentWriter(tmp_path, owner="w", rotation=Rotation(size_bytes=64)), SegmentTail(tmp_path)
    for number in range(10):
        writer.append(b"%d" % number)
    assert len(polled(first)) == 10
    for number in range(10, 15):
        writer.append(b"%d" % number)
    second = SegmentTail(tmp_path, json.loads(json.dumps(first.position)))
    assert polled(second) == [b"10", b"11", b"12", b"13", b"14"]
    writer.close()


def test_a_half_written_frame_waits_for_its_other_half(tmp_path: Path):
    """What is not whole is neither returned nor passed."""
    whole = frame(b"second")
    path = tmp_path / "a.w.open"
    path.write_bytes(MAGIC + frame(b"first") + whole[:9])
    tail = SegmentTail(tmp_path)
    assert polled(tail) == [b"first"]
    path.write_bytes(MAGIC + frame(b"first") + whole)
    assert polled(tail) == [b"second"]


def test_a_frame_larger_than_a_chunk_is_read(tmp_path: Path):
    """Five megabytes in one record are one frame."""
    writer = SegmentWriter(tmp_path, owner="w")
    writer.extend([b"small", b"x" * 5_000_000, b"after"])
    writer.close()
    assert [len(payload) for payload in polled(SegmentTail(tmp_path))] == [5, 5_000_000, 5]


def test_most_limits_a_poll_and_the_rest_comes_next(tmp_path: Path):
    """A consumer can take a backlog in parts."""
    writer, tail = SegmentWriter(tmp_path, owner="w", rotation=Rotation(size_bytes=64)), SegmentTail(tmp_path)
    for number in range(40):
        writer.append(b"%02d" % number)
    first = tail.poll(most=10)
    assert 10 <= len(first) < 40
    assert len(first) + len(tail.poll()) == 40
    writer.close()


def test_sealed_files_from_before_an_instant_are_passed_over(tmp_path: Path):
    """A tail that begins late does not read the past."""
    writer = SegmentWriter(tmp_path, owner="w")
    writer.append(b"old")
    [seal] = writer.close()
    assert SegmentTail(tmp_path, since_us=seal.sealed_us + 10_000_000).poll() == []


def test_a_broken_sealed_file_is_an_error(tmp_path: Path):
    """In a sealed file everything is a frame."""
    (tmp_path / "a.w.seg").write_bytes(MAGIC + frame(b"first") + b"rubbish that is no frame")
    with pytest.raises(SegmentCorrupt):
        SegmentTail(tmp_path).poll()


def test_dropped_files_are_forgotten(tmp_path: Path):
    """A position does not grow for ever."""
    writer, tail = SegmentWriter(tmp_path, owner="w"), SegmentTail(tmp_path)
    writer.append(b"one")
    [seal] = writer.close()
    tail.poll()
    (tmp_path / f"{seal.segment}.seg").unlink()
    tail.poll()
    assert tail.position == {}
