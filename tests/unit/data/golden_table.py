"""The manifest and the table whose bytes and digest are kept in golden files."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl

from undrift.blobs.contents import Chunk, Contents
from undrift.core.digest import blake3_bytes
from undrift.data.manifest import Manifest, Part
from undrift.data.schema import Column, Schema

_DAYS = b"a,b\n1,2\n"
_MANY = (b"first piece", b"second")
_WHOLE = b"".join(_MANY)
MANIFEST = Manifest(
    (
        Part("day/01.csv", Contents(blake3_bytes(_DAYS), len(_DAYS), (Chunk(blake3_bytes(_DAYS), len(_DAYS)),))),
        Part("empty.txt", Contents(blake3_bytes(b""), 0, ())),
        Part(
            "Zürich.bin",
            Contents(blake3_bytes(_WHOLE), len(_WHOLE), tuple(Chunk(blake3_bytes(p), len(p)) for p in _MANY)),
        ),
    )
)
SCHEMA = Schema(
    (
        Column("flag", "bool"),
        Column("count", "int"),
        Column("temp", "float64"),
        Column("fare", "decimal", 2),
        Column("näme", "string"),
        Column("raw", "bytes"),
        Column("day", "date"),
        Column("local", "timestamp"),
        Column("at", "timestamp-utc"),
    )
)
_NOON = datetime(2013, 7, 1, 12, 0, 0, 17)  # noqa: DTZ001 - a naive moment is what the column holds
TABLE = pl.DataFrame(
    {
        "flag": [True, False, None],
        "count": [-1, 2**62, None],
        "temp": [-0.0, float("nan"), None],
        "fare": [Decimal("-1.50"), Decimal("0.00"), None],
        "näme": ["", "Zürich", None],
        "raw": [b"", b"\x00\xff", None],
        "day": [date(1969, 12, 31), date(2013, 1, 31), None],
        "local": [_NOON, datetime(1900, 1, 1), None],  # noqa: DTZ001
        "at": [_NOON.replace(tzinfo=UTC), datetime(1900, 1, 1, tzinfo=UTC), None],
    },
    schema=SCHEMA.dtypes,
)
