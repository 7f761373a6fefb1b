"""What databases declare of a column's type, as the logical type that its values get."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from undrift.data.schema import LogicalType

_SQLITE_DECIMAL = re.compile(r"(?:DECIMAL|NUMERIC)\w*\s*(\(\s*\d+\s*(?:,\s*(\d+)\s*)?\))?\Z")
# Object ids of PostgreSQL's own types never change: src/include/catalog/pg_type.dat.
_POSTGRES: dict[int, LogicalType] = {
    16: "bool",
    17: "bytes",
    18: "string",
    19: "string",
    20: "int",
    21: "int",
    23: "int",
    25: "string",
    26: "int",
    114: "string",
    700: "float64",
    701: "float64",
    1042: "string",
    1043: "string",
    1082: "date",
    1114: "timestamp",
    1184: "timestamp-utc",
    1700: "decimal",
    2950: "string",
    3802: "string",
}
_SINGLE_PRECISION = 700


@dataclass(frozen=True, slots=True)
class Declared:
    """What is declared of a column.

    Attributes
    ----------
    type : LogicalType or None
        Its type; None where the values alone tell.
    scale : int or None
        Digits after the point of a decimal; None where the values tell.
    is_single : bool
        Whether its floats have 32 bits.
    """

    type: LogicalType | None = None
    scale: int | None = None
    is_single: bool = False


def of_postgres(column: Any) -> Declared:  # Any: psycopg's description of a column
    """Return what PostgreSQL declares of a result's column; of a type unknown here nothing."""
    kind = _POSTGRES.get(column.type_code)
    return Declared(kind, column.scale if kind == "decimal" else None, column.type_code == _SINGLE_PRECISION)


def of_sqlite(text: str) -> Declared:
    """Return what the type that a SQLite column was declared with says, by SQLite's rules of affinity.

    Parameters
    ----------
    text : str
        For instance ``VARCHAR(20)``; empty for an expression.
    """
    upper = text.upper().strip()
    decimal = _SQLITE_DECIMAL.match(upper)
    if decimal:
        return Declared("decimal", int(decimal[2] or 0) if decimal[1] else None)
    for word, kind in _SQLITE.items():
        if word in upper:
            return Declared(kind)
    return Declared()


_SQLITE: dict[str, LogicalType] = {
    "BOOL": "bool",
    "INT": "int",
    "CHAR": "string",
    "CLOB": "string",
    "TEXT": "string",
    "JSON": "string",
    "UUID": "string",
    "BLOB": "bytes",
    "REAL": "float64",
    "FLOA": "float64",
    "DOUB": "float64",
    "TIMESTAMPTZ": "timestamp-utc",
    "WITH TIME ZONE": "timestamp-utc",
    "TIMESTAMP": "timestamp",
    "DATETIME": "timestamp",
    "DATE": "date",
}
