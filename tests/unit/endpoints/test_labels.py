"""Labels from tables become feedback, once each."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from undrift.core.clock import RealClock
from undrift.endpoints.errors import BadLabels
from undrift.endpoints.labels import LabelReport, LabelSource, add_labels
from undrift.segments.records import FeedbackRecord, decode
from undrift.segments.tail import SegmentTail

from .conftest import ADA, Project

TABLE = "flight,late,when\n007,1,2013-02-01T09:00:00Z\n008,0,2013-02-01T10:00:00Z\n009,,\n,1,\n"


def add(project: Project, path: Path, **how: object) -> LabelReport:
    fields = {"on": "flight", "actual": "late", "classes": (0, 1), **how}
    if path.suffix == ".parquet":
        table = pl.read_parquet(path)
    else:
        table = pl.read_csv(path, schema_overrides={str(fields["on"]): pl.String})
    return add_labels(project.rooms, "delay", LabelSource(path, table, **fields), ADA)  # type: ignore[arg-type]  # by name


def written(project: Project) -> list[FeedbackRecord]:
    records = [decode(frame.payload) for frame in SegmentTail(project.rooms.feedback("delay")).poll()]
    return [record for record in records if isinstance(record, FeedbackRecord)]


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text(TABLE)
    return path


def test_a_key_keeps_its_zeros(project: Project, csv: Path) -> None:
    """007 is not 7."""
    add(project, csv)
    assert [(record.key, record.actual) for record in written(project)] == [("007", 1), ("008", 0)]


def test_the_event_says_how_many_and_from_what(project: Project, csv: Path) -> None:
    """Digests and counts, no row."""
    report = add(project, csv)
    assert (report.rows, report.added, report.without_label, report.without_key) == (4, 2, 1, 1)
    event = project.ledger.events(kinds=["label.added"])[0]
    assert event.body == {**report.as_json(), "segments": list(report.segments)}
    assert set(event.body) == {"added", "file", "rows", "segments", "without_key", "without_label"}


def test_labels_can_name_predictions_and_moments(project: Project, tmp_path: Path) -> None:
    """A column called prediction_id joins by id; an event time tells apart several of one key."""
    when = datetime(2013, 2, 1, 9, tzinfo=UTC)
    path = tmp_path / "labels.parquet"
    pl.DataFrame({"prediction_id": ["a"], "late": [True], "when": [when]}).write_parquet(path)
    add(project, path, on="prediction_id", event_time="when", classes=(False, True))
    record = written(project)[0]
    assert (record.prediction_id, record.key, record.actual) == ("a", None, True)
    assert record.event_us == int(when.timestamp() * 1e6)


def test_texts_of_instants_are_read(project: Project, csv: Path) -> None:
    """As the caller's event_time is written."""
    add(project, csv, event_time="when")
    assert written(project)[0].event_us == 1359709200000000


def test_the_same_label_has_one_id_by_every_way(project: Project, csv: Path) -> None:
    """Sent over HTTP and added from a file, it is one label."""
    from types import SimpleNamespace

    from undrift.serving.feedback import read_feedback

    add(project, csv)
    manifest = SimpleNamespace(task="binary", classes=(0, 1))
    sent = read_feedback(b'{"key": "007", "actual": 1}', manifest, RealClock(), 10)  # type: ignore[arg-type]  # all it reads
    assert sent[0].id == written(project)[0].id


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"actual": "truth"}, "no column 'truth'"),
        ({"classes": ("yes", "no")}, "row 1"),
        ({"event_time": "flight"}, "instants"),
        ({"actual": "when", "classes": ()}, "cannot answer"),
    ],
)
def test_a_table_that_does_not_fit_writes_nothing(
    project: Project, csv: Path, how: dict[str, object], said: str
) -> None:
    """The error says where, and no label of the file is used."""
    with pytest.raises(BadLabels, match=said):
        add(project, csv, **how)
    assert written(project) == []
