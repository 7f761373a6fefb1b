"""Letting batches in."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from undrift.data.quality.parameters import ParameterMissing
from undrift.data.quality.suite import Suite, expect
from undrift.data.service import Data
from undrift.data.suites import NoSuite
from undrift.data.versions import DatasetNotFound
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Ledger

SUITE = Suite(
    "t",
    (
        expect("expect_column_values_to_be_between", column="temp", min_value=-50, max_value=120),
        expect("expect_column_values_to_not_be_null", column="id"),
        expect("expect_column_mean_to_be_between", column="temp", min_value=0, max_value=100),
        expect("expect_column_values_to_be_in_set", "warn", column="city", value_set=["rome", "oslo"]),
    ),
)
HEADER = "id,temp,city\n"
GOOD = "".join(f"{n},{20 + n % 5}.5,rome\n" for n in range(100))


@pytest.fixture
def batches(data: Data, ada: Actor, tmp_path: Path) -> Path:
    """Give a folder for batches of a dataset with a suite."""
    folder = tmp_path / "batches"
    folder.mkdir()
    (folder / "first.csv").write_text(HEADER + GOOD)
    data.add(folder / "first.csv", "t", actor=ada)
    data.freeze_suite("t", SUITE, actor=ada)
    return folder


def batch(folder: Path, *extra: str, name: str = "next.csv") -> Path:
    path = folder / name
    path.write_text(HEADER + GOOD.replace("rome", "oslo") + "".join(f"{line}\n" for line in extra))
    return path


def kinds(ledger: Ledger) -> list[str]:
    return [event.kind for event in ledger.events(after=1) if event.kind.startswith("data.")][2:]


def test_a_good_batch_becomes_a_version_with_its_own_bytes(
    data: Data, ada: Actor, batches: Path, ledger: Ledger, tmp_path: Path
) -> None:
    """Checked, then added, in one change."""
    source = batch(batches)
    admission = data.admit(source, "t", actor=ada)
    assert admission.version == data.get("t@2")
    assert (admission.rows, admission.bad_rows, admission.quarantine) == (100, 0, None)
    assert (data.checkout("t@2", tmp_path / "out") / "next.csv").read_bytes() == source.read_bytes()
    assert kinds(ledger) == ["data.checked", "data.added", "data.measured"]


def test_bad_rows_stay_in_quarantine_with_the_reason_and_the_rest_goes_on(
    data: Data, ada: Actor, batches: Path, ledger: Ledger, store: Path
) -> None:
    """A value out of range, a missing key, and a cell that is no number."""
    admission = data.admit(batch(batches, "7,295.4,rome", ",20.0,oslo", "8,warm,oslo"), "t", actor=ada)
    assert (admission.rows, admission.bad_rows) == (103, 3)
    assert data.get("t").rows == 200
    assert data.read("t").filter(pl.col("temp") > 200).is_empty()
    assert admission.quarantine is not None
    held = pl.read_parquet(admission.quarantine.path)
    assert held["_undrift_row"].to_list() == [100, 101, 102]
    assert [("temp" in text, "id" in text, "warm" in text) for text in held["_undrift_reasons"]] == [
        (True, False, False),
        (False, True, False),
        (True, False, True),
    ]
    assert admission.quarantine.path.is_relative_to(store / "quarantine/t")
    assert kinds(ledger) == ["data.checked", "data.quarantined", "data.added", "data.measured"]


def test_a_batch_with_too_many_bad_rows_never_becomes_a_version(
    data: Data, ada: Actor, batches: Path, ledger: Ledger
) -> None:
    """All of it is kept, and the ledger says why."""
    kelvin = batches / "kelvin.csv"
    kelvin.write_text(HEADER + "".join(f"{n},29{n % 5}.5,rome\n" for n in range(100)))
    admission = data.admit(kelvin, "t", actor=ada)
    assert (admission.outcome, admission.version, admission.bad_rows) == ("refused", None, 100)
    assert "100 of 100 rows are bad" in admission.reasons[0]
    assert admission.quarantine is not None
    assert pl.read_parquet(admission.quarantine.path).height == 100
    assert len(data.log("t")) == 1
    assert kinds(ledger) == ["data.checked", "data.quarantined", "data.refused"]


def test_conditions_and_shares_decide_what_is_held_back(data: Data, ada: Actor, batches: Path) -> None:
    """A row outside of the condition is good, a broken share refuses the batch, a kept one condemns nobody."""
    where = {"row_condition": "city == 'oslo'", "condition_parser": "pandas"}
    cold = expect("expect_column_values_to_be_between", column="temp", max_value=40, **where)
    mostly = expect("expect_column_values_to_be_in_set", column="city", value_set=["oslo"], mostly=0.98)
    data.freeze_suite("t", Suite("t", (cold, mostly)), actor=ada)
    admission = data.admit(batch(batches, "7,50.0,oslo", "8,50.0,rome"), "t", actor=ada)
    assert (admission.outcome, admission.bad_rows, data.get("t").rows) == ("admitted", 1, 201)
    refused = data.admit(batch(batches, *["8,20.0,rome"] * 3, name="more.csv"), "t", actor=ada)
    assert (refused.outcome, refused.bad_rows) == ("refused", 0)
    assert "3 of 103 rows break it" in refused.reasons[0]


def test_a_suite_with_parameters_is_not_frozen(data: Data, ada: Actor, batches: Path) -> None:
    """Nobody gives values when a batch comes."""
    open_suite = Suite("t", (expect("expect_table_row_count_to_equal", value={"$PARAMETER": "rows"}),))
    with pytest.raises(ParameterMissing, match="parameter"):
        data.freeze_suite("t", open_suite, actor=ada)
    assert data.suite("t") == SUITE


def test_a_column_of_another_type_is_told_as_such(data: Data, ada: Actor, batches: Path) -> None:
    """Not only as so many bad rows; without any of its cells."""
    odd = batches / "odd.csv"
    odd.write_text(HEADER + "".join(f"{n},warm,rome\n" for n in range(100)))
    admission = data.admit(odd, "t", actor=ada)
    told = "the column 'temp' is no longer float64: 100 of its 100 cells cannot be read as one"
    assert admission.reasons[0] == told


def test_a_whole_table_failure_refuses_rows_that_are_good_one_by_one(data: Data, ada: Actor, batches: Path) -> None:
    """The mean has left its interval."""
    cold = batches / "cold.csv"
    cold.write_text(HEADER + "".join(f"{n},-20.5,rome\n" for n in range(100)))
    admission = data.admit(cold, "t", actor=ada)
    assert (admission.outcome, admission.bad_rows) == ("refused", 0)
    assert "mean" in admission.reasons[0]


def test_rows_in_quarantine_do_not_count_for_the_whole(data: Data, ada: Actor, batches: Path) -> None:
    """One absurd value moves the mean of the batch, not of what goes on."""
    assert data.admit(batch(batches, "7,1e9,rome"), "t", actor=ada).admitted


def test_a_warning_lets_everything_through(data: Data, ada: Actor, batches: Path) -> None:
    """It is told, and recorded."""
    admission = data.admit(batch(batches, "7,20.0,bergen"), "t", actor=ada)
    assert admission.admitted
    assert admission.report is not None
    assert admission.report.verdict == "warn"


@pytest.mark.parametrize(
    "odd",
    [("id,temp\n1,2\n", "missing: city"), (HEADER + "1,2\n", "line 2 has 2 cells"), ("", "empty")],
)
def test_a_batch_that_is_no_such_table_is_kept_as_it_came(
    data: Data, ada: Actor, batches: Path, ledger: Ledger, odd: tuple[str, str]
) -> None:
    """Other columns, broken lines, nothing at all."""
    text, says = odd
    (batches / "odd.csv").write_text(text)
    admission = data.admit(batches / "odd.csv", "t", actor=ada)
    assert (admission.outcome, admission.report) == ("refused", None)
    assert says in admission.reasons[0]
    assert admission.quarantine is not None
    assert admission.quarantine.path.read_text() == text
    assert kinds(ledger) == ["data.quarantined", "data.refused"]


def test_the_same_batch_twice_is_added_once(data: Data, ada: Actor, batches: Path, ledger: Ledger) -> None:
    """With bad rows in it or not; a refused one is judged again."""
    for source in (batch(batches), batch(batches, ",20.0,oslo", name="other.csv")):
        first = data.admit(source, "t", actor=ada)
        again = data.admit(source, "t", actor=ada)
        assert (again.known, again.version) == (True, first.version)
    assert len(data.log("t")) == 3
    assert [admission.outcome for admission in data.admissions("t")] == ["admitted", "admitted"]


def test_a_batch_can_take_the_place_of_the_rows_before(data: Data, ada: Actor, batches: Path) -> None:
    """A full snapshot instead of an increment."""
    admission = data.admit(batch(batches), "t", actor=ada, append=False)
    assert admission.version is not None
    assert (admission.version.rows, admission.version.files) == (100, 1)


def test_without_a_dataset_or_a_suite_nobody_can_tell_good_from_bad(data: Data, ada: Actor, tmp_path: Path) -> None:
    """The error names the next command."""
    (tmp_path / "a.csv").write_text(HEADER + GOOD)
    with pytest.raises(DatasetNotFound):
        data.admit(tmp_path / "a.csv", "t", actor=ada)
    data.add(tmp_path / "a.csv", "t", actor=ada)
    with pytest.raises(NoSuite):
        data.admit(tmp_path / "a.csv", "t", actor=ada)


def test_no_event_of_a_batch_holds_a_cell(data: Data, ada: Actor, batches: Path, ledger: Ledger) -> None:
    """Digests, counts and names of columns only."""
    data.admit(batch(batches, "secret,20.0,hidden"), "t", actor=ada)
    (batches / "bad.csv").write_text('id,temp,city\n"secret"x,1,hidden\n')
    data.admit(batches / "bad.csv", "t", actor=ada)
    told = " ".join(str(event.body) for event in ledger.events())
    assert "secret" not in told
    assert "hidden" not in told


def test_a_stored_version_is_checked_and_its_digest_recorded(
    data: Data, ada: Actor, batches: Path, ledger: Ledger
) -> None:
    """The first check computes the table digest."""
    assert data.check("t", actor=ada).verdict == "pass"
    assert data.get("t").table_digest is not None
    assert kinds(ledger) == ["data.digested", "data.checked"]
    stricter = Suite("s", (expect("expect_column_values_to_be_between", column="id", max_value=96),))
    assert data.check("t", actor=ada, suite=stricter).verdict == "fail"
    assert [event.body["bad_rows"] for event in ledger.events() if event.kind == "data.checked"] == [0, 3]


def test_a_suggested_suite_can_be_frozen_and_read_back(data: Data, ada: Actor, batches: Path) -> None:
    """Suggested, reviewed, frozen."""
    suggested = data.suggest_suite("t")
    digest = data.freeze_suite("t", suggested, actor=ada)
    assert data.suite("t") == suggested
    assert digest == suggested.digest
    with pytest.raises(DatasetNotFound):
        data.freeze_suite("none", suggested, actor=ada)
