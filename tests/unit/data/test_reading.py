"""Tables as people write them, from the file to versions that later files fit."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from undrift.core.config import DatasetSettings
from undrift.core.errors import UndriftError
from undrift.data.quality.suite import Suite, expect
from undrift.data.schema import Column, CsvFile, Schema
from undrift.data.service import Data
from undrift.data.tabular.reading import AmbiguousDates, BadReading, Reading
from undrift.data.tabular.table_files import read_table
from undrift.data.tabular.text_file import BadTable
from undrift.ledger.actor import Actor

GERMAN = "tag;preis;ort\n31.12.2013;1.234,50;Köln\n01.02.2014;0,5;Zürich\n"
SCHEMA = Schema(
    (Column("tag", "date", spelt="31.12.2013"), Column("preis", "float64", spelt="1.234,5"), Column("ort", "string")),
    CsvFile(delimiter=";"),
)
ADA = Actor("os-user", "ada")
ROWS = [(date(2013, 12, 31), 1234.5, "Köln"), (date(2014, 2, 1), 0.5, "Zürich")]


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".db-shm"}


def test_a_table_is_read_without_being_added(tmp_path: Path) -> None:
    """Its values, its schema and how they were found."""
    found = read_table(write(tmp_path / "t.csv", GERMAN.encode("cp1252")))
    assert found.frame.rows() == ROWS
    assert found.schema.columns == SCHEMA.columns
    assert found.how.told() == "CSV divided by semicolons, CP1252, 2 rows"
    assert any("not UTF-8" in note.text for note in found.how.notes)


def test_a_table_of_a_known_dataset_is_read_as_it_would_be_added(tmp_path: Path) -> None:
    """Its types stay where the rows fit; where they do not, or where something else is said, they are found anew."""
    before = Schema((Column("zip", "string"), Column("d", "date", spelt="12/31/2013")))
    source = write(tmp_path / "t.csv", "zip,d\n91234,03/04/2013\n")
    assert read_table(source, before=before).schema == before
    assert read_table(source, Reading(day_first=("d",)), before).frame.rows() == [(91234, date(2013, 4, 3))]
    other = write(tmp_path / "t.csv", "zip;d;x\n91234;03/04/2013;1\n")
    assert read_table(other, before=before).frame.rows() == [(91234, date(2013, 3, 4), 1)]


@pytest.mark.parametrize("said", [{"as_text": ("zip",)}, {"day_first": ("no",)}])
def test_words_that_a_typed_file_cannot_obey_are_refused(tmp_path: Path, said: dict[str, tuple[str, ...]]) -> None:
    """An option that does nothing is worse than an error; the others do no harm."""
    pl.DataFrame({"zip": [91234], "d": [date(2013, 4, 3)]}).write_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet", Reading(day_first=("d",))).how.told() == "Parquet, 1 rows"
    with pytest.raises(BadReading):
        read_table(tmp_path / "t.parquet", Reading(**said))  # type: ignore[arg-type]


def test_a_header_alone_is_no_table_to_learn_from(tmp_path: Path) -> None:
    """Though a dataset may begin with it."""
    with pytest.raises(BadTable, match="no rows"):
        read_table(write(tmp_path / "t.csv", "a,b\n"))


def test_how_a_table_is_written_is_frozen_with_its_schema(data: Data, ada: Actor, tmp_path: Path) -> None:
    """And read back from the ledger."""
    data.add(write(tmp_path / "t.csv", GERMAN), "t", actor=ada)
    version = data.get("t")
    assert version.schema == SCHEMA
    assert data.read("t").rows() == ROWS


def test_a_later_file_is_read_in_the_same_way(data: Data, ada: Actor, tmp_path: Path) -> None:
    """Also where its own cells would leave it open, in another encoding, and with commas between cells."""
    data.add(write(tmp_path / "a.csv", GERMAN), "t", actor=ada)
    later = "tag;preis;ort\n03.04.2014;1.234;Köln\n"
    data.add(write(tmp_path / "b.csv", later.encode("cp1252")), "t", actor=ada, append=True)
    data.add(write(tmp_path / "c.csv", 'tag,preis,ort\n2014-05-01,"2,5",Ulm\n'), "t", actor=ada, append=True)
    assert data.read("t").rows()[2:] == [(date(2014, 4, 3), 1234.0, "Köln"), (date(2014, 5, 1), 2.5, "Ulm")]
    assert data.get("t").schema == Schema(SCHEMA.columns, CsvFile(";", fallback="cp1252"))


def test_csv_and_parquet_of_the_same_values_have_one_digest(data: Data, ada: Actor, tmp_path: Path) -> None:
    """How a column is spelt is no part of its values."""
    frame = read_table(write(tmp_path / "t.csv", GERMAN)).frame
    frame.write_parquet(tmp_path / "t.parquet")
    data.add(tmp_path / "t.csv", "a", actor=ada)
    data.add(tmp_path / "t.parquet", "b", actor=ada)
    assert data.table_digest("a", actor=ada) == data.table_digest("b", actor=ada)


def test_a_folder_of_files_is_one_table(data: Data, ada: Actor, tmp_path: Path) -> None:
    """All cells of all files decide, each file has its own delimiter."""
    folder = tmp_path / "folder"
    folder.mkdir()
    write(folder / "1.csv", "tag,x\n01/02/2013,1\n")
    write(folder / "2.csv", "tag;x\n31/12/2013;2\n")
    data.add(folder, "t", actor=ada)
    assert data.read("t").rows() == [(date(2013, 2, 1), 1), (date(2013, 12, 31), 2)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("d\n01/02/2013\n", {}),
        ('a,b\n"1,234",x\n', {}),
        ("Name, Vorname;Ort\nMüller, Hans;Berlin\n", {}),
        ("a,b\n1,2\n3\n", {}),
        ("a,b\n1,2,3\n", {}),
        ("a,a\n1,2\n", {}),
        ("a,,c\n1,2,3\n", {}),
        ("a\n31/12/2013\n", {"month_first": ("a",)}),
        ("a\n1\n", {"as_text": ("b",)}),
        ("имя,a\nЖуков,1\n".encode("cp1251"), {}),  # noqa: RUF001  (it is Cyrillic)
        ("a,b\nü,1\n".encode("cp1252"), {"encoding": "utf-8"}),
        (b"", {}),
    ],
)
def test_a_refusal_leaves_the_store_as_it_was(
    data: Data, tmp_path: Path, store: Path, text: str | bytes, said: dict[str, tuple[str, ...]]
) -> None:
    """No object, no row, no event; and it says what to do."""
    before = everything(store)
    with pytest.raises(UndriftError) as caught:
        data.add(write(tmp_path / "t.csv", text), "t", actor=ADA, reading=Reading(**said))  # type: ignore[arg-type]
    assert caught.value.exit_code in (2, 4)
    assert caught.value.cure
    assert everything(store) == before


def test_a_refused_file_behind_others_leaves_the_store_as_it_was(
    data: Data, ada: Actor, tmp_path: Path, store: Path
) -> None:
    """Under a frozen schema, too."""
    data.add(write(tmp_path / "a.csv", GERMAN), "t", actor=ada)
    before = everything(store)
    with pytest.raises(BadTable, match=r"b\.csv: line 2, column 'preis'"):
        data.add(write(tmp_path / "b.csv", "tag;preis;ort\n1.1.2014;viel;Ulm\n"), "t", actor=ada, append=True)
    assert everything(store) == before


def test_what_is_said_goes_before_what_was_frozen(data: Data, ada: Actor, tmp_path: Path) -> None:
    """A column read as text may become a date; rows behind others cannot be read in another way than those."""
    source = write(tmp_path / "t.csv", "d,x\n01/02/2013,1\n")
    data.add(source, "t", actor=ada, reading=Reading(as_text=("d",)))
    assert data.read("t").rows() == [("01/02/2013", 1)]
    again = write(tmp_path / "t.csv", "d,x\n01/02/2013,1\n03/04/2013,2\n")
    data.add(again, "t", actor=ada, reading=Reading(month_first=("d",)))
    assert data.read("t").rows() == [(date(2013, 1, 2), 1), (date(2013, 3, 4), 2)]
    day_first = Reading(day_first=("d",))
    with pytest.raises(BadReading, match="column 'd'"):
        data.add(write(tmp_path / "u.csv", "d,x\n01/02/2013,3\n"), "t", actor=ada, append=True, reading=day_first)


def test_the_same_file_read_in_another_way_is_another_version(data: Data, ada: Actor, tmp_path: Path) -> None:
    """A mistake can be mended; said again, or nothing said, it is the version that there is."""
    source = write(tmp_path / "t.csv", "d\n01/02/2013\n")
    readings = [Reading(month_first=("d",)), Reading(day_first=("d",)), Reading(day_first=("d",)), Reading()]
    added = [data.add(source, "t", actor=ada, reading=reading) for reading in readings]
    assert [version.number for version in added] == [1, 2, 2, 2]
    assert added[0].version_id == added[1].version_id
    assert [data.read(f"t@{number}").item() for number in (1, 2)] == [date(2013, 1, 2), date(2013, 2, 1)]


def test_the_version_before_decides_where_new_rows_leave_it_open(data: Data, ada: Actor, tmp_path: Path) -> None:
    """Although its schema as a whole does not fit any more."""
    data.add(write(tmp_path / "t.csv", "d,x\n31/12/2013,1\n"), "t", actor=ada)
    data.add(write(tmp_path / "t.csv", "d,x\n01/02/2013,1.5\n"), "t", actor=ada)
    assert data.read("t").rows() == [(date(2013, 2, 1), 1.5)]


def test_a_batch_is_judged_under_how_its_dataset_is_written(data: Data, ada: Actor, tmp_path: Path) -> None:
    """Good rows go in, a cell that cannot be read puts its row in quarantine."""
    data.add(write(tmp_path / "a.csv", GERMAN), "t", actor=ada)
    data.freeze_suite("t", Suite("t", (expect("expect_column_to_exist", column="tag"),), bad_row_limit=0.6), actor=ada)
    batch = write(tmp_path / "b.csv", "tag;preis;ort\n03.04.2014;1.234;Köln\n03.04.2014;1,2,3;Ulm\n")
    admission = data.admit(batch, "t", actor=ada)
    assert (admission.rows, admission.bad_rows) == (2, 1)
    assert admission.quarantine is not None
    assert data.read("t").rows()[2:] == [(date(2014, 4, 3), 1234.0, "Köln")]
    assert pl.read_parquet(admission.quarantine.path)["_undrift_row"].to_list() == [1]


def test_a_file_that_changes_while_it_is_added_is_read_again(
    data: Data, ada: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts is what was stored, not what was read before."""
    from undrift.data import additions

    source = write(tmp_path / "t.csv", "x\n1\n")
    store_source = additions.store_source

    def changed(blobs, path, seen):  # noqa: ANN001, ANN202
        write(source, "x\n1\n2.5\n")
        return store_source(blobs, path, seen)

    monkeypatch.setattr(additions, "store_source", changed)
    version = data.add(source, "t", actor=ada)
    assert (version.rows, version.schema) == (2, Schema.of({"x": "float64"}))


