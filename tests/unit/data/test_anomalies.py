"""A version against those before it: what is said, on what grounds, and what is remembered for it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import update

from undrift.core.config import DatasetSettings
from undrift.core.errors import BadInput
from undrift.core.masking import Mask
from undrift.data.anomalies import repository
from undrift.data.anomalies.judgement import Fed, judge_version
from undrift.data.anomalies.measurement import Measurement, measure
from undrift.data.anomalies.series import HOURS, ROWS, SHARE, Past, judge
from undrift.data.anomalies.verdict import Verdict
from undrift.data.personal.masks import Masks
from undrift.data.profile import Profile, profile
from undrift.data.quality.suite import Suite, expect
from undrift.data.service import Data
from undrift.data.tables import versions
from undrift.ledger.actor import Actor
from undrift.ledger.ledger import Ledger

START = datetime(2024, 1, 1, tzinfo=UTC)


GOLDEN = Path(__file__).parents[2] / "golden/data/measurement.json"


def past(values: list[float], *, hours: float = 24.0) -> Past:
    moments = [START + timedelta(hours=hours * at) for at in range(len(values) + 1)]
    return Past(values, moments[:-1], moments[-1])


def table(rows: int, *, start: int = 0, plans: str = "abc", day: int = 0) -> pl.DataFrame:
    """Return a table whose values repeat, so that any two are alike."""
    numbers = [start + n for n in range(rows)]
    return pl.DataFrame(
        {
            "age": [20 + (n * 7919) % 61 for n in numbers],
            "plan": [plans[n % len(plans)] for n in numbers],
            "mail": [f"user{n}@example.org" for n in numbers],
            "seen": [START + timedelta(days=day, minutes=1000 * n // rows) for n in range(rows)],
        }
    )


def measured(frame: pl.DataFrame, number: int = 1) -> Measurement:
    return measure(profile(frame), number, "batch", START + timedelta(days=number), {"mail"})


def series(*frames: pl.DataFrame) -> list[Measurement]:
    return [measured(frame, at) for at, frame in enumerate(frames, 1)]


def normal(many: int) -> list[pl.DataFrame]:
    return [table(1000 + 13 * (n % 5), start=n * 1000, day=n) for n in range(many)]


def told(*frames: pl.DataFrame) -> dict[str, str]:
    *before, new = series(*frames)
    return {one.metric: one.outcome for one in judge_version(before, new).verdicts if one.outcome != "normal"}


def test_too_little_history_is_a_verdict_of_its_own() -> None:
    """Never an anomaly, however odd the value."""
    for many in range(3):
        found = judge("rows", 1e6, past([100.0] * many), ROWS, 0.01)
        assert (found.outcome, found.low, found.high, found.n) == ("not enough history", None, None, many)
    assert set(told(table(1000), table(10)).values()) == {"not enough history"}
    assert judge_version([], measured(table(10))).outcome == "not enough history"


@pytest.mark.parametrize(("rows", "outcome"), [(250, "anomaly"), (400, "normal"), (2900, "normal"), (3100, "anomaly")])
def test_a_short_history_is_compared_by_a_rule_of_thumb(rows: float, outcome: str) -> None:
    """Three to nine points: a third, or three times, of the median."""
    found = judge("rows", rows, past([1000.0, 1010.0, 990.0, 1005.0]), ROWS, 0.01)
    assert (found.outcome, found.method, found.n) == (outcome, "relative to the median", 4)
    assert (found.low, found.high) == pytest.approx((1002.5 / 3, 1002.5 * 3))


def test_every_verdict_has_value_interval_method_and_number_of_points() -> None:
    """An anomaly lies outside of its interval, all else inside."""
    *before, new = series(*normal(20), table(400, day=20))
    found = judge_version(before, new)
    assert [one.metric for one in found.anomalies] == ["rows"]
    rows = found.anomalies[0]
    assert (rows.value, rows.method, rows.n) == (400, "robust z", 20)
    for one in found.verdicts:
        inside = one.value is None or (one.low or 0) <= one.value <= (one.high if one.high is not None else one.value)
        assert inside != one.is_anomaly, one
    assert "expected" in rows.told()


@pytest.mark.parametrize(
    ("frame", "metric"),
    [
        (table(480, day=20), "rows"),
        (table(1000, day=20).with_columns(age=pl.col("age") + 40), "distribution age"),
        (
            table(1000, day=20).with_columns(age=pl.when(pl.col("age") > 50).then(None).otherwise(pl.col("age"))),
            "missing age",
        ),
        (table(1000, day=20, plans="abcabcz"), "new values plan"),
        (table(1000, day=20, plans="aaaaaaaabc"), "distribution plan"),
        (table(1000, day=10), "age of the newest seen in hours"),
        (table(1000, day=20).with_columns(age=pl.col("age").cast(pl.Float64)), "schema"),
        (table(1000, day=20).drop("plan"), "schema"),
    ],
)
def test_each_fault_is_found_by_its_metric(frame: pl.DataFrame, metric: str) -> None:
    """Among twenty ordinary versions."""
    assert told(*normal(20), frame)[metric] == "anomaly"


def test_twenty_ordinary_versions_raise_nothing() -> None:
    """At any length of the history."""
    frames = normal(21)
    for many in range(1, 22):
        assert "anomaly" not in told(*frames[:many]).values()


def test_a_late_version_is_an_anomaly_and_an_early_one_is_not() -> None:
    """Freshness has one side."""
    usual = past([24.0, 23.5, 24.5, 24.2] * 4)
    assert judge("hours", 90.0, usual, HOURS, 0.01).is_anomaly
    assert not judge("hours", 0.1, usual, HOURS, 0.01).is_anomaly


def test_days_of_the_week_are_compared_with_themselves() -> None:
    """A quiet Sunday is ordinary; a Wednesday as quiet is not."""
    week = [1000.0, 1010.0, 990.0, 1005.0, 995.0, 300.0, 310.0]
    values = [value + 3 * at for at, value in enumerate(week * 5)]
    sunday, monday = past(values[:-1]), past(values)
    found = judge("rows", 305.0, sunday, ROWS, 0.01)
    assert (found.outcome, found.method) == ("normal", "robust z of its weekday")
    assert judge("rows", 305.0, monday, ROWS, 0.01).is_anomaly


def test_a_day_of_the_week_that_was_hardly_seen_is_not_judged_by_the_others() -> None:
    """The first Saturday of daily deliveries, unless it is grossly off."""
    values = [1000.0, 1010.0, 990.0, 1005.0, 995.0, 1002.0, 998.0, 1001.0, 1000.0, 1003.0, 997.0, 1000.0]
    found = judge("rows", 600.0, past(values), ROWS, 0.01)
    assert (found.outcome, found.method) == ("not enough history", "its weekday was seen 1 times")
    assert judge("rows", 100.0, past(values), ROWS, 0.01).is_anomaly
    assert judge("rows", 600.0, past(values, hours=1.0), ROWS, 0.01).is_anomaly


def test_what_was_seen_twice_is_ordinary() -> None:
    """Rain on two days of thirty."""
    dry = [0.01] * 28 + [0.6, 0.7]
    assert not judge("share", 0.6, past(dry, hours=1.0), SHARE, 0.01).is_anomaly
    assert judge("share", 0.6, past([0.01] * 29 + [0.7], hours=1.0), SHARE, 0.01).is_anomaly


def test_a_metric_from_outside_is_judged_like_any_other() -> None:
    """By its name; with too few points nothing is said."""
    new = measured(table(100), 13)
    usual = Fed(40.0, past([5.0, 6.0, 5.5, 5.2, 6.1, 5.8, 5.4, 5.9, 6.2, 5.1, 5.6, 5.7], hours=1.0))
    short = Fed(40.0, past([5.0] * 5, hours=1.0))
    found = {one.metric: one for one in judge_version([], new, fed={"complaints": usual, "returns": short}).verdicts}
    assert found["complaints"].outcome == "anomaly"
    assert found["returns"].outcome == "not enough history"


def test_a_measurement_comes_back_as_it_was_and_holds_no_personal_cell() -> None:
    """Of a personal column only how much is missing."""
    one = measured(table(200))
    assert "example.org" not in one.encode().decode()
    assert (one.columns["mail"].levels, one.columns["mail"].values) == ((), {})
    assert Measurement.decode(one.encode(), one.number, one.at) == one


def test_a_measurement_has_the_bytes_of_the_golden_file() -> None:
    """What was measured long ago is still compared with."""
    assert measured(table(40)).encode() == GOLDEN.read_bytes().rstrip()


@pytest.fixture
def batches(data: Data, ada: Actor, tmp_path: Path) -> Path:
    """Give a folder of batches, of which twelve are in a dataset with a suite."""
    folder = tmp_path / "batches"
    folder.mkdir()
    for day in range(14):
        frame = table(300 + day % 3, start=day * 300, day=day)
        if day == 13:
            frame = frame[:100].with_columns(plan=pl.lit("gold"))
        frame.write_parquet(folder / f"{day:02d}.parquet")
    data.add(folder / "00.parquet", "t", actor=ada)
    data.freeze_suite("t", Suite("t", (expect("expect_column_values_to_not_be_null", column="age"),)), actor=ada)
    for day in range(1, 13):
        admission = data.admit(folder / f"{day:02d}.parquet", "t", actor=ada)
        assert admission.judgement is not None
        assert admission.judgement.anomalies == ()
    return folder


def test_a_batch_that_is_unlike_those_before_is_told_and_recorded(
    data: Data, ada: Actor, batches: Path, ledger: Ledger
) -> None:
    """It is let in: the level is to warn. The event holds numbers and names of columns, and no cell."""
    admission = data.admit(batches / "13.parquet", "t", actor=ada)
    assert admission.judgement is not None
    found = {one.metric: one for one in admission.judgement.anomalies}
    assert {"rows", "new values plan", "distribution plan"} <= set(found)
    assert found["new values plan"].detail == "never seen before: 'gold'"
    event = ledger.events("data:t@14", ["data.measured"])[-1]
    assert event.body["outcome"] == "anomaly"
    assert "gold" not in json.dumps(event.body)
    again = data.history.look("t", ada)
    assert {one.metric for one in again.anomalies} == set(found)
    assert len(ledger.events("data:t@14", ["data.measured"])) == 1


def test_where_the_settings_say_so_it_is_refused(
    data: Data, ada: Actor, batches: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole batch stays in quarantine, the reasons are told without a cell, no version is made."""
    strict = Masks({"t": DatasetSettings(anomalies="fail")})
    monkeypatch.setattr(data.history, "masks", strict)
    admission = data.admit(batches / "13.parquet", "t", actor=ada)
    assert (admission.outcome, data.get("t").number) == ("refused", 13)
    assert "rows is out of the ordinary" in admission.reasons
    assert admission.quarantine is not None
    assert admission.quarantine.whole


