"""Sections on how a version behaves: gate, errors, calibration, importance, slices."""

from __future__ import annotations

from collections.abc import Iterator

from undrift.drawing.markup import Child, Html, el, join
from undrift.drawing.pieces import Stored, code, said, section, table
from undrift.drawing.svg import Mark, captioned, ends, interval_table, scale, strip
from undrift.drawing.words import alike, bounded, count, interval, listed, number, percent, stated
from undrift.loop.report.names import arm_name, metric_name
from undrift.loop.report.pictures import calibrated, confusion, precision_recall, residuals, roc

_SHOWN_IMPORTANT = 15
_SHOWN_SLICES = 8
_NOT_RECORDED = "Not recorded for this version."


def gate(facts: Stored) -> Html:
    """Return the gate's decision with both arms."""
    report = facts["gate"]
    if not report or "challenger" not in report:
        reason = report["decision"].get("reason", "") if report else "No gate has judged this version."
        return section("gate", "Gate", said(reason))
    decision = report["decision"]
    arms = (report["challenger"], report["reference"])
    other = arm_name(arms[1]["name"])
    rows = [
        (metric_name(name), *(interval(arm["metrics"].get(name)) for arm in arms))
        for name in dict.fromkeys([*arms[0]["metrics"], *arms[1]["metrics"]])
    ]
    overlap = report["holdout"].get("rows_of_the_references_own_gate")
    said_too = (
        f" {count(overlap, 'row')} of the holdout were also those of the reference's own gate." if overlap else ""
    )
    return section(
        "gate",
        "Gate",
        said(
            el("strong", f"Is it better than {other} in {_asked_in(report)}? "),
            _answer(report),
        ),
        table(("on the same rows", "this version", other), rows),
        said(
            f"Method: {decision['method']}; one-sided error {stated(decision['alpha'])}; "
            f"{count(decision['n'], decision['unit'])} as independent units.{said_too}",
            quiet=True,
        ),
        said("Holdout digest ", code(report["holdout"]["digest"]), quiet=True),
    )


def _asked_in(report: Stored) -> str:
    return metric_name(report["metric"]) + (f" by more than {stated(report['margin'])}" if report["margin"] else "")


def _answer(report: Stored) -> str:
    decision, difference = report["decision"], report["difference"]
    words = {"pass": "Yes", "fail": "No", "cannot_tell": "The data cannot tell"}[str(decision["outcome"])]
    if not difference:
        return f"{words}: {decision['reason']}."
    told = f"{words}. It is {_by(difference)}, over {count(difference['units'], difference['unit'])}."
    # A pass that cannot be trusted is turned into "cannot tell" with its reason, for instance rows it may have seen.
    return f"{told} The reason: {decision['reason']}." if decision["outcome"] == "cannot_tell" else told


def _by(difference: Stored) -> str:
    """Return by how much it is better; a negative difference says that it is worse."""
    if difference["estimate"] < 0:
        return f"worse, with a difference of {interval(difference)}"
    return f"better, by {interval(difference)}"


def errors(facts: Stored) -> Html:
    """Return what it gets right and wrong: curves and confusion, or residuals."""
    found = facts["diagnosis"]
    if not found:
        return section("errors", "Right and wrong", said(_NOT_RECORDED, quiet=True))
    if found["task"] == "regression":
        return section("errors", "How far it is off", *residuals(found))
    curves = [el("div", roc(found, facts), precision_recall(found, facts), class_="pair")] if found["curves"] else []
    return section("errors", "Right and wrong", *curves, confusion(found))


def calibration(facts: Stored) -> Html:
    """Return whether its probabilities mean what they say, before and after a repair."""
    found, repair = facts["diagnosis"], facts["calibration"]
    parts: list[Child] = []
    if found:
        parts.append(calibrated(found))
    else:
        parts.append(said(_NOT_RECORDED, quiet=True))
    if repair:
        parts.append(_repair(repair))
    title = "Are its numbers right on average" if facts["asked"]["task"] == "regression" else "Calibration"
    return section("calibration", title, parts)


def _repair(repair: Stored) -> Html:
    before, after = repair.get("before") or {}, repair.get("after") or {}
    names = {"log_loss": "log loss", "brier": "Brier score", "ece": "calibration error"}
    rows = [
        (words, number(before.get(name)), number(after.get(name)))
        for name, words in names.items()
        if before.get(name) is not None
    ]
    head = ("on rows learnt from, each by a model that had not seen it", "before", "after")
    outcome = {"repaired": f"Repaired ({repair['method']})", "calibrated": "Left as it is"}
    return join(
        el("h3", "Repair"),
        said(f"{outcome.get(str(repair['outcome']), 'Left as it is')}: {repair['reason']}."),
        table(head, rows, numeric=(1, 2)) if rows and after else None,
    )


def importance(facts: Stored) -> Html:
    """Return what the model leans on."""
    found = (facts["diagnosis"] or {}).get("importance")
    if not found or not found["columns"]:
        return section("importance", "What it leans on", said(_NOT_RECORDED, quiet=True))
    columns = found["columns"]
    rows = [(str(one["column"]), _drop(one["drop"])) for one in columns]
    times = "once" if found["repeats"] == 1 else f"{found['repeats']} times"
    caption = (
        f"How much worse the {metric_name(found['metric'])} gets when one raw column is shuffled {times}, on "
        f"{count(found['rows'], 'row')} of the holdout, with 95 % intervals. The line is zero."
    )
    head = ("column", f"{metric_name(found['metric'])} worse by")
    shown = interval_table(rows[:_SHOWN_IMPORTANT], head, caption=caption, at=0.0)
    more = rows[_SHOWN_IMPORTANT:]
    rest = interval_table(more, head, caption="The others, on a scale of their own.", at=0.0) if more else None
    return section(
        "importance",
        "What it leans on",
        said(_leans(found)),
        shown,
        el("details", el("summary", count(len(more), "more column")), rest) if rest else None,
        _together(columns),
    )


