"""Checking a table against a suite in one scan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from undrift.data.quality import engines
from undrift.data.quality.compiling import compile_expectation
from undrift.data.quality.engines import EngineName
from undrift.data.quality.expressions import TRUE, Aggregate, Expression, any_of, column, mark
from undrift.data.quality.parameters import with_parameters
from undrift.data.quality.plan import Answers, Plan, RowNumbers
from undrift.data.quality.report import CheckReport, CheckResult
from undrift.data.quality.rules import Finding, Measure, RowRule, Rule
from undrift.data.quality.suite import BadSuite, Expectation, Suite, normal

__all__ = ["COUNTS", "EVERYTHING", "Asked", "CheckReport", "CheckResult", "check"]
_NONE: RowNumbers = np.empty(0, dtype=np.int64)
_ROWS, _BAD, _BAD_COUNT = "rows", "bad", "bad.count"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a check is to tell, besides its verdict.

    Attributes
    ----------
    row_numbers : bool
        The numbers of all breaking rows; counts are told in any case.
    examples : int
        How many breaking values of each expectation.
    parameters : mapping of str to value
        What stands for ``{"$PARAMETER": name}`` in the suite.
    engine : {"auto", "polars", "duckdb"}
        Who runs it; ``auto`` takes DuckDB for a Parquet file that would take too much memory.
    memory_limit : int, optional
        Bytes that DuckDB may use; by default half of what is free.
    """

    row_numbers: bool = True
    examples: int = 20
    parameters: Mapping[str, Any] = field(default_factory=dict)  # Any: JSON values
    engine: EngineName = "auto"
    memory_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """An expectation on a table with known columns.

    Attributes
    ----------
    expectation : Expectation
        What is expected, with values in place of parameters.
    rule : Rule or BadSuite
        What it is compiled to, or why it cannot be judged.
    """

    expectation: Expectation
    rule: Rule | BadSuite


EVERYTHING = Asked()
COUNTS = Asked(row_numbers=False, examples=0)


def check(table: pl.DataFrame | pl.LazyFrame | Path, suite: Suite, asked: Asked = EVERYTHING) -> CheckReport:
    """Return how a table stands against a suite.

    Parameters
    ----------
    table : polars.DataFrame or LazyFrame or Path
        The table, or a Parquet file with it; it is scanned once, whatever the number of expectations.
    suite : Suite
        The expectations. One that cannot be judged (its column is missing, its name unknown)
        is broken and says why; it never stops the others.
    asked : Asked
        What the report is to tell.
    """
    source = table if isinstance(table, Path) else table.lazy()
    dtypes = dict(engines.lazy(source).collect_schema())
    prepared = [prepare(expectation, dtypes, asked.parameters) for expectation in suite.expectations]
    found = engines.run(source, plan_of(prepared, asked), asked.engine, asked.memory_limit)
    return CheckReport(
        suite_digest=suite.digest,
        rows=int(found[_ROWS]),
        results=tuple(_result(one, number, found) for number, one in enumerate(prepared)),
        bad_rows=found.get(_BAD, _NONE),
        bad_row_limit=suite.bad_row_limit,
        bad_count=int(found.get(_BAD_COUNT) or 0),
    )


def prepare(
    expectation: Expectation,
    dtypes: Mapping[str, pl.DataType],
    parameters: Mapping[str, Any],  # Any: JSON values
) -> Prepared:
    """Return an expectation with its rule for a table.

    Parameters
    ----------
    expectation : Expectation
        What is expected.
    dtypes : mapping
        Types of the table's columns.
    parameters : mapping
        What stands for parameters of the suite.
    """
    try:
        filled = normal(with_parameters(expectation, parameters))
        return Prepared(filled, compile_expectation(filled, dtypes))
    except BadSuite as error:
        return Prepared(expectation, error)


