"""Tables in text files, CSV and JSON lines: how a file is written, its cells, and what all cells of some files mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import polars as pl

from undrift.data.conform import check_columns
from undrift.data.schema import CsvFile, Schema
from undrift.data.tabular import csv_text, csv_types, inference
from undrift.data.tabular.csv_notes import Note, about_spelling
from undrift.data.tabular.csv_text import Texts
from undrift.data.tabular.csv_types import CellFault
from undrift.data.tabular.delimiters import delimiter_for, find_delimiter
from undrift.data.tabular.inference import Circumstances, Place
from undrift.data.tabular.json_lines import JsonTable, infer_json, parse_json, read_json
from undrift.data.tabular.reading import Reading
from undrift.data.tabular.text_file import TextFile, open_text

TextFormat: TypeAlias = Literal["csv", "tsv", "jsonl"]
_DELIMITERS: dict[TextFormat, str] = {"csv": ",", "tsv": "\t"}
_LINES_COUNTED = 1_000_000


@dataclass(frozen=True, slots=True)
class TableText:
    """A CSV file as text.

    Attributes
    ----------
    texts : Texts
        Its cells.
    file : TextFile
        Its content.
    delimiter : str
        What divides the cells.
    usual : bool
        Whether that is what the file's name lets expect.
    """

    texts: Texts
    file: TextFile
    delimiter: str
    usual: bool

    def place(self, row: int) -> str:
        """Return where a row, from 0, stands: its line, or far down in a file its number."""
        if row < _LINES_COUNTED:
            line = csv_text.lines_of(self.file, [row], self.delimiter).get(row)
            if line is not None:
                return f"line {line}"
        return f"row {row + 1}"


@dataclass(frozen=True, slots=True)
class JsonText:
    """A file of JSON lines.

    Attributes
    ----------
    table : JsonTable
        Its values.
    file : TextFile
        Its content.
    """

    table: JsonTable
    file: TextFile


TextTable: TypeAlias = TableText | JsonText


def read_cells(path: Path, text_format: TextFormat, reading: Reading) -> TextTable:
    """Return what a text file holds; its dialect is what the caller says, else what is found.

    Parameters
    ----------
    path : Path
        The file.
    text_format : {"csv", "tsv", "jsonl"}
        What kind of file it is.
    reading : Reading
        What the caller says.
    """
    file = open_text(path, reading.encoding or "")
    if text_format == "jsonl":
        return JsonText(read_json(file), file)
    usual = _DELIMITERS[text_format]
    delimiter = reading.delimiter or file.delimiter or find_delimiter(file, usual)
    return TableText(csv_text.read_text(file, delimiter), file, delimiter, delimiter == usual)


def names_of(table: TextTable) -> list[str]:
    """Return the names of the columns."""
    return list(table.table.columns) if isinstance(table, JsonText) else table.texts.frame.columns


def rows_of(table: TextTable) -> int:
    """Return the number of rows."""
    return len(table.table.lines) if isinstance(table, JsonText) else table.texts.frame.height


def infer_from(tables: Sequence[TextTable], reading: Reading, before: Schema | None) -> tuple[Schema, tuple[Note, ...]]:
    """Return the schema of all cells of some files of one kind, and what to know of it.

    Parameters
    ----------
    tables : sequence of TextTable
        One or more, all CSV with the same columns, or all JSON lines.
    reading : Reading
        What the caller says of them.
    before : Schema or None
        The schema of the dataset's newest version, which decides what the cells leave open.
    """
    named = reading.encoding or ""
    foreign = next((table.file.encoding for table in tables if not is_unicode(table.file)), "")
    encoding, fallback = "" if named.startswith("utf-8") else named, "" if named else foreign
    json = [table.table for table in tables if isinstance(table, JsonText)]
    texts = [table for table in tables if isinstance(table, TableText)]
    if json:
        found = infer_json(json, Circumstances(reading, before, place=_place_in(tables), quoted=True))
        return Schema(found.columns, CsvFile("", encoding, fallback)), (*_about_files(tables, named), *found.notes)
    names = texts[0].texts.frame.columns
    cells = pl.concat([table.texts.frame.select(names) for table in texts])
    found = inference.infer(cells, Circumstances(reading, before, texts[0].delimiter, _place_in(tables)))
    unusual = next((table.delimiter for table in texts if not table.usual), "")
    return Schema(found.columns, CsvFile(unusual, encoding, fallback)), (*_about_files(tables, named), *found.notes)


def parse_cells(table: TextTable, schema: Schema) -> tuple[pl.DataFrame, list[CellFault]]:
    """Return the values of a file under a schema, and the cells that have none.

    Raises
    ------
    SchemaMismatch
        If it has other columns. A key that no JSON line has is a column of nulls.
    """
    # A text can be any type, so only the names can differ here; cells are judged one by one.
    found = [*names_of(table), *(schema.names if isinstance(table, JsonText) else ())]
    check_columns(schema, {name: schema.type_of(name) or "string" for name in found})
    return (
        parse_json(table.table, schema) if isinstance(table, JsonText) else csv_types.parse(table.texts.frame, schema)
    )


def read_under(path: Path, text_format: TextFormat, schema: Schema) -> TextTable:
    """Return what a text file of a dataset holds; the schema's names tell what divides its cells."""
    file = open_text(path, schema.csv.encoding, schema.csv.fallback)
    if text_format == "jsonl":
        return JsonText(read_json(file), file)
    usual = _DELIMITERS[text_format]
    delimiter = delimiter_for(file, schema.names, schema.csv.delimiter or usual) or find_delimiter(file, usual)
    return TableText(csv_text.read_text(file, delimiter), file, delimiter, delimiter == usual)


def notes_under(table: TextTable, schema: Schema) -> tuple[Note, ...]:
    """Return what to know of a file that is read under a schema."""
    spelt = (about_spelling(one, by_convention=False, open_reading=False) for one in schema.columns)
    return (*_about_files([table], schema.csv.encoding), *(note for notes in spelt for note in notes))


def place_in(table: TextTable) -> Place:
    """Return what tells where a row of a file, from 0, stands."""
    return table.table.place if isinstance(table, JsonText) else table.place


def is_unicode(file: TextFile) -> bool:
    """Say whether a file came in an encoding of Unicode."""
    return file.encoding.startswith("utf-")


def _place_in(tables: Sequence[TextTable]) -> Callable[[int], str]:
    """Return what tells where a row of several files, one behind the other, stands."""

    def place(row: int) -> str:
        for number, table in enumerate(tables, 1):
            rows = rows_of(table)
            if row < rows:
                return place_in(table)(row) + (f" of file {number}" if len(tables) > 1 else "")
            row -= rows
        return f"row {row + 1}"

    return place


def _about_files(tables: Sequence[TextTable], named: str) -> list[Note]:
    notes = []
    for table in tables:
        if not named and not is_unicode(table.file):
            told = f"not UTF-8, read as {table.file.encoding}; if letters look wrong, name it: --encoding NAME"
            notes.append(Note("", told))
        if isinstance(table, TableText) and table.texts.index_dropped:
            notes.append(Note("", "the first column has no name and counts the rows: an index, left out"))
        padded = (name for name in names_of(table) if name != name.strip())
        notes += [Note(name, "the name of the column has blanks round it") for name in padded]
    return list(dict.fromkeys(notes))
