"""A diagnosis as pictures, each with the sentence that says what is seen: for the page and for cells of a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

from undrift.drawing.markup import Html, el, join
from undrift.drawing.pieces import Stored, figure, table
from undrift.drawing.svg import Axis, Mark, Series, heat_table, line_chart, reliability
from undrift.drawing.words import alike, bounded, count, interval, number, percent, points, share_interval


def _shares(label: str) -> Axis:
    return Axis(label=label, low=0.0, high=1.0, share=True)


def roc(diagnosis: Stored, facts: Stored | None = None) -> Html:
    """Return the ROC curve with the threshold on it.

    Parameters
    ----------
    diagnosis : mapping
        What a training recorded of its holdout (``undrift.diagnosis/1``), of a binary model.
    facts : mapping, optional
        Facts of the report, for the AUC and the name of the positive class.
    """
    curves, at = diagnosis["curves"], diagnosis["curves"]["at_threshold"]
    auc = _metric(facts, "auc")
    says = (
        f"Of all rows that are {_positive(facts)}, the share found, against the share of false alarms among the others."
    )
    if auc:
        says += f" The area under the curve is {auc}; guessing gives 0.5, the dashed line."
    marks = [_point(at["false_positive_rate"], at["recall"])] if at else []
    if at:
        says += f" The dot is the threshold {number(at['threshold'])}."
    drawn = line_chart(
        [
            Series(x=(0.0, 1.0), y=(0.0, 1.0), role="guide"),
            Series(x=curves["roc"]["false_positive_rate"], y=curves["roc"]["recall"]),
        ],
        _shares("false alarms"),
        _shares("found"),
        says=f"ROC curve. {says}",
        marks=marks,
    )
    return figure("ROC", drawn, says)


def precision_recall(diagnosis: Stored, facts: Stored | None = None) -> Html:
    """Return the precision-recall curve with the threshold on it; see :func:`roc`."""
    curves, at = diagnosis["curves"], diagnosis["curves"]["at_threshold"]
    base = curves["base_rate"]
    says = (
        f"The share of alarms that are right, against the share found. {percent(base)} of all rows are "
        f"{_positive(facts)}: the dashed line."
    )
    marks = []
    if at and at["precision"] is not None:
        marks = [_point(at["recall"], at["precision"])]
        says += (
            f" At the threshold it finds {percent(at['recall'])}, is right in {percent(at['precision'])} of its alarms "
            f"and raises one for {percent(at['answered'])} of all rows."
        )
    drawn = line_chart(
        [
            Series(x=(0.0, 1.0), y=(base, base), role="guide"),
            Series(x=curves["pr"]["recall"], y=curves["pr"]["precision"]),
        ],
        _shares("found (recall)"),
        _shares("right (precision)"),
        says=f"Precision-recall curve. {says}",
        marks=marks,
    )
    return figure("Precision and recall", drawn, says)


def confusion(diagnosis: Stored) -> Html:
    """Return what was answered against what happened, and recall and precision by class with intervals."""
    found = diagnosis["confusion"]
    total = sum(map(sum, found["counts"]))
    right = sum(row[at] for at, row in enumerate(found["counts"]))
    cut = f" at the threshold {number(found['threshold'])}" if found["threshold"] is not None else ""
    caption = (
        f"{percent(right / total)} of {count(total, 'row')} are answered right{cut}. "
        "Shares are of the row: of what happened."
    )
    rows = [
        (one["class"], number(one["rows"]), *(share_interval(one[key]) for key in ("recall", "precision")))
        for one in found["by_class"]
    ]
    heat = heat_table(found["counts"], found["classes"], caption=caption)
    by_class = table(("class", "rows", "found (recall)", "right (precision)"), rows, numeric=(1, 2, 3))
    return join(el("h3", "Confusion"), heat, by_class)


def calibrated(diagnosis: Stored) -> Html:
    """Return what was predicted against what happened, by bins of about as many rows."""
    found = diagnosis["calibration"]
    is_share = diagnosis["task"] != "regression"
    bins, gap = found["bins"], found["gap"]
    marks = [_mark(one) for one in bins]
    ends = [end for one in bins for end in (one["predicted"], one["happened"]["low"], one["happened"]["high"])]
    low, high = _shares_span(ends) if is_share else (min(ends), max(ends) if max(ends) > min(ends) else min(ends) + 1)
    holds = sum(bounded(one["happened"]) and not one["off"] for one in bins)
    says = f"Each dot is about {count(bins[0]['rows'], 'row')}: the prediction for {found['about']} and what happened. "
    if any(bounded(one["happened"]) for one in bins):
        says += f"In {holds} of {count(len(bins), 'bin')} the 95 % interval of what happened holds the prediction. "
    else:
        says += "There are too few units for intervals. "
    says += _gap(gap, is_share=is_share)
    drawn = reliability(
        marks,
        says=f"Reliability diagram. {says}",
        x=Axis(label="predicted", low=low, high=high, share=is_share),
        y=Axis(label="happened", low=low, high=high, share=is_share),
    )
    as_table = el("details", el("summary", "The same as a table"), _bins(bins, is_share=is_share))
    return el("div", el("figure", drawn), el("div", el("p", says), as_table), class_="pair")


def residuals(diagnosis: Stored) -> Iterator[Html]:
    """Yield how far a regression is off: by size of the prediction, and how often by how much."""
    found = diagnosis["residuals"]
    x = [one["predicted"] for one in found["bins"]]
    low, middle, high = ([one[key] for one in found["bins"]] for key in ("low", "middle", "high"))
    span = (min([*low, 0.0]), max([*high, 0.0]))
    says = (
        "What happened less what was predicted, by the size of the prediction: the line is the median, the band holds "
        "the middle 80 %."
    )
    across = Axis(label="predicted", low=x[0], high=x[-1] if x[-1] > x[0] else x[0] + 1)
    up = Axis(label="off by", low=span[0], high=span[1] if span[1] > span[0] else span[0] + 1)
    by_size = line_chart(
        [Series(x=(x[0], x[-1]), y=(0.0, 0.0), role="guide"), Series(x=x, y=middle, low=low, high=high)],
        across,
        up,
        says=f"Residuals. {says}",
    )
    yield el("div", figure("Off by size", by_size, says) if len(x) > 1 else None, _histogram(found), class_="pair")


def _histogram(found: Stored) -> Html:
    edges, counts = found["edges"], found["counts"]
    x = [end for pair in pairwise(edges) for end in pair]
    y = [float(many) for many in counts for _ in range(2)]
    says = (
        f"How often it is off by how much, of {count(sum(counts), 'row')}; the ends hold all that lie beyond them. "
        f"Left of zero it predicted too much, right of it too little."
    )
    drawn = line_chart(
        [Series(x=x, y=y, low=[0.0] * len(y), high=y), Series(x=(0.0, 0.0), y=(0.0, max(y)), role="guide")],
        Axis(label="happened less predicted", low=edges[0], high=edges[-1]),
        Axis(label="rows", low=0.0, high=max(y) or 1.0),
        says=f"Histogram of residuals. {says}",
    )
    return figure("Off by how much", drawn, says)


def _bins(bins: list[Stored], *, is_share: bool) -> Html:
    show = percent if is_share else alike([one["predicted"] for one in bins])
    rows = [
        (
            show(one["predicted"]),
            number(one["rows"]),
            show(one["happened"]["estimate"]),
            _ends(one, show),
            "off" if one["off"] else "",
        )
        for one in bins
    ]
    return table(("predicted", "rows", "happened", "95 % interval", ""), rows, numeric=(1, 2, 3))


def _ends(one: Stored, show: object) -> str:
    assert callable(show)
    found = one["happened"]
    return f"{show(found['low'])} to {show(found['high'])}" if bounded(found) else "too few units"


def _shares_span(ends: list[float]) -> tuple[float, float]:
    """Return an axis of shares on which small ones can be told apart."""
    if min(ends) >= 0.5:  # noqa: PLR2004 - the surer half
        return 0.5, 1.0
    return 0.0, next(end for end in (0.02, 0.05, *(at / 10 for at in range(1, 11))) if max(ends) <= end)


def _gap(gap: Stored, *, is_share: bool) -> str:
    """Return by how much predictions are too high or too low on average; the gap is what happened less that."""
    show, unit = (points, " percentage points") if is_share else (number, "")
    side = "low" if gap["estimate"] >= 0 else "high"
    told = f"On average predictions are too {side} by {show(abs(gap['estimate']))}"
    if not bounded(gap):
        return f"{told}{unit}."
    if gap["low"] <= 0 <= gap["high"]:
        ends = f"{show(-gap['high'])} to {show(-gap['low'])}{unit}"
        return f"On average they are not shown to be too high or too low ({ends})."
    nearer, farther = sorted((abs(gap["low"]), abs(gap["high"])))
    return f"{told} ({show(nearer)} to {show(farther)}){unit}."


def _mark(one: Stored) -> Mark:
    found = one["happened"]
    tone: Literal["", "warn"] = "warn" if one["off"] else ""
    return Mark(x=one["predicted"], estimate=found["estimate"], low=found["low"], high=found["high"], tone=tone)


def _point(x: float, y: float) -> Mark:
    return Mark(x=x, estimate=y, low=y, high=y, tone="warn")


def _metric(facts: Stored | None, name: str) -> str:
    gate = (facts or {}).get("gate") or {}
    found = gate.get("challenger", {}).get("metrics", {}).get(name)
    return interval(found) if found else ""


def _positive(facts: Stored | None) -> str:
    label = (facts or {}).get("asked", {}).get("positive")
    return str(label) if label is not None else "positive"
