"""Checks of tables from Python, without a project.

::

    from undrift.quality import check, expect, suite

    churn = suite(
        "churn",
        expect.column_values_to_be_between("age", 0, 120, mostly=0.99, severity="warn"),
        expect.column_values_to_be_unique("id"),
    )
    report = check(frame, churn)
    report.raise_if_failed()

The suite is the same as one in YAML, in JSON or of Great Expectations: :func:`read_suite` reads those.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from undrift.data.checking import check_file
from undrift.data.profiling import passing_masks
from undrift.data.quality import expect
from undrift.data.quality.check import Asked
from undrift.data.quality.check import check as _check
from undrift.data.quality.engines import EngineName
from undrift.data.quality.report import CheckReport, CheckResult
from undrift.data.quality.results import validation
from undrift.data.quality.suite import DEFAULT_BAD_ROW_LIMIT, Expectation, Suite
from undrift.data.quality.suite_files import parse_suite, read_suite
from undrift.data.tabular.frames import Table, as_frame
from undrift.data.tabular.reading import Reading
from undrift.data.workspace import table_file

__all__ = [
    "CheckReport", "CheckResult", "Expectation", "Suite",
    "check", "expect", "parse_suite", "read_suite", "suite", "validation",
]  # fmt: skip


def suite(name: str, *expectations: Expectation, bad_row_limit: float = DEFAULT_BAD_ROW_LIMIT) -> Suite:
    """Return a suite.

    Parameters
    ----------
    name : str
        What it is called.
    *expectations : Expectation
        As functions of :mod:`undrift.quality.expect` return them.
    bad_row_limit : float
        The largest share of bad rows with which the rest of a batch goes on, in [0, 1].
    """
    return Suite(name, expectations, bad_row_limit)


def check(
    table: Table | Path | str,
    suite: Suite | Path | str,
    *,
    parameters: Mapping[str, Any] | None = None,  # Any: JSON values
    engine: EngineName = "auto",
) -> CheckReport:
    """Return how a table stands against a suite, from one scan; nothing is recorded.

    Parameters
    ----------
    table : frame, list of dict, or path
        polars, pandas, Arrow, rows by column name, or a table file: CSV, JSON lines, Parquet.
    suite : Suite or path
        What is expected, or a file that says it.
    parameters : mapping, optional
        Values for ``{"$PARAMETER": name}`` in the suite.
    engine : {"auto", "polars", "duckdb"}
        Who runs it; DuckDB (extra ``duckdb``) takes tables beyond memory.

    Raises
    ------
    BadSuite, SuiteNotFound
        If the suite is none.
    SourceNotFound
        If there is no such table file.
    NoNames, BadFrame, BadTable
        If the table cannot be read.
    """
    expected = suite if isinstance(suite, Suite) else read_suite(Path(suite))
    asked = Asked(parameters=parameters or {}, engine=engine)
    if isinstance(table, Path | str):
        return check_file(table_file(Path(table)), Reading(), expected, passing_masks(), asked).report
    return _check(as_frame(table), expected, asked)
