"""The report of a model version as one HTML page: no script, no request, readable on paper."""

from __future__ import annotations

import re

from undrift.drawing.document import document
from undrift.drawing.markup import Html, el, join
from undrift.drawing.pieces import Stored
from undrift.loop.report import behaviour, governed, made
from undrift.loop.report.opening import opening

_HEADING = re.compile(r'<h2 id="([a-z]+)">([^<]*)</h2>')


def page(facts: Stored) -> str:
    """Return the page.

    Parameters
    ----------
    facts : mapping
        From :func:`undrift.loop.report.facts.report_facts`, or read back from its JSON.
    """
    sections = [*made.sections(facts), *behaviour.sections(facts), *governed.sections(facts)]
    title = f"{facts['version']['model']} version {facts['version']['number']}: model report"
    foot = "Every number on this page is the recorded one; the same facts for machines: "
    return document(
        title,
        el("header", opening(facts), _contents(sections)),
        el("main", sections),
        el("footer", el("p", foot, el("code", f"undrift model report {facts['version']['ref']} --json"))),
    )


def _contents(sections: list[Html]) -> Html:
    found = _HEADING.findall(join(*sections))
    items = (el("li", el("a", Html(title), href=f"#{anchor}")) for anchor, title in found)
    return el("nav", el("ol", items), aria_label="Contents")
