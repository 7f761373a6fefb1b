"""The top of the page: what it is, how good it is, and what a reader must know before anything else."""

from __future__ import annotations

from collections.abc import Iterator

from undrift.drawing.markup import Child, Html, el, join
from undrift.drawing.pieces import Stored, code
from undrift.drawing.words import bounded, count, interval, listed, number
from undrift.loop.report.names import arm_name, metric_name
from undrift.loop.training.kept import NOTHING
from undrift.models.cards import missing_line

OUTCOMES = {"pass": "passed", "fail": "failed", "cannot_tell": "cannot tell"}
_TONES = {"pass": "pass", "fail": "fail", "cannot_tell": "warn"}
_MANY_OFF = 3


def opening(facts: Stored) -> Html:
    """Return title, first sentences, key figures, notices."""
    version = facts["version"]
    state = el("span", version["state"], class_="state")
    aliases = f", {listed(version['aliases'])}" if version["aliases"] else ""
    born = (
        f"Model report. Registered {version['registered_at'][:16].replace('T', ' ')} by "
        f"{version['registered_by']['words']}{aliases}."
    )
    return join(
        el("h1", f"{version['model']} ", el("span", f"version {version['number']}", class_="quiet"), state),
        el("p", born, class_="quiet"),
        el("p", _lead(facts), class_="lead"),
        _figures(facts),
        _notices(facts),
    )


def _lead(facts: Stored) -> list[Child]:
    asked, data = facts["asked"], facts["data"]
    columns = count(len(facts["columns"]["used"]), "column")
    target = code(asked["target"]) if asked["target"] else "its target"
    what: list[Child] = ["It answers a number for ", target]
    if asked["task"] == "binary":
        what = ["It gives the probability that ", target, " is ", code(asked["positive"])]
    elif asked["task"] == "multiclass":
        what = ["It answers which of ", count(len(asked["classes"]), "class", "classes"), " ", target, " is"]
    source: list[Child] = [f" of {columns}"] if not data["ref"] else [f" from {columns} of ", code(data["ref"])]
    return [*what, *source, ". ", *_quality(facts)]


def _quality(facts: Stored) -> list[Child]:
    gate = facts["gate"]
    if not gate or "challenger" not in gate:
        return ["No gate has judged it: how good it is on rows that it has not seen is not recorded."]
    metric, holdout = gate["metric"], gate["holdout"]
    units = "" if holdout["unit"] == "row" else f" of {count(holdout['units'], holdout['unit'])}"
    other = gate["reference"]["metrics"].get(metric) or {"estimate": gate["reference"]["value"], "low": None}
    against = f"; {arm_name(gate['reference']['name'])} reaches {number(other['estimate'])}"
    found = interval(gate["challenger"]["metrics"].get(metric))
    seen = f"On {count(holdout['rows'], 'row')}{units} that it had not seen, its {metric_name(metric)} is {found}"
    return [
        f"{seen}{against}. ",
        el("strong", f"The gate {_outcome(gate)}", class_=_TONES.get(gate["decision"]["outcome"])),
        ".",
    ]


def _outcome(gate: Stored) -> str:
    return {"pass": "passed", "fail": "failed", "cannot_tell": "could not tell"}[str(gate["decision"]["outcome"])]


def _figures(facts: Stored) -> Html:
    return el(
        "dl", (el("div", el("dt", name), el("dd", value)) for name, value in _key_figures(facts)), class_="figures"
    )


def _key_figures(facts: Stored) -> Iterator[tuple[str, list[Child]]]:
    gate, asked, split = facts["gate"], facts["asked"], facts["split"]
    if gate and "challenger" in gate:
        found = gate["challenger"]["metrics"].get(gate["metric"])
        ends = (
            f"{number(found['low'])} to {number(found['high'])}" if bounded(found) else "too few units for an interval"
        )
        yield metric_name(gate["metric"]), [number(found["estimate"] if found else None), el("small", ends)]
        outcome = str(gate["decision"]["outcome"])
        yield "gate", [el("span", OUTCOMES[outcome], class_=_TONES[outcome]), el("small", _gain(gate))]
    else:
        yield "gate", ["none", el("small", "nothing has judged this version")]
    if split:
        judged = f"judged on {count(split['holdout_rows'], 'row')}"
        yield "rows learnt from", [number(split["fit_rows"]), el("small", judged)]
    if asked["threshold"] is not None:
        basis = asked["threshold_basis"] or "basis not recorded"
        yield "threshold", [number(asked["threshold"]), el("small", basis)]


def _gain(gate: Stored) -> str:
    difference = gate.get("difference")
    if not difference:
        return "no interval"
    return f"{'better by' if difference['estimate'] >= 0 else 'difference'} {interval(difference)}"


def _notices(facts: Stored) -> Html | None:
    notices = list(notices_of(facts))
    if not notices:
        return None
    return el("div", el("h2", "Know this first"), el("ul", (el("li", one) for one in notices)), class_="notices")


def notices_of(facts: Stored) -> Iterator[list[Child]]:
    """Yield what a reader must know before anything else, the gravest first."""
    for one in facts["overrides"]["forced"]:
        yield [f"It was forced past its gate by {one['actor']['words']}: {one['reason']}"]
    for one in facts["overrides"]["kept"]:
        evidence = one["evidence"] or "what speaks against it is not recorded"
        if evidence != NOTHING:
            yield ["It learns from ", code(one["column"]), f", which the settings keep: {evidence}."]
    yield from _from_diagnosis(facts["diagnosis"])
    yield from ([one["text"]] for one in facts["warnings"])
    if facts["not_stated"]:
        yield [missing_line(facts["not_stated"], facts["version"]["model"])]
    for one in facts["missing"]:
        yield [f"Not recorded: {one['part']} ({one['why']})."]


def _from_diagnosis(diagnosis: Stored | None) -> Iterator[list[Child]]:
    if not diagnosis:
        return
    slices, calibration = diagnosis["slices"], diagnosis["calibration"]
    worse = [one for one in slices["slices"] if one["is_worse"]]
    if worse:
        named = listed([f"{one['column']}: {one['slice']}" for one in worse[:3]])
        more = f", and {slices['worse'] - 3} more" if slices["worse"] > 3 else ""  # noqa: PLR2004 - as many are named
        yield [
            f"It is clearly worse in {count(slices['worse'], 'slice')} of {slices['tested']}: {named}{more}. ",
            el("a", "See the slices", href="#slices"),
            ".",
        ]
    if diagnosis["task"] != "regression" and calibration["off"] >= _MANY_OFF:
        off = f"Its probabilities are off in {calibration['off']} of {len(calibration['bins'])} bins. "
        yield [
            off,
            el("a", "See the calibration", href="#calibration"),
            ".",
        ]
