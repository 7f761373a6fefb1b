"""Sections on how a version was made: what was asked, the data, the scheme, the candidates."""

from __future__ import annotations

import re
from collections.abc import Iterator

from undrift.drawing.markup import Child, Html, el, join
from undrift.drawing.pieces import Stored, code, facts_list, said, section, table
from undrift.drawing.svg import Mark, captioned, ends, scale, strip
from undrift.drawing.words import NOTHING, alike, bounded, count, number, stated
from undrift.loop.report.names import candidate_name, metric_name

_SHOWN_COLUMNS = 30


def asked(facts: Stored) -> Html:
    """Return what was asked for: target, task, metric, threshold, and why each is so."""
    one, metric = facts["asked"], facts["asked"]["metric"]
    task: list[Child] = [one["task"], f" ({one['task_reason']})" if one["task_reason"] else ""]
    items: list[tuple[str, Child | list[Child]]] = [
        ("target", code(one["target"]) if one["target"] else None),
        ("task", task),
    ]
    if one["positive"] is not None:
        others = [label for label in one["classes"] if label != one["positive"]]
        items.append(("positive class", [code(one["positive"]), " against ", code(others[0])]))
    elif one["classes"]:
        items.append(("classes", ", ".join(one["classes"])))
    items.append(("metric", f"{metric_name(metric['name'])}, {metric['reason']}" if metric else None))
    if one["threshold"] is not None:
        basis = one["threshold_basis"] or "basis not recorded"
        items.append(("threshold", f"{number(one['threshold'])}: {basis}"))
    if one["alpha"] is not None:
        items.append(("gate", f"one-sided error {stated(one['alpha'])}, margin {stated(one['margin'])}"))
    items += [(name, text or el("em", "not stated", class_="warn")) for name, text in facts["stated"].items()]
    return section("asked", "What was asked", facts_list(items))


def data(facts: Stored) -> Html:
    """Return the data: version, period, rows, what was left out, and every column."""
    one, split = facts["data"], facts["split"]
    size = f"{count(one['rows'], 'row')}" if one["rows"] is not None else None
    items: list[tuple[str, Child | list[Child]]] = [
        ("version", [code(one["ref"]), f", added {one['added_at'][:10]}"] if one["ref"] else None),
        ("content digest", code(one["version_id"]) if one["version_id"] else None),
        ("size", size),
        ("learnt from", _rows(split, "fit") if split else None),
        ("judged on", _rows(split, "holdout") if split else None),
    ]
    if one["check"]:
        held = f", {count(one['check']['bad'], 'row')} held back" if one["check"]["bad"] else ""
        items.append(("suite", f"{one['check']['verdict']}{held}"))
    return section("data", "Data", facts_list(items), _left_out(one["left_out"]), _columns(facts["columns"]))


def _rows(split: Stored, part: str) -> str:
    span = split[f"{part}_span"]
    when = f", {span['first'][:10]} to {span['last'][:10]}" if span else ""
    return f"{count(split[f'{part}_rows'], 'row')}{when}"


def _left_out(left_out: Stored | None) -> Html | None:
    if left_out is None:
        return None
    if not left_out:
        return said("No row was left out.")
    rows = [(reason, number(many)) for reason, many in left_out.items()]
    return table(("rows left out because", "rows"), rows, numeric=(1,))


def _columns(columns: Stored) -> Html:
    used, dropped = columns["used"], columns["dropped"]
    rows = [
        (code(one["column"]), one["role"], one["type"], "yes" if one["nullable"] else "no", one["handling"])
        for one in used
    ]
    caption = f"It is asked with {count(len(used), 'column')}."
    head = ("column", "role", "type", "may be missing", "handled as")
    shown = table(head, rows[:_SHOWN_COLUMNS], caption=caption, optional=(1, 3))
    more = rows[_SHOWN_COLUMNS:]
    rest = (
        el("details", el("summary", f"{count(len(more), 'more column')}"), table(head, more, optional=(1, 3)))
        if more
        else None
    )
    return join(el("h3", "Columns"), shown, rest, _dropped(dropped))


def _dropped(dropped: list[Stored] | None) -> Html:
    if dropped is None:
        return said("Which columns were left out is not recorded.", quiet=True)
    if not dropped:
        return said("No column was left out.", quiet=True)
    rows = [(code(one["column"]), one["reason"]) for one in dropped]
    return table(("not learnt from", "because"), rows)


