"""Small objects of a bucket are read several at a time."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from undrift.blobs.buckets import AT_ONCE, Bucket, ObjectMissing, at_once


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    made = Bucket(str(tmp_path / "bucket"), make=True)
    for number in range(3 * AT_ONCE):
        made.write(f"small/{number:02}", str(number).encode())
    return made


def test_objects_come_in_their_order_and_never_more_than_allowed_are_under_way(bucket: Bucket) -> None:
    """As many as allowed are: each of the first waits until all of these have begun."""
    together = threading.Barrier(AT_ONCE)
    counting = threading.Lock()
    now = most = asked = 0

    def read(path: str) -> bytes:
        nonlocal now, most, asked
        with counting:
            now, asked = now + 1, asked + 1
            most, is_first = max(most, now), asked <= AT_ONCE
        if is_first:
            together.wait(timeout=60)
        try:
            return bucket.read(path)
        finally:
            with counting:
                now -= 1

    paths = [one.path for one in bucket.list("small")]
    assert list(at_once(read, sorted(paths))) == [str(number).encode() for number in range(3 * AT_ONCE)]
    assert (most, asked) == (AT_ONCE, 3 * AT_ONCE)


def test_an_error_comes_at_its_turn_and_ends_the_rest(bucket: Bucket) -> None:
    """What came before it is given."""
    given = at_once(bucket.read, ["small/00", "small/none", *[f"small/{n:02}" for n in range(10)]])
    assert next(given) == b"0"
    with pytest.raises(ObjectMissing, match="small/none"):
        next(given)
    assert list(given) == []


def test_nothing_is_asked_for_where_there_is_nothing(bucket: Bucket) -> None:
    """An empty remote has no tombstones."""
    assert list(at_once(bucket.read, [])) == []
