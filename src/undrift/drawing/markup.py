"""HTML and SVG that cannot be broken by what is put into them.

Text is escaped unless it is already :class:`Html`, and only functions of this room make that.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import TypeAlias

_EMPTY = frozenset({"br", "circle", "col", "hr", "line", "link", "meta", "path", "polygon", "polyline", "rect"})


class Html(str):
    """Markup: text in which everything foreign is escaped already."""

    __slots__ = ()


Child: TypeAlias = "Html | str | int | None"
Value: TypeAlias = "str | float | None"


def el(tag: str, *children: Child | Iterable[Child], **attributes: Value) -> Html:
    """Return an element.

    Parameters
    ----------
    tag : str
        Its name.
    children : Html, str, int, None, or iterables of them
        What is in it; whatever is not ``Html`` is escaped, None is nothing.
    attributes : str, number or None
        Escaped; None leaves one out. A trailing underscore of a name is dropped, others become hyphens:
        ``class_="num"``, ``aria_label="..."``.
    """
    shown = "".join(f' {_name(key)}="{_value(value)}"' for key, value in attributes.items() if value is not None)
    if tag in _EMPTY:
        return Html(f"<{tag}{shown}/>" if tag not in ("br", "hr", "meta", "link", "col") else f"<{tag}{shown}>")
    return Html(f"<{tag}{shown}>{join(*children)}</{tag}>")


def join(*children: Child | Iterable[Child]) -> Html:
    """Return several pieces one after the other, escaped where they are plain text."""
    return Html("".join(_piece(child) for child in children))


def _piece(child: Child | Iterable[Child]) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return str(child)
    if isinstance(child, str | int):
        return html.escape(_printable(str(child)))
    return "".join(_piece(one) for one in child)


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _value(value: str | float) -> str:
    if isinstance(value, str):
        return html.escape(_printable(value))
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _printable(text: str) -> str:
    """Return text without control characters, which HTML has no way to write; spaces of all kinds stay."""
    return "".join(
        letter if letter.isprintable() or letter.isspace() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
