"""The engine for tables beyond memory: one query of DuckDB over a Parquet file, spilling to disk where it must."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from undrift.core.errors import MissingExtra
from undrift.data.quality.expressions import Aggregate, Expression, Predicate
from undrift.data.quality.plan import Answers, EngineFailed, Plan
from undrift.data.quality.values import Kind, kind_of

if TYPE_CHECKING:
    import duckdb

_ROW = "\x1frow"
_MARK = "\x1f"
_NUMBERED = "file_row_number"


@dataclass(slots=True)
class Query:
    """A query as text, with the values that it needs.

    Attributes
    ----------
    text : str
        SQL, with ``$1`` for the first value.
    values : list
        The values.
    predicates : list of Predicate
        Functions of Python that it calls, as ``judge0`` for the first.
    groups : list of str
        Joins with values that occur more than once.
    """

    text: str = ""
    values: list[object] = field(default_factory=list)
    predicates: list[Predicate] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)


def run(path: Path, plan: Plan, memory_limit: int | None = None) -> Answers:
    """Return what a plan asks of a Parquet file, from one query.

    Parameters
    ----------
    path : Path
        The file.
    plan : Plan
        What is asked.
    memory_limit : int, optional
        Bytes that the engine may use; beyond it, it writes to a temporary folder.

    Raises
    ------
    MissingExtra
        If DuckDB is not installed.
    EngineFailed
        If the engine cannot run the query.
    """
    try:
        import duckdb
    except ImportError as error:
        raise MissingExtra("duckdb", "checking tables beyond memory") from error
    dtypes = dict(pl.scan_parquet(path, glob=False).collect_schema())
    query = query_of(path, plan, dtypes)
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        connection.execute("SET temp_directory = $1", [folder])
        connection.execute("SET enable_progress_bar = false")  # it would write between our answers
        # Rows carry their numbers, so that nothing needs to keep their order.
        connection.execute("SET preserve_insertion_order = false")
        if memory_limit is not None:
            connection.execute("SET memory_limit = $1", [f"{memory_limit}B"])
        for number, predicate in enumerate(query.predicates):
            connection.create_function(f"judge{number}", predicate.holds, ["VARCHAR"], "BOOLEAN")
        found = _one_row(connection, query, duckdb.Error)
    return {
        name: _answer(aggregate, value, dtypes)
        for (name, aggregate), value in zip(plan.aggregates.items(), found, strict=True)
    }


def _one_row(connection: duckdb.DuckDBPyConnection, query: Query, error_type: type[Exception]) -> tuple[Any, ...]:
    try:
        found = connection.execute(query.text, query.values).fetchone()
    except error_type as error:
        # Its words may quote a cell.
        told = type(error).__name__
        raise EngineFailed(f"DuckDB could not run the check ({told})", cure="check with --engine polars") from error
    return found or ()


def query_of(path: Path, plan: Plan, dtypes: Mapping[str, pl.DataType]) -> Query:
    """Return the query of a plan.

    Parameters
    ----------
    path : Path
        The Parquet file.
    plan : Plan
        What is asked.
    dtypes : mapping
        Types of its columns.
    """
    query = Query()
    write = _Writer(query)
    numbered = _NUMBERED not in dtypes
    option = f", {_NUMBERED} = true" if numbered else ""
    row = _NUMBERED if numbered else "row_number() OVER () - 1"
    columns = [f"{_clean(name, dtypes[name])} AS {_name(name)}" for name in sorted(plan.columns())]
    source = f"read_parquet({write.value(str(path))}{option})"
    marks = [f"{write.expression(one)} AS {_name(_MARK + name)}" for name, one in plan.marks.items()]
    asked = [write.aggregate(one) for one in plan.aggregates.values()] or ["count(*)"]
    clean = ", ".join([f"{row} AS {_name(_ROW)}", *columns])
    marked = ", ".join(["clean.*", *marks])
    # Repeated values are found in groups, of the columns concerned alone, and joined: a window would hold and part
    # all columns of all rows. Not materialized, so that each part reads no column but its own.
    joined = " ".join(["clean", *query.groups])
    # Names are quoted, values are parameters, numbers are numbers.
    query.text = f"""
        WITH clean AS NOT MATERIALIZED (SELECT {clean} FROM {source}), marked AS (SELECT {marked} FROM {joined})
        SELECT {", ".join(asked)} FROM marked
    """  # noqa: S608
    return query


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _clean(name: str, dtype: pl.DataType) -> str:
    """Return a column with null for NaN, and instants as moments in UTC: the engine needs no time zones for these."""
    column = _name(name)
    if dtype.is_float():
        return f"CASE WHEN isnan({column}) THEN NULL ELSE {column} END"
    if isinstance(dtype, pl.Datetime):
        return f"make_timestamp(epoch_us({column}))"
    return f"CAST({column} AS VARCHAR)" if kind_of(dtype) == "text" else column


class _Writer:
    """Writes expressions as SQL and gathers the values that they need."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self._special: Mapping[str, Callable[[list[str], Any], str]] = {  # Any: as Expression.extra
            "in": self._within,
            "matches": self._matches,
            "judged": self._judged,
            "repeated": self._repeated,
            "quantile": _quantile,
        }

    def value(self, found: object) -> str:
        if isinstance(found, bool):
            return "TRUE" if found else "FALSE"
        if isinstance(found, int):
            return f"({found})"
        if isinstance(found, float):
            return f"CAST('{found!r}' AS DOUBLE)"
        if isinstance(found, Decimal):
            return f"CAST('{found}' AS DECIMAL(38, {max(0, -int(found.as_tuple().exponent))}))"
        naive = found.astimezone(UTC).replace(tzinfo=None) if isinstance(found, datetime) and found.tzinfo else found
        self._query.values.append(naive)
        return f"${len(self._query.values)}"

    def expression(self, found: Expression) -> str:
        if found.op == "literal":
            return self.value(found.extra)
        if found.op in {"column", "mark"}:
            return _name(found.extra if found.op == "column" else f"{_MARK}{found.extra}")
        arguments = [self.expression(argument) for argument in found.args]
        special = self._special.get(found.op)
        return special(arguments, found.extra) if special else _OPS[found.op](*arguments)

    def _within(self, arguments: list[str], values: tuple[object, ...]) -> str:
        if not values:
            return f"({arguments[0]} <> {arguments[0]})"
        return f"({arguments[0]} IN ({', '.join(self.value(one) for one in values)}))"

    def _matches(self, arguments: list[str], pattern: str) -> str:
        return f"regexp_matches({arguments[0]}, {self.value(pattern)})"

    def _judged(self, arguments: list[str], predicate: Predicate) -> str:
        self._query.predicates.append(predicate)
        return f"judge{len(self._query.predicates) - 1}({arguments[0]})"

    def _repeated(self, arguments: list[str], _: object) -> str:
        where, *values = arguments
        number = len(self._query.groups)
        names = [_name(f"{_MARK}group{number}.{place}") for place in range(len(values))]
        several = _name(f"{_MARK}group{number}")
        grouped = ", ".join(f"{value} AS {name}" for value, name in zip(values, names, strict=True))
        equal = " AND ".join(f"{value} IS NOT DISTINCT FROM {name}" for value, name in zip(values, names, strict=True))
        # Names are quoted, conditions are written here.
        self._query.groups.append(
            f"LEFT JOIN (SELECT {grouped}, TRUE AS {several} FROM clean WHERE {where} "  # noqa: S608
            f"GROUP BY ALL HAVING count(*) > 1) ON {equal}"
        )
        return f"coalesce({several}, FALSE)"

    def aggregate(self, asked: Aggregate) -> str:
        only = "" if asked.where is None else f" FILTER (WHERE {self.expression(asked.where)})"
        if asked.kind == "count":
            return f"count(*){only}"
        if asked.kind == "rows":
            return f"list({_name(_ROW)}){only}" if asked.extra is None else f"min({_name(_ROW)}, {asked.extra}){only}"
        value = self.expression(asked.of) if asked.of is not None else "NULL"
        if asked.kind == "first":
            return f"arg_min({{'value': {value}}}, {_name(_ROW)}, {asked.extra}){only}"
        if asked.kind == "quantiles":
            return _around(f"list_sort(list({value}) FILTER (WHERE {_all(value, only)}))", asked.extra)
        if asked.kind == "values":
            return f"list(DISTINCT {value}) FILTER (WHERE {_all(value, only)})"
        return f"{_AGGREGATES[asked.kind].format(value)}{only}"


