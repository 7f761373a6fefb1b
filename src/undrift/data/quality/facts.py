"""Expectations on the schema: which columns a table has, in which order, of which types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import zip_longest
from typing import TypeAlias

import polars as pl

from undrift.data.quality.arguments import Arguments
from undrift.data.quality.measures import holds_between
from undrift.data.quality.rules import Finding
from undrift.data.quality.suite import BadSuite
from undrift.data.schema import BadSchema, logical_type

Judge: TypeAlias = Callable[[Arguments], Finding]

# What other tools call the types, in lower case. Names with a width say exactly that width.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "int": ("int", "long", "integer", "bigint", "integertype", "longtype", "smallint", "tinyint"),
    "float64": ("float", "float64", "double", "doubletype", "double_precision", "float_", "real"),
    "string": ("string", "str", "object", "object_", "o", "string_types", "stringtype", "varchar", "text", "char", "nvarchar", "unicode"),  # noqa: E501
    "bool": ("bool", "boolean", "booleantype", "bool_"),
    "bytes": ("bytes", "binary", "binarytype", "blob", "bytea"),
    "date": ("date", "datetype"),
    "timestamp": ("timestamp", "datetime", "datetime64", "datetime64[ns]", "datetime64[us]", "datetime64[ms]", "timestamptype", "timestampntztype", "timestamp_ntz"),  # noqa: E501
    "timestamp-utc": ("timestamp-utc", "timestamp", "timestamptz", "timestamp with time zone", "timestamptype", "datetimetzdtype"),  # noqa: E501
    "decimal": ("decimal", "numeric", "number", "decimaltype"),
}  # fmt: skip
_WIDTHS: Mapping[str, type[pl.DataType]] = {
    "int8": pl.Int8, "int16": pl.Int16, "int32": pl.Int32, "int64": pl.Int64,
    "uint8": pl.UInt8, "uint16": pl.UInt16, "uint32": pl.UInt32, "uint64": pl.UInt64,
    "float32": pl.Float32,
}  # fmt: skip
_KNOWN = {name for names in _NAMES.values() for name in names} | set(_WIDTHS)
_SHOWN: Mapping[str, str] = {"string": "str", "timestamp": "datetime64", "timestamp-utc": "Timestamp"}


def _has_column(arguments: Arguments) -> Finding:
    columns, name, place = list(arguments.dtypes), arguments.need("column"), arguments.get("column_index")
    there = name in columns
    if place:
        there = -len(columns) <= place < len(columns) and columns[place] == name
    return Finding(there, columns)


def _column_count(arguments: Arguments) -> Finding:
    return holds_between(arguments)(len(arguments.dtypes))


def _column_count_equals(arguments: Arguments) -> Finding:
    return Finding(len(arguments.dtypes) == arguments.need("value"), len(arguments.dtypes))


def _ordered_columns(arguments: Arguments) -> Finding:
    wanted, found = arguments.need("column_list"), list(arguments.dtypes)
    if wanted is None or list(wanted) == found:
        return Finding(success=True, observed=found)
    mismatched = [
        {"Expected Column Position": place, "Expected": expected, "Found": name}
        for place, (expected, name) in enumerate(zip_longest(wanted, found))
        if expected != name
    ]
    return Finding(False, found, {"details": {"mismatched": mismatched}})


def _column_set(arguments: Arguments) -> Finding:
    names, found = arguments.need("column_set"), list(arguments.dtypes)
    if names is None:
        return Finding(success=True, observed=found)
    wanted = set(names)
    exact = arguments.get("exact_match") is not False
    unexpected, missing = sorted(set(found) - wanted), sorted(wanted - set(found))
    if not missing and (not unexpected or not exact):
        return Finding(success=True, observed=sorted(found))
    mismatched = {**({"unexpected": unexpected} if unexpected else {}), **({"missing": missing} if missing else {})}
    return Finding(False, sorted(found), {"details": {"mismatched": mismatched}})


def _of_type(arguments: Arguments) -> Finding:
    return _typed(arguments, [arguments.need("type_")])


def _in_type_list(arguments: Arguments) -> Finding:
    names = arguments.need("type_list")
    return _typed(arguments, [None] if names is None else list(names))


def _typed(arguments: Arguments, names: list[object]) -> Finding:
    name, dtype = arguments.name(), arguments.dtype()
    found = shown_type(name, dtype)
    if names == [None]:
        return Finding(success=True, observed=found)
    fits = False
    for wanted in names:
        lowered = str(wanted).lower()
        if lowered not in _KNOWN:
            raise BadSuite(f"{wanted!r} is no type that is known here", cure="see the types in docs/quality.md")
        exact = _WIDTHS.get(lowered)
        fits = fits or (dtype == exact if exact else lowered in _names_of(name, dtype))
    return Finding(fits, found)


def _names_of(name: str, dtype: pl.DataType) -> tuple[str, ...]:
    try:
        kind = logical_type(name, dtype)
    except BadSchema:
        return ()
    if dtype == pl.Float32:
        return ("float",)
    return _NAMES[kind]


def shown_type(name: str, dtype: pl.DataType) -> str:
    """Return a column's type as results show it: with the width of numbers, as numpy names it."""
    width = next((shown for shown, one in _WIDTHS.items() if dtype == one), None)
    if width is not None:
        return width
    try:
        kind = logical_type(name, dtype)
    except BadSchema:
        return str(dtype)
    return _SHOWN.get(kind, kind)


FACTS: Mapping[str, Judge] = {
    "expect_column_to_exist": _has_column,
    "expect_column_type_to_be": _of_type,
    "expect_column_values_to_be_of_type": _of_type,
    "expect_column_values_to_be_in_type_list": _in_type_list,
    "expect_table_column_count_to_be_between": _column_count,
    "expect_table_column_count_to_equal": _column_count_equals,
    "expect_table_columns_to_match_ordered_list": _ordered_columns,
    "expect_table_columns_to_match_set": _column_set,
}