@pytest.mark.parametrize("batch", ["12", "13"])
def test_a_batch_that_may_be_refused_is_profiled_once(
    data: Data, ada: Actor, batches: Path, monkeypatch: pytest.MonkeyPatch, batch: str
) -> None:
    """For its judgement and, where it is let in, for what later ones are compared with."""
    made = []

    def counted(frame: pl.DataFrame) -> Profile:
        made.append(frame.height)
        return profile(frame)

    monkeypatch.setattr(data.history, "masks", Masks({"t": DatasetSettings(anomalies="fail")}))
    changed = pl.read_parquet(batches / f"{batch}.parquet").slice(1)  # no file that is there already
    changed.write_parquet(batches / "one.parquet")
    monkeypatch.setattr("undrift.data.anomalies.history.profile", counted)
    admission = data.admit(batches / "one.parquet", "t", actor=ada)
    assert (admission.outcome, made) == ("refused" if batch == "13" else "admitted", [changed.height])


def test_versions_that_nobody_measured_are_measured_when_they_are_asked_for(
    data: Data, ada: Actor, tmp_path: Path, ledger: Ledger
) -> None:
    """Each batch by the rows that it brought, each whole table by all of its own."""
    for day in range(4):
        table(300, start=day * 300, day=day).write_parquet(tmp_path / f"{day}.parquet")
        data.add(tmp_path / f"{day}.parquet", "t", actor=ada, append=day > 1)
    found = data.history.look("t@4", ada)
    assert (found.verdicts[0].value, {one.value for one in found.verdicts if one.metric == "rows"}) == (300, {300})
    rows = [event.body["rows"] for event in ledger.events(kinds=["data.measured"])]
    assert rows == [300, 300, 300, 300]


