"""The formats of records, segments and the endpoint file are those of the golden files."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from undrift.core.clock import SimulatedClock, from_us
from undrift.core.masking import Mask
from undrift.segments.endpoint_file import (
    BadEndpointFile,
    EndpointState,
    FeedbackState,
    Limits,
    LogState,
    Refusal,
    VariantState,
    WorkerAck,
    ack_path,
    decode_state,
    encode_state,
    read_acks,
    read_state,
    write_ack,
    write_state,
)
from undrift.segments.frames import MAGIC, frame, scan
from undrift.segments.records import (
    BadRecord,
    ColumnsRecord,
    ErasedRecord,
    FeedbackRecord,
    Labelled,
    PredictionRecord,
    Record,
    decode,
    encode,
    erased,
)
from undrift.segments.routing import bucket_of, takes_canary
from undrift.segments.seal import read_seal, seal_abandoned

GOLDEN = Path(__file__).parents[2] / "golden/segments"
DIGEST = "b3:" + "a" * 64
COLUMNS = ColumnsRecord(DIGEST, ["temp", "carrier", "day"], ["float", "string", "date"])
ANSWERED = PredictionRecord(
    id="0sgfa5kndg1wh23xwv5c57091q",
    received_us=1_359_676_800_000_001,
    event_us=1_359_680_400_000_000,
    key="UA-17",
    endpoint="delay",
    variant="canary",
    model="delay",
    version=4,
    package=DIGEST,
    generation=7,
    share_bp=500,
    row=[3.5, None, "2013-02-01"],
    scores=[0.25, 0.75],
    prediction=True,
    status=200,
    latency_us=850,
)
REFUSED = msgspec.structs.replace(
    ANSWERED, key=None, share_bp=None, row=None, scores=[], prediction=None, status=422, error="null"
)
LABEL = FeedbackRecord(
    "58ba1d49faae93dbecdaa3fca4534d99", None, "UA-17", True, 1_359_680_400_000_000, 1_359_690_000_000_000
)
RECORDS: list[Record] = [COLUMNS, ANSWERED, REFUSED, LABEL]
STATE = EndpointState(
    endpoint="delay",
    generation=7,
    salt="01j",
    rollout="01j",
    variants=[
        VariantState("stable", "delay", 3, DIGEST, "packages/a", 9_500),
        VariantState("canary", "delay", 4, DIGEST, "packages/b", 500),
    ],
    log=LogState("written", "segments/predictions/delay"),
    feedback=FeedbackState("segments/feedback/delay"),
    limits=Limits(),
)


def test_a_segment_is_written_as_the_golden_one():
    """Magic, frames and records are byte by byte those that are documented."""
    assert MAGIC + b"".join(frame(encode(record)) for record in RECORDS) == (GOLDEN / "records.seg").read_bytes()


def test_the_golden_segment_is_read():
    """Old files stay readable."""
    frames, _ = scan((GOLDEN / "records.seg").read_bytes(), len(MAGIC))
    assert [decode(payload) for _, payload in frames] == RECORDS


def test_items_that_a_later_version_adds_are_passed_over():
    """A reader takes what it knows."""
    items = msgspec.msgpack.decode(encode(LABEL))
    assert decode(msgspec.msgpack.encode([*items, "later"])) == LABEL


@pytest.mark.parametrize("payload", [b"\x00", b"\xc1", msgspec.msgpack.encode(["other", 1])])
def test_a_payload_that_is_no_record_is_an_error_of_ours(payload: bytes):
    """No error of the decoder leaks."""
    with pytest.raises(BadRecord):
        decode(payload)


def test_a_seal_is_written_as_the_golden_one(tmp_path: Path):
    """Digest, sizes and the instant of sealing."""
    (tmp_path / "a.w.open").write_bytes((GOLDEN / "records.seg").read_bytes())
    clock = SimulatedClock(tmp_path / "clock.json", from_us(1_359_700_000_000_000))
    seal_abandoned(tmp_path, clock)
    assert (tmp_path / "a.w.seal").read_bytes() == (GOLDEN / "records.seal").read_bytes()
    assert read_seal(tmp_path, "a.w").records == 4


def test_the_endpoint_file_is_written_and_read_as_the_golden_one():
    """State to bytes and back."""
    golden = (GOLDEN / "endpoint.json").read_bytes()
    assert encode_state(STATE) == golden
    assert decode_state(golden) == STATE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"undrift.endpoint/1", b"undrift.endpoint/9"),
        (b'"canary"', b'"stable"'),
        (b'"stable"', b'"canary"'),
        (b"9500", b"9400"),
        (b'"salt"', b'"sult"'),
        (b'"generation"', b'"surprise": 1, "generation"'),
        (b"{", b""),
    ],
)
def test_an_endpoint_file_that_makes_no_sense_is_refused(old: bytes, new: bytes):
    """Unknown format, shares that do not add up, two stables, none, unknown keys, no JSON."""
    with pytest.raises(BadEndpointFile):
        decode_state((GOLDEN / "endpoint.json").read_bytes().replace(old, new, 1))


def test_a_missing_endpoint_file_is_an_error_with_a_cure(tmp_path: Path):
    """Nothing was deployed yet."""
    with pytest.raises(BadEndpointFile, match="deploy"):
        read_state(tmp_path / "delay.json")


def test_workers_answers_are_read_back_and_rubbish_is_left_out(tmp_path: Path):
    """Each worker has a file beside the endpoint's."""
    path = tmp_path / "a.b.json"
    write_state(path, STATE)
    acks = [
        WorkerAck(pid, 7, "http://127.0.0.1:1", 5, Refusal(8, "corrupt", "no") if pid == 2 else None) for pid in (1, 2)
    ]
    for ack in acks:
        write_ack(path, ack)
    ack_path(path, 3).write_text("{")
    assert read_acks(path) == acks
    assert read_state(path) == STATE


def test_buckets_are_those_that_are_documented():
    """Others can repeat the routing from the words of the format."""
    assert [bucket_of("01j", unit) for unit in ("UA-17", "AA-1", "")] == [7_785, 2_188, 4_235]


def test_shares_are_kept_and_grow_without_taking_back():
    """Of many units a share is about the stated one; the canary's units stay with it."""
    units = [f"unit-{number}" for number in range(20_000)]
    small = {unit for unit in units if takes_canary("s", unit, 500)}
    large = {unit for unit in units if takes_canary("s", unit, 2_500)}
    assert small < large
    assert 0.045 < len(small) / 20_000 < 0.055
    assert 0.24 < len(large) / 20_000 < 0.26
    assert not any(takes_canary("s", unit, 0) for unit in units[:100])
    assert all(takes_canary("s", unit, 10_000) for unit in units[:100])


def test_a_label_has_one_id_masked_whichever_way_its_key_came() -> None:
    """A key taken out of the log, masked, makes the same label as the key itself."""
    mask = Mask(b"k" * 32)
    raw = Labelled(None, "ada@example.org", True, None)
    record = raw.record(1, mask)
    assert record.key == mask.text("ada@example.org")
    assert Labelled(None, record.key, True, None).record(1, mask) == record
    assert raw.record(1).key == "ada@example.org"


@pytest.mark.parametrize("size", [*range(11, 80), *range(250, 300), 65_530, 65_545, 65_550, 70_000])
def test_an_erased_record_is_as_long_as_the_one_it_stands_for(size: int) -> None:
    """So every other record of the file keeps its place, and those who follow the file theirs."""
    payload = erased(size)
    assert len(payload) == size
    assert isinstance(decode(payload), ErasedRecord)
