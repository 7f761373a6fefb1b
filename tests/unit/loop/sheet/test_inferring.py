"""The inference sheet of tables in memory."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import polars as pl
import pytest

from undrift.core.config import DatasetSettings, ModelSettings
from undrift.data.tabular.reading import NOTHING_SAID
from undrift.data.tabular.table_files import read_table
from undrift.loop.sheet.asked import Asked
from undrift.loop.sheet.facts import Sheet
from undrift.loop.sheet.inferring import ColumnMissing, Known, TargetMissing, infer
from undrift.loop.sheet.saving import save
from undrift.loop.training.rows import stated_target
from undrift.project import Project

CHOSEN = "inferred by `undrift up`"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
OURS = ("count", "len", "index", "text", "value", "row", "day", "unit", "prediction", "key", "actual", "n", "rows")


def table(rows: int = 400) -> pl.DataFrame:
    """Return a table whose columns are called like those that we make ourselves."""
    kinds = [
        lambda place: [(place * 7919 + row * 104729) % 997 / 10 for row in range(rows)],
        lambda place: [(row // (place + 1)) % 9 for row in range(rows)],
        lambda place: [("a", "b", "c")[(row // (place + 2)) % 3] for row in range(rows)],
    ]
    columns = {name: kinds[place % 3](place) for place, name in enumerate(OURS)}
    answers = ["yes" if value + 20 * (row % 3) > 60 else "no" for row, value in enumerate(columns["count"])]
    return pl.DataFrame({**columns, "won": answers})


def sheet_of(frame: pl.DataFrame, folder: Path, **said: object) -> Sheet:
    """Return the sheet of a frame, as it is read from a file."""
    path = folder / "t.csv"
    frame.write_csv(path)
    asked = Asked(name="t", **{"target": "won", **said})  # type: ignore[arg-type]  # options by name
    return infer(read_table(path), asked, Known(settings=None, dataset=DatasetSettings(), now=NOW))


def test_columns_may_be_called_like_our_own(tmp_path: Path) -> None:
    """``count`` and ``index`` are names as good as others."""
    found = sheet_of(table(), tmp_path)
    assert {column.name for column in found.of_role("feature")} == set(OURS)


def test_what_is_said_is_obeyed(tmp_path: Path) -> None:
    """Dropped columns are not learnt from, and the settings say why the rest is as it is."""
    found = sheet_of(table(), tmp_path, drop=("text",), positive="no")
    (dropped,) = found.of_role("dropped")
    assert (dropped.name, dropped.reason) == ("text", "dropped as asked")
    assert (found.settings.drop, found.settings.positive) == (("text",), "no")
    assert found.settings.metric == found.facts.metric["name"] == "log_loss"


def test_columns_that_are_not_there_are_named(tmp_path: Path) -> None:
    """The target and the others, with the ones to choose from."""
    with pytest.raises(TargetMissing, match="Won") as refused:
        sheet_of(table(), tmp_path, target="Won")
    assert "did you mean 'won'?" in refused.value.cure
    with pytest.raises(ColumnMissing, match="colour"):
        sheet_of(table(), tmp_path, keep=("colour",))


def test_rows_without_a_target_are_counted(tmp_path: Path) -> None:
    """They are left out, and the sheet says how many."""
    frame = table().with_columns(won=pl.when(pl.int_range(pl.len()) % 10 > 0).then(pl.col("won")))
    found = sheet_of(frame, tmp_path)
    assert found.facts.target["rows_without"] == 40
    assert any("40 rows have no 'won'" in warning for warning in found.warnings)


def test_candidates_that_the_budget_never_pays_for_are_left_out_and_said(tmp_path: Path) -> None:
    """Unless somebody asks for all of them: then they compete, whatever it takes."""
    all_of_them = sheet_of(table(), tmp_path)
    assert all_of_them.settings.candidates == ()
    short = sheet_of(table(), tmp_path, budget_s=0.001)
    assert len(short.settings.candidates) == 1
    assert any("would take longer than 0.001 s" in told for told in short.warnings)
    assert "without this line all compete" in short.reasons["candidates"]
    assert sheet_of(table(), tmp_path, budget_s=0.001, full=True).settings.candidates == ()


def again(frame: pl.DataFrame, folder: Path, settings: ModelSettings, **said: object) -> Sheet:
    """Return the sheet of a frame whose settings stand in the project already."""
    path = folder / "t.csv"
    frame.write_csv(path)
    asked = Asked(name="t", target="won", **said)  # type: ignore[arg-type]  # options by name
    return infer(read_table(path), asked, Known(settings=settings, dataset=DatasetSettings(), now=NOW))


def test_what_was_inferred_is_told_as_such_the_next_time(tmp_path: Path) -> None:
    """With its reason: the settings name it, and nobody has said it."""
    frame = table().with_row_index("order_id")
    first = sheet_of(frame, tmp_path)
    chosen = {(one.setting, one.value): one.reason for one in first.settings.inferred}
    assert chosen["drop", "order_id"] == "an identifier: every row has its own"
    assert chosen["split", "stratified row"] == first.facts.scheme["reason"]
    later = again(frame, tmp_path, first.settings)
    assert later.settings == first.settings
    (dropped,) = later.of_role("dropped")
    assert dropped.reason == f"an identifier: every row has its own, {CHOSEN}"
    assert later.facts.target["reason"] == f"2 different values, {CHOSEN}"
    assert str(later.facts.scheme["reason"]).endswith(CHOSEN)


def test_what_somebody_edits_or_says_is_no_longer_inferred(tmp_path: Path) -> None:
    """The value is compared, so that an edit of the file alone is enough."""
    first = sheet_of(table().with_row_index("order_id"), tmp_path)
    edited = msgspec.structs.replace(first.settings, metric="auc", drop=("order_id", "text"))
    later = again(table().with_row_index("order_id"), tmp_path, edited, group="unit")
    assert later.facts.metric["reason"] == "as undrift.toml says"
    reasons = {column.name: column.reason for column in later.of_role("dropped")}
    assert reasons["text"] == "as undrift.toml says"
    assert reasons["order_id"].endswith(CHOSEN)
    assert {one.setting for one in later.settings.inferred} == {"task", "drop", "budget_s"}


def test_who_decided_stands_in_the_settings_file(tmp_path: Path) -> None:
    """It comes back as it was written, training reads it, and writing it again changes nothing."""
    sheet = sheet_of(table().with_row_index("order_id"), tmp_path)
    with Project.create(tmp_path) as project:
        assert save(project, sheet, NOTHING_SAID)
        assert project.settings.model("t").inferred == sheet.settings.inferred
        assert not save(project, sheet, NOTHING_SAID)
        target = stated_target(read_table(tmp_path / "t.csv").frame, project.settings.model("t"))
        assert target.reason == f"2 different values, {CHOSEN}"
