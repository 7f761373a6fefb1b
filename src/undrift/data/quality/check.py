"""Checking a table against a suite in one scan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from undrift.core.json import JSON
from undrift.data.quality.aggregates import Fact, Measure, compile_measure, judge_schema
from undrift.data.quality.rows import RowRule, compile_row_rule
from undrift.data.quality.suite import BadSuite, Expectation, Suite

Verdict: TypeAlias = Literal["pass", "warn", "fail"]
RowNumbers: TypeAlias = npt.NDArray[np.int64]
_EXAMPLES = 5
_OF_A_CELL = frozenset(f"expect_column_{what}_to_be_between" for what in ("min", "max", "median", "sum"))
_NONE: RowNumbers = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one expectation came out.

    Attributes
    ----------
    expectation : Expectation
        What was expected.
    success : bool
        Whether it holds.
    considered, unexpected : int
        Rows judged, and those of them which break it; 0 for whole-table expectations.
    observed : JSON
        The number or names found, for whole-table expectations.
    problem : str
        Why it could not be judged; empty when it was.
    rows : ndarray of int
        Numbers of the breaking rows, ascending.
    examples : tuple
        Up to five breaking values. They are cells: shown to the user, never recorded.
    """

    expectation: Expectation
    success: bool
    considered: int = 0
    unexpected: int = 0
    observed: JSON = None
    problem: str = ""
    rows: RowNumbers = field(default_factory=lambda: _NONE)
    examples: tuple[object, ...] = ()

    @property
    def unexpected_percent(self) -> float:
        """Percentage of the judged rows that break the expectation."""
        return 100.0 * self.unexpected / self.considered if self.considered else 0.0

    @property
    def severity(self) -> str:
        """``fail`` or ``warn``."""
        return self.expectation.severity

    @property
    def condemns_rows(self) -> bool:
        """Whether the breaking rows are bad rows, rather than the table a bad table."""
        return self.severity == "fail" and self.considered > 0 and self.expectation.mostly == 1 and not self.problem

    def told(self) -> str:
        """Return the result on one line, without any cell."""
        told = self.expectation.describe()
        if self.problem:
            return f"{told}: {self.problem}"
        if self.considered:
            return f"{told}: {self.unexpected} of {self.considered} rows break it"
        if self.expectation.type in _OF_A_CELL:
            return f"{told}: it is not"
        return f"{told}: found {self.observed}"

    def as_json(self) -> dict[str, JSON]:
        """Return the result without any cell."""
        plain: dict[str, JSON] = {
            "type": self.expectation.type,
            "column": self.expectation.column,
            "severity": self.severity,
            "success": self.success,
            "considered": self.considered,
            "unexpected": self.unexpected,
            "unexpected_percent": round(self.unexpected_percent, 6),
        }
        if self.problem:
            plain["problem"] = self.problem
        return plain


@dataclass(frozen=True, slots=True)
class CheckReport:
    """How a table stands against a suite.

    Attributes
    ----------
    suite_digest : str
        Which suite.
    rows : int
        Rows of the table.
    results : tuple of CheckResult
        In the order of the suite.
    bad_rows : ndarray of int
        Numbers of the rows that break a fail-level row expectation, ascending.
    bad_row_limit : float
        The largest share of bad rows with which the rest may go on.
    """

    suite_digest: str
    rows: int
    results: tuple[CheckResult, ...]
    bad_rows: RowNumbers
    bad_row_limit: float

    @property
    def verdict(self) -> Verdict:
        """``fail`` when any fail-level expectation is broken, ``warn`` when only warn-level ones are, else ``pass``."""
        broken = {result.severity for result in self.results if not result.success}
        if "fail" in broken or len(self.bad_rows):
            return "fail"
        return "warn" if broken else "pass"

    @property
    def bad_share(self) -> float:
        """Share of bad rows, in [0, 1]."""
        return len(self.bad_rows) / self.rows if self.rows else 0.0

    @property
    def table_failures(self) -> tuple[str, ...]:
        """What is wrong with the table as a whole, at the level of fail."""
        return tuple(
            result.told()
            for result in self.results
            if not result.success and result.severity == "fail" and not result.condemns_rows
        )

    @property
    def stop_reasons(self) -> tuple[str, ...]:
        """Why no part of the table may go on; empty when the rows that are not bad may."""
        if self.bad_share <= self.bad_row_limit:
            return self.table_failures
        share = f"{len(self.bad_rows)} of {self.rows} rows are bad ({100 * self.bad_share:.1f} %)"
        return (f"{share}, the limit is {100 * self.bad_row_limit:g} %", *self.table_failures)

    @property
    def broken(self) -> tuple[CheckResult, ...]:
        """The results that are no success."""
        return tuple(result for result in self.results if not result.success)

    def reasons(self) -> dict[int, list[str]]:
        """Return, for each bad row, what is wrong with it."""
        told: dict[int, list[str]] = {int(row): [] for row in self.bad_rows}
        for result in self.results:
            if result.condemns_rows:
                reason = result.expectation.describe()
                for row in result.rows.tolist():
                    told[row].append(reason)
        return told

    def as_json(self) -> dict[str, JSON]:
        """Return the report without any cell."""
        return {
            "format": "undrift.check-report/1",
            "suite": self.suite_digest,
            "verdict": self.verdict,
            "rows": self.rows,
            "bad_rows": len(self.bad_rows),
            "bad_row_limit": self.bad_row_limit,
            "stopped_by": list(self.stop_reasons),
            "results": [result.as_json() for result in self.results],
        }


