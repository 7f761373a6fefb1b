"""One HTML page that stands alone: no script, no request, light and dark, readable on paper."""

from __future__ import annotations

from undrift.drawing.markup import Html, el
from undrift.drawing.style import STYLE

_NOTHING_LOADS = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def document(title: str, *parts: Html, style: str = "") -> str:
    """Return a page.

    Parameters
    ----------
    title : str
        Shown by the browser.
    parts : Html
        Header, main part and footer.
    style : str
        Rules of this page beside those of all.
    """
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", http_equiv="Content-Security-Policy", content=_NOTHING_LOADS),
        el("title", title),
        el("style", Html(STYLE + style)),
    )
    return f"<!doctype html>\n{el('html', head, el('body', *parts, class_='undrift'), lang='en')}\n"
