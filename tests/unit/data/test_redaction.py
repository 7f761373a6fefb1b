"""Rows are taken out of files of every kind, and the others read as before."""

from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from undrift.data.personal.redaction import matches, redact
from undrift.data.schema import Schema, freeze
from undrift.data.tabular import table_files
from undrift.data.tabular.table_files import format_of

ROWS = [("ada@x.org", "a,1"), ("bob@x.org", 'say ""hi""'), ("eve@x.org", "two\nlines"), ("zoë@x.org", "")]


def schema_of(path: Path) -> Schema:
    return table_files.read_table(path).schema


def text(delimiter: str = ",", newline: str = "\n") -> str:
    lines = [delimiter.join(("email", "note", "n"))]
    lines += [f'{email}{delimiter}"{note}"{delimiter}{n}' for n, (email, note) in enumerate(ROWS)]
    return newline.join(lines) + newline


CASES: dict[str, tuple[str, bytes]] = {
    "plain": ("t.csv", text().encode()),
    "crlf": ("t.csv", text(newline="\r\n").encode()),
    "no end": ("t.csv", text().rstrip("\n").encode()),
    "blank lines": ("t.csv", text().replace("\nbob", "\n\nbob").encode() + b"\n\n"),
    "mark": ("t.csv", text().encode("utf-8-sig")),
    "semicolon": ("t.csv", text(";").encode()),
    "excel": ("t.csv", b"sep=;\n" + text(";").encode()),
    "latin": ("t.csv", text().encode("cp1252")),
    "utf-16": ("t.csv", text().encode("utf-16")),
    "tabs": ("t.tsv", text("\t").encode()),
    "packed": ("t.csv.gz", gzip.compress(text().encode())),
    "lines": ("t.jsonl", b"".join(b'{"email": "%s@x.org", "n": 1}\n' % name for name in (b"ada", b"bob", b"eve"))),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_one_row_goes_and_the_others_stay(tmp_path: Path, case: str) -> None:
    """Whatever the delimiter, the encoding, the line ends and the quotes."""
    name, data = CASES[case]
    path = tmp_path / name
    path.write_bytes(data)
    schema = schema_of(path)
    before = table_files.read(path, format_of(name) or "csv", schema)
    found = redact(path, name, schema, "email", {"bob@x.org"})
    assert found is not None
    path.write_bytes(found.data)
    assert (found.removed, "bob") == (1, "bob")
    after = table_files.read(path, format_of(name) or "csv", schema)
    assert after.equals(before.filter(pl.col("email") != "bob@x.org"))
    assert b"bob" not in (gzip.decompress(found.data) if name.endswith("gz") else found.data).replace(b"\x00", b"")


@pytest.mark.parametrize(("end", "left"), [("\n", "email\nbob\n"), ("", "email\nbob"), ("\n\n", "email\nbob\n\n")])
def test_the_end_of_a_text_stays_as_it_was(tmp_path: Path, end: str, left: str) -> None:
    """A blank line more would be a row more in a table of one column."""
    path = tmp_path / "t.csv"
    path.write_text(f"email\nada\nbob{end}")
    found = redact(path, path.name, schema_of(path), "email", {"ada"})
    assert found is not None
    assert found.data.decode() == left


def test_a_parquet_file_keeps_its_other_rows(tmp_path: Path) -> None:
    """Also by a number, which may be written in another way."""
    path = tmp_path / "t.parquet"
    frame = pl.DataFrame({"id": [1.0, 2.0, 3.0], "x": ["a", "b", "c"]})
    frame.write_parquet(path)
    found = redact(path, path.name, freeze(frame.schema), "id", {"2"})
    assert found is not None
    path.write_bytes(found.data)
    assert pl.read_parquet(path)["x"].to_list() == ["a", "c"]


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_a_file_may_lose_all_its_rows(tmp_path: Path, name: str) -> None:
    """A table of one person becomes a table of nobody."""
    path = tmp_path / name
    frame = pl.DataFrame({"email": ["ada@x.org", "ada@x.org"], "n": [1, 2]})
    {"t.csv": frame.write_csv, "t.parquet": frame.write_parquet}[name](path)
    schema = schema_of(path)
    found = redact(path, name, schema, "email", {"ada@x.org"})
    assert found is not None
    path.write_bytes(found.data)
    assert table_files.read(path, format_of(name) or "csv", schema).height == 0


def test_nothing_is_written_when_nobody_is_found(tmp_path: Path) -> None:
    """Neither for another value nor for a column that is not there."""
    path = tmp_path / "t.csv"
    path.write_bytes(text().encode())
    assert redact(path, path.name, schema_of(path), "email", {"nobody"}) is None
    assert redact(path, path.name, schema_of(path), "phone", {"ada@x.org"}) is None


@pytest.mark.parametrize(
    "cells",
    [
        pl.Series([1, 2, None, 2**53 + 1], dtype=pl.Int64),
        pl.Series([1, 2, None, 2**53 + 1], dtype=pl.UInt64),
        pl.Series([1.0, 2.0, None, 3.0]),
        pl.Series([Decimal("1.00"), Decimal("2.00"), None, Decimal("3.00")], dtype=pl.Decimal(20, 2)),
    ],
)
def test_numbers_are_found_as_numbers_and_exactly(cells: pl.Series) -> None:
    """Whatever their type; a large one is not taken for its neighbour."""
    wanted = ["2.0", "nan", "Ada", str(2**53)]
    assert matches(cells, wanted).to_list() == [False, True, False, False]
    assert matches(cells, ["2"]).to_list() == [False, True, False, False]