def test_versions_whose_bytes_are_gone_or_damaged_are_passed_over(data: Data, ada: Actor, tmp_path: Path) -> None:
    """The newest is compared with what can be read; a batch is told from a table by its event."""
    for day in range(5):
        table(300, start=day * 300, day=day).write_parquet(tmp_path / f"{day}.parquet")
        data.add(tmp_path / f"{day}.parquet", "t", actor=ada, append=day == 4)
    with data.history._ledger.change(ada) as change:
        gone = versions.c.number.in_([1, 4])
        change.connection.execute(update(versions).where(gone).values(is_gone=True))
        change.record("test.let-go", "data:t", {})
    rows = {one.metric: one for one in data.history.look("t@5", ada).verdicts}["rows"]
    assert (rows.value, rows.n) == (300, 0)
    assert {one.metric: one.n for one in data.history.look("t@3", ada).verdicts}["rows"] == 1


def test_what_is_remembered_of_erased_rows_is_forgotten(data: Data, ada: Actor, batches: Path, ledger: Ledger) -> None:
    """And measured anew from what is left."""
    with ledger.change(ada) as change:
        data.history.forget(change, ["data:t@13"])
        change.record("test.forgot", "data:t@13", {})
    data.history.look("t@13", ada)
    assert len(ledger.events("data:t@13", ["data.measured"])) == 2


