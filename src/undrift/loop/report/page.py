"""The report of a model version as one HTML page: no script, no request, readable on paper."""

from __future__ import annotations

import re

from undrift.loop.report import behaviour, governed, made
from undrift.loop.report.markup import Html, el, join
from undrift.loop.report.opening import opening
from undrift.loop.report.pieces import Stored
from undrift.loop.report.style import STYLE

_HEADING = re.compile(r'<h2 id="([a-z]+)">([^<]*)</h2>')
_NOTHING_LOADS = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page(facts: Stored) -> str:
    """Return the page.

    Parameters
    ----------
    facts : mapping
        From :func:`undrift.loop.report.facts.report_facts`, or read back from its JSON.
    """
    sections = [*made.sections(facts), *behaviour.sections(facts), *governed.sections(facts)]
    title = f"{facts['version']['model']} version {facts['version']['number']}: model report"
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", http_equiv="Content-Security-Policy", content=_NOTHING_LOADS),
        el("title", title),
        el("style", Html(STYLE)),
    )
    foot = "Every number on this page is the recorded one; the same facts for machines: "
    body = el(
        "body",
        el("header", opening(facts), _contents(sections)),
        el("main", sections),
        el("footer", el("p", foot, el("code", f"undrift model report {facts['version']['ref']} --json"))),
        class_="undrift",
    )
    return f"<!doctype html>\n{el('html', head, body, lang='en')}\n"


def _contents(sections: list[Html]) -> Html:
    found = _HEADING.findall(join(*sections))
    items = (el("li", el("a", Html(title), href=f"#{anchor}")) for anchor, title in found)
    return el("nav", el("ol", items), aria_label="Contents")
