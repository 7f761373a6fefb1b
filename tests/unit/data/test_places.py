"""When a file may have changed although it looks as it did."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from undrift.data.places import Known, Place, Places, compare, now_ns
from undrift.data.workspace import Fingerprint, fingerprints


def known(path: Path, taken_ns: int, digest: str) -> Place:
    return Place(path, "t", 1, "", taken_ns, {path.name: Known(digest, fingerprints(path)[path.name])})


@pytest.mark.parametrize(("age_ns", "is_seen"), [(0, True), (10_000_000, True), (60_000_000_000, False)])
def test_a_file_changed_shortly_before_it_was_looked_at_is_read_again(
    tmp_path: Path, age_ns: int, is_seen: bool
) -> None:
    """A later change within the same tick of the clock leaves the same fingerprint; an older file is believed."""
    path = tmp_path / "a"
    path.write_text("new")
    changed = path.stat().st_ctime_ns
    place = known(path, changed + age_ns, "b3:" + "0" * 64)  # the digest of what was there a moment before
    assert compare(place, now_ns()).is_unchanged != is_seen


def test_what_was_read_is_believed_the_next_time(tmp_path: Path) -> None:
    """The doubt is settled once."""
    from undrift.core.digest import blake3_file

    path = tmp_path / "a"
    path.write_text("same")
    place = known(path, 0, blake3_file(path))
    later = compare(place, path.stat().st_ctime_ns + 60_000_000_000)
    assert later.is_unchanged
    assert later.place.taken_ns == path.stat().st_ctime_ns + 60_000_000_000
    path.unlink()
    assert compare(later.place, now_ns()).missing == ("a",)


def test_a_place_is_recorded_and_replaced(tmp_path: Path) -> None:
    """Of one path the newest word counts; others are left alone."""
    (tmp_path / "store").mkdir()
    places = Places(tmp_path / "store")
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
        places.record(known(tmp_path / name, 7, "b3:" + "1" * 64))
    places.record(Place(tmp_path / "a", "other", 5, "said", 9, {}))
    found = places.find(tmp_path / "a")
    assert found is not None
    assert (found.dataset, found.number, found.said, found.files) == ("other", 5, "said", {})
    assert [place.path.name for place in places.below(tmp_path)] == ["a", "b"]
    assert places.find(tmp_path / "c") is None
    assert places.elsewhere() == []


def test_a_fingerprint_is_all_that_the_system_says(tmp_path: Path) -> None:
    """Size, both times, inode."""
    path = tmp_path / "a"
    path.write_text("x")
    first = Fingerprint.of(path.stat())
    os.utime(path, ns=(1, 1))
    assert Fingerprint.of(path.stat()) != first