def test_options_and_settings_go_together() -> None:
    """Of two words about one column the option's counts."""
    settings = DatasetSettings(delimiter=";", day_first=("d", "e"), decimal_comma=("x",))
    both = Reading(encoding="latin-1", month_first=("d",)).over(Reading.of(settings))
    assert both == Reading(";", "iso8859-1", day_first=("e",), month_first=("d",), decimal_comma=("x",))


@pytest.mark.parametrize(
    "said",
    [
        {"delimiter": "ab"},
        {"delimiter": '"'},
        {"delimiter": "é"},
        {"delimiter": "x"},
        {"encoding": "klingon"},
        {"encoding": "hex"},
        {"day_first": ("a",), "month_first": ("a",)},
        {"as_text": ("a",), "decimal_comma": ("a",)},
    ],
)
def test_what_can_be_true_of_no_file_is_refused(said: dict[str, object]) -> None:
    """Before a file is opened."""
    with pytest.raises(BadReading):
        Reading(**said)  # type: ignore[arg-type]


def test_ambiguous_columns_are_told_together(tmp_path: Path) -> None:
    """So that one more try is enough."""
    with pytest.raises(AmbiguousDates) as caught:
        read_table(write(tmp_path / "t.csv", "a,b c\n01/02/2013,03/04/2013\n"))
    assert caught.value.cure == "say which: --day-first a --day-first 'b c'   or   --month-first a --month-first 'b c'"