def plan_of(prepared: Sequence[Prepared], asked: Asked) -> Plan:
    """Return what an engine must find out."""
    marks: dict[str, Expression] = {}
    aggregates: dict[str, Aggregate] = {_ROWS: Aggregate("count")}
    condemning = []
    for number, one in enumerate(prepared):
        if isinstance(one.rule, Measure):
            aggregates.update({f"{number}.{name}": wanted for name, wanted in one.rule.numbers.items()})
        if isinstance(one.rule, RowRule):
            marks.update(_marks(number, one.rule))
            aggregates.update(_counts(number, one.rule, asked))
            if one.expectation.severity == "fail" and one.expectation.mostly == 1:
                condemning.append(mark(f"{number}.unexpected"))
    if condemning:
        bad = any_of(condemning)
        aggregates[_BAD_COUNT] = Aggregate("count", None, bad)
        if asked.row_numbers:
            aggregates[_BAD] = Aggregate("rows", None, bad)
    return Plan(marks, aggregates)


def _marks(number: int, rule: RowRule) -> Iterator[tuple[str, Expression]]:
    yield f"{number}.unexpected", rule.unexpected
    for name, expression in (("judged", rule.judged), ("concerned", rule.concerned)):
        if expression is not None and expression is not TRUE:
            yield f"{number}.{name}", expression


def _counts(number: int, rule: RowRule, asked: Asked) -> Iterator[tuple[str, Aggregate]]:
    """Give what is asked of a rule on rows; its marks have been named."""
    for name, expression in (("judged", rule.judged), ("concerned", rule.concerned), ("unexpected", rule.unexpected)):
        everywhere = expression is None or expression is TRUE
        yield f"{number}.{name}", Aggregate("count", None, None if everywhere else mark(f"{number}.{name}"))
    broken = mark(f"{number}.unexpected")
    if asked.row_numbers:
        yield f"{number}.rows", Aggregate("rows", None, broken)
    if asked.examples:
        for place, name in enumerate(rule.shown):
            yield f"{number}.shown.{place}", Aggregate("first", column(name), broken, asked.examples)


def _result(prepared: Prepared, number: int, found: Answers) -> CheckResult:
    expectation, rule = prepared.expectation, prepared.rule
    if isinstance(rule, RowRule):
        return _of_rows(expectation, rule, number, found)
    try:
        finding = _finding(rule, number, found)
    except BadSuite as error:
        return CheckResult(expectation, success=False, problem=error.message, cure=error.cure)
    return CheckResult(expectation, success=finding.success, observed=finding.observed, details=finding.details)


def _finding(rule: Measure | Finding | BadSuite, number: int, found: Answers) -> Finding:
    if isinstance(rule, BadSuite):
        raise rule
    if isinstance(rule, Finding):
        return rule
    return rule.judge({name: found[f"{number}.{name}"] for name in rule.numbers})


def _of_rows(expectation: Expectation, rule: RowRule, number: int, found: Answers) -> CheckResult:
    judged, concerned, unexpected = (int(found[f"{number}.{name}"] or 0) for name in _COUNTED)
    shown = [found.get(f"{number}.shown.{place}", ()) for place in range(len(rule.shown))]
    return CheckResult(
        expectation,
        success=judged == 0 or (judged - unexpected) / judged >= expectation.mostly,
        considered=judged,
        unexpected=unexpected,
        concerned=concerned,
        on_rows=True,
        rows=found.get(f"{number}.rows", _NONE),
        examples=tuple(_examples(expectation, rule.shown, shown)),
    )


_COUNTED: tuple[Literal["judged"], Literal["concerned"], Literal["unexpected"]] = ("judged", "concerned", "unexpected")


def _examples(expectation: Expectation, names: Sequence[str], shown: Sequence[Sequence[object]]) -> Iterator[object]:
    """Give breaking values: of pairs as tuples, of records by column."""
    if len(names) == 1:
        yield from shown[0]
    elif "column_A" in expectation.kwargs:
        yield from zip(*shown, strict=True)
    else:
        yield from (dict(zip(names, values, strict=True)) for values in zip(*shown, strict=True))
