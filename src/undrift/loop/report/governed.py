"""Sections on who decided what, what was overridden, what is not watched, and where it all comes from."""

from __future__ import annotations

from collections.abc import Iterator

from undrift.drawing.markup import Child, Html, el
from undrift.drawing.pieces import Stored, code, facts_list, said, section, table
from undrift.drawing.words import count, listed, number

_KINDS = {
    "model.registered": "registered",
    "model.approved": "approved",
    "model.admitted": "admitted by policy",
    "model.went-live": "went live",
    "model.retired": "retired",
    "model.alias-moved": "alias moved",
    "endpoint.created": "endpoint created with it",
    "endpoint.rolled-back": "rolled back to it",
    "rollout.started": "canary started",
    "rollout.promoted": "canary promoted",
}


def overrides(facts: Stored) -> Html:
    """Return every time that somebody went past a rule; kept for ever."""
    found = facts["overrides"]
    lines: list[list[Child]] = [
        [f"Forced past the gate ({one['move'].replace('_', ' ')}) by {one['actor']['words']}: {one['reason']}"]
        for one in found["forced"]
    ]
    lines += [
        [code(one["column"]), f" is kept by the settings: {one['evidence'] or 'not recorded'}."]
        for one in found["kept"]
    ]
    if not lines:
        return section(
            "overrides", "Overrides", said("None: no gate was passed by force, and no suspicious column was kept.")
        )
    return section("overrides", "Overrides", el("ul", (el("li", one) for one in lines)))


def decisions(facts: Stored) -> Html:
    """Return what was decided about it, by whom: a policy's decision is no approval."""
    rows = [
        (
            one["at"][:16].replace("T", " "),
            _KINDS.get(str(one["kind"]), str(one["kind"])),
            one["subject"],
            one["by"]["words"],
            one["reason"] or "no reason given",
        )
        for one in facts["decisions"]
    ]
    unverified = (
        "An approval is a person's. What a policy admits is no approval: nobody looked at it. An account of the "
        "operating system is shown as unverified: undrift did not check who sat at it."
    )
    shown = table(("when (UTC)", "what", "of", "by", "reason"), rows)
    return section("decisions", "Decisions", shown, said(unverified, quiet=True))


def limits(facts: Stored) -> Html:
    """Return what was not looked at and what is not watched."""
    return section("limits", "Limits", el("ul", (el("li", str(one)) for one in facts["limits"])))


def lineage(facts: Stored) -> Html:
    """Return run, code, data, package: what a reader needs to check the page."""
    one = facts["lineage"]
    run: list[Child] | None = None
    if one["run"]:
        run = [code(one["run"]), f", by {one['run_by']['words']}, {one['run_started_at'][:16].replace('T', ' ')} UTC"]
    engines = listed([str(name) for name in one["engines"]])
    if one["parity_rows"]:
        engines += f"; shown to answer as the original does on {count(one['parity_rows'], 'row')}"
    libraries = ", ".join(f"{name} {version}" for name, version in sorted(one["libraries"].items()))
    ref = facts["version"]["ref"]
    return section(
        "lineage",
        "Lineage",
        facts_list(
            [
                ("package", code(one["package"])),
                ("run", run),
                ("code", code(one["code"]) if one["code"] else one["code_problem"]),
                ("data", code(one["data"]) if one["data"] else None),
                ("environment", code(one["environment"]) if one["environment"] else None),
                ("engines", engines),
                ("made with", f"Python {one['python']}; {libraries}"),
                ("ledger head", code(one["ledger_head"])),
            ]
        ),
        said(
            "Check it: ",
            *(
                code(f"undrift model verify {ref}"),
                ", ",
                code(f"undrift why {ref}"),
                ", ",
                code("undrift audit verify"),
            ),
            quiet=True,
        ),
    )


def missing(facts: Stored) -> Html | None:
    """Return what is not recorded, and why."""
    found = facts["missing"]
    if not found:
        return None
    rows = [(one["part"], one["why"]) for one in found]
    title = f"Not recorded ({number(len(found))})"
    return section("missing", title, table(("part", "why"), rows))


def sections(facts: Stored) -> Iterator[Html]:
    """Yield the sections of this room in their order."""
    yield overrides(facts)
    yield decisions(facts)
    yield limits(facts)
    yield lineage(facts)
    absent = missing(facts)
    if absent is not None:
        yield absent
