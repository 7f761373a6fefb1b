"""Results in the form of Great Expectations: for the caller's eyes, since they hold cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from undrift.core.json import JSON
from undrift.data.quality.report import CheckReport, CheckResult
from undrift.data.quality.suite import Suite

ResultFormat: TypeAlias = Literal["BOOLEAN_ONLY", "BASIC", "SUMMARY", "COMPLETE"]
# Gives for a column and one of its cells what may be shown.
Conceal: TypeAlias = Callable[[str, object], object]
_SHOWN = 20
_SEVERITIES = {"fail": "critical", "warn": "warning"}


def openly(_: str, cell: object) -> object:
    """Return a cell as it is."""
    return cell


def validation(report: CheckReport, suite: Suite, form: ResultFormat, conceal: Conceal = openly) -> dict[str, JSON]:
    """Return a report as Great Expectations' validation of a suite.

    Parameters
    ----------
    report : CheckReport
        The report.
    suite : Suite
        The suite that was checked.
    form : {"BOOLEAN_ONLY", "BASIC", "SUMMARY", "COMPLETE"}
        How much each result tells; ``COMPLETE`` lists all breaking rows, if the check was asked for them.
    conceal : callable
        Gives what may be shown of a cell.
    """
    results: list[JSON] = [one_result(result, form, conceal) for result in report.results]
    good = sum(result.success for result in report.results)
    return {
        "success": good == len(results),
        "suite_name": suite.name,
        "results": results,
        "statistics": {
            "evaluated_expectations": len(results),
            "successful_expectations": good,
            "unsuccessful_expectations": len(results) - good,
            "success_percent": 100 * good / len(results) if results else None,
        },
        "meta": {"rows": report.rows, "verdict": report.verdict},
    }


def one_result(result: CheckResult, form: ResultFormat, conceal: Conceal = openly) -> dict[str, JSON]:
    """Return one result as Great Expectations writes it.

    Parameters
    ----------
    result : CheckResult
        The result.
    form : {"BOOLEAN_ONLY", "BASIC", "SUMMARY", "COMPLETE"}
        How much it tells.
    conceal : callable
        Gives what may be shown of a cell.
    """
    expectation = result.expectation
    told: dict[str, JSON] = {
        "success": result.success,
        "expectation_config": {
            "type": expectation.type,
            "kwargs": expectation.kwargs,
            "meta": expectation.meta,
            "severity": _SEVERITIES[result.severity],
        },
        "exception_info": {
            "raised_exception": bool(result.problem),
            "exception_message": result.problem or None,
            "exception_traceback": None,
        },
    }
    if result.problem or form == "BOOLEAN_ONLY":
        return {**told, "result": {}}
    hidden = _hidden(result, conceal)
    return {**told, "result": _of_rows(result, form, hidden) if result.on_rows else _of_table(result, hidden)}


_Hide: TypeAlias = Callable[[object], JSON]


def _hidden(result: CheckResult, conceal: Conceal) -> _Hide:
    """Return what makes JSON of a cell, or of several, of the columns that the expectation is about."""
    kwargs = result.expectation.kwargs
    names = [name for name in (kwargs.get("column"), kwargs.get("column_A"), kwargs.get("column_B")) if name]

    def hide(found: object) -> JSON:
        if isinstance(found, dict):
            return {str(name): _plain(conceal(str(name), cell)) for name, cell in found.items()}
        if isinstance(found, tuple):
            return [_plain(conceal(name, cell)) for name, cell in zip(names, found, strict=True)]
        return _plain(conceal(names[0], found) if names else found)

    return hide


def _of_rows(result: CheckResult, form: ResultFormat, hide: _Hide) -> dict[str, JSON]:
    concerned, judged, unexpected = result.concerned, result.considered, result.unexpected
    shown = [hide(example) for example in result.examples]
    told: dict[str, JSON] = {
        "element_count": concerned,
        "unexpected_count": unexpected,
        "unexpected_percent": _percent(unexpected, judged) if concerned else None,
        "partial_unexpected_list": shown[:_SHOWN],
        "missing_count": concerned - judged,
        "missing_percent": _percent(concerned - judged, concerned),
        "unexpected_percent_total": _percent(unexpected, concerned),
        "unexpected_percent_nonmissing": _percent(unexpected, judged) if concerned else None,
    }
    if form == "BASIC":
        return told
    rows: list[JSON] = list(result.rows.tolist())
    told["partial_unexpected_counts"] = _counts(shown[:_SHOWN])
    told["partial_unexpected_index_list"] = rows[:_SHOWN]
    if form == "COMPLETE":
        told["unexpected_list"] = shown
        told["unexpected_index_list"] = rows
    return told


def _of_table(result: CheckResult, hide: _Hide) -> dict[str, JSON]:
    about_cells = "value_set" in result.expectation.kwargs
    found = result.observed
    shown = [hide(one) for one in found] if isinstance(found, list) and about_cells else _plain(found)
    if result.expectation.type in _OF_A_CELL:
        shown = hide(found)
    told: dict[str, JSON] = {"observed_value": shown}
    for name, value in result.details.items():
        listed = name in {"partial_unexpected_list", "partial_missing_list"}
        told[name] = [hide(one) for one in value] if listed else _plain(value)
    return told


_OF_A_CELL = {f"expect_column_{what}_to_be_between" for what in ("min", "max")}


def _counts(shown: Sequence[JSON]) -> list[JSON]:
    counts = Counter(map(_key, shown)).most_common(_SHOWN)
    ordered = sorted(counts, key=lambda pair: (-pair[1], str(pair[0])))
    return [{"value": list(value) if isinstance(value, tuple) else value, "count": count} for value, count in ordered]


def _key(shown: JSON) -> JSON | tuple[JSON, ...]:
    if isinstance(shown, dict):
        return tuple(shown.values())
    return tuple(shown) if isinstance(shown, list) else shown


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


def _plain(found: Any) -> JSON:  # Any: a cell, or what aggregates make of cells
    if isinstance(found, date):
        return found.isoformat()
    if isinstance(found, Decimal):
        return float(found)
    if isinstance(found, bytes):
        return found.hex()
    if isinstance(found, Mapping):
        return {str(name): _plain(value) for name, value in found.items()}
    if isinstance(found, list | tuple):
        return [_plain(value) for value in found]
    return found  # type: ignore[no-any-return]  # a number, a text, a truth value or None
