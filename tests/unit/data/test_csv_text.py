"""CSV as text."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from undrift.data.tabular import csv_text
from undrift.data.tabular.csv_text import lines_of
from undrift.data.tabular.text_file import BadTable, open_text


def read_text(path: Path, delimiter: str = ","):
    return csv_text.read_text(open_text(path), delimiter).frame


@pytest.fixture
def write(tmp_path: Path):
    def writer(data: bytes | str) -> Path:
        path = tmp_path / "table.csv"
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return writer


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        ('a,b\n1,\n2,""\n', [("1", None), ("2", "")]),
        ("a,b\r\n1,2\r\n", [("1", "2")]),
        ("a,b\n1,2", [("1", "2")]),
        ("\ufeffa,b\n1,2\n", [("1", "2")]),
        ('a,b\n1,"x\ny"\n', [("1", "x\ny")]),
        ('a,b\n1,"x,y"\n', [("1", "x,y")]),
        ('a,b\n1,"x""y"\n', [("1", 'x"y')]),
        ("a,b\n\n1,2\n\n3,4\n\n", [("1", "2"), ("3", "4")]),
        ("\n\na,b\n1,2\n\n3,4\n", [("1", "2"), ("3", "4")]),
        ("a,b\r\n\r\n1,2\r\n", [("1", "2")]),
        ("a,b\n", []),
        ("a\n1\n\n2\n", [("1",), (None,), ("2",)]),
        ("a,b\r1,2\r\r3,4", [("1", "2"), ("3", "4")]),
        ('a,b\r1,"x\ry"\r', [("1", "x\ry")]),
        ('a,b\r"\n",\r', [("\n", None)]),
        ('a,b\n1,"x\ry"\r\n', [("1", "x\ry")]),
        ("a,b\r\n1,2\n3,4\r", [("1", "2"), ("3", "4")]),
        (",b\n0,x\n1,y\n", [("x",), ("y",)]),
        (",b\n70,x\n71,y\n", [("x",), ("y",)]),
        ('"x\ny",b\n1,2\n', [("1", "2")]),
    ],
)
def test_cells_are_read_as_they_stand(write, data: str, rows: list[tuple[str | None, ...]]) -> None:  # noqa: ANN001
    """Missing is null, a quoted nothing is the empty text, blank lines are skipped."""
    assert read_text(write(data)).rows() == rows


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"a,b\n1,2\n3\n", "line 3 has 1 cells"),
        (b"a,b\n1,2\n3,4,5\n6\n", "line 3 has 3 cells"),
        (b'a,b\n"x\ny",2\n3\n', "line 4 has 1 cells"),
        (b"a,b\n1,2\n3", "line 3 has 1 cells"),
        (b"a,a\n1,2\n", "columns 1 and 2 are both called 'a'"),
        (b",b\nx,2\n", "column 1 has no name"),
        (b",b\n5,2\n5,3\n", "column 1 has no name"),
        (b'a,b\n1,"x\n', "line 2 has|well-formed"),
        (b"a,\n1,2\n", "column 2 has no name"),
        (b"a,b\r1\r", "line 2 has 1 cells"),
        (b'a"\r"a":1,2', "well-formed"),
        (b"a\r1\n2\n", "line 2 ends in another way"),
        (b"a\n1\r2\n", "line 2 ends in another way"),
        (b"a,b\r\n1,2\r3,4\r\n", "line 2 ends in another way"),
    ],
)
def test_a_faulty_file_is_refused_with_its_place(write, data: bytes, says: str) -> None:  # noqa: ANN001
    """Nothing is guessed, no cell is invented."""
    with pytest.raises(BadTable, match=says):
        read_text(write(data))


def test_a_line_is_found_behind_quoted_line_breaks(write) -> None:  # noqa: ANN001
    """Records and lines are not the same."""
    text = open_text(write('\na,b\n\n1,"x\ny"\n\n3,4\n'))
    assert lines_of(text, [0, 1]) == {0: 4, 1: 7}


def test_small_blocks_find_what_one_block_finds(write, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN001
    """State is carried from block to block."""
    monkeypatch.setattr(csv_text, "_BLOCK_BYTES", 7)
    assert read_text(write('a,b\n1,"x\ny,z"\n\n3,4\n')).rows() == [("1", "x\ny,z"), ("3", "4")]
    with pytest.raises(BadTable, match="line 4 has 3 cells"):
        read_text(write('a,b\n1,"x\ny"\n3,4,5\n6,7\n'))


_CELL = st.text(alphabet='ab",\n\r é', max_size=6)


@settings(deadline=None)
@given(rows=st.lists(st.tuples(_CELL, _CELL), max_size=8))
def test_what_the_standard_library_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    """Quotes, delimiters and line breaks in cells included."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([("a", "b"), *rows])
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(buffer.getvalue().encode())
    assert read_text(path).rows() == rows
