"""Compaction: each record once, whatever dies when."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from undrift.core.clock import to_us
from undrift.core.masking import Mask
from undrift.segments import parquet
from undrift.segments.parquet import Span, compact, drop_compacted, read_feedback, read_index, read_predictions
from undrift.segments.records import ColumnsRecord, FeedbackRecord, PredictionRecord, Record, encode
from undrift.segments.writer import SegmentWriter

DAY_US = 86_400_000_000
FIRST_US = to_us(datetime(2013, 2, 1, tzinfo=UTC))
COLUMNS = ColumnsRecord("b3:a", ["temp", "day", "at"], ["float", "date", "datetime"])
OTHER = ColumnsRecord("b3:b", ["carrier"], ["string"])


def prediction(number: int, **changed: Any) -> PredictionRecord:
    made = PredictionRecord(
        id=f"p{number:04d}",
        received_us=FIRST_US + number,
        event_us=FIRST_US + number % 3 * DAY_US,
        key=None,
        endpoint="delay",
        variant="stable",
        model="delay",
        version=1,
        package="b3:a",
        generation=1,
        share_bp=0,
        row=[number / 2, "2013-02-01", "2013-02-01T07:00:00Z"],
        scores=[0.25, 0.75],
        prediction=number % 2 == 0,
        status=200,
        latency_us=10,
    )
    return msgspec.structs.replace(made, **changed)


def write(folder: Path, records: list[Record]) -> None:
    writer = SegmentWriter(folder, owner="w", preamble=lambda: [encode(COLUMNS), encode(OTHER)])
    writer.extend([encode(record) for record in records])
    writer.close()


def ids(folder: Path, **asked: Any) -> list[str]:
    return read_predictions(folder, **asked)["id"].to_list()


def test_predictions_become_a_table_with_typed_columns(tmp_path: Path):
    """The asked values come back in their logical types, the answer as JSON text."""
    write(tmp_path, [prediction(1), prediction(2, row=None, scores=[], prediction=None, status=422, error="null")])
    table = read_predictions(tmp_path)
    assert table.schema["row.temp"] == pl.Float64
    assert table["row.temp"].to_list() == [0.5, None]
    assert table["row.at"].to_list() == [datetime.fromisoformat("2013-02-01T07:00:00"), None]
    assert table["prediction"].to_list() == ["false", None]
    assert table["error"].to_list() == [None, "null"]


@pytest.mark.parametrize("when", ["before", "after", "between"])
def test_the_table_is_the_same_before_and_after_compaction(tmp_path: Path, when: str):
    """Readers cannot tell where a record lies."""
    write(tmp_path, [prediction(number) for number in range(10)])
    if when != "before":
        compact(tmp_path)
    write(tmp_path, [prediction(number) for number in range(10, 20)])
    if when == "after":
        assert compact(tmp_path).records == 10
    assert ids(tmp_path) == [f"p{number:04d}" for number in range(20)]


def test_compacting_again_does_nothing(tmp_path: Path):
    """The second run finds nothing new."""
    write(tmp_path, [prediction(number) for number in range(10)])
    assert compact(tmp_path).records == 10
    before = read_index(tmp_path)
    assert compact(tmp_path) == parquet.Compacted(0, 0)
    assert read_index(tmp_path) == before


def test_parts_lie_by_day_and_package_and_small_ones_are_joined(tmp_path: Path):
    """Three days and two packages: six parts, also after many compactions."""
    for start in (0, 6, 12):
        made: list[Record] = [prediction(number) for number in range(start, start + 3)]
        made += [prediction(number, package="b3:b", row=["UA"]) for number in range(start + 3, start + 6)]
        write(tmp_path, made)
        compact(tmp_path)
    parts = read_index(tmp_path).parts
    assert {(part.day, part.package) for part in parts} == {
        (f"2013-02-0{day}", package) for day in (1, 2, 3) for package in ("b3:a", "b3:b")
    }
    assert sum(part.rows for part in parts) == 18
    assert len(list((tmp_path / "parquet").glob("*/*.parquet"))) == len(parts) == 6
    assert read_predictions(tmp_path, package="b3:b")["row.carrier"].to_list() == ["UA"] * 9


def test_a_span_takes_what_is_about_it(tmp_path: Path):
    """By event time, the end not in it, from segments as from Parquet."""
    write(tmp_path, [prediction(number) for number in range(9)])
    span = Span(FIRST_US + DAY_US, FIRST_US + 2 * DAY_US)
    from_segments = ids(tmp_path, span=span)
    compact(tmp_path)
    assert ids(tmp_path, span=span) == from_segments == ["p0001", "p0004", "p0007"]


def test_dropped_segments_are_read_from_parquet(tmp_path: Path):
    """After the drop nothing is missing; segments that are not compacted are never dropped."""
    write(tmp_path, [prediction(number) for number in range(10)])
    compact(tmp_path)
    write(tmp_path, [prediction(number) for number in range(10, 12)])
    assert drop_compacted(tmp_path, before_us=2**62) == 1
    assert len(list(tmp_path.glob("*.seg"))) == 1
    assert read_index(tmp_path).absorbed == []
    assert ids(tmp_path) == [f"p{number:04d}" for number in range(12)]


def test_segments_that_tails_may_need_stay(tmp_path: Path):
    """Only files from before the instant are dropped."""
    write(tmp_path, [prediction(1)])
    compact(tmp_path)
    assert drop_compacted(tmp_path, before_us=0) == 0
    assert len(list(tmp_path.glob("*.seg"))) == 1


def test_feedback_counts_once_however_often_it_came(tmp_path: Path):
    """The same content has one id; order is that of arrival."""
    labels = [
        FeedbackRecord(f"f{number % 3}", None, "k", number % 2 == 0, None, FIRST_US + number) for number in range(9)
    ]
    write(tmp_path, list(labels[:5]))
    compact(tmp_path)
    write(tmp_path, list(labels[5:]))
    table = read_feedback(tmp_path)
    assert table["id"].to_list() == ["f0", "f1", "f2"]
    assert table["received_us"].to_list() == [FIRST_US, FIRST_US + 1, FIRST_US + 2]
    assert table["actual"].to_list() == ["true", "false", "true"]


KILL = """
import os, sys
from pathlib import Path
from undrift.segments import parquet
import undrift.core.files as files
name, count = sys.argv[2], int(sys.argv[3])
def dying(real):
    def call(*a, **k):
        global count
        count -= 1
        if count == 0:
            os.kill(os.getpid(), 9)
        return real(*a, **k)
    return call
