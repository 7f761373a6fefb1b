"""An inference sheet as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from undrift.cli.answer import pairs, table
from undrift.loop.sheet.facts import ColumnLine, Sheet

_MEGABYTE = 1e6


def sheet_text(sheet: Sheet) -> str:
    """Return all of a sheet: what is predicted and how, every column, what is suspicious, what to know."""
    return "\n\n".join(part for part in _parts(sheet) if part)


def _parts(sheet: Sheet) -> Iterator[str]:
    yield pairs(_facts(sheet))
    learnt, left = sheet.of_role("feature"), sheet.of_role("time", "key", "group", "dropped")
    yield table(("learnt from", "type", "how"), [(one.name, one.type, _how(one)) for one in learnt])
    if left:
        yield table(("not learnt from", "type", "why"), [(one.name, one.type, one.reason) for one in left])
    yield "\n".join(_suspicions(sheet))
    yield "\n".join(f"note: {warning}" for warning in sheet.warnings)


def _facts(sheet: Sheet) -> Iterator[tuple[str, str]]:
    facts: Any = sheet.facts  # Any: JSON inside
    yield "table", f"{facts.table['columns']} columns, {facts.table['read']}"
    yield "predict", _target(facts.target)
    also = f" (beside it {', '.join(facts.metric['also'])})" if facts.metric["also"] else ""
    yield "judged by", f"{facts.metric['name']}{also}: {facts.metric['reason']}"
    if facts.threshold["value"] is not None:
        yield "answers yes", f"from {facts.threshold['value']:.3g} on: {facts.threshold['basis']}"
    yield "split", facts.scheme["reason"]
    yield "will take", _estimate(facts.estimate)


def _target(target: Any) -> str:
    told = f"{target['column']}, {target['task']}"
    if target["positive"] is not None:
        told += f", positive {target['positive']!r}"
    elif target["classes"]:
        told += f", {len(target['classes'])} classes"
    without = f"; {target['rows_without']:,} rows have none" if target["rows_without"] else ""
    return f"{told}: {target['reason']}{without}"


def _how(column: ColumnLine) -> str:
    marks = [f"looks personal: {column.personal}"] if column.personal else []
    return "; ".join([column.handling, *([column.reason] if column.reason else []), *marks])


def _suspicions(sheet: Sheet) -> Iterator[str]:
    for one in sheet.suspicions:
        yield f"suspicious: {one['column']}: {one['evidence']}"


def _estimate(estimate: Any) -> str:
    told = f"about {max(1, round(estimate['seconds'])):,} s (up to three times as much where the machine is busy)"
    told += f", {estimate['memory_bytes'] / _MEGABYTE:,.0f} MB of memory for the data"
    told += f" and {estimate['disk_bytes'] / _MEGABYTE:,.0f} MB on disk"
    return told + (f"; {estimate['sampled']}, --full learns from all" if estimate["sampled"] else "")
