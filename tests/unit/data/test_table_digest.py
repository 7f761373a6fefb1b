"""The table digest."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from undrift.data import table_digest as module
from undrift.data.schema import Schema, freeze
from undrift.data.table_digest import TableHasher, table_digest
from undrift.data.tabular import table_files
from unit.data.golden_table import SCHEMA, TABLE

GOLDEN = Path(__file__).parents[2] / "golden/data/table.json"


def by_hand(frame: pl.DataFrame, schema: Schema) -> str:
    """Follow the specification cell by cell, without polars' buffers or numpy."""
    whole = blake3(b"undrift.table/1\n" + struct.pack("<QQ", frame.height, frame.width))
    for column in schema.columns:
        validity, lengths, values = bytearray(), bytearray(), bytearray()
        for cell in frame[column.name].to_physical().to_list() if column.type != "decimal" else frame[column.name]:
            validity.append(cell is not None)
            length, value = encode(column.type, cell)
            lengths += length
            values += value
        for text in (column.name, column.type):
            whole.update(struct.pack("<Q", len(text.encode())) + text.encode())
        for stream in (validity, lengths, values):
            whole.update(blake3(bytes(stream)).digest())
    return f"b3:{whole.hexdigest()}"


def encode(kind: str, cell: Any) -> tuple[bytes, bytes]:
    if kind == "bool":
        return b"", bytes([bool(cell)])
    if kind in {"int", "date", "timestamp", "timestamp-utc"}:
        return b"", struct.pack("<q", cell or 0)
    if kind == "float64":
        nan = cell is not None and math.isnan(cell)
        return b"", struct.pack("<Q", 0x7FF8000000000000) if nan else struct.pack("<d", cell or 0.0)
    if kind == "decimal" and cell is not None:
        text = format(cell, "f")
        cell = (text.rstrip("0").rstrip(".") if "." in text else text).replace("-0", "0") if not cell else text
        cell = cell.rstrip("0").rstrip(".") if "." in cell else cell
    data = b"" if cell is None else cell.encode() if isinstance(cell, str) else cell
    return struct.pack("<Q", len(data)), data


def test_a_table_has_the_digest_of_the_golden_file() -> None:
    """The format does not change by accident, and is what its description says."""
    golden = json.loads(GOLDEN.read_text())
    assert Schema.decode(json.dumps(golden["schema"])) == SCHEMA
    assert table_digest(TABLE, SCHEMA) == golden["digest"] == by_hand(TABLE, SCHEMA)


def digest(**columns: Any) -> str:
    frame = pl.DataFrame(columns)
    return table_digest(frame, freeze(frame.schema))


def test_names_types_values_and_order_count() -> None:
    """Each change gives another digest."""
    found = [
        digest(a=[1, 2], b=["x", "y"]),
        digest(c=[1, 2], b=["x", "y"]),
        digest(a=[1.0, 2.0], b=["x", "y"]),
        digest(a=[2, 1], b=["x", "y"]),
        digest(a=[1, 2], b=["x", "z"]),
        digest(b=["x", "y"], a=[1, 2]),
        digest(a=[1, 2], b=["xy", ""]),
        digest(a=[1, 2]),
        digest(a=[1], b=["x"]),
    ]
    assert len(set(found)) == len(found)


def test_null_nan_empty_and_zero_are_different() -> None:
    """But there is one NaN and one zero."""
    assert len({digest(a=[None, 1.0]), digest(a=[math.nan, 1.0]), digest(a=[0.0, 1.0])}) == 3
    assert digest(a=["", "x"]) != digest(a=[None, "x"])
    assert digest(a=[-0.0]) == digest(a=[0.0])
    other_nan = struct.unpack("<d", struct.pack("<Q", 0xFFF8000000000001))[0]
    assert digest(a=[other_nan]) == digest(a=[math.nan])


def test_texts_do_not_flow_into_each_other() -> None:
    """Lengths are part of it."""
    assert digest(a=["ab", "c"]) != digest(a=["a", "bc"])


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt32, pl.Float64])
def test_widths_do_not_count(dtype: type[pl.DataType]) -> None:
    """The schema says what the values are."""
    schema = Schema.of({"a": "int"})
    assert table_digest(pl.DataFrame({"a": [1, 2]}), schema) == table_digest(
        pl.DataFrame({"a": [1, 2]}, schema={"a": dtype}), schema
    )


def test_scales_and_dictionaries_do_not_count() -> None:
    """1.50 is 1.5, a category is its text."""
    one, other = (TABLE["fare"].cast(pl.Decimal(20, scale)).to_frame() for scale in (2, 5))
    assert table_digest(one, freeze(one.schema)) == table_digest(other, freeze(other.schema))
    texts = pl.DataFrame({"a": ["x", "y", "x"]})
    assert table_digest(texts, freeze(texts.schema)) == table_digest(
        texts.cast(pl.Categorical), freeze(texts.cast(pl.Categorical).schema)
    )


_TABLES = st.lists(
    st.tuples(
        st.none() | st.integers(-(2**53), 2**53),
        st.none() | st.floats(allow_nan=True, width=64),
        st.none() | st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=6),
        st.none() | st.booleans(),
        st.none() | st.dates(),
        st.none() | st.datetimes(timezones=st.just(__import__("datetime").UTC)),
    ),
    max_size=12,
)
_SCHEMA = Schema.of({"i": "int", "f": "float64", "s": "string", "b": "bool", "d": "date", "t": "timestamp-utc"})


def table(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=_SCHEMA.dtypes, orient="row")


@settings(deadline=None)
@given(_TABLES, st.integers(0, 12))
def test_the_digest_follows_the_description_and_not_the_batches(rows: list[tuple[Any, ...]], cut: int) -> None:
    """Cell by cell, in any cut."""
    frame = table(rows)
    hasher = TableHasher(_SCHEMA)
    hasher.update(frame[:cut])
    hasher.update(frame[cut:])
    assert hasher.digest() == by_hand(frame, _SCHEMA) == table_digest(frame, _SCHEMA)


@settings(max_examples=40, deadline=None)
@given(_TABLES)
def test_csv_and_parquet_of_one_table_agree(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, ...]]
) -> None:
    """Under the same schema."""
    frame, folder = table(rows), tmp_path_factory.getbasetemp()
    frame.write_parquet(folder / "t.parquet")
    frame.write_csv(folder / "t.csv", quote_style="non_numeric")
    found = {
        table_digest(table_files.read(folder / f"t.{kind}", kind, _SCHEMA), _SCHEMA)  # type: ignore[arg-type]
        for kind in ("csv", "parquet")
    }
    assert found == {table_digest(frame, _SCHEMA)}


def test_small_batches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are hashed a piece at a time."""
    whole = table_digest(TABLE, SCHEMA)
    monkeypatch.setattr(module, "_BATCH_ROWS", 1)
    assert table_digest(TABLE, SCHEMA) == whole
