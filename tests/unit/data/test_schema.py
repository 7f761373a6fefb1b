"""The schema as it is stored, with how its files are written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from undrift.data.schema import BadSchema, Column, CsvFile, Schema, SchemaDiff, compare, difference
from undrift.data.tabular.spelt_days import STYLES
from undrift.data.tabular.spelt_numbers import NumberStyle, number_style

GOLDEN = Path(__file__).parents[2] / "golden/data/schema.json"
SCHEMA = Schema(
    (
        Column("id", "string"),
        Column("fare", "decimal", 2),
        Column("price", "float64", spelt="1.234,5"),
        Column("share", "float64", spelt="1234.5 %"),
        Column("gain", "int", spelt="+1 234.5"),
        Column("day", "date", spelt="31/12/2013"),
        Column("at", "timestamp", spelt="Dec 31, 2013"),
    ),
    CsvFile(delimiter=";", fallback="cp1252"),
)


def test_a_schema_has_the_bytes_of_the_golden_file() -> None:
    """The format does not change by accident."""
    assert SCHEMA.encode() == GOLDEN.read_bytes()
    assert Schema.decode(GOLDEN.read_bytes()) == SCHEMA


def test_a_schema_without_spellings_is_stored_as_ever() -> None:
    """Versions that were frozen before keep their digest."""
    stored = b'{"columns":[{"name":"a","type":"int"}],"format":"undrift.schema/1"}'
    assert Schema.of({"a": "int"}).encode() == stored
    assert Schema.decode(stored) == Schema.of({"a": "int"})


def test_every_spelling_is_the_example_of_itself() -> None:
    """A schema can be read without a key."""
    for example, style in STYLES.items():
        assert style.example == example
    for style in (NumberStyle(",", "."), NumberStyle(".", "'", percent=True), NumberStyle(plus=True)):
        assert number_style(style.example) == style


@pytest.mark.parametrize(
    ("kind", "spelt"), [("bool", "31/12/2013"), ("date", "1.234,5"), ("int", "12,34"), ("string", "1,234.5")]
)
def test_an_unknown_spelling_is_refused(kind: str, spelt: str) -> None:
    """A later version of undrift may know more of them."""
    stored = {"format": "undrift.schema/1", "columns": [{"name": "x", "type": kind, "spelt": spelt}]}
    with pytest.raises(BadSchema):
        Schema.decode(json.dumps(stored))


def test_what_became_of_columns_is_found_once_for_all_who_tell_it() -> None:
    """The order counts only where the columns are the same."""
    before = {"a": "int", "b": "string", "c": "date"}
    assert compare(before, {"b": "int", "d": "bool", "a": "int"}) == SchemaDiff(
        ("d",), ("c",), (("b", "string", "int"),), is_reordered=False
    )
    assert compare(before, dict(reversed(before.items()))) == SchemaDiff(is_reordered=True)
    assert compare(before, before) == SchemaDiff()


def test_a_difference_names_what_may_have_been_renamed_and_another_order() -> None:
    """A guess for the reader; nothing acts on it."""
    before = Schema.of({"price": "float64", "city": "string"})
    told = difference(before, {"Prices": "float64", "town": "string"})
    assert told == "missing: price, city; unexpected: Prices, town; perhaps renamed: price -> Prices"
    assert difference(before, {"city": "string", "price": "float64"}) == "in another order: city, price"
    assert difference(before, {"price": "int", "city": "string"}) == "changed: price (float64 -> int)"
    assert difference(before, {"price": "float64", "city": "string"}) == ""
