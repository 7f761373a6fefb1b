"""Decisions in words: the same lines for `why`, `model show`, the demo and reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from undrift.core.json import JSON

_NAMED = 8
"""So many columns are named; of the others only the number is told."""
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


def training_lines(split: Mapping[str, JSON], compare: Mapping[str, JSON]) -> list[str]:
    """Return in words what a training learnt from, what it left out and which candidate it chose.

    Parameters
    ----------
    split, compare : mapping
        Outputs of the steps of these names.
    """
    features: Stored = cast(Stored, split["features"])
    used = [str(one[0]) for one in features["used"]]
    more = f" and {len(used) - _NAMED} more" if len(used) > _NAMED else ""
    lines = [f"learnt from {', '.join(used[:_NAMED])}{more}"]
    reasons = [f"{name} ({reason})" for name, reason in features["dropped"].items() if reason != "the target"]
    if reasons:
        lines.append(f"left out {'; '.join(reasons)}")
    left: Stored = cast(Stored, split.get("left_out") or {})
    lines += [f"left out {count} rows: {reason}" for reason, count in left.items()]
    comparison: Stored = cast(Stored, compare.get("comparison") or {})
    if comparison:
        means = ", ".join(f"{one['kind']} {one['mean']:.4g}" for one in comparison["results"])
        lines.append(f"chose {comparison['chosen']} ({comparison['metric']} by cross-validation: {means})")
    return lines


def _arm(part: str, arm: Stored, metric: str) -> str:
    name = "" if arm.get("name") == part else f"{arm.get('name')}, "
    told = f"{part}: {name}{metric} {interval(arm.get('metrics', {}).get(metric)) or arm.get('value')}"
    if arm.get("fit_rows"):
        told += f", fitted on {arm['fit_rows']:,} rows{_span(arm.get('fit_span'))}"
    return told


def _holdout(holdout: Stored) -> str:
    units = "" if holdout.get("unit") == "row" else f", {holdout.get('units')} {holdout.get('unit')}s"
    return (
        f"judged on {holdout.get('rows', 0):,} rows{units}"
        f"{_span(holdout.get('span'))}, digest {str(holdout.get('digest', ''))[:15]}"
    )


def interval(found: Stored | None) -> str:
    """Return an interval as ``0.71 (0.69 to 0.73)``; empty when there is none."""
    if not found:
        return ""
    return f"{found['estimate']:.3f} ({found['low']:.3f} to {found['high']:.3f})"


def _span(span: Stored | None) -> str:
    return f" from {str(span['first'])[:10]} to {str(span['last'])[:10]}" if span else ""
