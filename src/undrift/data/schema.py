"""The logical schema of a table: what its columns mean, however a file spells them.

Widths, dictionaries and chunking are not part of it: an ``int`` is an ``int`` in a CSV file,
as int16 and as int64.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Literal, TypeAlias

import msgspec
import polars as pl

from undrift.core import canonical
from undrift.core.digest import blake3_bytes
from undrift.core.errors import BadInput
from undrift.core.json import JSON
from undrift.data.tabular.spelt_days import STYLES
from undrift.data.tabular.spelt_numbers import number_style

LogicalType: TypeAlias = Literal[
    "bool", "int", "float64", "decimal", "string", "bytes", "date", "timestamp", "timestamp-utc"
]
FORMAT = "undrift.schema/1"
LARGEST_SCALE = 18
_DECIMAL_DIGITS = 38
_ALIKE = 0.75  # of names, for a guess that one became the other


class BadSchema(BadInput):
    """A schema, or the header of a table, cannot be used."""

    code = "bad-schema"


class SchemaMismatch(BadInput):
    """A table does not have the columns and types of the frozen schema; the difference is shown."""

    code = "schema-mismatch"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes
    ----------
    name : str
        Its exact name.
    type : LogicalType
        What its values are. ``timestamp`` is naive, ``timestamp-utc`` an instant; both count
        microseconds.
    scale : int
        Digits after the point of a ``decimal``; 0 for every other type.
    spelt : str
        How a CSV file writes its values where that is not how programs do, as an example: ``31/12/2013``,
        ``1.234,5``, ``12.5 %`` is ``1234.5 %``. It is no part of the values.
    """

    name: str
    type: LogicalType
    scale: int = 0
    spelt: str = ""

    @property
    def dtype(self) -> pl.DataType:
        """The polars type in which the values are held."""
        if self.type == "decimal":
            return pl.Decimal(_DECIMAL_DIGITS, self.scale)
        return DTYPES[self.type]


@dataclass(frozen=True, slots=True)
class CsvFile:
    """How the CSV files of a dataset are written, where not with commas and in UTF-8.

    Attributes
    ----------
    delimiter : str
        What divides cells, where it was not what the file's name says; tried first.
    encoding : str
        The encoding that somebody named.
    fallback : str
        The encoding that was found for a file which is not UTF-8; for files which are not UTF-8 either.
    """

    delimiter: str = ""
    encoding: str = ""
    fallback: str = ""

    @property
    def letters(self) -> str:
        """The encoding of files that are not UTF-8; empty where there are none."""
        return self.encoding or self.fallback


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a table, in order.

    Attributes
    ----------
    columns : tuple of Column
        The columns.
    csv : CsvFile
        How its CSV files are written.

    Raises
    ------
    BadSchema
        If there is no column, a name is empty or occurs twice.
    """

    columns: tuple[Column, ...]
    csv: CsvFile = CsvFile()

    def __post_init__(self) -> None:
        if not self.columns:
            raise BadSchema("a table needs at least one column", cure="give the file a header")
        seen: set[str] = set()
        for position, column in enumerate(self.columns, 1):
            if not column.name:
                raise BadSchema(f"column {position} has no name", cure="name it (pandas: write with index=False)")
            if column.name in seen:
                raise BadSchema(f"two columns are called {column.name!r}", cure="rename one of them")
            seen.add(column.name)
            _check_spelt(column)

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def types(self) -> dict[str, str]:
        """The types by name, in order."""
        return {column.name: column.type for column in self.columns}

    def type_of(self, name: str) -> LogicalType | None:
        """Return the type of a column, None when there is no such column."""
        return next((column.type for column in self.columns if column.name == name), None)

    @property
    def dtypes(self) -> dict[str, pl.DataType]:
        """The polars types, by name."""
        return {column.name: column.dtype for column in self.columns}

    @property
    def digest(self) -> str:
        """Digest of the canonical form."""
        return blake3_bytes(self.encode())

    def as_json(self) -> dict[str, JSON]:
        """Return the schema as it is stored."""
        columns = [_plain(column) for column in self.columns]
        csv: dict[str, JSON] = {name: text for name, text in asdict(self.csv).items() if text}
        return {"format": FORMAT, "columns": columns, **({"csv": csv} if csv else {})}

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return canonical.dumps(self.as_json())

    @classmethod
    def decode(cls, data: bytes | str) -> Schema:
        """Return the schema that a stored text holds.

        Raises
        ------
        BadSchema
            If it holds none.
        """
        try:
            wire = msgspec.json.decode(data, type=_Wire)
        except msgspec.MsgspecError as error:
            raise BadSchema(f"this is not a schema: {error}", cure="freeze the schema again") from error
        columns = (Column(column.name, column.type, column.scale, column.spelt) for column in wire.columns)
        return cls(tuple(columns), CsvFile(wire.csv.delimiter, wire.csv.encoding, wire.csv.fallback))

    @classmethod
    def of(cls, columns: Mapping[str, LogicalType]) -> Schema:
        """Return the schema with these columns, none of them a decimal."""
        return cls(tuple(Column(name, kind) for name, kind in columns.items()))


class _WireColumn(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    type: LogicalType
    scale: int = 0
    spelt: str = ""


class _WireCsv(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    delimiter: str = ""
    encoding: str = ""
    fallback: str = ""


class _Wire(msgspec.Struct, forbid_unknown_fields=True):
    format: Literal["undrift.schema/1"]
    columns: list[_WireColumn]
    csv: _WireCsv = _WireCsv()


def freeze(dtypes: Mapping[str, pl.DataType]) -> Schema:
    """Return the logical schema of a typed table.

    Parameters
    ----------
    dtypes : mapping of str to polars type
        As polars gives them (``frame.schema``).

    Raises
    ------
    BadSchema
        If a column holds what a logical type cannot: lists, structs, durations, times of day.
    """
    return Schema(tuple(_column(name, dtype) for name, dtype in dtypes.items()))


@dataclass(frozen=True, slots=True)
class SchemaDiff:
    """What became of columns.

    Attributes
    ----------
    added, removed : tuple of str
        Names.
    retyped : tuple of (str, str, str)
        Name, type before, type after.
    is_reordered : bool
        Whether they are the same columns in another order.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    retyped: tuple[tuple[str, str, str], ...] = ()
    is_reordered: bool = False


