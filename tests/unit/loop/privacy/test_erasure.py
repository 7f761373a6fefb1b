"""`undrift data erase`: gone from everything that holds rows, and nothing else changes."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from undrift.blobs.tombstones import BlobErased
from undrift.core.masking import open_mask
from undrift.data.erasing import NoSuchColumn, Subject
from undrift.loop.privacy.erasure import KIND, erase, erasures, plan
from undrift.segments.folder import listing
from undrift.segments.parquet import read_feedback, read_predictions
from undrift.segments.seal import verify

from .conftest import ADA, BOB, People

SUBJECT = Subject("flights", "email", frozenset({ADA}))


def test_a_subject_is_gone_and_everybody_else_stays(people: People) -> None:
    """From all versions, quarantine, refused batches, Parquet, segments, labels: as a text and as a mask."""
    project, masked = people.project, open_mask(people.project.store).text(ADA)
    assert people.holding(ADA)
    assert people.holding(masked)
    erased = erase(project, SUBJECT, "her request")
    assert people.holding(ADA) == []
    assert people.holding(masked) == []
    assert [project.data.read(f"flights@{n}")["email"].to_list().count(BOB) for n in (1, 2)] == [5, 7]
    folder = project.endpoint_rooms.predictions("delay")
    assert read_predictions(folder)["id"].to_list() == ["p0002", "p0004"]
    assert read_feedback(project.endpoint_rooms.feedback("delay")).height == 0
    assert {verify(folder, file.name).records for file in listing(folder)} == {3}
    assert erased.removed == 5 + 2 + 2 + 2 + 1  # versions, delivered batches, quarantine, answers, a label
    assert people.holding(BOB)


def test_references_digests_and_the_ledger_hold(people: People) -> None:
    """A version keeps its id; the event holds counts, digests and a mask of the subject; the chain is whole."""
    project = people.project
    ids = [version.version_id for version in project.data.log("flights")]
    erase(project, SUBJECT, "her request")
    assert [version.version_id for version in project.data.log("flights")] == ids
    assert project.verify().ok
    [event] = project.ledger.events("data:flights", [KIND])
    assert event.body["reason"] == "her request"
    assert ADA not in str(event.body)
    assert erasures(project, "flights") == {"data:flights@1": 5, "data:flights@2": 5}


def test_erased_bytes_do_not_come_back_unnoticed(people: People, tmp_path: Path) -> None:
    """The old file is refused; a checkout gives what is left."""
    project = people.project
    erase(project, SUBJECT, "her request")
    with pytest.raises(BlobErased, match="were erased"):
        project.data.add(tmp_path / "first.csv", "flights", actor=project.actor)
    written = project.data.checkout("flights@1", tmp_path / "out.csv")
    assert ADA not in written.read_text()


def test_a_plan_changes_nothing(people: People) -> None:
    """It counts what an erasure would take."""
    before = people.files()
    planned = plan(people.project, SUBJECT)
    assert planned.is_plan
    assert people.files() == before
    assert planned.removed == erase(people.project, SUBJECT, "her request").removed


def test_a_batch_in_quarantine_with_another_name_for_the_column_is_searched_in_all(
    people: People, tmp_path: Path
) -> None:
    """It was kept with masks; nobody else's row goes with the subject's."""
    project = people.project
    (tmp_path / "renamed.csv").write_text(f"Kontakt,x\n{ADA},1.0\n{BOB},2.0\n")
    held = project.data.admit(tmp_path / "renamed.csv", "flights", actor=project.actor).quarantine
    assert held is not None
    masked = open_mask(project.store).text
    assert pl.read_parquet(held.path)["Kontakt"].to_list() == [masked(ADA), masked(BOB)]
    erase(project, SUBJECT, "her request")
    assert people.holding(ADA) == []
    assert pl.read_parquet(held.path)["Kontakt"].to_list() == [masked(BOB)]


def test_an_unknown_column_is_refused(people: People) -> None:
    """Nothing is erased by a slip of the pen."""
    with pytest.raises(NoSuchColumn, match="e-mail"):
        erase(people.project, Subject("flights", "e-mail", frozenset({ADA})), "a slip")


def test_nobody_found_is_no_event(people: People) -> None:
    """Looking for somebody who is not there leaves no trace of the question."""
    assert erase(people.project, Subject("flights", "email", frozenset({"x@example.org"})), "none").entries == ()
    assert people.project.ledger.events("data:flights", [KIND]) == []


@pytest.mark.parametrize("step", [1, 6, 13, 19, 26, *(pytest.param(n, marks=pytest.mark.slow) for n in range(60))])
def test_killed_at_any_step_the_same_command_goes_on(people: People, step: int) -> None:
    """After a kill the next run ends in the same state, with one event that counts everything."""
    project = people.project
    expected = plan(project, SUBJECT).removed
    command = [sys.executable, str(Path(__file__).with_name("erase_child.py")), str(project.root), str(step)]
    died = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert died.returncode in (0, -signal.SIGKILL), died.stderr
    erase(project, SUBJECT, "her request")
    [event] = project.ledger.events("data:flights", [KIND])
    assert (event.body["removed"], project.verify().ok) == (expected, True)
    assert people.holding(ADA) == []


def test_what_was_measured_of_erased_rows_is_measured_anew(people: People) -> None:
    """What later versions are compared with holds nothing of the subject's rows either."""
    project = people.project
    before = project.data.history.look("flights@1", project.actor)
    erase(project, SUBJECT, "her request")
    after = project.data.history.look("flights@1", project.actor)
    assert [one.value for one in before.verdicts if one.metric == "rows"] == [15]
    assert [one.value for one in after.verdicts if one.metric == "rows"] == [10]