_Compiled: TypeAlias = RowRule | Measure | Fact | BadSuite


def check(table: pl.DataFrame | pl.LazyFrame, suite: Suite) -> CheckReport:
    """Return how a table stands against a suite.

    Parameters
    ----------
    table : polars.DataFrame or LazyFrame
        The table; it is scanned once, whatever the number of expectations.
    suite : Suite
        The expectations. One that cannot be judged (its column is missing, its name unknown)
        is broken and says why; it never stops the others.
    """
    lazy = table.lazy()
    dtypes = dict(lazy.collect_schema())
    compiled = [_compile(expectation, dtypes) for expectation in suite.expectations]
    numbered = list(enumerate(zip(suite.expectations, compiled, strict=True)))
    marks = [item.unexpected.alias(_mark(number)) for number, (_, item) in numbered if isinstance(item, RowRule)]
    wanted = [
        expression
        for number, (expectation, item) in numbered
        for expression in _expressions(number, expectation.column, item)
    ]
    found = lazy.with_columns(marks).select(pl.len().alias("rows"), *wanted).collect()
    results = tuple(_result(expectation, item, number, found) for number, (expectation, item) in numbered)
    rows = int(found.item(0, "rows"))
    return CheckReport(suite.digest, rows, results, _bad_rows(results, rows), suite.bad_row_limit)


def _compile(expectation: Expectation, dtypes: Mapping[str, pl.DataType]) -> _Compiled:
    try:
        compiled = (
            compile_row_rule(expectation, dtypes)
            or compile_measure(expectation, dtypes)
            or judge_schema(expectation, dtypes)
        )
    except BadSuite as error:
        return error
    return compiled or BadSuite(f"{expectation.type} is not known here", cure="see the list in docs/formats.md")


def _expressions(number: int, column: str | None, compiled: _Compiled) -> list[pl.Expr]:
    if isinstance(compiled, Measure):
        return [compiled.value.alias(f"{number}.value")]
    if not isinstance(compiled, RowRule):
        return []
    mark = pl.col(_mark(number))
    considered = pl.len() if compiled.considered is None else compiled.considered.sum()
    expressions = [
        considered.alias(f"{number}.considered"),
        mark.arg_true().implode().alias(f"{number}.rows"),
    ]
    if column is not None:
        examples = pl.col(column).gather(mark.arg_true().head(_EXAMPLES))
        expressions.append(examples.implode().alias(f"{number}.examples"))
    return expressions


def _mark(number: int) -> str:
    """Return the name of a column of marks, one that no table has."""
    return f"\x1f{number}"


def _result(expectation: Expectation, compiled: _Compiled, number: int, found: pl.DataFrame) -> CheckResult:
    if isinstance(compiled, BadSuite):
        return CheckResult(expectation, success=False, problem=compiled.message)
    if isinstance(compiled, Fact):
        return CheckResult(expectation, success=compiled.holds, observed=compiled.observed)
    if isinstance(compiled, Measure):
        value = found.item(0, f"{number}.value")
        return CheckResult(expectation, success=compiled.holds(value), observed=value)
    rows = found.item(0, f"{number}.rows").to_numpy().astype(np.int64)
    considered = found.item(0, f"{number}.considered") or 0
    examples = found.item(0, f"{number}.examples").to_list() if expectation.column else []
    return CheckResult(
        expectation,
        success=bool(considered - len(rows) >= expectation.mostly * considered),
        considered=considered,
        unexpected=len(rows),
        rows=rows,
        examples=tuple(examples),
    )


def _bad_rows(results: Sequence[CheckResult], rows: int) -> RowNumbers:
    bad = np.zeros(rows, dtype=np.bool_)
    for result in results:
        if result.condemns_rows:
            bad[result.rows] = True
    return np.flatnonzero(bad)