def scheme(facts: Stored) -> Html:
    """Return how rows were split, and why so."""
    split, comparison = facts["split"], facts["comparison"]
    if not split:
        return section("scheme", "How it was judged", said("How its rows were split is not recorded.", quiet=True))
    unit = facts["asked"]["unit"]
    words = {
        "time": "By time: it was judged on the newest rows.",
        "group": "By whole groups: no group was both learnt from and judged on.",
        "stratified": "At random, with the same share of each class on both sides.",
    }
    inner = (comparison or {}).get("comparison")
    return section(
        "scheme",
        "How it was judged",
        said(words.get(str(split["scheme"]), str(split["scheme"]))),
        facts_list(
            [
                ("reason", split["reason"]),
                ("unit", _unit(unit)),
                ("candidates", f"compared by cross-validation, {inner['scheme']}" if inner else "not compared"),
            ]
        ),
    )


def _unit(unit: str | None) -> str | None:
    """Return what is independent of what, in words."""
    if unit is None:
        return None
    if unit == "row":
        return "row: each counts for itself, equal ones as one"
    return f"{unit}: rows of one {unit} count as one piece of evidence in every interval"


def candidates(facts: Stored) -> Html:
    """Return the candidates that competed, how far each is behind the best, and which was chosen."""
    stored = facts["comparison"]
    if not stored:
        return section("candidates", "Candidates", said("Which candidates competed is not recorded.", quiet=True))
    inner = stored.get("comparison")
    if not inner:
        only = candidate_name(stored.get("chosen"))
        return section("candidates", "Candidates", said(f"Only one was fitted, the {only}: {stored.get('skipped')}."))
    return section("candidates", "Candidates", said(_choice(inner)), _compared(inner))


def _choice(inner: Stored) -> str:
    """Return the reason of the choice with the candidates' names in words."""
    kinds = "|".join(re.escape(str(one["kind"])) for one in inner["results"])
    told = re.sub(rf"\b({kinds})\b", lambda found: candidate_name(found[1]), str(inner["reason"]))
    return _sentence(told if told.startswith(("LightGBM", "XGBoost")) else f"the {told}")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _compared(inner: Stored) -> Html:
    results = inner["results"]
    marks = {one["kind"]: _behind(one) for one in results}
    low, high = scale([mark for mark in marks.values() if mark], include=0.0)
    show = alike([one["mean"] for one in results])
    far = alike([end for mark in marks.values() if mark for end in (mark.low, mark.high)])
    rows = [
        el(
            "tr",
            el("th", candidate_name(one["kind"]), el("small", _verdict(one, inner)), scope="row"),
            el("td", show(one["mean"]), class_="num"),
            el("td", ends(mark, far) if (mark := marks[one["kind"]]) else NOTHING, class_="num ud-ends"),
            el("td", strip(mark, low, high, at=0.0) if mark else None, class_="ud-drawn"),
            class_="chosen" if one["kind"] == inner["chosen"] else None,
        )
        for one in results
    ]
    head = el(
        "tr",
        el("th", "candidate", scope="col"),
        el("th", f"mean {metric_name(inner['metric'])}", scope="col", class_="num"),
        el("th", "behind the best by", scope="col", class_="num ud-ends"),
        el("th", "drawn", scope="col", class_="ud-drawn"),
    )
    caption = (
        "All were fitted and scored on the same folds; how far each is behind the best is a 90 % interval over units. "
        "The line is zero."
    )
    return captioned(caption, el("thead", head), el("tbody", rows), class_="drawn")


def _behind(one: Stored) -> Mark | None:
    found = one["behind"]
    if not bounded(found):
        return None
    tone = "off" if one["tied"] else "warn"
    return Mark(
        estimate=found["estimate"], low=found["low"], high=found["high"], tone="off" if tone == "off" else "warn"
    )


def _verdict(one: Stored, inner: Stored) -> str:
    words = []
    if one["behind"] is None and one["tied"]:
        words.append("best")
    elif one["behind"] is None:
        words.append("too few units to tell")
    else:
        words.append("ties with the best" if one["tied"] else "worse")
    return ", ".join([*words, *(["chosen"] if one["kind"] == inner["chosen"] else [])])


def sections(facts: Stored) -> Iterator[Html]:
    """Yield the sections of this room in their order."""
    yield asked(facts)
    yield data(facts)
    yield scheme(facts)
    yield candidates(facts)