def test_of_two_that_measure_a_version_at_once_one_is_recorded(
    data: Data, ada: Actor, batches: Path, ledger: Ledger
) -> None:
    """The other finds it there."""
    with ledger.change(ada) as change:
        assert not repository.save(change.connection, "t", measured(table(5), 13))
        change.record("test.looked", "data:t@13", {})
    assert data.history.look("t@13", ada).outcome == "normal"


def test_a_metric_is_fed_by_name_and_a_value_that_is_no_number_is_refused(
    data: Data, ada: Actor, batches: Path
) -> None:
    """A later value of the same version takes the place of the earlier one."""
    for number in range(1, 14):
        data.history.feed(f"t@{number}", "complaints", 5.0 + number % 3, ada)
    data.history.feed("t@13", "complaints", 90.0, ada)
    assert "complaints" in [one.metric for one in data.history.look("t@13", ada).anomalies]
    with pytest.raises(BadInput, match="nan"):
        data.history.feed("t", "complaints", float("nan"), ada)


def test_a_concealed_profile_is_measured_without_cells() -> None:
    """Whoever conceals first has nothing to conceal afterwards."""
    concealed = profile(table(100)).concealed({"age": "stated"}, Mask(bytes(32)))
    one = measure(replace(concealed), 1, "batch", START)
    assert one.columns["age"].levels == ()


def test_an_anomaly_recorded_without_its_cells_is_not_told_as_ordinary() -> None:
    """Events hold no cells: what is left still says that something is not as before."""
    recorded = Verdict("schema", "anomaly", None, None, None, "as before", 1)
    assert recorded.told() == "schema: not as before"