def _drop(drop: Stored) -> Mark:
    silent = bounded(drop) and drop["low"] <= 0
    return Mark(estimate=drop["estimate"], low=drop["low"], high=drop["high"], tone="off" if silent else "")


def _leans(found: Stored) -> list[Child]:
    columns = found["columns"]
    first = columns[0]
    shown = [one for one in columns if bounded(one["drop"]) and one["drop"]["low"] > 0]
    silent = len(columns) - len(shown)
    without = f": without it, the {metric_name(found['metric'])} is worse by {interval(first['drop'])}."
    told: list[Child] = ["Most on ", code(first["column"]), without]
    if bounded(first["drop"]) and not shown:
        told = ["On no column alone: when one is shuffled, the interval of the drop holds zero, whichever it is."]
    elif not bounded(first["drop"]):
        told.append(" There are too few units for intervals.")
    elif silent:
        told.append(f" For {silent} of {count(len(columns), 'column')} no drop is shown: the interval holds zero.")
    if found["not_looked_at"]:
        told.append(f" {count(found['not_looked_at'], 'more column')} were not looked at.")
    return told


def _together(columns: list[Stored]) -> Html | None:
    pairs = {tuple(sorted((one["column"], other["column"]))): other for one in columns for other in one["goes_with"]}
    if not pairs:
        return None
    told = [f"{a} with {b} ({pairs[a, b]['strength']:.2f})" for a, b in list(pairs)[:8]]
    more = f" and {len(pairs) - 8} more pairs" if len(pairs) > 8 else ""  # noqa: PLR2004 - as many are named
    return said(
        "Columns that tell much the same share their importance, so that each alone looks dispensable: "
        f"{listed(told)}{more}.",
        quiet=True,
    )


def slices(facts: Stored) -> Html:
    """Return where it is weaker than elsewhere."""
    found = (facts["diagnosis"] or {}).get("slices")
    if not found:
        return section("slices", "Where it is weaker", said(_NOT_RECORDED, quiet=True))
    if not found["tested"]:
        few = "No slice has the 30 rows and 8 units that a test needs."
        return section("slices", "Where it is weaker", said(few))
    verdict = (
        f"In {count(found['worse'], 'slice')} of {found['tested']} it is clearly worse than in the rest of the holdout."
        if found["worse"]
        else f"In none of {count(found['tested'], 'slice')} is it clearly worse than in the rest of the holdout."
    )
    rule = (
        f"Slices are frequent texts and quarters of numbers. Clearly worse means: the {found['loss']} is higher than "
        f"elsewhere by more than {number(found['margin'])} (5 % of {number(found['overall'])}), at an error of "
        f"{percent(found['alpha'])} for all slices together"
    )
    skill = (
        ", and the model also saves a smaller share of what the slice's own class shares would lose."
        if facts["asked"]["task"] != "regression"
        else "."
    )
    return section("slices", "Where it is weaker", said(verdict), _sliced(found), said(rule + skill, quiet=True))


def _sliced(found: Stored) -> Html:
    worse = [one for one in found["slices"] if one["is_worse"]]
    shown = (worse + [one for one in found["slices"] if not one["is_worse"]])[: max(_SHOWN_SLICES, len(worse) + 3)]
    marks = [_difference(one) for one in shown]
    low, high = scale(marks, include=0.0)
    show = alike([value for one in shown for value in (one["loss"], one["rest"])])
    far = alike([end for mark in marks for end in (mark.low, mark.high)])
    body = [
        el(
            "tr",
            el("th", code(one["column"]), " ", one["slice"], _reading(one), scope="row"),
            el("td", number(one["rows"]), class_="num opt"),
            el("td", show(one["loss"]), class_="num"),
            el("td", show(one["rest"]), class_="num opt"),
            el("td", ends(mark, far), class_="num ud-ends opt"),
            el("td", strip(mark, low, high, at=0.0), class_="ud-drawn"),
        )
        for one, mark in zip(shown, marks, strict=True)
    ]
    head = el(
        "tr",
        el("th", "slice", scope="col"),
        el("th", "rows", scope="col", class_="num opt"),
        el("th", f"{found['loss']}", scope="col", class_="num"),
        el("th", "elsewhere", scope="col", class_="num opt"),
        el("th", "difference", scope="col", class_="num ud-ends opt"),
        el("th", "drawn", scope="col", class_="ud-drawn"),
    )
    caption = "The strongest evidence first; the intervals hold for all slices together, and the line is zero."
    return captioned(caption, el("thead", head), el("tbody", body), class_="drawn")


def _difference(one: Stored) -> Mark:
    found = one["difference"]
    return Mark(
        estimate=found["estimate"], low=found["low"], high=found["high"], tone="warn" if one["is_worse"] else "off"
    )


def _reading(one: Stored) -> Html | None:
    if not one["is_worse"]:
        return None
    told = "clearly worse"
    if one["is_surprising"]:
        told = f"clearly worse, and over-confident: it expects {number(one['expected'])}"
    elif one["expected"] is not None:
        told = "clearly worse, and says so itself: it is unsure there"
    return el("small", told, class_="warn")


def sections(facts: Stored) -> Iterator[Html]:
    """Yield the sections of this room in their order."""
    yield gate(facts)
    yield errors(facts)
    yield calibration(facts)
    yield importance(facts)
    yield slices(facts)
