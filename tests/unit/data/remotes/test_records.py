"""What a remote keeps of a version."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undrift.data.origins import BadOrigin, Origin
from undrift.data.remotes.records import BadRecord, Record, decode
from undrift.data.schema import Column, Schema

GOLDEN = Path(__file__).parents[3] / "golden/data/version.json"
RECORD = Record(
    dataset="flights",
    number=3,
    version_id="b3:" + "1" * 64,
    parent_id="b3:" + "2" * 64,
    created_at=dt.datetime(2026, 11, 1, 6, 30, tzinfo=dt.UTC),
    schema=Schema((Column("id", "int"), Column("price", "decimal", 2))),
    rows=7,
    table_digest="b3:" + "3" * 64,
    origin=Origin("delta", "delta:lake", table_version=4, committed_us=5, log_digest="b3:" + "4" * 64),
)


def test_a_record_has_the_bytes_and_the_name_of_the_golden_file() -> None:
    """Whoever changes them needs a new format number."""
    assert RECORD.encode() == GOLDEN.read_bytes()
    assert RECORD.path == "versions/flights/00000003-" + RECORD.path[-69:-5] + ".json"
    assert decode(GOLDEN.read_bytes(), RECORD.path) == RECORD


def test_a_record_without_a_table_comes_back() -> None:
    """A version of plain files."""
    plain = Record("photos", 1, "b3:" + "1" * 64, None, RECORD.created_at, None, None, None, None)
    assert decode(plain.encode(), plain.path) == plain


@given(at=st.integers(0, len(RECORD.encode()) - 1), bit=st.integers(0, 7))
def test_any_flipped_bit_is_found(at: int, bit: int) -> None:
    """Its name is the digest of its bytes."""
    data = bytearray(RECORD.encode())
    data[at] ^= 1 << bit
    with pytest.raises(BadRecord):
        decode(bytes(data), RECORD.path)


@pytest.mark.parametrize("path", ["versions/flights/00000003.json", RECORD.path.replace("flights", "other"), "x"])
def test_a_record_under_another_name_is_refused(path: str) -> None:
    """Nobody passes one version off as another."""
    with pytest.raises(BadRecord):
        decode(RECORD.encode(), path)


@given(st.binary(max_size=200))
def test_no_other_bytes_are_a_record(data: bytes) -> None:
    """Whatever a remote serves."""
    with pytest.raises(BadRecord):
        decode(data, RECORD.path)


def test_an_origin_comes_back_and_nothing_else_is_one() -> None:
    """What is empty is left out."""
    origin = Origin("database", "postgresql://db/shop", query="SELECT 1")
    assert Origin.decode(origin.encode()) == origin
    assert "table_version" not in origin.as_json()
    assert origin.told()["query"] != "SELECT 1"
    with pytest.raises(BadOrigin):
        Origin.decode('{"kind":"database"}')
