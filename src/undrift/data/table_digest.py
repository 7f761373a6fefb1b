r"""The digest of a table: the same for the same rows under the same schema, whatever file held them.

Format ``undrift.table/1``. With ``u64`` an unsigned little-endian 64-bit integer, ``H`` BLAKE3 and
``text`` a UTF-8 text preceded by its length in bytes as ``u64``::

    digest   = H( "undrift.table/1\n" u64(rows) u64(columns) column* )
    column   = text(name) text(logical type) H(validity) H(lengths) H(values)
    validity = for each row the byte 1, or 0 for null
    lengths  = for each row of a string, decimal or bytes the u64 of the value's length in bytes,
               0 for null; nothing for other types
    values   = for each row, null as zeros:
               bool               one byte, 0 or 1
               int                i64, little-endian two's complement
               date               i64, days since 1970-01-01
               timestamp(-utc)    i64, microseconds since 1970-01-01T00:00:00
               float64            the bits of the binary64; every NaN as 0x7ff8000000000000, -0.0 as 0.0
               string, bytes      the bytes, one value after the other
               decimal            plain digits with neither trailing zeros after the point nor -0

Each column is hashed in streams, so the digest does not depend on how rows are batched.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import polars as pl
from blake3 import blake3

from undrift.data.conform import conform
from undrift.data.schema import Column, LogicalType, Schema

FORMAT = "undrift.table/1"
_BATCH_ROWS = 1 << 18
_ONE_NAN = np.uint64(0x7FF8000000000000)


class TableHasher:
    """Takes a table in batches and gives its digest.

    Parameters
    ----------
    schema : Schema
        The logical schema of all batches.

    Attributes
    ----------
    schema : Schema
        The same.
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._columns = [_ColumnHasher(column) for column in schema.columns]
        self._rows = 0

    def update(self, frame: pl.DataFrame) -> None:
        """Add the rows of a batch.

        Raises
        ------
        SchemaMismatch
            If the batch does not have the schema.
        """
        conformed = conform(frame, self.schema)
        for start in range(0, conformed.height, _BATCH_ROWS):
            batch = conformed.slice(start, _BATCH_ROWS)
            for hasher, values in zip(self._columns, batch, strict=True):
                hasher.update(values)
        self._rows += conformed.height

    def digest(self) -> str:
        """Return the digest of all rows so far."""
        hasher = blake3(f"{FORMAT}\n".encode())
        hasher.update(struct.pack("<QQ", self._rows, len(self._columns)))
        for column in self._columns:
            hasher.update(column.digest())
        return f"b3:{hasher.hexdigest()}"


def table_digest(frame: pl.DataFrame, schema: Schema) -> str:
    """Return the digest of a table's rows, in order, under a schema.

    Parameters
    ----------
    frame : polars.DataFrame
        The rows; physical types may differ from the schema's as long as values are the same.
    schema : Schema
        Names, order and logical types.

    Returns
    -------
    str
        ``b3:`` and 64 hexadecimal digits.

    Raises
    ------
    SchemaMismatch
        If the frame cannot be read under the schema.
    """
    hasher = TableHasher(schema)
    hasher.update(frame)
    return hasher.digest()


class _ColumnHasher:
    """Hashes one column in three streams."""

    def __init__(self, column: Column) -> None:
        self._head = _text(column.name) + _text(column.type)
        self._write = _WRITERS[column.type]
        self._validity, self._lengths, self._values = blake3(), blake3(), blake3()

    def update(self, values: pl.Series) -> None:
        """Add a batch of values."""
        self._validity.update(values.is_not_null().cast(pl.UInt8).to_numpy().tobytes())
        lengths, data = self._write(values)
        self._lengths.update(lengths)
        self._values.update(data)

    def digest(self) -> bytes:
        """Return the column's part of the table's digest."""
        return self._head + self._validity.digest() + self._lengths.digest() + self._values.digest()


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _bools(values: pl.Series) -> tuple[bytes, bytes]:
    return b"", values.fill_null(value=False).cast(pl.UInt8).to_numpy().tobytes()


def _integers(values: pl.Series) -> tuple[bytes, bytes]:
    return b"", _little(values.to_physical().cast(pl.Int64).fill_null(0).to_numpy(), "<i8")


def _floats(values: pl.Series) -> tuple[bytes, bytes]:
    numbers = values.fill_null(0.0).to_numpy() + 0.0  # adding zero turns -0.0 into 0.0
    bits = numbers.view(np.uint64)
    bits[np.isnan(numbers)] = _ONE_NAN
    return b"", _little(bits, "<u8")


def _texts(values: pl.Series) -> tuple[bytes, bytes]:
    lengths = values.str.len_bytes().fill_null(0).cast(pl.UInt64).to_numpy()
    joined: str = values.str.join("", ignore_nulls=True).item() or ""
    return _little(lengths, "<u8"), joined.encode()


def _bytes(values: pl.Series) -> tuple[bytes, bytes]:
    cells = [cell or b"" for cell in values.to_list()]
    lengths = np.fromiter((len(cell) for cell in cells), dtype=np.uint64, count=len(cells))
    return _little(lengths, "<u8"), b"".join(cells)


def _decimals(values: pl.Series) -> tuple[bytes, bytes]:
    digits = values.cast(pl.String).str.replace(r"(\.[0-9]*?)0+$", "$1").str.replace(r"\.$", "")
    return _texts(digits.replace("-0", "0"))


def _little(values: npt.NDArray[np.generic], layout: str) -> bytes:
    return values.astype(layout, copy=False).tobytes()


_WRITERS: Mapping[LogicalType, Callable[[pl.Series], tuple[bytes, bytes]]] = {
    "bool": _bools,
    "int": _integers,
    "float64": _floats,
    "decimal": _decimals,
    "string": _texts,
    "bytes": _bytes,
    "date": _integers,
    "timestamp": _integers,
    "timestamp-utc": _integers,
}