setattr(parquet, name, dying(getattr(parquet, name)))
parquet.compact(Path(sys.argv[1]))
parquet.drop_compacted(Path(sys.argv[1]), 2**62)
"""


@pytest.mark.parametrize(
    ("name", "count"),
    [("write_part", 1), ("write_part", 3), ("write_index", 1), ("sweep", 2), ("write_index", 2), ("path_of", 2)],
)
def test_kill_9_anywhere_in_a_compaction_keeps_each_record_once(tmp_path: Path, name: str, count: int):
    """Before and after the next compaction, every record is read once, and no rubbish stays."""
    for start in range(0, 30, 10):
        write(tmp_path, [prediction(number) for number in range(start, start + 10)])
    done = subprocess.run([sys.executable, "-c", KILL, str(tmp_path), name, str(count)], check=False)
    assert done.returncode == -9
    expected = [f"p{number:04d}" for number in range(30)]
    assert ids(tmp_path) == expected
    compact(tmp_path)
    drop_compacted(tmp_path, 2**62)
    assert ids(tmp_path) == expected
    assert not list(tmp_path.glob("*.seg"))
    assert len(list((tmp_path / "parquet").glob("*/*"))) == len(read_index(tmp_path).parts)


def test_a_reader_beside_a_compaction_sees_each_record_once(tmp_path: Path):
    """Files that vanish while they are read mean another look, not a hole."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom undrift.segments.parquet import compact, drop_compacted\n"
        "folder = Path(sys.argv[1])\nprint('go', flush=True)\n"
        "while True:\n    compact(folder)\n    drop_compacted(folder, 2**62)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        for start in range(0, 200, 10):
            write(tmp_path, [prediction(number) for number in range(start, start + 10)])
            assert len(ids(tmp_path)) == start + 10
    finally:
        process.kill()
        process.communicate()
    assert ids(tmp_path) == [f"p{number:04d}" for number in range(200)]


def test_records_of_before_the_masks_join_with_those_after(tmp_path: Path) -> None:
    """Whoever reads with the mask sees one key, however it was written."""
    mask = Mask(b"k" * 32)
    write(tmp_path, [prediction(1, key="ada"), prediction(2, key=mask.text("ada")), prediction(3)])
    assert read_predictions(tmp_path, mask=mask)["key"].to_list() == [mask.text("ada"), mask.text("ada"), None]