def _quantile(arguments: list[str], share: float) -> str:
    return f"quantile_cont(CASE WHEN {arguments[1]} THEN {arguments[0]} END, {share!r}) OVER ()"


def _all(value: str, only: str) -> str:
    """Return the condition of a filter and that a value is there."""
    condition = only.removeprefix(" FILTER (WHERE ").removesuffix(")") if only else ""
    return f"{value} IS NOT NULL" + (f" AND {condition}" if condition else "")


def _around(values: str, shares: tuple[float, ...]) -> str:
    """Return the values at the places below and above each share of a sorted list."""
    place = "{share!r} * (len({values}) - 1)"
    ends = [
        f"{values}[CAST({end}({place.format(share=share, values=values)}) AS BIGINT) + 1]"
        for share in shares
        for end in ("floor", "ceil")
    ]
    return f"[{', '.join(ends)}]"


_OPS: Mapping[str, Callable[..., str]] = {
    "and": lambda a, b: f"({a} AND {b})",
    "or": lambda a, b: f"({a} OR {b})",
    "not": lambda a: f"(NOT {a})",
    "sure": lambda a: f"coalesce({a}, FALSE)",
    "is_null": lambda a: f"({a} IS NULL)",
    "same": lambda a, b: f"({a} IS NOT DISTINCT FROM {b})",
    "eq": lambda a, b: f"({a} = {b})",
    "ne": lambda a, b: f"({a} <> {b})",
    "lt": lambda a, b: f"({a} < {b})",
    "le": lambda a, b: f"({a} <= {b})",
    "gt": lambda a, b: f"({a} > {b})",
    "ge": lambda a, b: f"({a} >= {b})",
    "+": lambda a, b: f"({a} + {b})",
    "-": lambda a, b: f"({a} - {b})",
    "*": lambda a, b: f"({a} * {b})",
    "/": lambda a, b: f"({a} / {b})",
    "abs": lambda a: f"abs({a})",
    "case": lambda condition, value: f"(CASE WHEN {condition} THEN {value} END)",
    "text": lambda a: f"CAST({a} AS VARCHAR)",
    "float": lambda a: f"CAST({a} AS DOUBLE)",
    "length": lambda a: f"length({a})",
    "previous": lambda value, where: (
        f"last_value(CASE WHEN {where} THEN {value} END IGNORE NULLS) OVER "
        f"(ORDER BY {_name(_ROW)} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    ),
    "mean": lambda value, where: f"avg(CASE WHEN {where} THEN {value} END) OVER ()",
    "std": lambda value, where: f"stddev_samp(CASE WHEN {where} THEN {value} END) OVER ()",
}
_AGGREGATES: Mapping[str, str] = {
    "present": "count({})",
    "sum": "sum({})",
    "mean": "avg({})",
    "std": "stddev_samp({})",
    "median": "median({})",
    "min": "min({})",
    "max": "max({})",
    "distinct": "count(DISTINCT {})",
    "value_counts": "histogram({})",
}


def _answer(asked: Aggregate, found: Any, dtypes: Mapping[str, pl.DataType]) -> Any:  # Any: as Answers
    read = _ANSWERS.get(asked.kind, _cell)
    return read(found, _kind(asked, dtypes))


def _kind(asked: Aggregate, dtypes: Mapping[str, pl.DataType]) -> Kind:
    """Return what an aggregate's cells are; only those of a plain column can be instants."""
    plain = asked.of is not None and asked.of.op == "column"
    return kind_of(dtypes[asked.of.extra]) if plain and asked.of is not None else "other"


def _cell(found: Any, kind: Kind) -> Any:  # Any: cells
    if kind == "instant" and isinstance(found, datetime):
        return found.replace(tzinfo=UTC)
    if kind == "date" and isinstance(found, datetime):
        return found.date()
    return found


_ANSWERS: Mapping[str, Callable[[Any, Kind], Any]] = {  # Any: as Answers
    "rows": lambda found, _: np.sort(np.array(found or [], dtype=np.int64)),
    "sum": lambda found, _: 0 if found is None else found,
    "first": lambda found, kind: [_cell(one["value"], kind) for one in found or []],
    "values": lambda found, kind: [_cell(one, kind) for one in found or []],
    "value_counts": lambda found, kind: {_cell(value, kind): count for value, count in (found or {}).items()},
    "quantiles": lambda found, _: list(zip(found[::2], found[1::2], strict=True)),
}
