"""What a model is asked: its input columns, and the strict reading of rows against them.

Nothing is guessed. A number is not a text, a boolean is not a number, ``12.0`` is not an
integer, and a null is a null; the one widening is that an integer may stand in a float column,
because JSON writes ``3.0`` as ``3``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Literal, TypeAlias, cast

import msgspec

from undrift.core.errors import BadInput

ColumnType: TypeAlias = Literal["float", "int", "bool", "string", "date", "datetime"]
Role: TypeAlias = Literal["feature", "calendar", "personal"]
Value: TypeAlias = float | int | bool | str | date | datetime | None
Columns: TypeAlias = dict[str, list[Value]]
"""Decoded rows, column by column, in the order of the inputs; nulls are ``None``."""

MOST_FAULTS = 5
_INT64 = range(-(2**63), 2**63)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_DATETIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?\Z"
)
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_EXPECTED: dict[ColumnType, str] = {
    "float": "a finite number",
    "int": "an integer of 64 bits",
    "bool": "true or false",
    "string": "a text",
    "date": "a date such as 2013-01-31",
    "datetime": "an instant such as 2013-01-31T08:00:00Z",
}


class InputColumn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One column that a model is asked with.

    Attributes
    ----------
    name : str
        Its name, as the training table had it.
    type : str
        Its logical type.
    nullable : bool
        Whether a null is an answer that training has seen.
    role : {"feature", "calendar", "personal"}
        Calendar columns follow the date and are left out of drift tests. Personal ones are left out
        too: the log holds masks of their texts, and none of their numbers.
    """

    name: str
    type: ColumnType
    nullable: bool = False
    role: Role = "feature"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a row.

    Attributes
    ----------
    path : str
        Where it is, as a JSON path: ``$.rows[3].temp``.
    code : str
        What kind of fault: ``unknown-column``, ``missing-column``, ``wrong-type``, ``null``,
        ``not-finite``, ``out-of-range``, ``bad-text``, ``not-a-row`` or ``empty``.
    expected : str
        What should have been there.
    """

    path: str
    code: str
    expected: str


class BadRow(BadInput):
    """Rows do not fit the inputs of a model.

    Attributes
    ----------
    faults : tuple of Fault
        The first few faults, at least one.
    """

    code = "bad-row"

    def __init__(self, faults: Sequence[Fault]) -> None:
        first = faults[0]
        super().__init__(
            f"{first.path}: {first.code}, expected {first.expected}", cure="mend the request", path=first.path
        )
        self.faults = tuple(faults)

    @property
    def path(self) -> str:
        """Where the first fault is."""
        return self.faults[0].path

    @property
    def problem(self) -> str:
        """The code of the first fault."""
        return self.faults[0].code


class _Refused(Exception):  # a private signal, never seen outside
    """A value does not fit; carries the code of the fault."""


class RowDecoder:
    """Reads rows against fixed input columns; made once per package, safe to share by threads.

    Parameters
    ----------
    inputs : sequence of InputColumn
        The columns, each name once.
    """

    def __init__(self, inputs: Sequence[InputColumn]) -> None:
        self._inputs = tuple(inputs)
        self._names = frozenset(column.name for column in inputs)
        self._readers = tuple(
            (column.name, *_PLAIN.get(column.type, (_Refused, _never)), _READERS[column.type], column.nullable)
            for column in inputs
        )

    @property
    def inputs(self) -> tuple[InputColumn, ...]:
        """The columns that rows are read against."""
        return self._inputs

    def decode(self, rows: object, root: str = "$.rows") -> Columns:
        """Return many rows column by column.

        Parameters
        ----------
        rows : list of dict
            Decoded JSON: one mapping of column names to values per row.
        root : str
            The JSON path of the list, for messages.

        Raises
        ------
        BadRow
            If anything in them does not fit; the only error this raises.
        """
        if not isinstance(rows, list | tuple) or not rows:
            code = "empty" if isinstance(rows, list | tuple) else "not-a-row"
            raise BadRow([Fault(root, code, "a list of at least one row")])
        try:
            return self._columns(rows)
        except _Refused:
            raise BadRow(self._faults(rows, [f"{root}[{index}]" for index in range(len(rows))])) from None

    def decode_one(self, row: object, path: str = "$.row") -> Columns:
        """Return one row as columns of length one.

        Raises
        ------
        BadRow
            If anything in it does not fit.
        """
        try:
            return self._columns((row,))
        except _Refused:
            raise BadRow(self._faults((row,), [path])) from None

    def _columns(self, rows: Sequence[object]) -> Columns:
        names = self._names
        for row in rows:
            if type(row) is not dict or row.keys() != names:
                raise _Refused
        columns: Columns = {}
        for name, plain, fits, reader, nullable in self._readers:
            # the plain case inline: this is the hot path of serving
            columns[name] = [
                cast("Value", value)
                if type(value := row[name]) is plain and fits(value)
                else _read(value, reader, nullable)
                for row in cast("Sequence[dict[str, Any]]", rows)  # Any: what JSON held; each value is checked here
            ]
        return columns

    def _faults(self, rows: Sequence[object], paths: Sequence[str]) -> list[Fault]:
        """Return the first few faults of rows that are known to have some."""
        found: list[Fault] = []
        for row, path in zip(rows, paths, strict=True):
            found.extend(self._faults_of(row, path))
            if len(found) >= MOST_FAULTS:
                break
        return found[:MOST_FAULTS]

    def _faults_of(self, row: object, path: str) -> Iterator[Fault]:
        if type(row) is not dict:
            yield Fault(path, "not-a-row", "an object of column names and values")
            return
        for name in row.keys() - self._names:
            yield Fault(_join(path, name), "unknown-column", f"one of {len(self._names)} known columns")
        for column in self._inputs:
            yield from _fault_of(column, row, _join(path, column.name))


@lru_cache(maxsize=64)
def decoder(inputs: tuple[InputColumn, ...]) -> RowDecoder:
    """Return the decoder of some inputs, the same one each time."""
    return RowDecoder(inputs)


def decode_rows(inputs: Sequence[InputColumn], rows: object, root: str = "$.rows") -> Columns:
    """Return rows column by column, as :meth:`RowDecoder.decode` does.

    Raises
    ------
    BadRow
        If anything in them does not fit.
    """
    return decoder(tuple(inputs)).decode(rows, root)


def as_json_value(value: Value) -> float | int | bool | str | None:
    """Return a decoded value as JSON writes it: dates and instants as ISO text."""
    if isinstance(value, datetime):
        return f"{value.isoformat()}Z"
    return value.isoformat() if isinstance(value, date) else value


def _fault_of(column: InputColumn, row: Mapping[str, object], path: str) -> Iterator[Fault]:
    expected = _EXPECTED[column.type] + (" or null" if column.nullable else "")
    if column.name not in row:
        yield Fault(path, "missing-column", expected)
        return
    try:
        _read(row[column.name], _READERS[column.type], column.nullable)
    except _Refused as refused:
        yield Fault(path, str(refused), expected)


def _join(path: str, name: object) -> str:
    text = str(name)[:80]
    if _PLAIN_NAME.match(text):
        return f"{path}.{text}"
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'{path}["{quoted}"]'


def _read(value: object, reader: Callable[[object], Value], nullable: bool) -> Value:
    if value is None:
        if nullable:
            return None
        raise _Refused("null")
    return reader(value)


def _float(value: object) -> float:
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            raise _Refused("out-of-range") from None
    if type(value) is not float:
        raise _Refused("wrong-type")
    if not math.isfinite(value):
        raise _Refused("not-finite")
    return value


def _int(value: object) -> int:
    if type(value) is not int:
        raise _Refused("wrong-type")
    if value not in _INT64:
        raise _Refused("out-of-range")
    return value


def _bool(value: object) -> bool:
    if type(value) is not bool:
        raise _Refused("wrong-type")
    return value


def _string(value: object) -> str:
    if type(value) is not str:
        raise _Refused("wrong-type")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:  # a lone surrogate, which no table can hold
            raise _Refused("bad-text") from None
    return value


def _date(value: object) -> date:
    if type(value) is not str:
        raise _Refused("wrong-type")
    if not _DATE.match(value):
        raise _Refused("bad-text")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise _Refused("bad-text") from None


def _datetime(value: object) -> datetime:
    """Return the instant without zone, in UTC: a text without an offset is taken as UTC."""
    if type(value) is not str:
        raise _Refused("wrong-type")
    if not _DATETIME.match(value):
        raise _Refused("bad-text")
    try:
        instant = datetime.fromisoformat(value)
        return instant if instant.tzinfo is None else instant.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise _Refused("bad-text") from None


def _never(value: object) -> bool:
    """Say no: dates have no plain form in JSON."""
    del value
    return False


_PLAIN: dict[ColumnType, tuple[type, Callable[[Any], bool]]] = {  # Any: called only with the type beside it
    "float": (float, math.isfinite),
    "int": (int, _INT64.__contains__),
    "bool": (bool, (False, True).__contains__),
    "string": (str, str.isascii),
}
_READERS: dict[ColumnType, Callable[[object], Value]] = {
    "float": _float,
    "int": _int,
    "bool": _bool,
    "string": _string,
    "date": _date,
    "datetime": _datetime,
}
