"""JSON lines."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import pytest

from undrift.data.schema import Column, Schema
from undrift.data.service import Data
from undrift.data.tabular.reading import AmbiguousDates, BadReading, Reading
from undrift.data.tabular.table_files import ReadTable, read_table, read_with_faults
from undrift.data.tabular.text_file import BadTable
from undrift.ledger.actor import Actor


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def table(folder: Path, *lines: str, **said: tuple[str, ...]) -> ReadTable:
    return read_table(write(folder / "t.jsonl", "\n".join(lines)), Reading(**said))  # type: ignore[arg-type]


def test_keys_are_columns_and_missing_ones_null(tmp_path: Path) -> None:
    """Types are those of the values; days in texts are days, digits in texts are texts."""
    found = table(
        tmp_path,
        '{"n": 1, "x": 1, "s": "007", "ok": true, "day": "2013-12-31"}',
        "",
        '{"x": 2.5, "n": null, "s": "12", "z": null}',
    )
    assert [(c.name, c.type) for c in found.schema.columns] == [
        *(("n", "int"), ("x", "float64"), ("s", "string")),
        *(("ok", "bool"), ("day", "date"), ("z", "string")),
    ]
    assert found.frame.rows() == [
        (1, 1.0, "007", True, date(2013, 12, 31), None),
        (None, 2.5, "12", None, None, None),
    ]
    assert found.how.told() == "JSON lines, UTF-8, 2 rows"


def test_dates_in_texts_are_read_like_those_of_csv(tmp_path: Path) -> None:
    """Two readings ask; numbers in texts are numbers only where that was said."""
    assert table(tmp_path, '{"d": "31/12/2013"}').schema.columns == (Column("d", "date", spelt="31/12/2013"),)
    with pytest.raises(AmbiguousDates, match=r"'01/02/2013' \(line 1\)"):
        table(tmp_path, '{"d": "01/02/2013"}')
    assert table(tmp_path, '{"d": "1,5"}').frame["d"].to_list() == ["1,5"]
    assert table(tmp_path, '{"d": "1,5"}', decimal_comma=("d",)).frame["d"].to_list() == [1.5]


def test_words_about_a_number_need_not_be_said_and_cannot_change_it(tmp_path: Path) -> None:
    """Settings hold for files of every kind; text is not made of a number."""
    line = '{"x": 1.5, "d": "2013-12-31"}'
    assert table(tmp_path, line, decimal_comma=("x",), day_first=("d",)).frame["x"].to_list() == [1.5]
    with pytest.raises(BadReading, match="'x' is said to stay text and is float64"):
        table(tmp_path, line, as_text=("x",))
    with pytest.raises(BadReading, match="no column 'y'"):
        table(tmp_path, line, as_text=("y",))


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (['{"a": 1}', '{"a": 1'], "line 2 is not JSON"),
        (['{"a": 1}', "[1]"], "line 2 is no JSON object"),
        (["[{}]"], "JSON array"),
        (["{}"], "no line has a key"),
        (['{"a": 1, "a": 2}'], "line 1 has a key twice"),
        (['{"a": NaN}'], "line 1 holds NaN"),
        (['{"a": 1e999}'], "line 1, column 'a': the number is too large"),
        (["", '{"a": null}', '{"a": {"b": 1}}'], "line 3, column 'a': the value is nested"),
        (['{"a": 1}', '{"a": [1]}'], "line 2, column 'a': the value is nested"),
        (['{"a": 1}', '{"a": "1"}'], "line 2, column 'a': '1' is of another kind"),
        (['{"a": 1}', '{"a": true}'], "line 2, column 'a': True is of another kind"),
        (['{"a": 9223372036854775808}'], "line 1, column 'a': .* more digits"),
        (['{"a": 0.5}', '{"a": 9007199254740993}'], "line 2, column 'a': .* more digits"),
        (['{"a": "\\ud800"}'], "line 1, column 'a': the text holds half a character"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_line(tmp_path: Path, lines: list[str], told: str) -> None:
    """Nothing is cut, rounded or turned into text."""
    with pytest.raises(BadTable, match=told) as caught:
        table(tmp_path, *lines)
    assert caught.value.cure


def test_values_are_read_under_a_frozen_schema(tmp_path: Path) -> None:
    """As a CSV file's are; a value of another type is a fault of its row."""
    schema = Schema(
        (
            Column("i", "int"),
            Column("x", "float64", spelt="1.234,5"),
            Column("s", "string"),
            Column("d", "date", spelt="31/12/2013"),
            Column("m", "decimal", 2),
            Column("b", "bool"),
        )
    )
    lines = [
        '{"i": 5.0, "x": "1.234,5", "s": "a", "d": "1/2/2013", "m": 1.25, "b": true}',
        '{"i": 5.5, "x": 2, "s": 1, "d": 20130201, "m": 1.255, "b": 1}',
        '{"i": "5", "x": "x", "d": "2013-02-01", "m": "7"}',
    ]
    rows = read_with_faults(write(tmp_path / "t.jsonl", "\n".join(lines)), "jsonl", schema)
    read = rows.frame.with_columns(rows.frame["m"].cast(str)).rows()
    assert read == [
        (5, 1234.5, "a", date(2013, 2, 1), "1.25", True),
        (None, 2.0, None, None, None, None),
        (None, None, None, date(2013, 2, 1), "7.00", None),
    ]
    assert [(fault.row, fault.column) for fault in rows.faults] == [
        *((1, "i"), (1, "s"), (1, "d"), (1, "m"), (1, "b")),
        *((2, "i"), (2, "x")),
    ]


def test_csv_and_json_lines_of_the_same_rows_have_one_digest(data: Data, ada: Actor, tmp_path: Path) -> None:
    """Also when one is appended to the other's dataset, or packed."""
    write(tmp_path / "a.csv", "d,n,s\n31/12/2013,1,x\n01/02/2014,,\n")
    write(tmp_path / "b.ndjson", '{"d": "31/12/2013", "n": 1, "s": "x"}\n{"d": "01/02/2014"}\n')
    (tmp_path / "c.jsonl.gz").write_bytes(gzip.compress((tmp_path / "b.ndjson").read_bytes()))
    for name in ("a.csv", "b.ndjson", "c.jsonl.gz"):
        data.add(tmp_path / name, name[0], actor=ada)
    digests = {data.table_digest(name, actor=ada) for name in "abc"}
    assert len(digests) == 1
    data.add(tmp_path / "b.ndjson", "a", actor=ada, append=True)
    assert data.read("a").rows()[2:] == data.read("b").rows()


def test_keys_of_several_files_are_columns_of_one_table(data: Data, ada: Actor, tmp_path: Path) -> None:
    """A file in which a key never occurs has nulls there."""
    folder = tmp_path / "folder"
    folder.mkdir()
    write(folder / "1.jsonl", '{"a": 1}\n')
    write(folder / "2.jsonl", '{"a": 2, "b": "x"}\n')
    data.add(folder, "t", actor=ada)
    assert data.read("t").rows() == [(1, None), (2, "x")]
