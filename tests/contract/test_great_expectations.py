"""Checks come out as Great Expectations' own, on the cases that scripts/gx_cases.py recorded."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from undrift.data.quality.check import Asked, CheckResult, check
from undrift.data.quality.engines import EngineName
from undrift.data.quality.signatures import SIGNATURES
from undrift.data.quality.suite import Expectation, Suite

RECORDED = Path(__file__).with_name("gx") / "cases.json"
# DuckDB plans a query in a time that grows with the square of its length.
AT_ONCE = {"polars": 10_000, "duckdb": 25}
DIFFERENT = Path(__file__).with_name("gx") / "different.json"
_DTYPES = {"int": pl.Int64, "float": pl.Float64, "text": pl.String, "bool": pl.Boolean, "date": pl.Datetime("us")}


@cache
def recorded() -> dict[str, Any]:
    return json.loads(RECORDED.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


@cache
def tables() -> dict[str, pl.DataFrame]:
    return {
        name: pl.DataFrame([_column(*column) for column in table.items()])
        for name, table in recorded()["tables"].items()
    }


def _column(name: str, column: dict[str, Any]) -> pl.Series:
    values = column["values"]
    if column["type"] == "date":
        values = [value and datetime.fromisoformat(value) for value in values]
    return pl.Series(name, values, dtype=_DTYPES[column["type"]])


def cases() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = recorded()["cases"]
    return found


def key(case: dict[str, Any]) -> str:
    return json.dumps([case["table"], case["type"], case["kwargs"]], sort_keys=True, ensure_ascii=False)


def differences(case: dict[str, Any], result: CheckResult) -> list[str]:
    """Return in what a result is not what was recorded."""
    answer = case["answer"]
    if "raises" in answer:
        return [] if result.problem else ["it should not be judged"]
    if result.problem:
        return [f"not judged: {result.problem}"]
    found = {"success": result.success, **(_of_rows(result) if result.on_rows else _of_table(result))}
    return [
        f"{name}: {found.get(name)!r}, recorded {answer[name]!r}"
        for name in answer
        if name in found and not equal(found[name], answer[name])
    ]


def _of_rows(result: CheckResult) -> dict[str, Any]:
    judged, concerned, unexpected = result.considered, result.concerned, result.unexpected
    return {
        "element_count": concerned,
        "unexpected_count": unexpected,
        "unexpected_percent": 100 * unexpected / judged if judged and concerned else None,
        "unexpected_percent_total": 100 * unexpected / concerned if concerned else None,
        "missing_count": concerned - judged,
        "missing_percent": 100 * (concerned - judged) / concerned if concerned else None,
        "unexpected_index_list": result.rows.tolist(),
    }


def _of_table(result: CheckResult) -> dict[str, Any]:
    return {"observed_value": result.observed, **result.details}


def equal(ours: Any, theirs: Any) -> bool:
    """Say whether two answers are the same: numbers to 1e-9, dates as text, in JSON's terms."""
    if isinstance(ours, float | int) and isinstance(theirs, float | int) and not isinstance(ours, bool):
        return math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(ours, list | tuple) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(equal, ours, theirs))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(equal(ours[name], theirs[name]) for name in ours)
    if isinstance(ours, date) and isinstance(theirs, str):
        return ours == datetime.fromisoformat(theirs)
    return bool(ours == theirs)


def judged(engine: EngineName) -> Iterator[tuple[dict[str, Any], CheckResult]]:
    """Give each case with what came out: many cases of a table are one suite, judged in one scan."""
    by_table: dict[str, list[dict[str, Any]]] = {}
    for case in cases():
        by_table.setdefault(case["table"], []).append(case)
    for table, found in by_table.items():
        for some in batched(found, AT_ONCE[engine]):
            suite = Suite(table, tuple(Expectation(case["type"], case["kwargs"]) for case in some))
            report = check(tables()[table], suite, Asked(engine=engine))
            yield from zip(some, report.results, strict=True)


def batched(found: list[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    yield from (found[start : start + size] for start in range(0, len(found), size))


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_results_are_those_of_great_expectations(engine: EngineName) -> None:
    """Success, counts, percentages, row numbers, observed values; what differs is listed with the reason."""
    different = json.loads(DIFFERENT.read_text(encoding="utf-8"))
    known = {entry for reason in different for entry in reason["cases"]}
    found = {key(case): told for case, result in judged(engine) if (told := differences(case, result))}
    assert {place: told for place, told in found.items() if place not in known} == {}
    assert known - found.keys() == set()
    assert len(cases()) > 900


def test_the_page_tells_what_the_test_bed_shows() -> None:
    """How many cases there are, how many are equal, and why the others are not."""
    page = (Path(__file__).parents[2] / "docs" / "quality.md").read_text(encoding="utf-8")
    different = json.loads(DIFFERENT.read_text(encoding="utf-8"))
    others = sum(len(reason["cases"]) for reason in different)
    assert f"**{len(cases()) - others:,} of {len(cases()):,} are equal.** The {others} others" in page
    assert [
        reason["reason"] for reason in different if f"| {len(reason['cases'])} | {reason['reason']} |" not in page
    ] == []


def test_the_page_lists_every_expectation_with_its_arguments() -> None:
    """As the signatures have them."""
    page = (Path(__file__).parents[2] / "docs" / "quality.md").read_text(encoding="utf-8")
    for name, signature in SIGNATURES.items():
        needed = [f"**{argument}**" for argument in signature.required]
        arguments = ", ".join([*needed, *signature.optional]) or "-"
        line = f"| `{name}` | {signature.why} |" if signature.family == "refused" else f"| `{name}` | {arguments} |"
        assert line in page, line
