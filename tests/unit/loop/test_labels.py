"""Labels from a file, at the loop's door."""

from __future__ import annotations

from pathlib import Path

import pytest

from undrift.core.errors import BadInput
from undrift.core.masking import open_mask
from undrift.data.tabular.text_file import BadTable
from undrift.data.workspace import SourceNotFound
from undrift.loop.labels import add_labels
from undrift.project import Project
from undrift.segments.parquet import read_feedback

from .conftest import ADA, SETTINGS, Registered


def _labels(project: Project, header: str) -> Path:
    path = project.root / "labels.csv"
    path.write_text(f"{header}\nUA-17,1\nUA-18,0\nUA-19,\n")
    return path


def test_the_truth_stands_in_the_column_of_the_models_target(registered: Registered) -> None:
    """It need not be named; null labels are left out and counted."""
    registered.deployed(registered.approved())
    project = registered.project
    report = add_labels(project, "delay", _labels(project, "flight,late"), on="flight")
    assert (report.rows, report.added, report.without_label) == (3, 2, 1)
    mask = open_mask(project.store)
    found = read_feedback(project.endpoint_rooms.feedback("delay"))["key"].to_list()
    assert found == [mask.text("UA-17"), mask.text("UA-18")]


def test_without_settings_the_column_must_be_named(tmp_path: Path, registered: Registered) -> None:
    """A model of a notebook has no target that anybody wrote down."""
    registered.deployed(registered.approved())
    project = registered.project
    (project.root / "undrift.toml").write_text(SETTINGS.format(promotion="ask").split("[models")[0])
    project.reload_settings()
    with pytest.raises(BadInput, match="which column") as refused:
        add_labels(project, "delay", _labels(project, "flight,late"), on="flight")
    assert refused.value.cure == "add --actual COLUMN"


def test_labels_are_an_event_with_digests(registered: Registered) -> None:
    """Who brought them, from which bytes: no label stands in the ledger."""
    registered.deployed(registered.approved())
    project = registered.project
    report = add_labels(project, "delay", _labels(project, "flight,late"), on="flight")
    events = project.ledger.events("endpoint:delay", ["label.added"])
    assert [event.body["file"] for event in events] == [report.digest]
    assert str(events[0].actor) != str(ADA)  # the person who runs the test


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("labels.csv", b"flight;late;paid\n007;1;1,5\n008;0;2,5\n"),
        ("labels.csv", "flight\tlate\tnote\n007\t1\tspät\n008\t0\t\n".encode("cp1252")),
        ("labels.jsonl", b'{"flight": "007", "late": 1}\n{"flight": "008", "late": 0}\n'),
    ],
)
def test_labels_are_read_as_any_table(registered: Registered, name: str, content: bytes) -> None:
    """Semicolons, tabs, Windows' letters, JSON lines; keys keep their zeros; other columns need no word."""
    registered.deployed(registered.approved())
    project = registered.project
    (project.root / name).write_bytes(content)
    assert add_labels(project, "delay", project.root / name, on="flight").added == 2
    mask = open_mask(project.store)
    found = read_feedback(project.endpoint_rooms.feedback("delay"))
    assert found["key"].to_list() == [mask.text("007"), mask.text("008")]


def test_a_file_that_is_no_table_is_refused(registered: Registered) -> None:
    """Also one that is not there; both with the code of any table."""
    registered.deployed(registered.approved())
    project = registered.project
    (project.root / "labels.parquet").write_bytes(b"flight,late\n")
    with pytest.raises(BadTable):
        add_labels(project, "delay", project.root / "labels.parquet", on="flight")
    with pytest.raises(SourceNotFound):
        add_labels(project, "delay", project.root / "none.csv", on="flight")
