"""The pieces that sections of a page are put together from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from undrift.drawing.markup import Child, Html, el
from undrift.drawing.svg import captioned
from undrift.drawing.words import NOTHING

Stored: TypeAlias = Mapping[str, Any]  # Any: JSON read back
Cell: TypeAlias = "Child"


def section(anchor: str, title: str, *children: Child | Iterable[Child]) -> Html:
    """Return a section under a heading of its own, which the contents lead to."""
    return el("section", el("h2", title, id=anchor), *children, aria_labelledby=anchor)


def said(*children: Child | Iterable[Child], quiet: bool = False) -> Html:
    """Return a paragraph."""
    return el("p", *children, class_="quiet" if quiet else None)


def code(text: object) -> Html:
    """Return a name of the table, or a reference, as such."""
    return el("code", str(text))


def facts_list(items: Iterable[tuple[str, Child | Iterable[Child]]]) -> Html:
    """Return names with what is known of them; what is None or empty is said to be not recorded."""
    parts = []
    for name, value in items:
        shown = el("span", "not recorded", class_="quiet") if value in (None, "") else value
        parts += [el("dt", name), el("dd", shown)]
    return el("dl", parts, class_="facts")


def table(
    headings: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    caption: str = "",
    numeric: Sequence[int] = (),
    optional: Sequence[int] = (),
) -> Html:
    """Return a table whose first column names the row.

    Parameters
    ----------
    headings : sequence of str
        Of the columns.
    rows : iterable of sequences
        Cells; None is shown as a dash.
    caption : str
        One sentence that says what is seen.
    numeric : sequence of int
        Columns that hold numbers.
    optional : sequence of int
        Columns that a phone does not show.
    """
    classes = [_class(at, numeric, optional) for at in range(len(headings))]
    head = el("tr", (el("th", one, scope="col", class_=kind) for one, kind in zip(headings, classes, strict=True)))
    body = [
        el("tr", (_cell(at, cell, kind) for at, (cell, kind) in enumerate(zip(row, classes, strict=True))))
        for row in rows
    ]
    return captioned(caption, el("thead", head), el("tbody", body))


def figure(title: str, picture: Html, caption: Child | Iterable[Child]) -> Html:
    """Return a picture with its title and the sentence that says what it shows."""
    return el("figure", el("h3", title), picture, el("figcaption", caption))


def _cell(at: int, cell: Cell, kind: str | None) -> Html:
    shown = NOTHING if cell is None else cell
    return el("th", shown, scope="row") if at == 0 else el("td", shown, class_=kind)


def _class(at: int, numeric: Sequence[int], optional: Sequence[int]) -> str | None:
    kinds = [name for name, those in (("num", numeric), ("opt", optional)) if at in those]
    return " ".join(kinds) or None
