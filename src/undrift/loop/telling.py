"""Decisions in words: the same lines for `why`, `model show`, the demo and reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from undrift.core.json import JSON

WORDS = {"pass": "passed", "fail": "failed", "cannot_tell": "cannot tell"}
Stored = Mapping[str, Any]  # Any: JSON read back from the ledger


def gate_lines(gate: Mapping[str, JSON] | None) -> list[str]:
    """Return a gate report in words: outcome, both arms, the rows they were judged on."""
    if not gate:
        return ["no gate report"]
    report: Stored = gate
    decision: Stored = report.get("decision", {})
    metric = report.get("metric", "")
    lines = [
        f"{WORDS.get(str(decision.get('outcome')), '?')}: {decision.get('reason', '')}",
        f"asked: {decision.get('question', '')}",
        f"method: {decision.get('method')}, one-sided alpha {decision.get('alpha')}",
    ]
    lines += [_arm(part, report.get(part, {}), metric) for part in ("challenger", "reference") if report.get(part)]
    return [*lines, _holdout(report.get("holdout", {}))]


def _arm(part: str, arm: Stored, metric: str) -> str:
    told = f"{part}: {arm.get('name')}, {metric} {interval(arm.get('metrics', {}).get(metric)) or arm.get('value')}"
    if arm.get("fit_rows"):
        told += f", fitted on {arm['fit_rows']:,} rows{_span(arm.get('fit_span'))}"
    return told


def _holdout(holdout: Stored) -> str:
    return (
        f"judged on {holdout.get('rows', 0):,} rows, {holdout.get('units')} {holdout.get('unit')}s"
        f"{_span(holdout.get('span'))}, digest {str(holdout.get('digest', ''))[:15]}"
    )


def interval(found: Stored | None) -> str:
    """Return an interval as ``0.71 (0.69 to 0.73)``; empty when there is none."""
    if not found:
        return ""
    return f"{found['estimate']:.3f} ({found['low']:.3f} to {found['high']:.3f})"


def _span(span: Stored | None) -> str:
    return f" from {str(span['first'])[:10]} to {str(span['last'])[:10]}" if span else ""
