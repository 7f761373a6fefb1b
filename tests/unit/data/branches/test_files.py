"""Lists of files of two sides are merged path by path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undrift.blobs.contents import Contents
from undrift.core.digest import blake3_bytes
from undrift.data.branches.columns import merge_schemas
from undrift.data.branches.files import BOTH_ADDED, BOTH_CHANGED, DELETED_HERE, DELETED_THERE, merge_files
from undrift.data.manifest import Manifest, Part
from undrift.data.schema import Column, CsvFile, Schema

Files = dict[str, str]


def manifest(files: Files) -> Manifest:
    """Return a list of files with these contents, in this order."""
    return Manifest(tuple(Part(path, Contents(blake3_bytes(text.encode()), 0, ())) for path, text in files.items()))


def merged(
    base: Files, ours: Files, theirs: Files, take: str | None = None, *, table: bool = True
) -> Files | list[str]:
    """Return the files that come out, or what is told of the conflicts."""
    found = merge_files(manifest(base), manifest(ours), manifest(theirs), take=take, is_table=table)
    if found.conflicts and take is None:
        return [one.told() for one in found.conflicts]
    texts = {blake3_bytes(text.encode()): text for side in (base, ours, theirs) for text in side.values()}
    return {part.path: texts[part.contents.digest] for part in found.parts}


def test_what_one_side_added_changed_and_deleted_counts() -> None:
    """Our files in our order, then those that only they have."""
    base = {"a": "1", "b": "2", "c": "3", "d": "4"}
    ours = {"d": "4", "a": "one", "c": "3", "e": "5"}
    theirs = {"a": "1", "b": "2", "c": "three", "f": "6"}
    found = merged(base, ours, theirs)
    assert found == {"a": "one", "c": "three", "e": "5", "f": "6"}
    assert list(found) == ["a", "c", "e", "f"]


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "why"),
    [
        ({"a": "0"}, {"a": "1"}, {"a": "2"}, BOTH_CHANGED),
        ({}, {"a": "1"}, {"a": "2"}, BOTH_ADDED),
        ({"a": "0"}, {}, {"a": "2"}, DELETED_HERE),
        ({"a": "0"}, {"a": "1"}, {}, DELETED_THERE),
    ],
)
def test_what_both_did_in_different_ways_is_a_conflict(base: Files, ours: Files, theirs: Files, why: str) -> None:
    """Whoever is taken counts."""
    assert merged(base, ours, theirs) == [f"file a: {why}"]
    assert merged(base, ours, theirs, "ours") == ours
    assert merged(base, ours, theirs, "theirs") == theirs


def test_a_table_that_each_side_replaced_by_another_file_is_a_conflict() -> None:
    """Else its rows would be there twice; files that are no table are kept, both."""
    base, ours, theirs = {"june": "0", "x": "7"}, {"july": "1", "x": "7"}, {"mended": "2", "x": "7"}
    assert merged(base, ours, theirs) == ["file june: replaced here by july and there by mended"]
    assert merged(base, ours, theirs, "ours") == ours
    assert merged(base, ours, theirs, "theirs") == theirs
    assert merged(base, ours, theirs, table=False) == {"x": "7", "july": "1", "mended": "2"}


def test_of_many_replaced_files_some_are_named() -> None:
    """And how many more there are."""
    names = [{f"{side}{number}": side for number in range(8)} for side in "bot"]
    [told] = merged(*names)
    assert told == (
        "file b0, b1, b2, b3, b4 and 3 more: "
        "replaced here by o0, o1, o2, o3, o4 and 3 more and there by t0, t1, t2, t3, t4 and 3 more"
    )


_FILES = st.dictionaries(st.sampled_from("abcd"), st.sampled_from("012"), max_size=4)


@given(base=_FILES, ours=_FILES, theirs=_FILES)
def test_every_path_is_what_one_side_made_of_it(base: Files, ours: Files, theirs: Files) -> None:
    """And the two ways round hold the same files, with conflicts of the same paths."""
    one = merge_files(manifest(base), manifest(ours), manifest(theirs), take=None, is_table=False)
    other = merge_files(manifest(base), manifest(theirs), manifest(ours), take=None, is_table=False)
    assert {found.path for found in one.conflicts} == {found.path for found in other.conflicts}
    contested = {found.path for found in one.conflicts}
    made = {part.path: part.contents.digest for part in one.parts if part.path not in contested}
    assert made == {part.path: part.contents.digest for part in other.parts if part.path not in contested}
    for path in {*base, *ours, *theirs} - contested:
        old, mine, there = base.get(path), ours.get(path), theirs.get(path)
        expected = mine if there == old else there
        assert made.get(path) == (blake3_bytes(expected.encode()) if expected is not None else None)


def test_of_schemas_what_one_side_changed_counts() -> None:
    """Also of none; and of how files are written each word by itself."""
    base = Schema((Column("a", "int"),))
    wide = Schema((Column("a", "int"), Column("b", "string")))
    assert merge_schemas(base, base, wide, None).schema == wide
    assert merge_schemas(base, wide, base, None).schema == wide
    assert merge_schemas(None, None, base, None).schema == base
    semi, latin = Schema(base.columns, CsvFile(";")), Schema(base.columns, CsvFile(fallback="cp1252"))
    assert merge_schemas(base, semi, latin, None).schema == Schema(base.columns, CsvFile(";", "", "cp1252"))


def test_schemas_that_both_changed_in_different_ways_are_a_conflict() -> None:
    """It tells the columns."""
    base, ours = Schema((Column("a", "int"),)), Schema((Column("a", "int"), Column("b", "string")))
    theirs = Schema((Column("a", "float64"),))
    found = merge_schemas(base, ours, theirs, "theirs")
    assert found.schema == theirs
    assert [one.told() for one in found.conflicts] == ["column columns: missing: b; changed: a (int -> float64)"]
    semi, tab = Schema(base.columns, CsvFile(";")), Schema(base.columns, CsvFile("\t"))
    assert "how their files are written" in merge_schemas(base, semi, tab, None).conflicts[0].why