def compare(before: Mapping[str, str], after: Mapping[str, str]) -> SchemaDiff:
    """Return what became of columns, each given with its type, in the order of their table."""
    added = tuple(name for name in after if name not in before)
    removed = tuple(name for name in before if name not in after)
    return SchemaDiff(
        added,
        removed,
        tuple((name, before[name], after[name]) for name in before if after.get(name, before[name]) != before[name]),
        is_reordered=not added and not removed and list(before) != list(after),
    )


def difference(expected: Schema, found: Mapping[str, str]) -> str:
    """Return one sentence that tells how names, types and order differ, empty when they do not."""
    became = compare(expected.types, found)
    told = [
        ("missing", became.removed),
        ("unexpected", became.added),
        ("perhaps renamed", [f"{old} -> {new}" for old, new in renamed(became.removed, became.added)]),
        ("changed", [f"{name} ({was} -> {now})" for name, was, now in became.retyped]),
        ("in another order", list(found) if became.is_reordered else ()),
    ]
    return "; ".join(f"{what}: {', '.join(names)}" for what, names in told if names)


def renamed(missing: Iterable[str], unexpected: Iterable[str]) -> list[tuple[str, str]]:
    """Return pairs of missing and unexpected names that are so much alike that one may have become the other."""
    left = {_bare(name): name for name in unexpected}
    found = []
    for name in missing:
        near = get_close_matches(_bare(name), list(left), n=1, cutoff=_ALIKE)
        if near:
            found.append((name, left.pop(near[0])))
    return found


def _bare(name: str) -> str:
    """Return a name without what people spell differently."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


DTYPES: dict[LogicalType, pl.DataType] = {
    "bool": pl.Boolean(),
    "int": pl.Int64(),
    "float64": pl.Float64(),
    "string": pl.String(),
    "bytes": pl.Binary(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us"),
    "timestamp-utc": pl.Datetime("us", "UTC"),
}


def _column(name: str, dtype: pl.DataType) -> Column:
    if isinstance(dtype, pl.Decimal):
        if dtype.scale > LARGEST_SCALE:
            raise BadSchema(f"column {name!r} has {dtype.scale} digits after the point", cure="cast it to text")
        return Column(name, "decimal", dtype.scale)
    return Column(name, logical_type(name, dtype))


def logical_type(name: str, dtype: pl.DataType) -> LogicalType:
    """Return the logical type of a polars type.

    Raises
    ------
    BadSchema
        If there is none.
    """
    if isinstance(dtype, pl.Datetime):
        return "timestamp-utc" if dtype.time_zone else "timestamp"
    if dtype.is_integer():
        return "int"
    if dtype.is_float():
        return "float64"
    found = _SAME.get(dtype.base_type())
    if found is None:
        raise BadSchema(
            f"column {name!r} is of type {dtype}, which a table of undrift cannot hold",
            cure="write it as separate columns, as text or as numbers",
        )
    return found


_SAME: dict[type[pl.DataType], LogicalType] = {
    pl.Boolean: "bool",
    pl.String: "string",
    pl.Categorical: "string",
    pl.Enum: "string",
    pl.Null: "string",
    pl.Binary: "bytes",
    pl.Date: "date",
    pl.Decimal: "decimal",
}


def _check_spelt(column: Column) -> None:
    if not column.spelt:
        return
    known = number_style(column.spelt) if column.type in ("int", "float64") else STYLES.get(column.spelt)
    if known is None or column.type not in ("int", "float64", "date", "timestamp"):
        raise BadSchema(
            f"column {column.name!r} of type {column.type} cannot be spelt like {column.spelt!r}",
            cure="freeze the schema again",
        )


def _plain(column: Column) -> dict[str, JSON]:
    plain: dict[str, JSON] = {"name": column.name, "type": column.type}
    if column.type == "decimal":
        plain["scale"] = column.scale
    return {**plain, "spelt": column.spelt} if column.spelt else plain
